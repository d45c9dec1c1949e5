//! What a client does from sign-up to the second task of a series, repeating what got no proper answer.
//! It comes in two parts that share nothing but the user's id, so that the long one goes without costly passwords.

use bytes::Bytes;
use domain::token::{self, Claims};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{START, Spindle, TOKEN_KEYS, micros};

/// The ids that the client makes.
const ACCOUNT: &str = "019c1680-0000-7000-8000-00000000000a";
const TASK: &str = "019c1680-0000-7000-8000-00000000000b";

const REMINDER_AT: &str = "2026-02-10T08:30:00Z";
const COMPLETED_AT: &str = "2026-02-10T09:10:00Z";

/// How often the client sends a request at most: the one fault of a run spoils one answer.
const TRIES: usize = 3;
/// Ticks after which everything must be quiet, and the time between two, in microseconds: a lease lasts 30 s.
const TICKS: usize = 12;
const BETWEEN_TICKS: i64 = 35_000_000;

/// What still has to happen at `$1` (timestamp): events to hand over, events to apply, reminders to set off.
const UNFINISHED: &str = "select (select count(*) from outbox) + (select count(*) from inbox where state <> 'done')
    + (select count(*) from reminder where state = 'pending' and fire_at <= $1::text::timestamptz)";

/// A part of the journey.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// Sign up, sign in, exchange the refresh token.
    Accounts,
    /// Create a recurring task, change it, be reminded, complete it, get the next.
    Tasks,
}

/// The journey, with an empty database at its start and nothing left to do at its end.
pub struct Script<'a> {
    pub app: &'a Spindle,
    pub sql: &'a Client,
}

impl Script<'_> {
    /// Goes through a part; an error says where it cannot go on.
    pub async fn run(&self, part: Part) -> Result<(), String> {
        self.app.app.bed().set_now_micros(START);
        match part {
            Part::Accounts => self.accounts().await,
            Part::Tasks => self.tasks().await,
        }
    }

    async fn accounts(&self) -> Result<(), String> {
        let person = json!({"email": "ada@example.org", "password": "the long password of ada"});
        let mut account = person.clone();
        account["id"] = json!(ACCOUNT);
        self.ask("/api/v1/accounts", &account).await?;
        let tokens = self.ask("/api/v1/tokens", &person).await?;
        let tokens = self.ask("/api/v1/tokens", &json!({"refresh_token": tokens["refresh_token"]})).await?;
        self.ask("/api/v1/tokens", &json!({"refresh_token": tokens["refresh_token"]})).await.map(drop)
    }

    async fn tasks(&self) -> Result<(), String> {
        let task = json!({
            "id": TASK, "title": "Weekly standup", "priority": "P1", "tags": ["work"], "recurrence_rule": "weekly",
            "due_date": "2026-02-10T09:00:00Z", "reminder_minutes": 30,
        });
        self.ask("/api/v1/tasks", &task).await?;
        // at once, so that a relay that died over the first event finds a second one behind it
        self.send("PATCH", &format!("/api/v1/tasks/{TASK}"), &json!({"priority": "P2"})).await?;
        self.until_quiet().await?;
        self.app.app.bed().set_now_micros(micros(REMINDER_AT));
        self.tick().await;
        self.until_quiet().await?;
        self.app.app.bed().set_now_micros(micros(COMPLETED_AT));
        self.ask(&format!("/api/v1/tasks/{TASK}/complete"), &json!({})).await?;
        self.until_quiet().await?;
        // one more, late enough to look for completions that were missed
        self.app.app.bed().advance_micros(BETWEEN_TICKS);
        self.tick().await;
        self.until_quiet().await
    }

    /// Posts until there is an answer that is no fault of the server's; it must be a success.
    async fn ask(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.send("POST", path, body).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        for _ in 0..TRIES {
            let request = http::Request::builder().method(method).uri(path);
            let request = request.header("authorization", format!("Bearer {}", self.token()));
            let request = request.body(Bytes::from(body.to_string())).map_err(|error| error.to_string())?;
            let (head, body) = self.app.app.handle(request).await.into_parts();
            self.app.app.settle().await;
            // an answer that breaks off is none: its length tells
            let length = head.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
            if head.status.is_server_error() || length.is_some_and(|length: usize| length != body.len()) {
                continue;
            }
            if !head.status.is_success() {
                return Err(format!("{path} answered {}: {body:?}", head.status));
            }
            return serde_json::from_slice(&body).map_err(|error| format!("{path}: {error}"));
        }
        Err(format!("{path}: no proper answer"))
    }

    /// An access token of the user's, whatever accounts would say.
    fn token(&self) -> String {
        let keys = token::keys(TOKEN_KEYS).expect("keys");
        let iat = self.app.app.bed().now_micros() / 1_000_000;
        let id: uuid::Uuid = ACCOUNT.parse().expect("an id");
        let claims = Claims { sub: id, zoneinfo: "UTC".to_owned(), iat, exp: iat + 300, jti: id, sid: id };
        token::sign(&keys[0], &claims)
    }

    /// A tick may be lost; then the next one does its work.
    async fn tick(&self) {
        let _lost = self.app.app.fire_cron().await;
        self.app.app.settle().await;
    }

    async fn until_quiet(&self) -> Result<(), String> {
        for _ in 0..TICKS {
            if self.unfinished().await == 0 {
                return Ok(());
            }
            self.app.app.bed().advance_micros(BETWEEN_TICKS);
            self.tick().await;
        }
        let left = "select concat_ws(' ', 'outbox', stream, stream_seq, type) from outbox union all
            select concat_ws(' ', 'inbox', consumer, state, attempts, stream, stream_seq, type, error) from inbox";
        let left: Vec<String> = self.sql.query(left, &[]).await.expect("rows").iter().map(|row| row.get(0)).collect();
        Err(format!("not quiet after {TICKS} ticks: {left:?}"))
    }

    async fn unfinished(&self) -> i64 {
        let now = jiff::Timestamp::from_microsecond(self.app.app.bed().now_micros()).expect("an instant");
        self.sql.query_one(UNFINISHED, &[&now.to_string()]).await.expect(UNFINISHED).get(0)
    }
}
