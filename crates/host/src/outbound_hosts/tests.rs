//! Tables of entries and connections.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::manifest::Manifest;

fn hosts(entries: &[&str]) -> AllowedHosts {
    let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    AllowedHosts::parse(&entries).unwrap()
}

#[test]
fn an_entry_allows_what_it_says() {
    let table: [(&str, &str, &str, Option<u16>, bool); 49] = [
        ("http://example.com", "http", "example.com", None, true),
        ("http://example.com", "http", "example.com", Some(80), true),
        ("http://example.com", "http", "EXAMPLE.com", Some(80), true),
        ("http://Example.COM", "HTTP", "example.com", Some(80), true),
        ("http://example.com/", "http", "example.com", Some(80), true),
        ("http://example.com", "http", "example.com", Some(8080), false),
        ("http://example.com", "https", "example.com", None, false),
        ("http://example.com", "http", "a.example.com", None, false),
        ("http://example.com", "http", "example.com.evil.org", None, false),
        ("https://example.com", "https", "example.com", Some(443), true),
        ("https://example.com", "https", "example.com", Some(80), false),
        ("http://example.com:8080", "http", "example.com", Some(8080), true),
        ("http://example.com:8080/", "http", "example.com", Some(8080), true),
        ("http://example.com:8080", "http", "example.com", None, false),
        ("http://127.0.0.1:*", "http", "127.0.0.1", Some(1), true),
        ("http://127.0.0.1:*", "http", "127.0.0.1", None, true),
        ("http://127.0.0.1:*", "https", "127.0.0.1", Some(1), false),
        ("http://127.0.0.1:*", "http", "localhost", Some(1), false),
        ("http://localhost:*", "http", "127.0.0.1", Some(1), false),
        ("*://127.0.0.1:3000", "redis", "127.0.0.1", Some(3000), true),
        ("*://127.0.0.1:3000", "redis", "127.0.0.1", Some(6379), false),
        ("http://a.b:3000..3010", "http", "a.b", Some(3000), true),
        ("http://a.b:3000..3010", "http", "a.b", Some(3009), true),
        ("http://a.b:3000..3010", "http", "a.b", Some(3010), false),
        ("http://a.b:3000..3010", "http", "a.b", Some(2999), false),
        ("https://*.example.com", "https", "a.example.com", None, true),
        ("https://*.example.com", "https", "a.b.example.com", None, true),
        ("https://*.example.com", "https", "example.com", None, false),
        ("https://*.example.com", "https", "badexample.com", None, false),
        ("http://*", "http", "anything.at.all", None, true),
        ("http://*", "http", "anything.at.all", Some(81), false),
        ("*://*:*", "mysql", "anything", Some(9), true),
        ("*://*:*", "unknown", "anything", None, true),
        ("*://a:80", "unknown", "a", None, false),
        ("postgres://127.0.0.1:5432", "postgres", "127.0.0.1", None, true),
        ("postgres://db", "postgres", "db", Some(5432), true),
        ("postgres://db", "postgres", "db", None, true),
        ("postgres://db", "redis", "db", Some(5432), false),
        ("redis://cache", "redis", "cache", None, true),
        ("redis://cache", "redis", "cache", Some(6380), false),
        ("http://[::1]:80", "http", "[::1]", Some(80), true),
        ("http://[::1]", "http", "[0:0::1]", None, true),
        ("http://[::1]:80", "http", "[::2]", Some(80), false),
        ("http://self", "http", "self", None, false),
        ("http://self", "http", "127.0.0.1", Some(80), false),
        ("http://*.spin.internal", "http", "audit.spin.internal", None, true),
        ("http://*.spin.internal", "http", "127.0.0.1", None, false),
        ("http://audit.spin.internal", "http", "audit.spin.internal", Some(80), true),
        ("http://audit.spin.internal", "http", "tasks.spin.internal", Some(80), false),
    ];
    for (entry, scheme, host, port, expected) in table {
        assert_eq!(hosts(&[entry]).allows(scheme, host, port), expected, "{entry}: {scheme} {host} {port:?}");
    }
}

#[test]
fn entries_add_up_and_none_allow_nothing() {
    let both = hosts(&["http://a", "redis://b"]);
    assert!(both.allows("http", "a", 80) && both.allows("redis", "b", 6379));
    assert!(!both.allows("redis", "a", 80) && !both.allows("http", "b", 6379));
    assert!(!hosts(&[]).allows("http", "a", 80));
}

