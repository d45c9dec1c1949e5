//! A route, taken apart.

use super::RESERVED_PREFIX;

/// A route, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    segments: Vec<Segment>,
    wildcard: bool,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    Param(String),
}

impl Pattern {
    /// Parses a route below a base; the error says what is allowed.
    pub(crate) fn based(base: &str, route: &str) -> Result<Self, String> {
        if !route.starts_with('/') {
            return Err("a route starts with `/`".to_owned());
        }
        Self::parse(&with_base(base, route))
    }

    fn parse(route: &str) -> Result<Self, String> {
        let path = route.strip_prefix('/').ok_or("a route starts with `/`")?;
        if route.starts_with(RESERVED_PREFIX) {
            return Err(format!("paths under {RESERVED_PREFIX} are Spin's own and would never reach a component"));
        }
        let (path, wildcard) = match path.strip_suffix("...") {
            Some(rest) if rest.is_empty() || rest.ends_with('/') => (rest, true),
            _ => (path, false),
        };
        let path = path.strip_suffix('/').unwrap_or(path);
        let parts = path.split('/').filter(|_| !path.is_empty());
        Ok(Self { segments: parts.map(Segment::parse).collect::<Result<_, _>>()?, wildcard })
    }

    /// Whether it matches exactly the paths that `other` matches; names of `:name` segments make no difference.
    pub(crate) fn same_paths(&self, other: &Self) -> bool {
        let same = |(mine, theirs): (&Segment, &Segment)| match (mine, theirs) {
            (Segment::Literal(mine), Segment::Literal(theirs)) => mine == theirs,
            (Segment::Param(_), Segment::Param(_)) => true,
            _ => false,
        };
        self.wildcard == other.wildcard
            && self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }

    /// Sorts before the key of a pattern that is less specific.
    pub(super) fn specificity(&self) -> Vec<u8> {
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 0,
            Segment::Param(_) => 1,
        };
        self.segments.iter().map(rank).chain(self.wildcard.then_some(2)).collect()
    }

    /// The values of the `:name` segments and what `/...` stands for (without slashes around it), if `path` matches.
    pub(super) fn matches<'p>(&self, path: &'p str) -> Option<(Vec<String>, Option<&'p str>)> {
        let trimmed = path.trim_matches('/');
        let mut rest = Some(trimmed).filter(|trimmed| !trimmed.is_empty());
        let mut values = Vec::new();
        for segment in &self.segments {
            let current = rest?;
            let (head, tail) = current.split_once('/').map_or((current, None), |(head, tail)| (head, Some(tail)));
            match segment {
                Segment::Literal(literal) if literal != head => return None,
                Segment::Literal(_) => {}
                Segment::Param(_) => values.push(head.to_owned()),
            }
            rest = tail;
        }
        match (self.wildcard, rest) {
            (true, rest) => Some((values, Some(rest.unwrap_or_default()))),
            (false, None) => Some((values, None)),
            (false, Some(_)) => None,
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Param(name) => Some(name.as_str()),
        })
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix(':');
        match (text, name) {
            ("", _) => Err("a segment is empty: two slashes in a row".to_owned()),
            ("...", _) => Err("`...` may only stand at the end".to_owned()),
            (_, Some(name)) if is_param_name(name) => Ok(Self::Param(name.to_owned())),
            (_, Some(_)) => Err(format!("`{text}`: a parameter is a whole segment, like `:task_id`")),
            _ if text.contains([':', '*', '?', '#']) => {
                Err(format!("`{text}`: a segment is plain text or `:name`; everything below is `/...` at the end"))
            }
            _ => Ok(Self::Literal(text.to_owned())),
        }
    }
}

fn is_param_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// A route with the application's base in front.
pub(super) fn with_base(base: &str, route: &str) -> String {
    format!("{}{route}", base.strip_suffix('/').unwrap_or(base))
}
