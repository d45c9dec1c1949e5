//! Which component answers a path: the route rules of Spin's HTTP trigger.
//!
//! A route is a path whose segments are literal or `:name` (any one segment), with `/...` at the
//! end for everything below. Of the routes that match, the most specific wins, compared segment by
//! segment from the left: literal, then `:name`, then `/...`. Slashes at the end of a path do not
//! count, except that path-info keeps one.

use anyhow::bail;

use crate::manifest::HttpTrigger;

mod pattern;
#[cfg(test)]
mod tests;

pub(crate) use pattern::Pattern;
use pattern::with_base;

/// Paths that Spin keeps for itself (`/.well-known/spin/health`).
pub const RESERVED_PREFIX: &str = "/.well-known/spin/";

/// The public routes of an application, most specific first.
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    pattern: Pattern,
    /// As in the manifest.
    raw: String,
    /// With the base in front, as Spin reports it.
    based: String,
    component: String,
}

/// The outcome of [`Router::find`]: what Spin tells a guest in the `spin-*` headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch<'a> {
    /// The id of the component that answers.
    pub component: &'a str,
    /// `spin-matched-route`: the route with the application's base in front.
    pub route: &'a str,
    /// `spin-raw-component-route`: the route as the manifest has it.
    pub raw_route: &'a str,
    /// `spin-path-info`: what `/...` stands for, with its leading slash; empty for a route without it.
    pub path_info: String,
    /// `spin-path-match-<name>`: the segments that `:name` stands for, undecoded.
    pub params: Vec<(&'a str, String)>,
}

impl RouteMatch<'_> {
    /// `spin-component-route`: the raw route without its `/...`.
    pub fn component_route(&self) -> &str {
        self.raw_route.strip_suffix("/...").unwrap_or(self.raw_route)
    }

    /// The match of a request that another component sends to `http://<component>.spin.internal<path>`.
    pub fn chained<'a>(component: &'a str, path: &str) -> RouteMatch<'a> {
        RouteMatch { component, route: "/...", raw_route: "/...", path_info: path.to_owned(), params: Vec::new() }
    }
}

impl Router {
    /// Orders the public routes of `triggers`, each with `base` in front (`/` for none).
    ///
    /// Errors: a route that is not well formed, one under [`RESERVED_PREFIX`], and two that match
    /// the same paths.
    pub fn new(base: &str, triggers: &[HttpTrigger]) -> anyhow::Result<Self> {
        let mut routes: Vec<Route> = Vec::new();
        for trigger in triggers {
            let Some(raw) = trigger.route.clone() else {
                continue;
            };
            let based = with_base(base, &raw);
            let pattern = Pattern::based(base, &raw).map_err(|fault| anyhow::anyhow!("route `{raw}`: {fault}"))?;
            if let Some(other) = routes.iter().find(|other| other.pattern.same_paths(&pattern)) {
                bail!(
                    "route `{raw}` of `{}` matches the same paths as `{}` of `{}`: keep one",
                    trigger.component,
                    other.raw,
                    other.component
                );
            }
            routes.push(Route { pattern, raw, based, component: trigger.component.clone() });
        }
        routes.sort_by_key(|route| route.pattern.specificity());
        Ok(Self { routes })
    }

    /// The most specific route for `path` (without query, not decoded), if any.
    pub fn find(&self, path: &str) -> Option<RouteMatch<'_>> {
        self.routes.iter().find_map(|route| {
            let (values, below) = route.pattern.matches(path)?;
            Some(RouteMatch {
                component: &route.component,
                route: &route.based,
                raw_route: &route.raw,
                path_info: below.map(|below| path_info(below, path)).unwrap_or_default(),
                params: route.pattern.names().zip(values).collect(),
            })
        })
    }

    /// Every public route and its component, most specific first.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.routes.iter().map(|route| (route.based.as_str(), route.component.as_str()))
    }
}

/// Spin keeps one slash at the end of the path-info where the path had any.
fn path_info(below: &str, path: &str) -> String {
    let start = if below.is_empty() { "" } else { "/" };
    let end = if path.ends_with('/') { "/" } else { "" };
    format!("{start}{below}{end}")
}
