//! Bad input, made from the fields of the routes: whatever comes, the answer is a problem that names the field, nothing
//! of the inside shows, and nothing is stored.

mod bench;
mod fields;
mod listener;
mod values;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::token::{self, Claims};
use serde_json::{Value, json};

use crate::harness::{Person, START, Spindle, TOKEN_KEYS};
use bench::{Bad, Bench};

const USER_ROUTES: [(&str, &str); 14] = [
    ("GET", "/api/v1/tasks"),
    ("POST", "/api/v1/tasks"),
    ("GET", "/api/v1/tasks/{id}"),
    ("PATCH", "/api/v1/tasks/{id}"),
    ("DELETE", "/api/v1/tasks/{id}"),
    ("POST", "/api/v1/tasks/{id}/complete"),
    ("POST", "/api/v1/tasks/{id}/reopen"),
    ("GET", "/api/v1/recurring-tasks"),
    ("GET", "/api/v1/recurring-tasks/{id}"),
    ("GET", "/api/v1/reminders"),
    ("GET", "/api/v1/notifications"),
    ("POST", "/api/v1/notifications/{id}/read"),
    ("GET", "/api/v1/audit"),
    ("GET", "/api/v1/accounts/me"),
];
const LISTS: [&str; 5] =
    ["/api/v1/tasks", "/api/v1/recurring-tasks", "/api/v1/reminders", "/api/v1/notifications", "/api/v1/audit"];
/// The largest body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// What the bad requests need of what is good.
struct Ada {
    token: String,
    /// A recurring task of hers whose reminder has gone off, its series and its notification.
    task: String,
    series: String,
    notification: String,
}

impl Ada {
    /// Signs her up and lets a reminder go off.
    async fn new(app: &Spindle) -> Self {
        let ada = app.person("ada", "Europe/Berlin").await;
        let task = json!({
            "title": "Weekly standup", "recurrence_rule": "weekly", "due_date": "2026-02-01T00:20:00Z",
            "reminder_minutes": 30,
        });
        let task = ada.post("/api/v1/tasks", task).await;
        app.app.settle().await;
        app.tick().await;
        let notification = first(&ada, "/api/v1/notifications").await;
        let series = task.text("series_id");
        Ada { task: task.text("id"), series, notification, token: ada.token }
    }
}

async fn first(person: &Person<'_>, path: &str) -> String {
    person.items(path).await[0]["id"].as_str().expect("an id").to_owned()
}

