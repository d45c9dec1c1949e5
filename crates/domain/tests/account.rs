//! What clients may say of an account.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test says so by panicking")]

use domain::account::{Grant, email_key, grant, sign_up};
use serde_json::{Value, json};

fn named(body: Value) -> Vec<(String, &'static str)> {
    let mut faults = sign_up(&body).map(|_| ()).and_then(|()| grant(&body).map(|_| ())).expect_err("a fault");
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

#[test]
fn an_account_is_read() {
    let account = sign_up(&json!({"email": " Ada@Example.org ", "password": "correct horse"})).unwrap();
    assert_eq!((account.email.as_str(), account.time_zone.as_str(), account.id), ("Ada@Example.org", "UTC", None));
    assert_eq!(email_key(&account.email), "ada@example.org");
    let zoned = json!({"email": "a@b", "password": "correct horse", "time_zone": "Europe/Berlin"});
    assert_eq!(sign_up(&zoned).unwrap().time_zone, "Europe/Berlin");
}

#[test]
fn each_fault_of_an_account_is_named() {
    let good = |field: &str, value: Value| {
        let mut body = json!({"email": "a@b", "password": "correct horse"});
        body[field] = value;
        body
    };
    for (body, pointer, code) in [
        (good("email", json!("a")), "/email", "length"),
        (good("email", json!("abc")), "/email", "format"),
        (good("email", json!("@bc")), "/email", "format"),
        (good("email", json!("ab@")), "/email", "format"),
        (good("email", json!("a@b@c")), "/email", "format"),
        (good("email", json!("a b@c")), "/email", "format"),
        (good("email", json!(7)), "/email", "type"),
        (good("password", json!("short")), "/password", "length"),
        (good("password", json!("x".repeat(201))), "/password", "length"),
        (good("time_zone", json!("Mars/Phobos")), "/time_zone", "format"),
        (good("time_zone", json!(1)), "/time_zone", "type"),
        (good("admin", json!(true)), "/admin", "unknown"),
    ] {
        assert_eq!(named(body.clone()), [(pointer.to_owned(), code)], "{body}");
    }
}

#[test]
fn a_grant_is_one_or_the_other() {
    let password = json!({"email": "a@b", "password": "x"});
    assert!(matches!(grant(&password), Ok(Grant::Password { email, .. }) if email == "a@b"));
    assert!(
        matches!(grant(&json!({"refresh_token": "r"})), Ok(Grant::Refresh { refresh_token }) if refresh_token == "r")
    );
    let codes = |body: Value| -> Vec<_> { grant(&body).expect_err("a fault").iter().map(|f| f.code).collect() };
    assert_eq!(codes(json!({})), ["required", "required"]);
    assert_eq!(codes(json!({"refresh_token": null})), ["required"]);
    assert_eq!(codes(json!({"refresh_token": "r", "email": "a@b"})), ["unknown"]);
    assert_eq!(codes(json!("text")), ["type"]);
}
