//! The routes that write, and their fields.

use serde_json::{Map, Value, json};

use super::bench::Bad;
use super::values::{Kind, NO_JSON, bad};

/// A field of a body.
pub struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

const fn field(name: &'static str, kind: Kind, required: bool) -> Field {
    Field { name, kind, required }
}

const TITLE: Kind = Kind::Text(1, 500);
const TASK: [Field; 7] = [
    field("description", Kind::Text(0, 20_000), false),
    field("priority", Kind::Priority, false),
    field("tags", Kind::Tags, false),
    field("due_date", Kind::Due, false),
    field("time_zone", Kind::Zone, false),
    field("recurrence_rule", Kind::Rule, false),
    field("reminder_minutes", Kind::Minutes, false),
];
const CREATE: [Field; 2] = [field("id", Kind::Id, false), field("title", TITLE, true)];
const PATCH: [Field; 1] = [field("title", TITLE, false)];
const SIGN_UP: [Field; 4] = [
    field("id", Kind::Id, false),
    field("email", Kind::Email, true),
    field("password", Kind::Text(10, 200), true),
    field("time_zone", Kind::Zone, false),
];
const SIGN_IN: [Field; 2] = [field("email", Kind::Email, true), field("password", Kind::Text(1, 200), true)];
const REFRESH: [Field; 1] = [field("refresh_token", Kind::Text(1, 200), false)];

/// A route that takes a body.
pub struct Writing {
    pub method: &'static str,
    pub path: String,
    /// A body that would be taken.
    pub good: Value,
    pub fields: Vec<&'static Field>,
}

/// Every route that takes a body; `task` is one of the caller's.
pub fn routes(task: &str) -> Vec<Writing> {
    let full = json!({
        "title": "Water the plants", "description": "All of them", "priority": "P2", "tags": ["home"],
        "due_date": "2026-03-01T09:00:00Z", "time_zone": "Europe/Berlin", "recurrence_rule": "FREQ=DAILY",
        "reminder_minutes": [5],
    });
    let account = json!({"email": "new@example.org", "password": "a password of some length", "time_zone": "UTC"});
    let sign_in = json!({"email": "ada@example.org", "password": "no password of hers"});
    let route =
        |method, path: &str, good, fields: Vec<&'static Field>| Writing { method, path: path.into(), good, fields };
    vec![
        route("POST", "/api/v1/tasks", full, CREATE.iter().chain(&TASK).collect()),
        route("PATCH", &format!("/api/v1/tasks/{task}"), json!({}), PATCH.iter().chain(&TASK).collect()),
        route("POST", "/api/v1/accounts", account, SIGN_UP.iter().collect()),
        route("POST", "/api/v1/tokens", sign_in, SIGN_IN.iter().collect()),
        route("POST", "/api/v1/tokens", json!({}), REFRESH.iter().collect()),
    ]
}

impl Writing {
    /// The good body with one field as this JSON text, or without it.
    fn with(&self, name: &str, value: Option<&str>) -> String {
        let empty = Map::new();
        let good = self.good.as_object().unwrap_or(&empty).iter().filter(|(other, _)| *other != name);
        let mut fields: Vec<String> = good.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
        fields.extend(value.map(|value| format!("{}:{value}", json!(name))));
        format!("{{{}}}", fields.join(","))
    }

    fn bad(&self, token: &str, status: u16, body: String) -> Bad {
        Bad::new(self.method, &self.path, status).by(token).body(body)
    }

    /// Every bad body that the fields give.
    pub fn all_bad(&self, token: &str) -> Vec<Bad> {
        let mut all: Vec<Bad> = self.fields.iter().flat_map(|field| self.bad_field(token, field)).collect();
        let unknown = ["x", "user_id", "version", "Title", "__proto__", "a/b~c"];
        all.extend(unknown.map(|name| {
            let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
            self.bad(token, 422, self.with(name, Some("1"))).naming(pointer)
        }));
        let bodies = ["[]", "null", "true", "7", "\"text\"", "[{}]"];
        all.extend(bodies.map(|body| self.bad(token, 422, body.to_owned()).naming("")));
        all
    }

    fn bad_field(&self, token: &str, field: &Field) -> Vec<Bad> {
        let pointer = format!("/{}", field.name);
        let refused = |value: Option<&str>| self.bad(token, 422, self.with(field.name, value)).naming(pointer.as_str());
        let mut all: Vec<Bad> = bad(field.kind).iter().map(|value| refused(Some(value))).collect();
        all.extend(NO_JSON.map(|value| self.bad(token, 400, self.with(field.name, Some(value)))));
        if field.required || matches!(field.name, "title" | "refresh_token") {
            all.push(refused(Some("null")));
        }
        if field.required {
            all.push(refused(None));
        }
        let twice = format!("{{{0}:null,{0}:null}}", json!(field.name));
        all.push(self.bad(token, 400, twice));
        all
    }
}