async fn bench() -> (Bench, Ada) {
    let app = Spindle::start().await;
    let ada = Ada::new(&app).await;
    (Bench::new(app).await, ada)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_field_is_named() {
    let (mut bench, ada) = bench().await;
    for route in fields::routes(&ada.task) {
        for bad in route.all_bad(&ada.token) {
            bench.send(&bad).await;
        }
    }
    // a recurring task needs its first occurrence
    let path = format!("/api/v1/tasks/{}", ada.task);
    bench.send(&Bad::new("PATCH", &path, 422).by(&ada.token).body(r#"{"due_date":null}"#).naming("/due_date")).await;
    let both = r#"{"refresh_token":"x","email":"ada@example.org"}"#;
    bench.send(&Bad::new("POST", "/api/v1/tokens", 422).body(both).naming("/email")).await;
    bench.end();
}

/// A cursor of this time, in microseconds.
fn cursor(at: i64) -> String {
    let mut bytes = at.to_be_bytes().to_vec();
    bytes.extend([0xff; 16]);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_parameter_is_named() {
    let (mut bench, ada) = bench().await;
    // the second one is a number in Arabic-Indic digits
    let limits = ["", "%D9%A3", "0", "101", "-1", "1.5", "1e1", "99999999999999999999", "null", "1%00", "ten", "+1"];
    let mut cursors = vec![String::new(), "x".to_owned(), "%00".to_owned(), "A".repeat(32), "A".repeat(10_000)];
    cursors.extend([i64::MIN, i64::MAX, 300_000_000_000_000_000].map(cursor));
    cursors[3] = format!("{}!", cursor(0));
    for list in LISTS {
        let mut queries: Vec<(String, &str)> = limits.map(|limit| (format!("limit={limit}"), "limit")).to_vec();
        queries.extend(cursors.iter().map(|cursor| (format!("cursor={cursor}"), "cursor")));
        queries.extend(
            ["x=1", "Limit=1", "user_id=1", "limit[]=1"]
                .map(|query| (query.to_owned(), query.split_once('=').map_or("", |(name, _)| name))),
        );
        queries.push(("limit=1&limit=2".to_owned(), "limit"));
        for (query, name) in queries {
            bench.send(&Bad::new("GET", &format!("{list}?{query}"), 422).by(&ada.token).naming(name)).await;
        }
        for query in ["limit=%", "limit=%zz", "limit=%f", "%ff=1", "cursor=%c3%28", "limit=%ed%a0%80"] {
            bench.send(&Bad::new("GET", &format!("{list}?{query}"), 400).by(&ada.token)).await;
        }
    }
    for status in ["", "OPEN", "done", "open%00", "open,completed", "' or true --".replace(' ', "+").as_str()] {
        let path = format!("/api/v1/tasks?status={status}");
        bench.send(&Bad::new("GET", &path, 422).by(&ada.token).naming("status")).await;
    }
    bench.end();
}

/// Whatever time a cursor holds, it is one that the database knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_any_time_is_taken_or_refused() {
    let (bench, ada) = bench().await;
    let bearer = format!("Bearer {}", ada.token);
    for at in [-377_705_023_201_000_000, -210_866_803_200_000_001, -62_135_596_800_000_000, 0, 253_402_207_200_999_999]
    {
        for list in LISTS {
            let path = format!("{list}?cursor={}", cursor(at));
            let answer = bench.app.send("GET", &path, &[("authorization", &bearer)], "").await;
            assert!(matches!(answer.status, 200 | 422), "{path}: {} {}", answer.status, answer.json);
        }
    }
}

/// Tokens that are none, and the problem that each is.
fn bad_tokens() -> Vec<(String, &'static str)> {
    let keys = token::keys(TOKEN_KEYS).expect("keys");
    let same_name = token::keys("test=eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg").expect("keys");
    let unknown = token::keys("other=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY").expect("keys");
    let now = START / 1_000_000;
    let id = uuid::Uuid::from_u128(7);
    let claims = |iat, exp| Claims { sub: id, zoneinfo: "UTC".to_owned(), iat, exp, jti: id, sid: id };
    let good = token::sign(&keys[0], &claims(now, now + 300));
    let none = |alg: &str| {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "at+jwt", "kid": "test"}).to_string());
        let payload = good.split('.').nth(1).unwrap_or_default();
        format!("{header}.{payload}.")
    };
    vec![
        ("a.b.c".to_owned(), "token-malformed"),
        ("x".repeat(10_240), "token-malformed"),
        (format!("{good}{}", "A".repeat(10_240)), "token-malformed"),
        (none("none"), "token-malformed"),
        (none("HS512"), "token-malformed"),
        (none("HS256"), "token-signature"),
        (good.rsplit_once('.').map(|(signed, _)| format!("{signed}.AAAA")).unwrap_or_default(), "token-signature"),
        (token::sign(&same_name[0], &claims(now, now + 300)), "token-signature"),
        (token::sign(&unknown[0], &claims(now, now + 300)), "token-signature"),
        (token::sign(&keys[0], &claims(now - 3600, now - 3300)), "token-expired"),
        (token::sign(&keys[0], &claims(now + 3600, now + 3900)), "token-claims"),
        (token::sign(&keys[0], &claims(now, now)), "token-claims"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_opens_nothing() {
    let (mut bench, ada) = bench().await;
    let tokens = bad_tokens();
    for (method, path) in USER_ROUTES {
        let path = path.replace("{id}", &ada.task);
        let plain = || Bad::new(method, &path, 401).body(r#"{"title":"x"}"#);
        let headers = ["Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "bearer", &ada.token, ""];
        let mut all: Vec<(Bad, &str)> = tokens.iter().map(|(token, kind)| (plain().by(token), *kind)).collect();
        all.extend(headers.iter().map(|header| (plain().header("authorization", header), "token-m")));
        all.push((plain(), "token-missing"));
        // two headers: the last one counts, and it is bad
        all.push((plain().by(&ada.token).by("x"), "token-malformed"));
        for (bad, kind) in all {
            let answer = bench.send(&bad).await;
            let found = answer.json["type"].as_str().unwrap_or_default();
            assert!(found.starts_with(&format!("/problems/{kind}")), "{found}, not {kind}: {:?}", bad.headers);
        }
    }
    for inside in ["relay/run", "audit/events", "audit/tick", "reminders/tick", "recurrence/events"] {
        let path = format!("/internal/{inside}");
        bench.send(&Bad::new("POST", &path, 401)).await;
        bench.send(&Bad::new("POST", &path, 401).header("dapr-api-token", "")).await;
        bench.send(&Bad::new("POST", &path, 401).header("dapr-api-token", "internal-token-of-test")).await;
        bench.send(&Bad::new("POST", &path, 401).by(&ada.token)).await;
    }
    bench.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_body_is_refused() {
    let (mut bench, ada) = bench().await;
    let routes = fields::routes(&ada.task);
    for route in &routes {
        let bad = |status, body: Vec<u8>| Bad::new(route.method, &route.path, status).by(&ada.token).body(body);
        let title = |text: &[u8]| [br#"{"title":""#.as_slice(), text, br#""}"#].concat();
        let no_json: Vec<Vec<u8>> = vec![
            b"".to_vec(),
            b" ".to_vec(),
            b"{".to_vec(),
            b"{}{}".to_vec(),
            b"title=x".to_vec(),
            b"{\"title\"}".to_vec(),
            b"{'title':'x'}".to_vec(),
            b"{\"title\":\"x\",}".to_vec(),
            b"\0".to_vec(),
            b"\xef\xbb\xbf{}".to_vec(),
            title(b"\xff"),
            title(b"\xc3\x28"),
            title(b"\xed\xa0\x80"),
            title(b"\0"),
            title(b"a\x07"),
            "[".repeat(10_000).into_bytes(),
            "{\"a\":".repeat(10_000).into_bytes(),
            [b"{\"title\":".as_slice(), "[".repeat(5_000).as_bytes(), "]".repeat(5_000).as_bytes(), b"}"].concat(),
        ];
        for body in no_json {
            bench.send(&bad(400, body)).await;
        }
        let huge = [br#"{"title":""#.as_slice(), &vec![b'x'; BODY_LIMIT], br#""}"#].concat();
        let length = huge.len().to_string();
        bench.send(&bad(413, huge.clone()).header("content-length", &length)).await;
        bench.send(&bad(413, huge.clone())).await;
        bench.send(&bad(413, vec![b' '; 4 << 20])).await;
        for media in
            ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "", "application/xml"]
        {
            bench.send(&bad(415, route.good.to_string().into_bytes()).header("content-type", media)).await;
        }
    }
    bench.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_path_or_method_is_refused() {
    let (mut bench, ada) = bench().await;
    for (method, path) in USER_ROUTES {
        let path = path.replace("{id}", &ada.task);
        for other in ["PUT", "TRACE", "OPTIONS", "FOO"] {
            bench.send(&Bad::new(other, &path, 405).by(&ada.token).body(r#"{"title":"x"}"#)).await;
        }
        // one segment more: under a list that is one of its things, which is not there
        for more in ["/x/y/z", "/x%2fcomplete", "/%2e%2e/%2e%2e/accounts"] {
            let wrong = format!("{path}{more}");
            let status = if more == "/x%2fcomplete" && method == "POST" && path == "/api/v1/tasks" { 405 } else { 404 };
            bench.send(&Bad::new(method, &wrong, status).by(&ada.token).body(r#"{"title":"x"}"#)).await;
        }
    }
    let ids = [
        "x",
        "0",
        "%00",
        "%zz",
        "%",
        "..",
        "%2e%2e%2fetc",
        "null",
        "00000000-0000-0000-0000-000000000000",
        "019c1680-0000-7000-8000-00000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "'%20or%20true--",
    ];
    for (method, path) in USER_ROUTES.iter().filter(|(_, path)| path.contains("{id}")) {
        for id in ids {
            let path = path.replace("{id}", id);
            bench.send(&Bad::new(method, &path, 404).by(&ada.token).body(r#"{"title":"x"}"#)).await;
        }
    }
    bench.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_someone_elses_is_not_there() {
    let (mut bench, ada) = bench().await;
    let bob = bench.app.person("bob", "UTC").await;
    let (token, id) = (bob.token.clone(), bob.id.clone());
    for (method, path) in USER_ROUTES.iter().filter(|(_, path)| path.contains("{id}")) {
        for thing in [&ada.task, &ada.series, &ada.notification, &id] {
            let path = path.replace("{id}", thing);
            bench.send(&Bad::new(method, &path, 404).by(&token).body(r#"{"title":"Bob was here"}"#)).await;
        }
    }
    let taken = json!({"id": ada.task, "title": "Bob's"}).to_string();
    bench.send(&Bad::new("POST", "/api/v1/tasks", 409).by(&token).body(taken)).await;
    let account = |id: Value, email: &str, password: &str| {
        Bad::new("POST", "/api/v1/accounts", 409)
            .body(json!({"id": id, "email": email, "password": password}).to_string())
    };
    bench.send(&account(json!(id), "eve@example.org", "a password of Eve's")).await;
    bench.send(&account(json!(null), "ada@example.org", "a password of Eve's")).await;
    bench.send(&account(json!(null), " ADA@example.org", "the long password of ada")).await;
    bench.send(&account(json!(id), "bob@example.org", "not the one of bob")).await;
    let wrong = json!({"email": "ada@example.org", "password": "not hers"}).to_string();
    bench.send(&Bad::new("POST", "/api/v1/tokens", 401).body(wrong)).await;
    let unknown = json!({"email": "nobody@example.org", "password": "nobody's"}).to_string();
    bench.send(&Bad::new("POST", "/api/v1/tokens", 401).body(unknown)).await;
    bench.send(&Bad::new("POST", "/api/v1/tokens", 401).body(r#"{"refresh_token":"x"}"#)).await;
    bench.end();
}
