//! Users who change things, a hundred times a second together, and remember what was acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::api::{Answer, Person};

const WRITERS: u64 = 10;
/// Each writer's pace.
const PAUSE: Duration = Duration::from_millis(100);
/// An access token lasts five minutes.
const SIGN_IN: Duration = Duration::from_secs(200);
/// How many of its tasks a writer goes on with.
const KEPT: usize = 20;

/// What the writers know.
#[derive(Default)]
pub struct History {
    /// A task and the version that an answer said it has.
    pub acked: Vec<(Uuid, i64)>,
    /// Requests without an answer, or with one that says nothing about what was done.
    pub unknown: usize,
}

pub struct Writers {
    stop: Arc<AtomicBool>,
    all: Vec<JoinHandle<History>>,
}

impl Writers {
    pub fn start(port: u16) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let all = (0..WRITERS).map(|n| tokio::spawn(write(port, n, stop.clone()))).collect();
        Writers { stop, all }
    }

    pub async fn stop(self) -> History {
        self.stop.store(true, Ordering::SeqCst);
        let mut history = History::default();
        for writer in self.all {
            let one = writer.await.expect("a writer");
            history.acked.extend(one.acked);
            history.unknown += one.unknown;
        }
        history
    }
}

async fn write(port: u16, number: u64, stop: Arc<AtomicBool>) -> History {
    let mut history = History::default();
    let mut person = loop {
        match Person::new(port, &format!("writer-{number}-{}", Uuid::from_u128(rand::random()))).await {
            Ok(person) => break person,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    };
    let (mut tasks, mut signed_in, mut step) = (Vec::new(), Instant::now(), number);
    let mut pace = tokio::time::interval(PAUSE);
    while !stop.load(Ordering::SeqCst) {
        pace.tick().await;
        if signed_in.elapsed() > SIGN_IN && person.sign_in().await.is_ok() {
            signed_in = Instant::now();
        }
        step += 1;
        match change(&person, &mut tasks, step).await {
            Ok(answer) if answer.status < 300 => {
                let id = answer.json["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
                history.acked.push((id, answer.json["version"].as_i64().expect("a version")));
                if answer.status == 201 {
                    tasks.push(id.to_string());
                }
            }
            // refused: nothing was done
            Ok(answer) if (400..500).contains(&answer.status) => {}
            _ => history.unknown += 1,
        }
        if tasks.len() > KEPT {
            tasks.remove(0);
        }
    }
    history
}

/// One change: mostly edits, with creates, completions and reopenings among them.
async fn change(person: &Person, tasks: &mut [String], step: u64) -> anyhow::Result<Answer> {
    let nothing = Value::Null;
    let some = usize::try_from(step * 7).unwrap_or(0) % tasks.len().max(1);
    let due = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    match (step % 10, tasks.get(some)) {
        (0, _) => {
            let task = json!({"title": "daily", "due_date": due, "recurrence_rule": "FREQ=DAILY"});
            person.call("POST", "/api/v1/tasks", &task).await
        }
        (1, _) => {
            let task = json!({"title": "now", "due_date": due, "reminder_minutes": [0]});
            person.call("POST", "/api/v1/tasks", &task).await
        }
        (2 | 3, _) | (_, None) => person.call("POST", "/api/v1/tasks", &json!({"title": "plain"})).await,
        (4 | 5, Some(task)) => person.call("POST", &format!("/api/v1/tasks/{task}/complete"), &nothing).await,
        (6, Some(task)) => person.call("POST", &format!("/api/v1/tasks/{task}/reopen"), &nothing).await,
        (_, Some(task)) => {
            person.call("PATCH", &format!("/api/v1/tasks/{task}"), &json!({"title": format!("edit {step}")})).await
        }
    }
}
