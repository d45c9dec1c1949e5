//! The cron trigger: calls `handle-cron-event` at the instants of an expression, in UTC. Runs may overlap.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use cron::Schedule;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanBuilder;

use super::run_event;
use crate::bindings::cron_trigger::Metadata;
use crate::runtime::{Component, Runtime};

/// A component and when to call it.
pub struct Trigger {
    component: Arc<Component>,
    schedule: Schedule,
}

impl Trigger {
    /// Calls `component` by `expression`: six or seven fields, seconds first.
    pub fn new(component: Arc<Component>, expression: &str) -> anyhow::Result<Self> {
        let schedule = Schedule::from_str(expression).with_context(|| {
            format!("cron_expression `{expression}` of {}: write six or seven fields", component.id)
        })?;
        Ok(Trigger { component, schedule })
    }

    /// Calls the component once for the instant `timestamp`, seconds since the Unix epoch, and waits for its end.
    pub async fn fire(&self, runtime: &Arc<Runtime>, timestamp: u64) -> anyhow::Result<()> {
        let cron = self.component.cron.clone().context("the component does not export handle-cron-event")?;
        let span = runtime.telemetry.root(|| {
            let component = KeyValue::new("component_id", self.component.id.clone());
            SpanBuilder::from_name("spin_trigger_cron.handle_cron_event").with_attributes([component])
        });
        let answer = run_event(runtime, &self.component, span, |mut store| async move {
            let guest = cron.instantiate_async(&mut store).await?;
            guest.call_handle_cron_event(&mut store, Metadata { timestamp }).await
        });
        let answer = answer.await.with_context(|| format!("cron event for {}", self.component.id))?;
        answer.map_err(|error| anyhow::anyhow!("{} answered a cron event with an error: {error}", self.component.id))
    }

    /// Fires for ever, by the machine's clock; failures are logged.
    pub async fn run(self: Arc<Self>, runtime: Arc<Runtime>) {
        let mut last = Utc::now();
        while let Some(next) = self.schedule.after(&last).next() {
            tokio::time::sleep(until(next)).await;
            last = next.max(Utc::now());
            let (trigger, runtime) = (self.clone(), runtime.clone());
            tokio::spawn(async move {
                if let Err(error) = trigger.fire(&runtime, u64::try_from(next.timestamp()).unwrap_or(0)).await {
                    tracing::error!("{error:?}");
                }
            });
        }
    }
}

fn until(instant: DateTime<Utc>) -> Duration {
    (instant - Utc::now()).to_std().unwrap_or_default()
}
