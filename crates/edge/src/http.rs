//! Calls and replies.

use std::cell::OnceCell;
use std::mem::ManuallyDrop;

use domain::token::Claims;
use domain::trace;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use wasi::http::types::{Headers, IncomingRequest, Method, ResponseOutparam};

use crate::db::Db;
use crate::route::{self, Route};
use crate::{Problem, auth, body, clock, config, query};

/// The largest body of a request, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;

/// One request while it is answered.
///
/// What the host lends for it is not given back one by one, which would be a call into the host each: the instance
/// ends with its answer, and all goes then.
pub struct Call {
    request: ManuallyDrop<IncomingRequest>,
    headers: ManuallyDrop<Headers>,
    /// All headers, of a request that looks at several of them.
    all_headers: OnceCell<Vec<(String, Vec<u8>)>>,
    reads: bool,
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
    ///
    /// One header is one call into the host, and so are all of them: who only reads looks at one, who changes something
    /// at two to four.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = if self.reads {
            self.headers.get(&name.to_owned()).into_iter().next_back()
        } else {
            let all = self.all_headers.get_or_init(|| self.headers.entries());
            all.iter().rfind(|(other, _)| other == name).map(|(_, value)| value.clone())
        };
        value.and_then(|value| String::from_utf8(value).ok())
    }

    /// The trace that the request belongs to, if it came with one that can be read (W3C Trace Context, section 3.2).
    pub fn traceparent(&self) -> Option<String> {
        self.header("traceparent").filter(|text| trace::is_parent(text))
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
        query::read(&self.query, known)
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
        domain::json::parse(&self.bytes()?).map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))
    }

    /// The body as it came.
    ///
    /// # Errors
    /// 400 when it cannot be read or ends before its length, 413 when it is larger than [`BODY_LIMIT`].
    pub fn bytes(&self) -> Result<Vec<u8>, Problem> {
        let length = self.header("content-length").and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > BODY_LIMIT) {
            return Err(Problem::too_large(BODY_LIMIT));
        }
        let bytes = body::read(&self.request, BODY_LIMIT)?;
        // a caller in the same process that dies while it sends leaves a body that ends like any other
        match length {
            Some(length) if bytes.len() < length => Err(Problem::malformed("the body ended before its length")),
            _ => Ok(bytes),
        }
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
            Ok(body) => Self::text(status, body),
            Err(error) => Self::problem(Problem::internal(format!("answer cannot be written: {error}"))),
        }
    }

    /// An answer whose body is JSON already.
    pub fn text(status: u16, json: impl Into<Vec<u8>>) -> Self {
        Self::bytes(status, "application/json", json.into())
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

    fn send(self, out: ResponseOutparam) {
        body::respond(out, self.status, &self.headers, &self.body);
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
    let target = request.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let method = request.method();
    let (route, params) = match route::find(routes, method_name(&method), path) {
        Ok(found) => found,
        Err(problem) => return Reply::problem(problem).send(out),
    };
    let mut call = Call {
        headers: ManuallyDrop::new(request.headers()),
        request: ManuallyDrop::new(request),
        all_headers: OnceCell::new(),
        reads: matches!(method, Method::Get | Method::Head),
        path: path.to_owned(),
        query: query.to_owned(),
        params,
        now: clock::now(),
        user: None,
        db: OnceCell::new(),
    };
    let reply = answer(&mut call, route).unwrap_or_else(Reply::problem);
    let after = reply.after;
    reply.send(out);
    match after {
        // the connection is for others while this instance works on
        Some(work) => {
            drop(call.db);
            work();
        }
        None => std::mem::forget(call.db),
    }
}

fn answer(call: &mut Call, route: &Route) -> Result<Reply, Problem> {
    call.user = auth::admit(call, route.access)?;
    (route.handler)(call)
}

fn method_name(method: &Method) -> &str {
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
}
