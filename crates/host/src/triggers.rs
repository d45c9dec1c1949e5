//! What makes components run: HTTP requests, messages on Redis channels, the clock.

use std::sync::Arc;

use wasmtime::Store;

use crate::bounded::Bounded;
use crate::engine::plain;
use crate::instance::{Cause, FirstFault, Instance};
use crate::runtime::{Component, Runtime};
use crate::telemetry::Span;

pub mod cron;
pub mod http;
pub mod redis;

/// Runs `handle` on a new store for `component` within `span`, and waits for its end.
///
/// Errors: a trap, a limit, a fault such as an open transaction.
async fn run_event<T, Run>(
    runtime: &Arc<Runtime>,
    component: &Arc<Component>,
    span: Span,
    handle: impl FnOnce(Store<Instance>) -> Run,
) -> anyhow::Result<T>
where
    Run: Future<Output = wasmtime::Result<T>> + Send + 'static,
{
    let _work = runtime.work.begin();
    let _place = runtime.places.acquire().await?;
    let fault = FirstFault::default();
    let run = handle(Instance::store(runtime, component, Cause::Event, fault.clone(), span.scope())?);
    let ended = Bounded::new(run, runtime.limits.wall, runtime.limits.cpu).await.map_err(plain);
    if ended.is_err() || fault.get().is_some() {
        span.fail(|| "failed".to_owned());
    }
    let value = ended?;
    match fault.get() {
        None => Ok(value),
        Some(fault) => anyhow::bail!("{} {fault}", component.id),
    }
}
