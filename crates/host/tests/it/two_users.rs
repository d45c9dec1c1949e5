//! Two users: neither sees or changes what is the other's, on any route and by any statement. The routes and the
//! statements are found in the sources, so that none can be forgotten.

mod direct;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tokio_postgres::Client;

use crate::harness::{INTERNAL_TOKEN, OPERATOR_TOKEN, Setup, Spindle, TOKEN_KEYS, micros, root};
use crate::routes::{self, Access, Route};
use crate::{sql, statements};
use people::{Somebody, dump, everything, token};

/// When all this happens: ten minutes after the reminders of the two, which therefore go off at once.
const NOW: &str = "2026-02-10T08:40:00Z";

/// What is added to the path of a list, so that each statement behind it is asked.
const QUERIES: [&str; 4] = ["", "?limit=1", "?status=open", "?status=completed"];

/// Predicates that could be left out without a difference that two users see, each with the reason.
const UNSEEN: [(&str, usize, &str); 1] =
    [("reminders/follow", 0, "only locks rows, and those of the wrong user for a moment")];

/// Anna and Ben own the same; Ben tries to get at what is Anna's.
struct Two {
    app: Spindle,
    sql: Client,
}

/// The two with what they own, and what Ben saw before Anna owned anything.
struct Pair {
    anna: Somebody,
    ben: Somebody,
    seen: BTreeMap<String, String>,
}

impl Two {
    async fn start() -> Self {
        let app = Spindle::with(Setup::default()).await;
        app.app.bed().set_now_micros(micros(NOW));
        let sql = app.sql().await;
        Two { app, sql }
    }

    /// Empties the database and fills it anew.
    async fn pair(&self) -> Pair {
        people::empty(&self.sql).await;
        let mut anna = people::sign_up(&self.sql, "anna").await;
        let mut ben = people::sign_up(&self.sql, "ben").await;
        people::acquire(&self.app, &self.sql, &mut ben).await;
        let mut seen = BTreeMap::new();
        for path in lists() {
            seen.insert(path.clone(), self.call(&ben, "GET", &path, "").await.1);
        }
        people::acquire(&self.app, &self.sql, &mut anna).await;
        Pair { anna, ben, seen }
    }

