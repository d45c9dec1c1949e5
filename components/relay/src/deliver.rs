//! The way from the relay to the consumers.

use domain::event::{self, Event, MEDIA_TYPE};
use edge::send::{self, Sending};
use edge::{Problem, clock, config};
use jiff::Timestamp;
use serde_json::json;

use crate::store::Pending;

/// The longest wait for an answer, in seconds.
const ANSWER: u64 = 5;

/// Where events go, as the variable `event_transport` says.
pub struct Targets {
    way: Way,
    /// The consumers' or the sidecar's address; `{consumer}` stands for a consumer's name.
    base: String,
    token: String,
}

enum Way {
    /// Straight to each consumer that has a use for it.
    Chain,
    /// To the sidecar's output binding of the topic's name.
    Binding,
    /// To the topic of the sidecar's publish/subscribe component of this name.
    Pubsub(String),
}

/// What became of the events of a lease: their streams.
#[derive(Default)]
pub struct Outcome {
    /// Handed over, with the slot of the event's id.
    pub done: Vec<(String, i32)>,
    /// To be tried again.
    pub failed: Vec<String>,
}

impl Targets {
    /// Reads the variables.
    ///
    /// # Errors
    /// 500 when one is missing or names a transport that this relay does not know.
    pub fn read() -> Result<Self, Problem> {
        let (way, base, token) = match config::get("event_transport")?.as_str() {
            "chain" => (Way::Chain, "consumer_base", "internal_token"),
            "dapr-binding" => (Way::Binding, "dapr_base", "dapr_api_token"),
            "dapr-pubsub" => (Way::Pubsub(config::secret("pubsub_name")?), "dapr_base", "dapr_api_token"),
            other => {
                let known = "known are chain, dapr-binding and dapr-pubsub";
                return Err(Problem::internal(format!("variable event_transport is {other}; {known}")));
            }
        };
        Ok(Self { way, base: config::secret(base)?, token: config::secret(token)? })
    }

    /// Streams that are taken at once. A chain runs the consumers in this very process, one event after the other. A
    /// sidecar gets one event first: if it or what is behind it is down, the others need not wait for it in vain.
    pub fn batch(&self, first: bool) -> i64 {
        match (&self.way, first) {
            (Way::Chain, _) => 50,
            (_, true) => 1,
            (_, false) => 200,
        }
    }

    /// The longest wait of a stream that failed, in seconds. A consumer may fail at one event; a sidecar fails at all
    /// of them, and is back for all at once.
    pub fn patience(&self) -> i32 {
        if matches!(self.way, Way::Chain) { 300 } else { 8 }
    }

    /// Hands the events over; what is not sent before `until` must not be, for another relay may have its lease then.
    pub fn hand_over(&self, events: Vec<Pending>, until: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        if matches!(self.way, Way::Chain) {
            for event in events {
                let sent = if clock::now() < until { self.chain(&event) } else { Err("late".to_owned()) };
                outcome.note(event, sent);
            }
            return outcome;
        }
        // all are on the way before the first answer is waited for
        let sending: Vec<_> = events.into_iter().map(|event| (self.sidecar(&event), event)).collect();
        for (sent, event) in sending {
            outcome.note(event, sent.and_then(accepted));
        }
        outcome
    }

    /// Posts an event to each of its consumers; each answers 200 once it cannot lose it. The first that did not is the
    /// error, after all have been tried.
    fn chain(&self, pending: &Pending) -> Result<(), String> {
        let body = serde_json::to_vec(&cloud_event(pending)).map_err(|error| error.to_string())?;
        let headers = self.headers(MEDIA_TYPE, pending);
        let post = |consumer: &&str| {
            let url = format!("{}/internal/{consumer}/events", self.base.replace("{consumer}", consumer));
            match send::post(&url, &headers, &body, ANSWER)? {
                200 => Ok(()),
                status => Err(format!("{consumer} answered {status}")),
            }
        };
        let results: Vec<_> = event::consumers(&pending.kind).iter().map(post).collect();
        results.into_iter().collect()
    }

    /// Starts to post an event to the sidecar. The stream is the partition's key, so its events keep their order.
    fn sidecar(&self, pending: &Pending) -> Result<Sending, String> {
        let event = cloud_event(pending);
        let (topic, base) = (&pending.topic, &self.base);
        let (url, media_type, body) = match &self.way {
            Way::Pubsub(name) => {
                let key = pending.stream.replace('/', "%2F");
                let url = format!("{base}/v1.0/publish/{name}/{topic}?metadata.partitionKey={key}");
                (url, MEDIA_TYPE, serde_json::to_vec(&event))
            }
            _ => {
                // nothing that a user wrote may be metadata: it becomes headers of HTTP
                let metadata = json!({"partitionKey": pending.stream});
                let request = json!({"operation": "create", "data": event, "metadata": metadata});
                (format!("{base}/v1.0/bindings/{topic}"), "application/json", serde_json::to_vec(&request))
            }
        };
        let headers = self.headers(media_type, pending);
        send::start(&url, &headers, &body.map_err(|error| error.to_string())?, ANSWER)
    }

    fn headers<'a>(&'a self, media_type: &'a str, pending: &'a Pending) -> Vec<(&'a str, &'a str)> {
        let mut headers = vec![("content-type", media_type), ("dapr-api-token", self.token.as_str())];
        // the event's trace, not the one of this run, which hands over the events of many
        headers.extend(pending.traceparent.as_deref().map(|traceparent| ("traceparent", traceparent)));
        headers
    }
}

fn accepted(sending: Sending) -> Result<(), String> {
    match sending.status()? {
        200 | 204 => Ok(()),
        status => Err(format!("the sidecar answered {status}")),
    }
}

fn cloud_event(pending: &Pending) -> Event {
    let event = Event::new(
        pending.id,
        pending.kind.clone(),
        pending.stream.clone(),
        pending.stream_seq,
        pending.time,
        pending.user_id,
        pending.data.clone(),
    );
    Event { traceparent: pending.traceparent.clone(), ..event }
}

impl Outcome {
    fn note(&mut self, event: Pending, sent: Result<(), String>) {
        match sent {
            Ok(()) => self.done.push((event.stream, event::slot(event.id))),
            Err(error) => {
                eprintln!("{} {} of {} not handed over: {error}", event.kind, event.id, event.stream);
                self.failed.push(event.stream);
            }
        }
    }
}
