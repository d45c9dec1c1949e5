//! Access tokens: what is signed verifies, and every hostile token is refused with the right code.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use domain::token::{Claims, Key, TokenError, keys, sign, verify};
use hmac::{Hmac, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

const NOW: i64 = 1_795_259_100;

fn key(kid: &str, fill: u8) -> Key {
    Key { kid: kid.to_owned(), secret: vec![fill; 32] }
}

fn claims() -> Claims {
    let (sub, jti, sid) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    Claims { sub, zoneinfo: "Europe/Berlin".to_owned(), iat: NOW, exp: NOW + 300, jti, sid }
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "at+jwt", "kid": "a"})
}

fn payload() -> Value {
    let id = |n| Uuid::from_u128(n).to_string();
    json!({"iss": "spindle", "aud": "spindle-api", "sub": id(1), "zoneinfo": "Europe/Berlin", "iat": NOW,
        "exp": NOW + 300, "jti": id(2), "sid": id(3)})
}

/// A token of any header and payload, truly signed with HMAC-SHA-256.
fn signed(header: &str, payload: &str, secret: &[u8]) -> String {
    signed_text(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)), secret)
}

fn signed_text(text: &str, secret: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(text).finalize().into_bytes();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac))
}

fn check(token: &str) -> Result<Claims, TokenError> {
    verify(&[key("a", 1), key("b", 2)], token, NOW)
}

#[test]
fn what_is_signed_verifies() {
    let token = sign(&key("a", 1), &claims());
    assert_eq!(check(&token), Ok(claims()));
    assert_eq!(check(&sign(&key("b", 2), &claims())), Ok(claims()));
    assert_eq!(check(&signed(&header().to_string(), &payload().to_string(), &[1; 32])), Ok(claims()));
    for length in [32, 63, 64, 65, 200] {
        let key = Key { kid: "a".to_owned(), secret: (0..length).map(|n| n as u8).collect() };
        let other = signed(&header().to_string(), &payload().to_string(), &key.secret);
        assert_eq!(verify(std::slice::from_ref(&key), &other, NOW), Ok(claims()), "a secret of {length} bytes");
        assert_eq!(verify(std::slice::from_ref(&key), &sign(&key, &claims()), NOW), Ok(claims()));
    }
}

