//! Every answer that the API's description promises can be had; what is wrong in a request is answered as it says.

use serde_json::{Value, json};

use crate::harness::{Answer, Person, Spindle, root};

/// A request in which one thing is wrong, and the status that the description has for it.
struct Wrong {
    status: u16,
    body: String,
    query: &'static str,
    media_type: &'static str,
}

impl Wrong {
    /// For a status that every operation gives for the same reason; `reads` is a GET.
    fn of(status: &str, reads: bool) -> Option<Self> {
        let plain = Wrong { status: 0, body: String::new(), query: "", media_type: "application/json" };
        Some(match status {
            "400" if reads => Wrong { status: 400, query: "?limit=%zz", ..plain },
            "400" => Wrong { status: 400, body: "{".to_owned(), ..plain },
            "413" => Wrong { status: 413, body: " ".repeat(256 * 1024 + 1), ..plain },
            "415" => Wrong { status: 415, body: "{}".to_owned(), media_type: "text/xml", ..plain },
            "422" if reads => Wrong { status: 422, query: "?nonsense=1", ..plain },
            "422" => Wrong { status: 422, body: r#"{"nonsense": 1}"#.to_owned(), ..plain },
            _ => return None,
        })
    }
}

/// What the type of a problem of a status begins with.
fn problem(status: u16) -> &'static str {
    match status {
        400 => "/problems/malformed",
        413 => "/problems/too-large",
        415 => "/problems/media-type",
        _ => "/problems/invalid",
    }
}

async fn send(person: &Person<'_>, method: &str, path: &str, wrong: &Wrong) -> Answer {
    let bearer = format!("Bearer {}", person.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", wrong.media_type)];
    person.app.send(method, &format!("{path}{}", wrong.query), &headers, wrong.body.clone()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_answered_as_described() {
    let app = Spindle::start().await;
    let (person, operator) = (app.person("ada", "UTC").await, app.operator());
    let task = json!({"title": "Standup", "due_date": "2026-02-10", "recurrence_rule": "daily"});
    let task = person.post("/api/v1/tasks", task).await.json;
    let text = std::fs::read_to_string(root().join("schemas/openapi.yaml")).expect("schemas/openapi.yaml");
    let api: Value = serde_yaml_ng::from_str(&text).expect("YAML");
    let mut tried = 0;
    for (path, item) in api["paths"].as_object().expect("paths") {
        for method in ["get", "post", "patch", "delete"] {
            let id = if path.contains("recurring") { &task["series_id"] } else { &task["id"] };
            let path = path.replace("{id}", id.as_str().expect("an id"));
            let statuses = item[method]["responses"].as_object().into_iter().flat_map(|all| all.keys());
            for wrong in statuses.filter_map(|status| Wrong::of(status, method == "get")) {
                let who = if path.starts_with("/api/v1/admin/") { &operator } else { &person };
                let answer = send(who, &method.to_uppercase(), &path, &wrong).await;
                assert_eq!(answer.status, wrong.status, "{method} {path}{}: {}", wrong.query, answer.json);
                assert_eq!(answer.text("type"), problem(wrong.status), "{method} {path}");
                assert_eq!(answer.headers["content-type"], "application/problem+json");
                tried += 1;
            }
        }
    }
    assert!(tried >= 30, "only {tried} tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_can_be_repeated_but_not_taken_over() {
    let app = Spindle::start().await;
    let id = "01900000-0000-7000-8000-000000000001";
    let account = json!({"id": id, "email": "ada@example.org", "password": "a long password"});
    let sign_up = async |account: &Value| app.send("POST", "/api/v1/accounts", &[], account.to_string()).await;
    let made = sign_up(&account).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let again = sign_up(&account).await;
    assert_eq!((again.status, again.json), (200, made.json));
    let mut other = account.clone();
    other["password"] = json!("another password");
    let mut third = account.clone();
    third["email"] = json!("eve@example.org");
    let mut fourth = account.clone();
    fourth["id"] = json!("01900000-0000-7000-8000-000000000002");
    for taken in [other, third, fourth] {
        let answer = sign_up(&taken).await;
        assert_eq!((answer.status, answer.text("type").as_str()), (409, "/problems/email-taken"), "{taken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_a_password_are_counted() {
    let app = Spindle::start().await;
    let mut person = app.person("ada", "UTC").await;
    let guess = json!({"email": "ADA@example.org", "password": "not the password"}).to_string();
    // the sign-in of the person has set the count to nothing
    for _ in 0..10 {
        let answer = app.send("POST", "/api/v1/tokens", &[], guess.clone()).await;
        assert_eq!((answer.status, answer.text("type").as_str()), (401, "/problems/credentials"));
    }
    let right = json!({"email": person.email, "password": person.password}).to_string();
    let answer = app.send("POST", "/api/v1/tokens", &[], right).await;
    assert_eq!((answer.status, answer.text("type").as_str()), (429, "/problems/too-many-attempts"));
    assert_eq!(answer.headers["retry-after"], "900");
    app.app.bed().advance_micros(901_000_000);
    person.sign_in().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_changed_in_part() {
    let app = Spindle::start().await;
    let person = app.person("ada", "UTC").await;
    let task = json!({"title": "Standup", "due_date": "2026-02-10", "recurrence_rule": "daily", "tags": ["work"]});
    let task = person.post("/api/v1/tasks", task).await.json;
    let path = format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id"));
    let changed = person.patch(&path, json!({"title": "Stand-up", "tags": null})).await;
    assert_eq!(changed.status, 200, "{}", changed.json);
    let mut expected = task.clone();
    expected["title"] = json!("Stand-up");
    expected["tags"] = json!([]);
    expected["version"] = json!(2);
    assert_eq!(changed.json, expected);
    assert_eq!(person.get(&path).await.json, expected);
    // without its rule it ends its series, unless that has gone on from it
    person.post(&format!("{path}/complete"), json!({})).await;
    let refused = person.patch(&path, json!({"recurrence_rule": null})).await;
    assert_eq!((refused.status, refused.text("type").as_str()), (409, "/problems/completed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_refresh_token_ends_the_session() {
    let app = Spindle::start().await;
    let mut person = app.person("ada", "UTC").await;
    let first = person.sign_in().await.text("refresh_token");
    let refresh = async |token: &str| {
        let body = json!({"refresh_token": token}).to_string();
        app.send("POST", "/api/v1/tokens", &[], body).await
    };
    let second = refresh(&first).await;
    assert_eq!(second.status, 200, "{}", second.json);
    let second = second.text("refresh_token");
    assert_ne!(second, first);
    // somebody comes with the first one long after it was exchanged: neither is good from now on
    app.app.bed().advance_micros(120_000_000);
    for token in [first, second] {
        let answer = refresh(&token).await;
        assert_eq!((answer.status, answer.text("type").as_str()), (401, "/problems/session-ended"));
    }
}
