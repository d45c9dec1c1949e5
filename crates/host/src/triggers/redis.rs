//! The Redis trigger: calls `handle-message` for each message of a channel, strictly one after the other.
//!
//! At most once, as on Spin: a handler's failure is logged and the message is gone. Unlike Spin, which ends, this
//! host connects again when it loses the server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};
use tokio::sync::mpsc::UnboundedReceiver;

use super::run_event;
use crate::redis::Message;
use crate::runtime::{Component, Runtime};

/// Pause before connecting again.
const PAUSE: Duration = Duration::from_secs(1);

/// A channel and the component that gets its messages.
pub struct Subscription {
    /// The channel's literal name.
    pub channel: String,
    /// Who handles its messages.
    pub component: Arc<Component>,
}

/// Hands on the messages of the in-process channels, until nobody can publish any more.
pub async fn run_local(runtime: Arc<Runtime>, subscriptions: Vec<Subscription>, mut queue: UnboundedReceiver<Message>) {
    while let Some(message) = queue.recv().await {
        deliver(&runtime, &subscriptions, &message.channel, &message.payload).await;
    }
}

/// A subscription to the channels on the server at `address`. Errors when it cannot be reached.
pub async fn subscribe(address: &str, subscriptions: &[Subscription]) -> anyhow::Result<redis::aio::PubSub> {
    let client = redis::Client::open(address).context("the Redis trigger's address is no redis:// URL")?;
    let mut server = client.get_async_pubsub().await.context("the Redis trigger cannot connect: is the server up?")?;
    for subscription in subscriptions {
        server.subscribe(&subscription.channel).await.context("subscribing to a Redis channel")?;
    }
    Ok(server)
}

/// Hands on the messages of a server for ever.
pub async fn run_server(
    runtime: Arc<Runtime>,
    subscriptions: Vec<Subscription>,
    address: String,
    mut server: redis::aio::PubSub,
) {
    loop {
        {
            let mut messages = server.on_message();
            while let Some(message) = messages.next().await {
                deliver(&runtime, &subscriptions, message.get_channel_name(), message.get_payload_bytes()).await;
            }
        }
        tracing::error!("the Redis trigger lost its server; messages are missed until it is back");
        server = loop {
            tokio::time::sleep(PAUSE).await;
            match subscribe(&address, &subscriptions).await {
                Ok(server) => break server,
                Err(error) => tracing::warn!("{error:#}"),
            }
        };
    }
}

async fn deliver(runtime: &Arc<Runtime>, subscriptions: &[Subscription], channel: &str, payload: &[u8]) {
    for subscription in subscriptions.iter().filter(|subscription| subscription.channel == channel) {
        if let Err(error) = handle(runtime, subscription, payload.to_vec()).await {
            tracing::error!("{} failed on a message of {channel}: {error:?}", subscription.component.id);
        }
    }
}

async fn handle(runtime: &Arc<Runtime>, subscription: &Subscription, payload: Vec<u8>) -> anyhow::Result<()> {
    let component = &subscription.component;
    // a trace of its own: as in Spin, a message carries none
    let span = runtime.telemetry.root(|| describe(subscription));
    let code = component.redis.clone().context("the component does not export fermyon:spin/inbound-redis")?;
    let answer = run_event(runtime, component, span, |mut store| async move {
        let guest = code.instantiate_async(&mut store).await?;
        guest.fermyon_spin_inbound_redis().call_handle_message(&mut store, &payload).await
    });
    answer.await?.map_err(|error| anyhow::anyhow!("its handler answered {error:?}"))
}

fn describe(subscription: &Subscription) -> SpanBuilder {
    SpanBuilder::from_name("spin_trigger_redis.handle_message").with_kind(SpanKind::Consumer).with_attributes([
        KeyValue::new("messaging.system", "redis"),
        KeyValue::new("messaging.operation.name", "receive"),
        KeyValue::new("messaging.destination.name", subscription.channel.clone()),
        KeyValue::new("component_id", subscription.component.id.clone()),
    ])
}