#[test]
fn malformed_entries_are_refused() {
    let table = [
        "",
        "*",
        ":",
        "example.com",
        "example.com:80",
        "://a",
        "h2c://a:80",
        "tcp://a",
        "*://a",
        "http://",
        "http://:80",
        "http://a/b",
        "http://a:80/b",
        "http://10.0.0.0/8",
        "http://a.*.b",
        "http://*.*.b",
        "http://*.",
        "http://a*",
        "http://a:b",
        "http://a:70000",
        "http://a:1..b",
        "http://{a,b}",
        "{http,https}://a",
        "http://a,http://b",
        "http://user@a",
        "insecure:allow-all",
    ];
    for entry in table {
        assert!(AllowedHosts::parse(&[entry.to_owned()]).is_err(), "{entry}");
    }
}

#[test]
fn chaining_is_read_off_the_entries() {
    let only = |ids: &[&str]| Chaining::Only(ids.iter().map(|id| (*id).to_owned()).collect());
    let table = [
        (vec![], Chaining::None),
        (vec!["http://127.0.0.1:*", "postgres://db"], Chaining::None),
        (vec!["http://audit.spin.internal"], only(&["audit"])),
        (
            vec!["http://audit.spin.internal", "redis://x", "http://relay-wake.spin.internal:*"],
            only(&["audit", "relay-wake"]),
        ),
        (vec!["http://audit.spin.internal:8080"], Chaining::None),
        (vec!["https://audit.spin.internal"], Chaining::None),
        (vec!["http://audit.spin.internal", "http://*.spin.internal"], Chaining::All),
        (vec!["*://*:*"], Chaining::All),
        (vec!["http://*.internal"], Chaining::All),
        (vec!["http://*.example.com"], Chaining::None),
    ];
    for (entries, expected) in table {
        assert_eq!(hosts(&entries).chaining(), expected, "{entries:?}");
    }
    assert_eq!(chaining_target("audit.spin.internal"), Some("audit"));
    assert_eq!(chaining_target("a.b.spin.internal"), None);
    assert_eq!(chaining_target("spin.internal"), None);
}

#[test]
fn self_is_for_relative_requests() {
    assert!(hosts(&["http://self"]).allows_self("http"));
    assert!(!hosts(&["http://self"]).allows_self("https"));
    assert!(hosts(&["*://*:*"]).allows_self("http"));
    assert!(!hosts(&["http://127.0.0.1:*"]).allows_self("http"));
}

/// The component `front` with the given list, and `x` as the value of its only variable.
fn of_front(list: &str, x: &str) -> AllowedHosts {
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"a\"\n[variables]\nx = {{ default = \"\" }}\n\
         [component.front]\nsource = \"f.wasm\"\nallowed_outbound_hosts = {list}\n"
    );
    let manifest = Manifest::parse(Path::new("spin.toml"), &text).unwrap();
    let overrides = BTreeMap::from([("x".to_owned(), x.to_owned())]);
    let variables = Variables::new(&manifest, &overrides, |_| None).unwrap();
    AllowedHosts::of_component("front", &manifest.components["front"].allowed_outbound_hosts, &variables)
}

#[test]
fn templates_are_filled_in() {
    let list = r#"["{{ x }}", "http://127.0.0.1:*"]"#;
    assert_eq!(of_front(list, "http://*.spin.internal").chaining(), Chaining::All);
    assert!(of_front(list, "http://*.spin.internal").allows("http", "127.0.0.1", 3000));
    assert_eq!(of_front(list, "http://10.0.0.1:80").chaining(), Chaining::None);
    assert!(of_front(r#"["postgres://{{ x }}"]"#, "db:5433").allows("postgres", "db", 5433));
}

#[test]
fn one_bad_value_denies_everything() {
    let list = r#"["{{ x }}", "http://127.0.0.1:*"]"#;
    for value in ["", " ", "nonsense", "http://a,http://b"] {
        let hosts = of_front(list, value);
        assert!(!hosts.allows("http", "127.0.0.1", 3000), "{value}");
        assert_eq!(hosts.chaining(), Chaining::None, "{value}");
    }
}
