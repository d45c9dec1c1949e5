//! `allowed_outbound_hosts`: where a component may connect to.
//!
//! An entry is `scheme://host[:port]`. The scheme is letters or `*`. The host is a name, an IP
//! address, `*`, `*.domain`, or `self` (the application itself). The port is a number, `*`, or
//! `from..to` (without `to`); it may be left out for schemes that have a usual one.
//! `http://<component>.spin.internal` and `http://*.spin.internal` allow service chaining.

use std::collections::BTreeSet;

use crate::variables::{Template, Variables};

mod entry;
#[cfg(test)]
mod tests;

use entry::{Entry, Host};

const CHAINING_SUFFIX: &str = ".spin.internal";

/// The hosts that one component may connect to. The default is none.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

/// Which other components of the application a component may call in process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chaining {
    /// None.
    None,
    /// These, by id. Spin traps the caller when one of them is not running.
    Only(BTreeSet<String>),
    /// Every running one; any other name is a denied request.
    All,
}

impl AllowedHosts {
    /// Parses entries whose placeholders are filled in. One bad entry is an error for the whole list.
    pub fn parse(entries: &[String]) -> anyhow::Result<Self> {
        let entries = entries.iter().map(|text| Entry::parse(text)).collect::<anyhow::Result<_>>()?;
        Ok(Self { entries })
    }

    /// The list of component `id`, its placeholders filled in.
    ///
    /// When an entry comes out empty or malformed, the component may connect to nothing at all, as
    /// on Spin; that is logged once, here.
    pub fn of_component(id: &str, entries: &[Template], variables: &Variables) -> Self {
        let expanded = entries.iter().map(|entry| variables.expand(entry)).collect::<anyhow::Result<Vec<_>>>();
        expanded.and_then(|entries| Self::parse(&entries)).unwrap_or_else(|error| {
            tracing::error!(component = id, "allowed_outbound_hosts is unusable, every call is denied: {error:#}");
            Self::default()
        })
    }

    /// Whether a connection to `host` is allowed; without `port` the usual one of `scheme` counts.
    ///
    /// Upper and lower case are the same. PostgreSQL addresses of either spelling have the scheme
    /// `postgres`.
    pub fn allows(&self, scheme: &str, host: &str, port: impl Into<Option<u16>>) -> bool {
        let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        let port = port.into().or_else(|| default_port(&scheme));
        self.entries.iter().any(|entry| entry.allows(&scheme, &host, port))
    }

    /// Whether requests with a relative URL, which go to the application itself, are allowed.
    pub fn allows_self(&self, scheme: &str) -> bool {
        self.entries.iter().any(|entry| entry.allows_scheme(scheme) && matches!(entry.host, Host::Any | Host::Itself))
    }

    /// What the list says about `http://<component>.spin.internal`.
    pub fn chaining(&self) -> Chaining {
        let usable = |entry: &&Entry| entry.allows_scheme("http") && entry.allows_port(default_port("http"));
        let mut ids = BTreeSet::new();
        for entry in self.entries.iter().filter(usable) {
            match &entry.host {
                host if host.covers_chaining() => return Chaining::All,
                Host::Name(name) => ids.extend(name.strip_suffix(CHAINING_SUFFIX).map(str::to_owned)),
                _ => {}
            }
        }
        if ids.is_empty() { Chaining::None } else { Chaining::Only(ids) }
    }
}

/// The port that a scheme has when none is written.
pub fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

/// The component that `http://<id>.spin.internal` means, if `host` is of that form.
pub fn chaining_target(host: &str) -> Option<&str> {
    host.strip_suffix(CHAINING_SUFFIX).filter(|id| !id.is_empty() && !id.contains('.'))
}
