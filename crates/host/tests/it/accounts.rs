//! Accounts: signing up and in, and sessions that go on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Answer, Spindle};

const SECOND: i64 = 1_000_000;
const PASSWORD: &str = "correct horse battery";

async fn sign_up(app: &Spindle, body: &Value) -> Answer {
    app.send("POST", "/api/v1/accounts", &[], body.to_string()).await
}

async fn tokens(app: &Spindle, body: Value) -> Answer {
    app.send("POST", "/api/v1/tokens", &[], body.to_string()).await
}

async fn sign_in(app: &Spindle, email: &str, password: &str) -> Answer {
    tokens(app, json!({"email": email, "password": password})).await
}

async fn refresh(app: &Spindle, token: &str) -> Answer {
    tokens(app, json!({"refresh_token": token})).await
}

async fn me(app: &Spindle, token: &str) -> Answer {
    app.send("GET", "/api/v1/accounts/me", &[("authorization", &format!("Bearer {token}"))], "").await
}

fn ada() -> Value {
    json!({
        "id": "0197a000-0000-7000-8000-000000000001", "email": "Ada@Example.org", "password": PASSWORD,
        "time_zone": "Europe/London",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_up_twice_is_once() {
    let app = Spindle::start().await;
    let made = sign_up(&app, &ada()).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let expected = json!({
        "id": ada()["id"], "email": "Ada@Example.org", "time_zone": "Europe/London",
        "created_at": "2026-02-01T00:00:00Z",
    });
    assert_eq!(made.json, expected, "and nothing of the password");
    app.app.bed().advance_micros(SECOND);
    let again = sign_up(&app, &ada()).await;
    assert_eq!((again.status, again.json), (200, expected.clone()));
    for (field, value) in [
        ("password", json!("another password")),
        ("id", json!("0197a000-0000-7000-8000-000000000002")),
        ("email", json!("eve@example.org")),
    ] {
        let mut other = ada();
        other[field] = value;
        assert_eq!(sign_up(&app, &other).await.status, 409, "another {field}");
    }
    let mut shouted = ada();
    shouted["email"] = json!(" ADA@example.ORG");
    assert_eq!(sign_up(&app, &shouted).await.status, 200, "the same address");
    assert_eq!(app.count("select count(*) from account").await, 1);
    let stored = "select count(*) from account where password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(app.count(stored).await, 1);
    let token = sign_in(&app, "ada@example.org", PASSWORD).await.text("access_token");
    assert_eq!(me(&app, &token).await.json, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_up_names_every_fault() {
    let app = Spindle::start().await;
    let bad = json!({"id": 1, "email": "nobody", "password": "short", "time_zone": "London", "admin": true});
    let refused = sign_up(&app, &bad).await;
    assert_eq!(refused.status, 422);
    let errors = refused.json["errors"].as_array().expect("errors");
    let mut pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().expect("a pointer")).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/admin", "/email", "/id", "/password", "/time_zone"]);
    assert!(!refused.json.to_string().contains("short"), "the password is not repeated");
    for email in ["a@", "@b", "a@b@c", "a b@c", "", "a"] {
        let body = json!({"email": email, "password": PASSWORD});
        assert_eq!(sign_up(&app, &body).await.status, 422, "{email:?}");
    }
    let plain = sign_up(&app, &json!({"email": "b@c", "password": PASSWORD})).await;
    assert_eq!((plain.status, &plain.json["time_zone"]), (201, &json!("UTC")));
}

/// Neither the answer nor the time that it takes tells who has an account.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_looks_like_a_wrong_password() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..10 {
        let mut answers = Vec::new();
        for (email, fastest) in ["ada@example.org", "eve@example.org"].iter().zip(&mut fastest) {
            let start = Instant::now();
            answers.push(sign_in(&app, email, "wrong").await);
            *fastest = start.elapsed().min(*fastest);
        }
        assert_eq!((answers[0].status, &answers[0].json["type"]), (401, &json!("/problems/credentials")));
        assert_eq!((answers[0].status, &answers[0].body), (answers[1].status, &answers[1].body));
        assert_eq!(answers[0].headers, answers[1].headers);
    }
    let [known, unknown] = fastest;
    assert!(unknown > known / 2 && known > unknown / 2, "known {known:?}, unknown {unknown:?}");
    let blocked = [sign_in(&app, "ada@example.org", PASSWORD).await, sign_in(&app, "eve@example.org", PASSWORD).await];
    assert_eq!((blocked[0].status, blocked[1].status), (429, 429));
    assert_eq!((&blocked[0].body, &blocked[0].headers), (&blocked[1].body, &blocked[1].headers));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_wrong_passwords_are_enough_for_a_while() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    app.app.bed().advance_micros(SECOND / 2);
    for n in 1..=9 {
        assert_eq!(sign_in(&app, "ada@example.org", "wrong").await.status, 401, "attempt {n}");
    }
    assert_eq!(sign_in(&app, "ada@example.org", PASSWORD).await.status, 200, "the tenth, and right");
    app.app.bed().advance_micros(SECOND / 4);
    for n in 1..=10 {
        assert_eq!(sign_in(&app, "ADA@example.org ", "wrong").await.status, 401, "attempt {n}: forgotten");
        app.app.bed().advance_micros(SECOND / 10);
    }
    let blocked = sign_in(&app, "ada@example.org", PASSWORD).await;
    assert_eq!((blocked.status, &blocked.json["type"]), (429, &json!("/problems/too-many-attempts")));
    // who waits as long as was said gets in, and not a moment sooner
    let wait: i64 = blocked.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((890..=900).contains(&wait), "{wait}");
    app.app.bed().advance_micros((wait - 1) * SECOND);
    assert_eq!(sign_in(&app, "ada@example.org", PASSWORD).await.status, 429);
    app.app.bed().advance_micros(SECOND);
    assert_eq!(sign_in(&app, "ada@example.org", PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_once_are_counted_before_they_are_checked() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    let guesses = (0..20).map(|_| sign_in(&app, "ada@example.org", "wrong"));
    let answers = futures::future::join_all(guesses).await;
    let blocked = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!(blocked, 10, "of 20 guesses those after the tenth are refused unseen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_for_one_exchange() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    let first = sign_in(&app, "ada@example.org", PASSWORD).await;
    assert_eq!((&first.json["expires_in"], &first.json["token_type"]), (&json!(300), &json!("Bearer")));
    assert_eq!(first.headers["cache-control"], "no-store");
    let mut token = first.text("refresh_token");
    for day in 1..=3 {
        app.app.bed().advance_micros(86_400 * SECOND);
        let next = refresh(&app, &token).await;
        assert_eq!(next.status, 200, "day {day}");
        assert_ne!(next.text("refresh_token"), token);
        assert_eq!(me(&app, &next.text("access_token")).await.status, 200);
        token = next.text("refresh_token");
    }
    assert_eq!(app.count("select count(*) from session").await, 1);
    assert_eq!(refresh(&app, "nobody's").await.status, 401);
    // a session has its end, however often it was refreshed
    app.app.bed().advance_micros(27 * 86_400 * SECOND);
    let over = refresh(&app, &token).await;
    assert_eq!((over.status, &over.json["type"]), (401, &json!("/problems/session-ended")));
}

/// A client whose answer was lost may ask again within a minute; after that the old token is a stolen one.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_refresh_token_works_for_a_minute_and_then_ends_the_session() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    let old = sign_in(&app, "ada@example.org", PASSWORD).await.text("refresh_token");
    let lost = refresh(&app, &old).await.text("refresh_token");
    app.app.bed().advance_micros(60 * SECOND - 1);
    let new = refresh(&app, &old).await;
    assert_eq!(new.status, 200, "within the minute");
    assert_ne!(new.text("refresh_token"), lost);
    // the minute is that of the first exchange: asking again does not make it longer
    app.app.bed().advance_micros(1);
    let stolen = refresh(&app, &old).await;
    assert_eq!((stolen.status, &stolen.json["type"]), (401, &json!("/problems/session-ended")));
    assert_eq!(refresh(&app, &new.text("refresh_token")).await.status, 401, "the session is over for both");
    assert_eq!(app.count("select count(*) from session").await, 0);
}

/// One session's end is not another's.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_apart() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    let (one, two) =
        (sign_in(&app, "ada@example.org", PASSWORD).await, sign_in(&app, "ada@example.org", PASSWORD).await);
    refresh(&app, &one.text("refresh_token")).await;
    app.app.bed().advance_micros(61 * SECOND);
    assert_eq!(refresh(&app, &one.text("refresh_token")).await.status, 401);
    assert_eq!(refresh(&app, &two.text("refresh_token")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_after_five_minutes() {
    let app = Spindle::start().await;
    assert_eq!(sign_up(&app, &ada()).await.status, 201);
    let token = sign_in(&app, "ada@example.org", PASSWORD).await.text("access_token");
    // five minutes, and the thirty seconds by which clocks may differ
    app.app.bed().advance_micros(330 * SECOND - 1);
    assert_eq!(me(&app, &token).await.status, 200);
    app.app.bed().advance_micros(1);
    let expired = me(&app, &token).await;
    assert_eq!((expired.status, &expired.json["type"]), (401, &json!("/problems/token-expired")));
    assert_eq!(expired.headers["www-authenticate"], "Bearer");
    let altered = format!("{}x", token.strip_suffix(|_: char| true).expect("a token"));
    for (bad, kind) in [(altered.as_str(), "token-"), ("x", "token-malformed"), ("", "token-")] {
        let refused = me(&app, bad).await;
        let told = refused.json["type"].as_str().expect("a type").to_owned();
        assert!(refused.status == 401 && told.starts_with(&format!("/problems/{kind}")), "{bad} {told}");
    }
    let missing = app.send("GET", "/api/v1/accounts/me", &[], "").await;
    assert_eq!((missing.status, &missing.json["type"]), (401, &json!("/problems/token-missing")));
}
