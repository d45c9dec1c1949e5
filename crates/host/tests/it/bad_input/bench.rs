//! An application with something in it, to which bad requests are sent, and what must hold of every answer.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Answer, Spindle};

/// Every `type` that a bad request may get.
const TYPES: [&str; 16] = [
    "malformed",
    "invalid",
    "token-missing",
    "token-malformed",
    "token-signature",
    "token-expired",
    "token-claims",
    "credentials",
    "session-ended",
    "internal-token",
    "not-found",
    "email-taken",
    "id-taken",
    "too-large",
    "media-type",
    "method-not-allowed",
];

/// What an answer must not tell of.
const INSIDE: [&str; 11] =
    ["panicked", "error:", "select ", "insert ", ".rs", "sql", "wasm", "backtrace", "constraint", "/work", "serde"];

/// A bad request.
#[derive(Clone)]
pub struct Bad {
    /// What is bad about it.
    pub what: String,
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// The status that it must get.
    pub status: u16,
    /// The field that the answer must name.
    pub pointer: Option<String>,
}

impl Bad {
    pub fn new(method: &str, path: &str, status: u16) -> Self {
        let (headers, body) = (Vec::new(), Bytes::new());
        let what = format!("{method} {path}");
        Bad { what, method: method.into(), path: path.into(), headers, body, status, pointer: None }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sent by who has this token.
    pub fn by(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        let text = String::from_utf8_lossy(&self.body);
        self.what = format!("{} {} {}", self.method, self.path, text.chars().take(200).collect::<String>());
        self
    }

    /// The answer must name this field.
    pub fn naming(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}

/// The application, and what was found wrong with its answers.
pub struct Bench {
    pub app: Spindle,
    sql: Client,
    digest: String,
    findings: Vec<String>,
    sent: usize,
}

impl Bench {
    pub async fn new(app: Spindle) -> Self {
        let sql = app.sql().await;
        let digest = digest_of_all_tables(&sql).await;
        Bench { app, sql, digest, findings: Vec::new(), sent: 0 }
    }

    /// Sends a bad request and notes what is wrong with its answer, and whether anything was stored.
    pub async fn send(&mut self, bad: &Bad) -> Answer {
        let before = self.digest().await;
        let headers: Vec<_> = bad.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.app.send(&bad.method, &bad.path, &headers, bad.body.clone()).await;
        self.app.app.settle().await;
        self.sent += 1;
        let mut wrong = faults(&answer, bad.status, bad.pointer.as_deref());
        if self.digest().await != before {
            wrong.push("something was stored".to_owned());
        }
        if !wrong.is_empty() {
            let text = String::from_utf8_lossy(&answer.body).chars().take(400).collect::<String>();
            self.findings.push(format!("{}\n  {} {text}\n  {}", bad.what, answer.status, wrong.join("; ")));
        }
        answer
    }

    async fn digest(&self) -> String {
        self.sql.query_one(&self.digest, &[]).await.expect("a digest").get(0)
    }

    /// Ends a test: nothing may have been found.
    pub fn end(&self) {
        assert!(self.sent > 0);
        let (count, shown) = (self.findings.len(), self.findings.iter().take(20));
        assert!(count == 0, "{count} of {}:\n{}", self.sent, shown.cloned().collect::<Vec<_>>().join("\n"));
    }
}

/// A statement for the contents of every table, attempts to sign in aside, which are there to be counted.
async fn digest_of_all_tables(sql: &Client) -> String {
    let tables = "select tablename::text from pg_tables where schemaname = 'public' and tablename <> 'sign_in_attempt'";
    let rows = sql.query(tables, &[]).await.expect(tables);
    let one = |table: String| format!("(select string_agg(t::text, ',' order by t::text) from {table} t)");
    let all: Vec<String> = rows.iter().map(|row| one(row.get(0))).collect();
    format!("select md5(concat_ws('|', {}))", all.join(", "))
}

/// What is wrong with the answer to a bad request (RFC 9457).
fn faults(answer: &Answer, status: u16, pointer: Option<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned())
        }
    };
    let text = |field: &str| answer.json[field].as_str().unwrap_or_default();
    check(answer.status == status, &format!("the status is not {status}"));
    check(answer.status < 500, "it is a failure of the server's");
    if answer.body.is_empty() && answer.headers.get("content-length").is_none_or(|length| length != "0") {
        check(false, "there is no problem in the body");
    }
    let media = answer.headers.get("content-type").and_then(|media| media.to_str().ok());
    check(media == Some("application/problem+json"), "it is no application/problem+json");
    let kind = text("type").strip_prefix("/problems/").unwrap_or_default();
    check(TYPES.contains(&kind), "type is not on the list");
    check(!text("title").is_empty() && !text("detail").is_empty(), "title or detail is missing");
    check(answer.json["status"] == json!(answer.status), "status is another");
    let body = String::from_utf8_lossy(&answer.body).to_lowercase();
    INSIDE.iter().for_each(|word| check(!body.contains(word), &format!("it tells of the inside: {word}")));
    let errors = answer.json["errors"].as_array().cloned().unwrap_or_default();
    let names =
        |pointer: &str| errors.iter().any(|error| error["pointer"] == json!(pointer) && error["detail"] != Value::Null);
    check(pointer.is_none_or(names), &format!("it does not name {pointer:?}"));
    check(answer.status != 401 || answer.headers.contains_key("www-authenticate"), "no WWW-Authenticate");
    check(answer.status != 405 || answer.headers.contains_key("allow"), "no Allow");
    faults
}