    async fn call(&self, who: &Somebody, method: &str, path: &str, body: &str) -> (u16, String) {
        let bearer = format!("Bearer {}", who.token);
        let answer = self.app.send(method, path, &[("authorization", &bearer)], body.to_owned()).await;
        (answer.status, format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
    }

    /// What Ben got at; nothing, if all is well.
    async fn walk(&self, pair: &Pair) -> Vec<String> {
        let before = dump(&self.sql, &pair.anna).await;
        let mut found = Vec::new();
        for path in lists() {
            let (_, answer) = self.call(&pair.ben, "GET", &path, "").await;
            if Some(&answer) != pair.seen.get(&path) {
                found.push(format!("GET {path} differs since Anna owns something: {answer}"));
            }
        }
        for route in of(Access::User) {
            for (path, body) in tries(&route, &pair.anna) {
                let (status, answer) = self.call(&pair.ben, route.method, &path, &body).await;
                if route.path.contains("{id}") && status != 404 {
                    found.push(format!("{} {path}: {answer}", route.method));
                }
                if pair.anna.shows(&answer) {
                    found.push(format!("{} {path} shows what is Anna's: {answer}", route.method));
                }
            }
        }
        if dump(&self.sql, &pair.anna).await != before {
            found.push("rows of Anna's have changed".to_owned());
        }
        found.extend(direct::walk(&self.sql, pair, None).await);
        found
    }
}

fn of(access: Access) -> Vec<Route> {
    routes::all().into_iter().filter(|route| route.access == access).collect()
}

/// The paths of everything that is read without an id, with each query.
fn lists() -> Vec<String> {
    let lists = of(Access::User).into_iter().filter(|route| route.method == "GET" && !route.path.contains("{id}"));
    lists.flat_map(|route| QUERIES.map(|query| format!("{}{query}", route.path))).collect()
}

/// Path and body of each way in which Ben may try a route with what is Anna's.
fn tries(route: &Route, anna: &Somebody) -> Vec<(String, String)> {
    let bodies = |id: &str| match route.method {
        "POST" => vec![
            json!({"id": id, "title": "Ben's now"}),
            json!({"id": id, "title": "Ben's now", "due_date": "2026-02-03", "recurrence_rule": "FREQ=WEEKLY"}),
        ],
        // what stands for itself is changed without a look at the task, the rest with one
        "PATCH" => vec![json!({"title": "Ben's now"}), json!({"title": "Ben's now", "reminder_minutes": [1]})],
        _ => vec![json!(null)],
    };
    let ids: Vec<&String> =
        if route.path.contains("{id}") { anna.ids.values().collect() } else { vec![&anna.ids["task"]] };
    let text = |body: serde_json::Value| if body.is_null() { String::new() } else { body.to_string() };
    let of = |id: &String| bodies(id).into_iter().map(|body| (route.path.replace("{id}", id), text(body))).collect();
    ids.into_iter().flat_map(|id| -> Vec<(String, String)> { of(id) }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_at_what_is_anothers() {
    let two = Two::start().await;
    let pair = two.pair().await;
    assert_eq!(two.walk(&pair).await, Vec::<String>::new());
}

/// Leaves out one predicate after the other: the walk must notice each.
#[tokio::test(flavor = "multi_thread")]
async fn every_predicate_on_the_user_is_needed() {
    let two = Two::start().await;
    let mut unseen = BTreeSet::new();
    let mut count = 0;
    for statement in statements::all(&root()).iter().filter(|statement| !statement.is_system()) {
        for (nth, (at, predicate)) in sql::predicates(&statement.text).into_iter().enumerate() {
            let pair = two.pair().await;
            let mut mutant = statement.text.clone();
            mutant.replace_range(at..at + predicate.len(), "$1::uuid is not null");
            two.app.app.bed().rewrite_sql(&statement.text, &mutant);
            let mut noticed = two.walk(&pair).await;
            noticed.extend(direct::walk(&two.sql, &pair, Some((&statement.name, &mutant))).await);
            two.app.app.bed().rewrite_sql(&statement.text, &statement.text);
            println!("{} {nth}: {:.200}", statement.name, noticed.first().map_or("-", String::as_str));
            if noticed.is_empty() {
                unseen.insert((statement.name.clone(), nth));
            }
            count += 1;
        }
    }
    let listed = UNSEEN.iter().map(|(name, nth, _why)| ((*name).to_owned(), *nth));
    assert_eq!(unseen, listed.collect(), "predicates (statement, which one) whose absence nobody notices");
    assert!(count >= 25, "only {count} predicates");
}

/// The type of the problem, if the answer is 401.
async fn refused(two: &Two, route: &Route, headers: &[(&str, &str)], body: String) -> String {
    let path = route.path.replace("{id}", "00000000-0000-7000-8000-000000000001");
    let answer = two.app.send(route.method, &path, headers, body).await;
    assert_eq!(answer.status, 401, "{} {path} with {headers:?}: {}", route.method, answer.json);
    assert_eq!(answer.headers["www-authenticate"], "Bearer", "RFC 9110, section 15.5.2");
    answer.text("type")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_signed_in_gets_nowhere() {
    let two = Two::start().await;
    let pair = two.pair().await;
    let now = micros(NOW) / 1_000_000;
    let other_key = TOKEN_KEYS.replace("test=M", "test=N");
    let cases = [
        ("token-expired", token(TOKEN_KEYS, pair.anna.id, now - 331, now - 31)),
        ("token-claims", token(TOKEN_KEYS, pair.anna.id, now + 60, now + 360)),
        ("token-signature", token(&other_key, pair.anna.id, now, now + 300)),
        ("token-malformed", "nonsense".to_owned()),
    ];
    let before = everything(&two.sql).await;
    for route in of(Access::User) {
        assert_eq!(refused(&two, &route, &[], String::new()).await, "/problems/token-missing");
        for (kind, token) in &cases {
            let bearer = format!("Bearer {token}");
            let problem = refused(&two, &route, &[("authorization", &bearer)], String::new()).await;
            assert_eq!(problem, format!("/problems/{kind}"), "{route:?}");
        }
    }
    assert_eq!(everything(&two.sql).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_outside_does_not_get_in() {
    let two = Two::start().await;
    let pair = two.pair().await;
    // so that every tick has something to do
    two.sql.batch_execute("update inbox set not_before = received_at where state = 'new'").await.expect("due");
    let before = everything(&two.sql).await;
    let bearer = format!("Bearer {}", pair.anna.token);
    let almost = &INTERNAL_TOKEN[..INTERNAL_TOKEN.len() - 1];
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("dapr-api-token", "")],
        &[("dapr-api-token", almost)],
        // a sidecar puts its own after what a client sent
        &[("dapr-api-token", INTERNAL_TOKEN), ("dapr-api-token", "guess")],
        &[("authorization", &bearer)],
    ];
    for route in of(Access::Internal) {
        for headers in cases {
            let problem = refused(&two, &route, headers, pair.anna.event.clone()).await;
            assert_eq!(problem, "/problems/internal-token", "{route:?} {headers:?}");
        }
    }
    two.app.app.settle().await;
    assert_eq!(everything(&two.sql).await, before);
    // and all of that would have changed something
    for route in of(Access::Internal) {
        let headers = [("dapr-api-token", INTERNAL_TOKEN)];
        let answer = two.app.send(route.method, &route.path, &headers, pair.anna.event.clone()).await;
        assert_eq!(answer.status, 200, "{route:?}: {}", answer.json);
    }
    assert_ne!(everything(&two.sql).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_operator_gets_nowhere() {
    let two = Two::start().await;
    let pair = two.pair().await;
    two.sql.batch_execute("update inbox set state = 'dead' where state = 'new'").await.expect("something to do");
    let before = everything(&two.sql).await;
    let (almost, more) = (&OPERATOR_TOKEN[..OPERATOR_TOKEN.len() - 1], format!("{OPERATOR_TOKEN}x"));
    let body = json!({"consumer": "audit", "id": pair.anna.ids["waiting"]});
    let bodies = [("redrive", body.clone()), ("skip", json!({"reason": "no", "consumer": "audit", "id": body["id"]}))];
    let body = |route: &Route| {
        let body = bodies.iter().find(|(name, _)| route.path.ends_with(name));
        body.map_or_else(String::new, |(_, body)| body.to_string())
    };
    for route in of(Access::Operator) {
        for header in [None, Some(""), Some("Bearer"), Some(OPERATOR_TOKEN), Some("Basic b3A6b3A=")] {
            let headers: Vec<_> = header.into_iter().map(|header| ("authorization", header)).collect();
            assert_eq!(refused(&two, &route, &headers, body(&route)).await, "/problems/token-missing", "{header:?}");
        }
        for token in [&pair.anna.token, almost, &more, INTERNAL_TOKEN, ""] {
            let bearer = format!("Bearer {token}");
            let headers = [("authorization", bearer.as_str()), ("dapr-api-token", INTERNAL_TOKEN)];
            assert_eq!(refused(&two, &route, &headers, body(&route)).await, "/problems/operator-token", "{token}");
        }
    }
    // nor is the operator a user, or the inside
    let bearer = format!("Bearer {OPERATOR_TOKEN}");
    for route in of(Access::User).into_iter().chain(of(Access::Internal)) {
        let headers = [("authorization", bearer.as_str()), ("dapr-api-token", OPERATOR_TOKEN)];
        refused(&two, &route, &headers, pair.anna.event.clone()).await;
    }
    two.app.app.settle().await;
    assert_eq!(everything(&two.sql).await, before);
    // and all of that would have been answered
    for route in of(Access::Operator) {
        let path = route.path.replace("{id}", &pair.anna.ids["waiting"]);
        let answer = two.app.send(route.method, &path, &[("authorization", &bearer)], body(&route)).await;
        assert_eq!(answer.status, 200, "{route:?}: {}", answer.json);
    }
    assert_ne!(everything(&two.sql).await, before);
}
