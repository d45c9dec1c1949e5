//! `{{ name }}` templates, the only expression that `spin.toml` knows.

use std::fmt;

/// Text with `{{ name }}` placeholders for application variables, as in `spin.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Parses `source`. The error says what is wrong with it: braces left open, or a name that is not lower snake case.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((text, after)) = rest.split_once("{{") {
            let (name, tail) = after.split_once("}}").ok_or("`{{` without `}}`: write {{ variable_name }}")?;
            let name = name.trim();
            if !is_variable_name(name) {
                return Err(format!("`{name}` in {{{{ }}}} is no variable name: write lower_snake_case"));
            }
            push_text(&mut parts, text);
            parts.push(Part::Variable(name.to_owned()));
            rest = tail;
        }
        push_text(&mut parts, rest);
        Ok(Self { source: source.to_owned(), parts })
    }

    /// Text that is taken as it is, braces included.
    pub fn literal(text: &str) -> Self {
        let mut parts = Vec::new();
        push_text(&mut parts, text);
        Self { source: text.to_owned(), parts }
    }

    /// Whether the text has no placeholder at all.
    pub fn is_literal(&self) -> bool {
        self.variables().next().is_none()
    }

    /// The names of the variables it uses, in order, repeats included.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Variable(name) => Some(name.as_str()),
        })
    }

    /// The text as written in `spin.toml`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Fills in every placeholder; `Err` is the first name for which `value` has nothing.
    pub fn render<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, &str> {
        let mut out = String::with_capacity(self.source.len());
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable(name) => out.push_str(value(name).ok_or(name.as_str())?),
            }
        }
        Ok(out)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl serde::Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

/// Whether `name` is lower snake case: words of `[a-z][a-z0-9]*` joined by single underscores.
pub fn is_variable_name(name: &str) -> bool {
    name.split('_').all(is_lower_word)
}

/// Whether `word` is `[a-z][a-z0-9]*`, of which the ids in `spin.toml` are made.
pub(crate) fn is_lower_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}
