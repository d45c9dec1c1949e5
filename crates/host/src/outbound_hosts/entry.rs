//! One entry of `allowed_outbound_hosts`.

use std::net::IpAddr;
use std::ops::Range;

use super::{CHAINING_SUFFIX, default_port};

#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// `None` is `*`.
    scheme: Option<String>,
    pub(super) host: Host,
    /// `None` is `*`.
    ports: Option<Range<u32>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Host {
    Any,
    Under(String),
    Itself,
    Address(IpAddr),
    Name(String),
}

impl Entry {
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let fault = |why: String| {
            anyhow::anyhow!(
                "`{text}` is no allowed outbound host: {why}; write scheme://host[:port], `*` for any of them"
            )
        };
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| fault("it has no scheme".to_owned()))?;
        if scheme != "*" && (scheme.is_empty() || !scheme.chars().all(char::is_alphabetic)) {
            return Err(fault(format!("scheme `{scheme}` is not letters only")));
        }
        let rest = rest.trim_end_matches('/');
        let (host, port) = split_port(rest);
        let host = Host::parse(host).map_err(fault)?;
        let ports = parse_ports(scheme, port).map_err(fault)?;
        Ok(Self { scheme: (scheme != "*").then(|| scheme.to_ascii_lowercase()), host, ports })
    }

    pub(super) fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        self.allows_scheme(scheme) && self.host.allows(host) && self.allows_port(port)
    }

    pub(super) fn allows_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|own| own == scheme)
    }

    pub(super) fn allows_port(&self, port: Option<u16>) -> bool {
        self.ports.as_ref().is_none_or(|ports| port.is_some_and(|port| ports.contains(&u32::from(port))))
    }
}

impl Host {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(domain) = text.strip_prefix("*.") {
            return match domain.contains('*') || domain.is_empty() {
                true => Err("`*` may stand only once, in front".to_owned()),
                false => Ok(Self::Under(format!(".{domain}"))),
            };
        }
        match text.as_str() {
            "*" => Ok(Self::Any),
            "self" | "self.alt" => Ok(Self::Itself),
            "" => Err("it has no host".to_owned()),
            _ if text.contains('*') => Err("`*` may stand only in front, as in `*.example.com`".to_owned()),
            _ if text.contains('/') => Err("paths and address ranges are not possible here".to_owned()),
            _ if text.contains(['{', '}', ',', ' ', '@', '?', '#']) => Err(format!("`{text}` is not one host")),
            _ => Ok(address(&text).map_or(Self::Name(text), Self::Address)),
        }
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Under(suffix) => host.ends_with(suffix.as_str()),
            Self::Itself => false,
            Self::Address(own) => address(host) == Some(*own),
            Self::Name(own) => own == host,
        }
    }

    pub(super) fn covers_chaining(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Under(suffix) => CHAINING_SUFFIX.ends_with(suffix.as_str()),
            _ => false,
        }
    }
}

/// An IPv6 address in brackets holds colons of its own.
fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    }
}

fn parse_ports(scheme: &str, text: &str) -> Result<Option<Range<u32>>, String> {
    let number = |text: &str| text.parse::<u16>().map(u32::from).map_err(|_| format!("`{text}` is no port"));
    let single = |port: u32| Some(port..port + 1);
    match text.split_once("..") {
        None if text == "*" => Ok(None),
        None if text.is_empty() => match default_port(scheme) {
            Some(port) => Ok(single(port.into())),
            None => Err(format!("scheme `{scheme}` has no usual port, so one must be given")),
        },
        None => Ok(single(number(text)?)),
        Some((from, to)) => Ok(Some(number(from)?..number(to)?)),
    }
}

fn address(text: &str) -> Option<IpAddr> {
    text.trim_start_matches('[').trim_end_matches(']').parse().ok()
}
