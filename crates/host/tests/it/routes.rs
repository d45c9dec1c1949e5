//! The routes of the components, read from their sources: none can be forgotten.

use crate::harness::root;
use crate::statements;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Public,
    User,
    Internal,
    Operator,
}

/// One line of a component's ROUTES.
#[derive(Clone, Debug)]
pub struct Route {
    pub method: &'static str,
    /// With `{id}` where an id stands.
    pub path: String,
    pub access: Access,
}

const KINDS: [(&str, &str, Access); 5] = [
    ("get(\"", "GET", Access::User),
    ("post(\"", "POST", Access::User),
    ("patch(\"", "PATCH", Access::User),
    ("delete(\"", "DELETE", Access::User),
    ("internal(\"", "POST", Access::Internal),
];

/// Every route of every component.
pub fn all() -> Vec<Route> {
    let mut all = Vec::new();
    for component in statements::components(&root()) {
        let source = statements::source(&root(), &component);
        let Some((_, list)) = source.split_once("const ROUTES: &[Route] =") else { continue };
        let (_, list) = list.split_once("&[").expect("ROUTES is a list");
        let (list, _) = list.split_once("];").expect("ROUTES ends");
        let list: String = list.chars().filter(|c| !c.is_whitespace()).collect();
        let before = all.len();
        for entry in list.split_inclusive(')') {
            all.extend(route(entry));
            let access = match entry {
                ".public()" => Access::Public,
                ".operator()" => Access::Operator,
                _ => continue,
            };
            let last: &mut Route = all.last_mut().expect("a route before .public() or .operator()");
            last.access = access;
        }
        // each route names a path, and every path was understood
        assert_eq!(all.len() - before, list.matches("\"/").count(), "{component}: a route has a form not known here");
    }
    all
}

fn route(entry: &str) -> Option<Route> {
    let entry = entry.trim_start_matches(',');
    let (kind, method, access) = KINDS.into_iter().find(|(kind, ..)| entry.starts_with(kind))?;
    let path = entry[kind.len()..].split('"').next()?.to_owned();
    Some(Route { method, path, access })
}

#[test]
fn the_routes_are_found() {
    let all = all();
    let count = |access| all.iter().filter(|route| route.access == access).count();
    assert!(count(Access::User) >= 15 && count(Access::Public) >= 5 && count(Access::Internal) >= 9, "{all:?}");
    assert!(count(Access::Operator) >= 5, "{all:?}");
}
