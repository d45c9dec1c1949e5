//! The way from the relay to the consumers.

use domain::event::{Event, MEDIA_TYPE};
use edge::{Problem, config, send};

use crate::store::Pending;

/// Who gets the events of a topic.
fn consumers(topic: &str) -> &'static [&'static str] {
    match topic {
        "task-events" => &["recurrence", "reminders", "audit"],
        "reminders" => &["notifications", "audit"],
        _ => &[],
    }
}

/// The longest wait for a consumer's answer, in seconds.
const ANSWER: u64 = 5;

/// Where events go, as the variable `event_transport` says.
pub struct Targets {
    token: String,
    /// `{consumer}` stands for its name.
    base: String,
}

impl Targets {
    /// Reads the variables.
    ///
    /// # Errors
    /// 500 when one is missing or names a transport that this relay does not know.
    pub fn read() -> Result<Self, Problem> {
        let transport = config::get("event_transport")?;
        if transport != "chain" {
            return Err(Problem::internal(format!("variable event_transport is {transport}; known is chain")));
        }
        Ok(Self { token: config::secret("internal_token")?, base: config::secret("consumer_base")? })
    }

    /// Posts an event to each of its consumers; each answers 200 once it cannot lose it.
    ///
    /// # Errors
    /// The first consumer that did not, after all have been tried.
    pub fn deliver(&self, pending: &Pending) -> Result<(), String> {
        let event = Event::new(
            pending.id,
            pending.kind.clone(),
            pending.stream.clone(),
            pending.stream_seq,
            pending.time,
            pending.user_id,
            pending.data.clone(),
        );
        let event = Event { traceparent: pending.traceparent.clone(), ..event };
        let body = serde_json::to_vec(&event).map_err(|error| error.to_string())?;
        let results: Vec<_> = consumers(&pending.topic).iter().map(|name| self.post(name, &event, &body)).collect();
        results.into_iter().collect()
    }

    fn post(&self, consumer: &str, event: &Event, body: &[u8]) -> Result<(), String> {
        let url = format!("{}/internal/{consumer}/events", self.base.replace("{consumer}", consumer));
        let mut headers = vec![("content-type", MEDIA_TYPE), ("dapr-api-token", self.token.as_str())];
        // the event's trace, not the one of this run, which hands over the events of many
        headers.extend(event.traceparent.as_deref().map(|traceparent| ("traceparent", traceparent)));
        match send::post(&url, &headers, body, ANSWER)? {
            200 => Ok(()),
            status => Err(format!("{consumer} answered {status}")),
        }
    }
}
