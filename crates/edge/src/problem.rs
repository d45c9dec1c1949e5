//! Errors for clients: problem details (RFC 9457). What went wrong inside goes to the log, never to the client.

use domain::input::FieldError;
use serde_json::{Value, json};

/// An error as its reader gets it.
#[derive(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The last part of `type`, stable for programs.
    pub kind: &'static str,
    /// What this kind of problem is, in a few words.
    pub title: &'static str,
    /// What to do about this one.
    pub detail: String,
    /// Which fields are meant.
    pub errors: Vec<FieldError>,
    /// Headers that belong to the status, such as `Retry-After`.
    pub headers: Vec<(&'static str, String)>,
    /// The cause, for the log alone.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of a kind.
    pub fn new(status: u16, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let (errors, headers) = (Vec::new(), Vec::new());
        Self { status, kind, title, detail: detail.into(), errors, headers, cause: None }
    }

    /// The body is no JSON, or the request cannot be understood at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(400, "malformed", "The request cannot be understood", detail)
    }

    /// Fields are not what they may be.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(|error| format!("{}: {}", error.pointer, error.detail)).collect::<Vec<_>>();
        let mut problem = Self::new(422, "invalid", "Some fields are not what they may be", detail.join("; "));
        problem.errors = errors;
        problem
    }

    /// One query parameter is not what it may be.
    pub fn invalid_parameter(name: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: name.to_owned(), code, detail: detail.into() }])
    }

    /// The caller is not known.
    pub fn unauthorized(kind: &'static str, detail: impl Into<String>) -> Self {
        let mut problem = Self::new(401, kind, "Sign in first", detail);
        problem.headers.push(("www-authenticate", "Bearer".to_owned()));
        problem
    }

    /// Nothing is there for this caller.
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not-found", "Not found", format!("there is no such {what}"))
    }

    /// The request does not fit what is there.
    pub fn conflict(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::new(409, kind, "The request does not fit what is there", detail)
    }

    /// The body is larger than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        Self::new(413, "too-large", "The body is too large", format!("a body may have {limit} bytes at most"))
    }

    /// A part that this depends on does not answer.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        let mut problem = Self::new(503, "unavailable", "Not available now", "try again in a moment");
        problem.headers.push(("retry-after", "2".to_owned()));
        problem.cause = Some(cause.into());
        problem
    }

    /// Something went wrong inside.
    pub fn internal(cause: impl Into<String>) -> Self {
        let mut problem =
            Self::new(500, "internal", "Something went wrong inside", "the log of the service says what it was");
        problem.cause = Some(cause.into());
        problem
    }

    /// The body of the answer (RFC 9457, section 3).
    pub fn to_json(&self) -> Value {
        let mut body = json!({
            "type": format!("/problems/{}", self.kind),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        });
        if let (false, Some(body)) = (self.errors.is_empty(), body.as_object_mut()) {
            let errors = self.errors.iter();
            let errors = errors.map(|e| json!({"pointer": e.pointer, "code": e.code, "detail": e.detail}));
            body.insert("errors".to_owned(), errors.collect());
        }
        body
    }
}

impl From<Vec<FieldError>> for Problem {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::invalid(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_is_meant_and_not_why() {
        let json = Problem::internal("relation task does not exist").to_json();
        assert_eq!((&json["status"], &json["type"]), (&json!(500), &json!("/problems/internal")));
        assert!(!json.to_string().contains("relation"), "{json}");
        let fault = FieldError::at("title", "required", "this field is required");
        let json = Problem::from(vec![fault]).to_json();
        assert_eq!(
            json["errors"],
            json!([{"pointer": "/title", "code": "required", "detail": "this field is required"}])
        );
        assert_eq!(json["detail"], "/title: this field is required");
    }

    #[test]
    fn a_problem_has_its_status_and_headers() {
        let statuses = [
            (Problem::malformed("x"), 400, 0),
            (Problem::unauthorized("token-missing", "x"), 401, 1),
            (Problem::not_found("task"), 404, 0),
            (Problem::conflict("busy", "x"), 409, 0),
            (Problem::too_large(1), 413, 0),
            (Problem::invalid_parameter("limit", "range", "x"), 422, 0),
            (Problem::unavailable("x"), 503, 1),
        ];
        for (problem, status, headers) in statuses {
            assert_eq!((problem.status, problem.headers.len()), (status, headers), "{problem:?}");
            assert_eq!(problem.to_json()["status"], status);
        }
    }
}
