//! Names of component dependencies: `spindle:calendar/rules@1.0.0` and its shorter forms.

use std::fmt;

use crate::variables::is_lower_word;

/// The key of a dependency: which imports of the component it fills.
///
/// `pkg:ns/iface@1.2.3`, `pkg:ns/iface` (any version), `pkg:ns` (all its interfaces),
/// `pkg:ns@1.2.3`, or a plain kebab-case name for an import that is no interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DependencyName {
    /// `spindle:calendar`, or the plain name.
    pub package: String,
    /// `rules`; `None` means every interface of the package.
    pub interface: Option<String>,
    /// A full version; `None` means any.
    pub version: Option<String>,
}

impl DependencyName {
    /// Parses a name; the error says what a name looks like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, version) = split(text, '@');
        let (package, interface) = split(name, '/');
        let words = |part: &str| part.split('-').all(is_lower_word);
        let well_formed = package.split(':').count() <= 2
            && package.split(':').all(words)
            && interface.is_none_or(|part| words(part) && package.contains(':'))
            && version.is_none_or(|_| package.contains(':'));
        if !well_formed {
            return Err(format!("`{text}` names no import: write it like \"spindle:calendar/rules\""));
        }
        if let Some(version) = version.filter(|version| !is_full_version(version)) {
            return Err(format!("`{version}` is no full version: write all three numbers, like @1.0.0, or none"));
        }
        let owned = |part: Option<&str>| part.map(str::to_owned);
        Ok(Self { package: package.to_owned(), interface: owned(interface), version: owned(version) })
    }

    /// Whether the dependency is meant for the import of this name (`wasi:io/poll@0.2.6`).
    pub fn matches(&self, import: &str) -> bool {
        let (name, version) = split(import, '@');
        let (package, interface) = split(name, '/');
        self.package == package
            && self.interface.as_deref().is_none_or(|own| Some(own) == interface)
            && self.version.as_deref().is_none_or(|own| Some(own) == version)
    }

    /// Whether both could fill one import: same package, interfaces not told apart, nor versions by
    /// compatibility.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let apart = |mine: Option<String>, theirs: Option<String>| mine.is_some() && theirs.is_some() && mine != theirs;
        let track = |name: &Self| name.version.as_deref().map(compatibility_track);
        self.package == other.package
            && !apart(self.interface.clone(), other.interface.clone())
            && !apart(track(self), track(other))
    }
}

impl fmt::Display for DependencyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.package)?;
        if let Some(interface) = &self.interface {
            write!(f, "/{interface}")?;
        }
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        Ok(())
    }
}

impl serde::Serialize for DependencyName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

fn core_numbers(version: &str) -> Vec<&str> {
    version.split(['-', '+']).next().unwrap_or_default().split('.').collect()
}

fn is_full_version(version: &str) -> bool {
    let numbers = core_numbers(version);
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    numbers.len() == 3 && numbers.iter().all(numeric)
}

/// `1`, `0.2`, `0.0.3`: versions with the same track may stand in for each other. A pre-release
/// stands alone.
fn compatibility_track(version: &str) -> String {
    if version.contains('-') {
        return version.to_owned();
    }
    let numbers = core_numbers(version);
    let significant = numbers.iter().position(|number| *number != "0").unwrap_or(numbers.len() - 1);
    numbers[..=significant].join(".")
}