/// RFC 7515 appendix A.1: the MAC itself, over the example's text and key.
#[test]
fn the_mac_of_the_rfc() {
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly\
                9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let token = signed_text(text, &URL_SAFE_NO_PAD.decode(secret).unwrap());
    assert!(token.ends_with(".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
    assert_eq!(keys(&format!("k={secret}")).unwrap()[0].secret.len(), 64);
}

#[test]
fn the_times() {
    let at = |iat, exp, now| verify(&[key("a", 1)], &sign(&key("a", 1), &Claims { iat, exp, ..claims() }), now).err();
    assert_eq!(at(NOW, NOW + 300, NOW + 329), None);
    assert_eq!(at(NOW, NOW + 300, NOW + 330), Some(TokenError::Expired));
    assert_eq!(at(NOW, NOW + 300, NOW - 30), None);
    assert_eq!(at(NOW, NOW + 300, NOW - 31), Some(TokenError::Claims));
    assert_eq!(at(NOW, NOW, NOW), Some(TokenError::Claims));
    assert_eq!(at(-20, -10, NOW), Some(TokenError::Expired));
    assert_eq!(at(i64::MIN, i64::MAX, i64::MAX), Some(TokenError::Expired));
    assert_eq!(at(i64::MIN, i64::MAX, i64::MIN), None);
}

/// Signed with a known key, but the wrong header.
#[test]
fn hostile_headers() {
    let long = json!({"alg": "HS256", "typ": "at+jwt", "kid": "x".repeat(10_000)}).to_string();
    let table = [
        (r#"{"alg":"none","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"None","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"NONE","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":null,"typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":["HS256"],"typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"hs256","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS512","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"RS256","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256 ","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"JWT","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":1}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"a","crit":["exp"]}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"a","jku":"http://x"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"a","jwk":{"kty":"oct","k":"AA"}}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"a","zip":"DEF"}"#, TokenError::Malformed),
        (r#"{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"b","kid":"a"}"#, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"a"} {}"#, TokenError::Malformed),
        (r#"["HS256"]"#, TokenError::Malformed),
        ("\u{feff}{}", TokenError::Malformed),
        ("", TokenError::Malformed),
        ("null", TokenError::Malformed),
        (&long, TokenError::Malformed),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":""}"#, TokenError::Signature),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"A"}"#, TokenError::Signature),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"../../a"}"#, TokenError::Signature),
        // The other key's id.
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"b"}"#, TokenError::Signature),
    ];
    for (header, error) in table {
        let token = signed(header, &payload().to_string(), &[1; 32]);
        assert_eq!(check(&token), Err(error), "{}", &header[..header.len().min(80)]);
    }
    let nested = format!("{{\"alg\":{}", "[".repeat(5_000));
    assert_eq!(check(&signed(&nested, &payload().to_string(), &[1; 32])), Err(TokenError::Malformed));
}

/// Signed with a known key and the right header, but claims that are not those of an access token.
#[test]
fn hostile_claims() {
    let upper = Uuid::from_u128(0xABCD).to_string().to_uppercase();
    let table = [
        ("iss", json!("spindle ")),
        ("iss", json!("https://evil.example")),
        ("iss", json!(["spindle"])),
        ("aud", json!("spindle")),
        ("aud", json!(["spindle-api"])),
        ("aud", json!(["spindle-api", "other"])),
        ("exp", json!("1795259400")),
        ("exp", json!(1_795_259_400.0)),
        ("exp", json!(1e300)),
        ("exp", json!(true)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(-1)),
        ("exp", Value::Null),
        ("iat", json!("0")),
        ("iat", json!(NOW + 31)),
        ("iat", json!(0.5)),
        ("sub", json!(1)),
        ("sub", json!("")),
        ("sub", json!("1")),
        ("sub", json!(upper)),
        ("sub", json!("{00000000-0000-0000-0000-000000000001}")),
        ("sub", json!("urn:uuid:00000000-0000-0000-0000-000000000001")),
        ("sub", json!("00000000000000000000000000000001")),
        ("jti", json!("x")),
        ("sid", json!(["00000000-0000-0000-0000-000000000003"])),
        ("zoneinfo", json!("")),
        ("zoneinfo", json!(7)),
    ];
    for (name, value) in table {
        let mut payload = payload();
        payload[name] = value.clone();
        let token = signed(&header().to_string(), &payload.to_string(), &[1; 32]);
        assert_eq!(check(&token), Err(TokenError::Claims), "{name}: {value}");
    }
    for name in ["iss", "aud", "exp", "iat", "sub", "jti", "sid", "zoneinfo"] {
        let mut payload = payload();
        payload.as_object_mut().unwrap().remove(name);
        let token = signed(&header().to_string(), &payload.to_string(), &[1; 32]);
        assert_eq!(check(&token), Err(TokenError::Claims), "without {name}");
    }
    for payload in ["", "null", "[]", "{}", "7", "{\"exp\":", "\u{0}"] {
        assert_eq!(check(&signed(&header().to_string(), payload, &[1; 32])), Err(TokenError::Claims), "{payload}");
    }
    let twice = payload().to_string().replace('{', r#"{"sub":"00000000-0000-0000-0000-000000000009","#);
    assert_eq!(check(&signed(&header().to_string(), &twice, &[1; 32])), Err(TokenError::Claims));
    let expired = payload().to_string().replace("1795259400", "1795259070").replace("1795259100", "1795259000");
    assert_eq!(check(&signed(&header().to_string(), &expired, &[1; 32])), Err(TokenError::Expired));
}

#[test]
fn hostile_shapes() {
    let good = sign(&key("a", 1), &claims());
    let parts: Vec<&str> = good.split('.').collect();
    let [head, body, mac] = parts[..] else { panic!() };
    let malformed = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b".to_owned(),
        format!("{head}.{body}"),
        format!("{good}."),
        format!(".{good}"),
        format!("{head}..{mac}.{body}"),
        format!("{head}.{body}.{mac}.{mac}"),
        format!("{good} "),
        format!(" {good}"),
        format!("Bearer {good}"),
        format!("{good}\n"),
        format!("{good}="),
        format!("{head}.{body}.é"),
        format!("{head}=.{body}.{mac}"),
        format!("{head}.{body}.{}", URL_SAFE.encode([0; 32])),
        format!("{head}.{body}.{}", "+".repeat(43)),
        good.replace('.', ","),
        "a".repeat(8 * 1024 + 1),
    ];
    for token in &malformed {
        assert_eq!(check(token), Err(TokenError::Malformed), "{}", &token[..token.len().min(80)]);
    }
    // The last character of 43 carries two bits that must be zero: another text for the same bytes is refused.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(mac.chars().last().unwrap()).unwrap();
    let sloppy = format!("{}{}", &good[..good.len() - 1], &alphabet[last + 1..last + 2]);
    assert_eq!(check(&sloppy), Err(TokenError::Malformed));
    let unsigned = [
        format!("{head}.{body}."),
        format!("{head}.{body}.{}", &mac[..42]),
        format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 32])),
        format!("{good}A"),
        format!("{good}AAAAA"),
        signed_text(&format!("{head}.{body}"), &[2; 32]),
        signed_text(&format!("{head}.{body}"), b""),
        format!("{head}..{mac}"),
    ];
    for token in &unsigned {
        let error = check(token).unwrap_err();
        assert!(matches!(error, TokenError::Signature | TokenError::Malformed), "{token}");
        assert_ne!(error, TokenError::Claims);
    }
    assert_eq!(check(&unsigned[0]), Err(TokenError::Signature));
    assert_eq!(verify(&[], &good, NOW), Err(TokenError::Signature));
}

#[test]
fn the_largest_token() {
    let zone = "x".repeat(5_700);
    let token = sign(&key("a", 1), &Claims { zoneinfo: zone, ..claims() });
    assert!(token.len() < 8 * 1024 && check(&token).is_ok(), "{}", token.len());
    let token = sign(&key("a", 1), &Claims { zoneinfo: "x".repeat(6_000), ..claims() });
    assert!(token.len() > 8 * 1024);
    assert_eq!(check(&token), Err(TokenError::Malformed));
}

#[test]
fn lists_of_keys() {
    let (a, b) = (URL_SAFE_NO_PAD.encode([1; 32]), URL_SAFE_NO_PAD.encode([2; 48]));
    let two = keys(&format!("a={a},2026-11.b_={b}")).unwrap();
    assert_eq!(two, [key("a", 1), Key { kid: "2026-11.b_".to_owned(), secret: vec![2; 48] }]);
    assert!(!format!("{two:?}").contains("2, 2"), "a secret is never printed");
    let short = URL_SAFE_NO_PAD.encode([1; 31]);
    let refused = [
        (String::new(), "\"=\""),
        (",".to_owned(), "\"=\""),
        (format!("a={a},"), "\"=\""),
        (a.clone(), "\"=\""),
        (format!("={a}"), "a kid is"),
        (format!(" a={a}"), "a kid is"),
        (format!("ä={a}"), "a kid is"),
        (format!("{}={a}", "k".repeat(65)), "a kid is"),
        (format!("a={short}"), "32 bytes"),
        ("a=".to_owned(), "32 bytes"),
        (format!("a={a}="), "base64url"),
        (format!("a={a} "), "base64url"),
        (format!("a={}", "+".repeat(44)), "base64url"),
        (format!("a={a},b={b},a={b}"), "twice"),
        ((0..9).map(|n| format!("k{n}={a}")).collect::<Vec<_>>().join(","), "more than 8"),
    ];
    for (text, reason) in refused {
        let error = keys(&text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(!error.contains(&a[..20]) && !error.contains(&short[..20]), "{error}");
    }
}

#[test]
fn codes() {
    let errors = [TokenError::Malformed, TokenError::Signature, TokenError::Expired, TokenError::Claims];
    assert_eq!(errors.map(TokenError::code), ["token-malformed", "token-signature", "token-expired", "token-claims"]);
}

proptest! {
    #[test]
    fn no_changed_character_passes(at in 0usize..10_000, with in "[A-Za-z0-9_.-]") {
        let good = sign(&key("a", 1), &claims());
        let at = at % good.len();
        let changed = format!("{}{with}{}", &good[..at], &good[at + 1..]);
        prop_assert_eq!(check(&changed).is_ok(), changed == good);
    }

    #[test]
    fn any_text_is_refused(text in "\\PC{0,60}|[A-Za-z0-9_-]{0,20}(\\.[A-Za-z0-9_-]{0,20}){1,3}") {
        prop_assert!(check(&text).is_err());
    }
}
