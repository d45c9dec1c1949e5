//! What events cross by, where they do not go straight to their consumers: a broker and Dapr's sidecars.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use host::parts::{Brokers, Kafka, Sidecars, Tokens, Transport};

use super::terminal::patiently;
use super::{Places, secrets};

/// How events reach their consumers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Events {
    /// Straight, in this process
    Chain,
    /// By Dapr's Kafka binding, as in a cluster
    Kafka,
    /// By Dapr's publish/subscribe over Kafka
    KafkaTopics,
    /// By Dapr's publish/subscribe over the Redis of REDIS_URL
    RedisTopics,
}

impl Events {
    fn transport(self) -> Option<Transport> {
        match self {
            Events::Chain => None,
            Events::Kafka => Some(Transport::KafkaBinding),
            Events::KafkaTopics => Some(Transport::KafkaTopics),
            Events::RedisTopics => Some(Transport::RedisTopics),
        }
    }
}

/// A broker and sidecars beside the application.
pub struct Beside {
    sidecars: Sidecars,
    transport: Transport,
    // stopped after the sidecars, which still commit what they read
    kafka: Option<Kafka>,
}

impl Beside {
    /// Starts the broker and chooses the sidecars' ports; none where events go straight.
    ///
    /// # Errors
    /// Says what is missing and which command brings it.
    pub async fn prepare(places: &Places, events: Events, redis_url: Option<&str>) -> Result<Option<Beside>> {
        let Some(transport) = events.transport() else { return Ok(None) };
        let dapr = Path::new("dapr");
        let mut brokers = Brokers::default();
        let mut kafka = None;
        if transport == Transport::RedisTopics {
            let url = redis_url.context("set REDIS_URL, such as redis://127.0.0.1:6379, to send events over Redis")?;
            let address = url.split_once("://").map_or(url, |(_, rest)| rest);
            brokers.redis = Some(address.trim_end_matches('/').to_owned());
        } else {
            let (place, settings) = (places.state.join("kafka"), dapr.join("broker/server.properties"));
            let started = patiently("starting Kafka", Kafka::start(&place, &settings)).await?;
            brokers.kafka = Some(started.brokers());
            kafka = Some(started);
        }
        let secret = |name| secrets::load(&places.state)?.remove(name).with_context(|| format!("there is no {name}"));
        let tokens = Tokens { app: secret("internal_token")?, api: secret("dapr_api_token")? };
        let sidecars = Sidecars::new(dapr, &places.state.join("dapr"), transport, brokers, tokens)?;
        Ok(Some(Beside { sidecars, transport, kafka }))
    }

    /// The variables by which the relay finds its sidecar.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let transport = ("event_transport".to_owned(), self.transport.variable().to_owned());
        [transport, ("dapr_base".to_owned(), self.sidecars.base())].into()
    }

    /// Starts the sidecars of the application that listens on `port`.
    ///
    /// # Errors
    /// Shows the end of the log of one that does not start.
    pub async fn start(&mut self, port: u16) -> Result<()> {
        patiently("starting the sidecars", self.sidecars.start(|_| port)).await
    }

    /// For people: the broker and the logs.
    pub fn words(&self, places: &Places) -> String {
        let logs = places.state.join("dapr");
        match &self.kafka {
            Some(kafka) => format!("Kafka at {}, sidecars' logs in {}", kafka.brokers(), logs.display()),
            None => format!("Redis, sidecars' logs in {}", logs.display()),
        }
    }

    /// Stops the sidecars.
    pub fn quiesce(&mut self) {
        self.sidecars.stop();
    }
}
