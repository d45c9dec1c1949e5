//! Steps that the tests of several components take.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::harness::{Answer, INTERNAL_TOKEN, OPERATOR_TOKEN, Person, Setup, Spindle, micros};

/// An application whose relay runs only when a test says so: nobody is woken by hints.
pub fn without_hints() -> Setup {
    Setup { variables: vec![("hint_channel", String::new())], ..Setup::default() }
}

impl Spindle {
    /// Posts to an internal route as the inside does.
    pub async fn internal(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send("POST", path, &[("dapr-api-token", INTERNAL_TOKEN)], body).await
    }

    /// Who looks after the service: a person with a token of another kind, and without an account.
    pub fn operator(&self) -> Person<'_> {
        let (email, password) = (String::new(), String::new());
        Person { app: self, id: String::new(), email, password, token: OPERATOR_TOKEN.to_owned() }
    }

    /// Lets the relay run once.
    pub async fn relay(&self) -> Answer {
        self.internal("/internal/relay/run", "").await
    }

    /// Changes rows behind the application's back.
    pub async fn tamper(&self, sql: &str) {
        self.sql().await.batch_execute(sql).await.expect(sql);
    }

    /// The audited events of a stream, in the order of its sequence: that, the last part of the type, the data.
    pub async fn events(&self, stream: &str) -> Vec<(i64, String, Value)> {
        let sql = "select stream_seq, split_part(action, '.', 4), payload from audit_entry
            where stream = $1 order by stream_seq, seq";
        let rows = self.sql().await.query(sql, &[&stream]).await.expect("entries");
        let parse = |payload: String| serde_json::from_str(&payload).expect("JSON");
        rows.into_iter().map(|row| (row.get(0), row.get(1), parse(row.get(2)))).collect()
    }

    /// The kinds of a stream's events, after making sure that their sequence has no hole and no double.
    pub async fn story(&self, stream: &str) -> Vec<String> {
        let events = self.events(stream).await;
        let sequence: Vec<i64> = events.iter().map(|(seq, ..)| *seq).collect();
        let dense: Vec<i64> = (1..).take(events.len()).collect();
        assert_eq!(sequence, dense, "the sequence of {stream}");
        events.into_iter().map(|(_, kind, _)| kind).collect()
    }

    /// Waits until nothing is on its way, and makes sure that nothing was left or given up.
    pub async fn quiet(&self) {
        self.app.settle().await;
        if self.unfinished().await > 0 {
            self.tick().await;
        }
        assert_eq!(self.unfinished().await, 0, "events are left");
        assert_eq!(self.app.bed().open_transactions(), [""; 0]);
    }
}

impl Person<'_> {
    /// Makes a task.
    pub async fn make(&self, body: Value) -> Value {
        let made = self.post("/api/v1/tasks", body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        made.json
    }

    /// A task as it is now.
    pub async fn look(&self, task: &Value) -> Value {
        let found = self.get(&path(task)).await;
        assert_eq!(found.status, 200, "{}", found.json);
        found.json
    }

    /// Changes a task.
    pub async fn edit(&self, task: &Value, body: Value) -> Value {
        let edited = self.patch(&path(task), body).await;
        assert_eq!(edited.status, 200, "{}", edited.json);
        edited.json
    }

    /// Completes a task.
    pub async fn complete(&self, task: &Value) -> Value {
        self.flip(task, "complete").await
    }

    /// Opens a completed task again.
    pub async fn reopen(&self, task: &Value) -> Value {
        self.flip(task, "reopen").await
    }

    async fn flip(&self, task: &Value, verb: &str) -> Value {
        let flipped = self.post(&format!("{}/{verb}", path(task)), json!({})).await;
        assert_eq!(flipped.status, 200, "{verb}: {}", flipped.json);
        flipped.json
    }

    /// The open tasks, the newest first.
    pub async fn open(&self) -> Vec<Value> {
        self.items("/api/v1/tasks?status=open&limit=100").await
    }

    /// Lets what is on its way arrive, moves the clock without a tick, and signs in anew, since the token gets old.
    pub async fn wait_until(&mut self, rfc3339: &str) {
        self.app.app.settle().await;
        self.app.app.bed().set_now_micros(micros(rfc3339));
        self.sign_in().await;
    }

    /// All items at `path`, page by page.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut all = Vec::new();
        let mut from = format!("{path}?limit={limit}");
        loop {
            let page = self.get(&from).await;
            assert_eq!(page.status, 200, "{}", page.json);
            let items = page.json["items"].as_array().expect("items");
            assert!(items.len() <= limit, "a page is longer than asked");
            all.extend(items.iter().cloned());
            match page.json["next"].as_str() {
                Some(next) => from = format!("{path}?limit={limit}&cursor={next}"),
                None => return all,
            }
        }
    }
}

/// Where a task is.
pub fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", id(task))
}

/// The id of anything.
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

/// A field of each of some things.
pub fn each<'a>(things: &'a [Value], field: &str) -> Vec<&'a Value> {
    things.iter().map(|thing| &thing[field]).collect()
}
