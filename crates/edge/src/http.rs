//! Routes, calls and replies.

use std::cell::OnceCell;

use domain::token::Claims;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use wasi::http::types::{IncomingRequest, Method, ResponseOutparam};

use crate::db::Db;
use crate::{Problem, auth, body, clock, config};

/// The largest body of a request, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

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
}

/// One route of a component.
pub struct Route {
    method: &'static str,
    /// Segments in braces match anything: `/api/v1/tasks/{id}`.
    path: &'static str,
    access: Access,
    handler: Handler,
}

impl Route {
    /// The same route, open to everybody.
    pub const fn public(mut self) -> Self {
        self.access = Access::Public;
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

/// One request while it is answered.
pub struct Call {
    request: IncomingRequest,
    path: String,
    query: String,
    params: Vec<String>,
    /// When the request came: the one time that all it does happens at.
    pub now: Timestamp,
    user: Option<Claims>,
    db: OnceCell<Db>,
}

impl Call {
    /// The value of a header, the last one if it came more than once: a client's own come first.
    pub fn header(&self, name: &str) -> Option<String> {
        let values = self.request.headers().get(&name.to_owned());
        values.into_iter().next_back().and_then(|value| String::from_utf8(value).ok())
    }

    /// The id in the path's first braces.
    ///
    /// # Errors
    /// 404 naming `what` when it is no UUID: nothing can be there.
    pub fn id(&self, what: &str) -> Result<Uuid, Problem> {
        let id = self.params.first().and_then(|text| Uuid::try_parse(text).ok());
        id.ok_or_else(|| Problem::not_found(what))
    }

    /// The query's parameters, percent-decoded. Unknown ones are an error, so that a misspelt filter is not ignored.
    ///
    /// # Errors
    /// 422 naming a parameter that is unknown or given twice.
    pub fn query(&self, known: &[&str]) -> Result<Vec<(String, String)>, Problem> {
        body::query(&self.query, known)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 400, 413 or 415.
    pub fn json(&self) -> Result<Value, Problem> {
        let media = self.header("content-type").unwrap_or_else(|| "application/json".to_owned());
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !matches!(media.as_str(), "application/json" | "application/merge-patch+json") {
            let detail = "send the body as application/json";
            return Err(Problem::new(415, "media-type", "This kind of body is not understood", detail));
        }
        serde_json::from_slice(&self.bytes()?).map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))
    }

    /// The body as it came.
    ///
    /// # Errors
    /// 400 when it cannot be read, 413 when it is larger than [`BODY_LIMIT`].
    pub fn bytes(&self) -> Result<Vec<u8>, Problem> {
        let length = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > BODY_LIMIT) {
            return Err(Problem::too_large(BODY_LIMIT));
        }
        body::read(&self.request, BODY_LIMIT)
    }

    /// Who calls. Routes for users have made sure that there is somebody.
    ///
    /// # Errors
    /// 500 on a route that is not for users.
    pub fn user(&self) -> Result<&Claims, Problem> {
        self.user.as_ref().ok_or_else(|| Problem::internal(format!("{} is not a route for users", self.path)))
    }

    /// The database, opened at the first use.
    ///
    /// # Errors
    /// 503 when it cannot be had.
    pub fn db(&self) -> Result<&Db, Problem> {
        if let Some(db) = self.db.get() {
            return Ok(db);
        }
        let db = Db::open(&config::get("db_url")?)?;
        Ok(self.db.get_or_init(|| db))
    }
}

/// The answer to a request.
#[derive(Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    after: Option<fn()>,
}

impl Reply {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::bytes(status, "application/json", body),
            Err(error) => Self::problem(Problem::internal(format!("answer cannot be written: {error}"))),
        }
    }

    /// An answer with a body of some kind.
    pub fn bytes(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type", media_type.to_owned())], body, after: None }
    }

    /// 204, without a body.
    pub fn empty() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// The same answer with a header.
    pub fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Work for after the answer, when the database connection has been let go. It may be cut off at any moment, so it
    /// must not matter.
    pub fn after(mut self, work: fn()) -> Self {
        self.after = Some(work);
        self
    }

    fn problem(problem: Problem) -> Self {
        if let Some(cause) = &problem.cause {
            eprintln!("{} {}: {cause}", problem.status, problem.kind);
        }
        let body = problem.to_json().to_string().into_bytes();
        let mut reply = Self::bytes(problem.status, "application/problem+json", body);
        reply.headers.extend(problem.headers);
        reply
    }
}

/// Answers one request by the first route that fits.
pub fn serve(request: IncomingRequest, out: ResponseOutparam, routes: &[Route]) {
    let reply = answer(request, routes).unwrap_or_else(Reply::problem);
    body::respond(out, reply.status, &reply.headers, &reply.body);
    if let Some(work) = reply.after {
        work();
    }
}

fn answer(request: IncomingRequest, routes: &[Route]) -> Result<Reply, Problem> {
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let method = method_name(&request.method());
    let fitting: Vec<_> = routes.iter().filter_map(|route| Some((route, matches(route.path, path)?))).collect();
    // HEAD is GET without the body, which the host drops
    let wanted = if method == "HEAD" { "GET" } else { &method };
    let Some((route, params)) = fitting.iter().find(|(route, _)| route.method == wanted) else {
        return Err(no_route(&fitting));
    };
    let (path, query) = (path.to_owned(), query.to_owned());
    let call = Call { request, path, query, params: params.clone(), now: clock::now(), user: None, db: OnceCell::new() };
    let call = auth::admit(call, route.access)?;
    (route.handler)(&call)
}

impl Call {
    /// The same call, made by `user`.
    pub(crate) fn by(mut self, user: Claims) -> Self {
        self.user = Some(user);
        self
    }
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

fn method_name(method: &Method) -> String {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Patch => "PATCH",
        Method::Options => "OPTIONS",
        Method::Connect => "CONNECT",
        Method::Trace => "TRACE",
        Method::Other(name) => name,
    }
    .to_owned()
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
    use super::matches;

    #[test]
    fn a_path_fits_its_pattern() {
        assert_eq!(matches("/a/{id}", "/a/7"), Some(vec!["7".to_owned()]));
        assert_eq!(matches("/a", "/a"), Some(vec![]));
        for path in ["/a", "/a/7/", "/a/7/b", "/b/7", "a/7"] {
            assert_eq!(matches("/a/{id}", path), None, "{path}");
        }
    }
}
