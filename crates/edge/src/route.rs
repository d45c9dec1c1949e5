//! Routes: which request is for which handler.

use crate::{Call, Problem, Reply};

/// What a route is bound to.
pub type Handler = fn(&Call) -> Result<Reply, Problem>;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Who has an access token.
    User,
    /// The relay, the sidecar and the ticks, who know the internal token.
    Internal,
    /// Who looks after the service, and knows the operator's token.
    Operator,
}

/// One route of a component.
pub struct Route {
    pub(crate) method: &'static str,
    /// Segments in braces match anything: `/api/v1/tasks/{id}`.
    path: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: Handler,
}

impl Route {
    /// The same route, open to everybody.
    pub const fn public(mut self) -> Self {
        self.access = Access::Public;
        self
    }

    /// The same route, for operators.
    pub const fn operator(mut self) -> Self {
        self.access = Access::Operator;
        self
    }
}

const fn route(method: &'static str, path: &'static str, access: Access, handler: Handler) -> Route {
    Route { method, path, access, handler }
}

/// `GET`, for users.
pub const fn get(path: &'static str, handler: Handler) -> Route {
    route("GET", path, Access::User, handler)
}

/// `POST`, for users.
pub const fn post(path: &'static str, handler: Handler) -> Route {
    route("POST", path, Access::User, handler)
}

/// `PATCH`, for users.
pub const fn patch(path: &'static str, handler: Handler) -> Route {
    route("PATCH", path, Access::User, handler)
}

/// `DELETE`, for users.
pub const fn delete(path: &'static str, handler: Handler) -> Route {
    route("DELETE", path, Access::User, handler)
}

/// `POST`, for who knows the internal token.
pub const fn internal(path: &'static str, handler: Handler) -> Route {
    route("POST", path, Access::Internal, handler)
}

/// The route of a request and the values of its path's braces.
///
/// # Errors
/// 404 when no route has this path; 405 when one has, but not for this method.
pub fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Result<(&'a Route, Vec<String>), Problem> {
    // HEAD is GET without the body, which the host drops
    let wanted = if method == "HEAD" { "GET" } else { method };
    let fitting: Vec<_> = routes.iter().filter_map(|route| Some((route, matches(route.path, path)?))).collect();
    let refusal = no_route(&fitting);
    fitting.into_iter().find(|(route, _)| route.method == wanted).ok_or(refusal)
}

fn no_route(fitting: &[(&Route, Vec<String>)]) -> Problem {
    if fitting.is_empty() {
        return Problem::not_found("path");
    }
    let allowed = fitting.iter().map(|(route, _)| route.method).collect::<Vec<_>>().join(", ");
    let detail = format!("this path answers to {allowed}");
    let mut problem = Problem::new(405, "method-not-allowed", "This method is not for this path", detail);
    problem.headers.push(("allow", allowed));
    problem
}

/// The values of the pattern's braces if the path fits it.
fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut params = Vec::new();
    let mut segments = path.split('/');
    for expected in pattern.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') {
            params.push(segment.to_owned());
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &Call) -> Result<Reply, Problem> {
        Ok(Reply::empty())
    }

    const ROUTES: &[Route] = &[
        get("/a", nothing),
        post("/a", nothing).public(),
        patch("/a/{id}", nothing),
        delete("/a/{id}", nothing),
        internal("/internal/a", nothing),
        get("/admin/a", nothing).operator(),
    ];

    #[test]
    fn a_path_fits_its_pattern() {
        assert_eq!(matches("/a/{id}", "/a/7"), Some(vec!["7".to_owned()]));
        assert_eq!(matches("/a", "/a"), Some(vec![]));
        for path in ["/a", "/a/7/", "/a/7/b", "/b/7", "a/7"] {
            assert_eq!(matches("/a/{id}", path), None, "{path}");
        }
    }

    #[test]
    fn a_request_finds_its_route() {
        let access = |method, path| find(ROUTES, method, path).map(|(route, _)| route.access).ok();
        assert_eq!(access("GET", "/a"), Some(Access::User));
        assert_eq!(access("HEAD", "/a"), Some(Access::User));
        assert_eq!(access("POST", "/a"), Some(Access::Public));
        assert_eq!(access("DELETE", "/a/7"), Some(Access::User));
        assert_eq!(access("POST", "/internal/a"), Some(Access::Internal));
        assert_eq!(access("GET", "/admin/a"), Some(Access::Operator));
        let (_, params) = find(ROUTES, "PATCH", "/a/7").expect("a route");
        assert_eq!(params, ["7"]);
    }

    #[test]
    fn a_request_without_a_route_learns_what_there_is() {
        let problem = find(ROUTES, "PUT", "/a").err().expect("a problem");
        assert_eq!((problem.status, problem.kind), (405, "method-not-allowed"));
        assert_eq!(problem.headers, [("allow", "GET, POST".to_owned())]);
        assert_eq!(find(ROUTES, "GET", "/b").err().map(|problem| problem.status), Some(404));
    }
}
