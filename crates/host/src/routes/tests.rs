//! Tables of routes and paths.

use super::*;

/// Routes as (route, component); a route of `""` is private.
fn triggers(routes: &[(&str, &str)]) -> Vec<HttpTrigger> {
    let trigger = |(route, component): &(&str, &str)| HttpTrigger {
        route: Some((*route).to_owned()).filter(|route| !route.is_empty()),
        component: (*component).to_owned(),
    };
    routes.iter().map(trigger).collect()
}

fn router(routes: &[(&str, &str)]) -> Router {
    Router::new("/", &triggers(routes)).unwrap()
}

/// What `path` reaches, as `component path-info name=value ...`.
fn reached(router: &Router, path: &str) -> String {
    let Some(found) = router.find(path) else {
        return "none".to_owned();
    };
    let params: String = found.params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{} '{}'{params}", found.component, found.path_info)
}

#[test]
fn the_most_specific_route_wins_whatever_the_order() {
    let mut routes = [
        ("/...", "all"),
        ("/", "root"),
        ("/api/v1/tasks/...", "tasks"),
        ("/api/v1/tasks/:task_id/history", "history"),
        ("/api/v1/tasks/search", "search"),
        ("/api/:version/...", "versions"),
        ("/:one/v1/tags", "tags"),
        ("/healthz", "status"),
        ("/.well-known/security.txt", "web"),
        ("", "hidden"),
    ];
    let table = [
        ("/", "root ''"),
        ("", "root ''"),
        ("//", "root ''"),
        ("/healthz", "status ''"),
        ("/healthz/", "status ''"),
        ("//healthz", "status ''"),
        ("/healthz/x", "all '/healthz/x'"),
        ("/health", "all '/health'"),
        ("/healthzz", "all '/healthzz'"),
        ("/api/v1/tasks", "tasks ''"),
        ("/api/v1/tasks/", "tasks '/'"),
        ("/api/v1/tasks/7", "tasks '/7'"),
        ("/api/v1/tasks/7/", "tasks '/7/'"),
        ("/api/v1/tasks/7/history", "history '' task_id=7"),
        ("/api/v1/tasks/a%2Fb/history/", "history '' task_id=a%2Fb"),
        ("/api/v1/tasks//history", "history '' task_id="),
        ("/api/v1/tasks/7/history/x", "tasks '/7/history/x'"),
        ("/api/v1/tasks//7", "tasks '//7'"),
        ("/api/v1/tasks/search", "search ''"),
        ("/api/v1/tags", "versions '/tags' version=v1"),
        ("/other/v1/tags", "tags '' one=other"),
        ("/api", "all '/api'"),
        ("/.well-known/security.txt", "web ''"),
        ("/API/V1/tasks", "all '/API/V1/tasks'"),
    ];
    for _ in 0..routes.len() {
        routes.rotate_left(1);
        let router = router(&routes);
        for (path, expected) in table {
            assert_eq!(reached(&router, path), expected, "{path}");
        }
    }
}

#[test]
fn nothing_matches_without_a_route() {
    let router = router(&[("/a/:b", "one"), ("", "hidden")]);
    for path in ["/", "/a", "/a/", "/a/b/c", "/b"] {
        assert_eq!(router.find(path), None, "{path}");
    }
    assert_eq!(router.routes().collect::<Vec<_>>(), [("/a/:b", "one")]);
}

#[test]
fn the_base_is_part_of_the_matched_route_only() {
    let router = Router::new("/base/", &triggers(&[("/foo/...", "foo")])).unwrap();
    assert_eq!(router.find("/foo/x"), None);
    let found = router.find("/base/foo/x").unwrap();
    assert_eq!((found.route, found.raw_route, found.component_route()), ("/base/foo/...", "/foo/...", "/foo"));
    assert_eq!(found.path_info, "/x");
}

#[test]
fn a_chained_request_matches_everything() {
    let found = RouteMatch::chained("audit", "/internal/events");
    assert_eq!((found.component, found.route, found.path_info.as_str()), ("audit", "/...", "/internal/events"));
}

#[test]
fn routes_for_the_same_paths_are_refused() {
    for (one, two) in [("/a", "/a"), ("/a", "/a/"), ("/a/:x", "/a/:y"), ("/...", "/..."), ("/a/:x/...", "/a/:y/...")] {
        let error = Router::new("/", &triggers(&[(one, "first"), (two, "second")])).unwrap_err().to_string();
        assert!(error.contains("second") && error.contains("first") && error.contains("keep one"), "{error}");
    }
    assert!(Router::new("/", &triggers(&[("/a", "x"), ("/a/...", "x"), ("/a/:b", "x"), ("", "x"), ("", "y")])).is_ok());
}

#[test]
fn malformed_routes_are_refused() {
    for route in [
        "a",
        "/a//b",
        "/...x/...y:",
        "/a/.../b",
        "/*",
        "/a/*",
        "/:",
        "/:a.b",
        "/x:y",
        "/a?b",
        "/.well-known/spin/x",
        "/.../",
    ] {
        assert!(Router::new("/", &triggers(&[(route, "x")])).is_err(), "{route}");
    }
    for route in ["/.well-known/spin", "/.well-known/spindle/...", "/a.b", "/:under_score", "/a..."] {
        assert!(Router::new("/", &triggers(&[(route, "x")])).is_ok(), "{route}");
    }
}
