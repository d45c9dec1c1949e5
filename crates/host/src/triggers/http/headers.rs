//! The `spin-*` headers by which a guest learns how it was reached.

use std::net::SocketAddr;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::routes::RouteMatch;

/// Adds them behind what the client sent, so that the last value of a name is ours. `base` is the application's.
pub fn announce(headers: &mut HeaderMap, full_url: &str, base: &str, route: &RouteMatch<'_>, peer: SocketAddr) {
    headers.reserve(8 + route.params.len());
    let ours = [
        (HeaderName::from_static("spin-full-url"), full_url),
        (HeaderName::from_static("spin-path-info"), &route.path_info),
        (HeaderName::from_static("spin-matched-route"), route.route),
        (HeaderName::from_static("spin-base-path"), base),
        (HeaderName::from_static("spin-raw-component-route"), route.raw_route),
        (HeaderName::from_static("spin-component-route"), route.component_route()),
        (HeaderName::from_static("spin-client-addr"), &peer.to_string()),
    ];
    for (name, value) in ours {
        append(headers, name, value);
    }
    for (name, value) in &route.params {
        if let Ok(name) = HeaderName::try_from(format!("spin-path-match-{name}")) {
            append(headers, name, value);
        }
    }
}

/// Whether every value is UTF-8; guests get no others, Spin answers 500.
pub fn are_utf8(headers: &HeaderMap) -> bool {
    headers.values().all(|value| std::str::from_utf8(value.as_bytes()).is_ok())
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_come_last() {
        let mut headers = HeaderMap::new();
        headers.insert("spin-client-addr", HeaderValue::from_static("6.6.6.6:1"));
        let route = RouteMatch {
            component: "tasks",
            route: "/api/tasks/:id/...",
            raw_route: "/tasks/:id/...",
            path_info: "/rest".into(),
            params: vec![("id", "7".into())],
        };
        announce(&mut headers, "http://h/api/tasks/7/rest?q=1", "/api", &route, ([127, 0, 0, 1], 9).into());
        let values: Vec<_> = headers.get_all("spin-client-addr").iter().collect();
        assert_eq!(values, ["6.6.6.6:1", "127.0.0.1:9"]);
        assert_eq!(headers["spin-full-url"], "http://h/api/tasks/7/rest?q=1");
        assert_eq!(headers["spin-component-route"], "/tasks/:id");
        assert_eq!(headers["spin-path-match-id"], "7");
    }

    #[test]
    fn other_bytes_are_seen() {
        let mut headers = HeaderMap::new();
        headers.insert("x", HeaderValue::from_bytes("ü".as_bytes()).unwrap());
        assert!(are_utf8(&headers));
        headers.insert("y", HeaderValue::from_bytes(&[0xE9]).unwrap());
        assert!(!are_utf8(&headers));
    }
}
