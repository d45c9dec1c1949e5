//! A clock for the spans of the host: how often each was entered, how long it computed by itself, how long it waited.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A part of a request.
#[derive(Serialize)]
pub struct Part {
    /// A step of the host, or the function that a guest called.
    pub name: String,
    /// How often a request.
    pub count: f64,
    /// Computed, in microseconds a request, without what it called.
    pub us: f64,
    /// Waited, in microseconds a request.
    pub waited_us: f64,
}

/// The clock. A clone is the same.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<BTreeMap<String, Total>>>);

#[derive(Default)]
struct Total {
    count: u64,
    computed: Duration,
    waited: Duration,
}

/// What a span knows of itself.
struct Known {
    name: String,
    since: Instant,
    within: Duration,
}

/// A span that is entered, and how long those were that it entered.
struct Entered {
    since: Instant,
    others: Duration,
}

thread_local! {
    static STACK: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

impl Clock {
    /// Starts anew.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The parts of each of `requests` requests.
    pub fn parts(&self, requests: u32) -> Vec<Part> {
        let totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(requests);
        let part = |(name, total): (&String, &Total)| Part {
            name: name.clone(),
            count: total.count as f64 / f64::from(requests),
            us: each(total.computed),
            waited_us: each(total.waited),
        };
        totals.iter().map(part).collect()
    }

    fn add(&self, name: &str, add: impl FnOnce(&mut Total)) {
        let mut totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match totals.get_mut(name) {
            Some(total) => add(total),
            None => add(totals.entry(name.to_string()).or_default()),
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Clock {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut called = Called::default();
        attributes.record(&mut called);
        let name = match called.function {
            Some(function) => format!("{} {function}", called.module.unwrap_or_default()),
            None => span.name().to_string(),
        };
        span.extensions_mut().insert(Known { name, since: Instant::now(), within: Duration::ZERO });
    }

    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        STACK.with_borrow_mut(|stack| stack.push(Entered { since: Instant::now(), others: Duration::ZERO }));
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(entered) = STACK.with_borrow_mut(Vec::pop) else { return };
        let within = entered.since.elapsed();
        STACK.with_borrow_mut(|stack| stack.last_mut().map(|outer| outer.others += within));
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(known) = extensions.get_mut::<Known>() else { return };
        known.within += within;
        self.add(&known.name, |total| total.computed += within.saturating_sub(entered.others));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(known) = extensions.get::<Known>() else { return };
        let waited = known.since.elapsed().saturating_sub(known.within);
        self.add(&known.name, |total| {
            total.count += 1;
            total.waited += waited;
        });
    }
}

/// The fields of a span that wasmtime's bindings make: the interface and the function.
#[derive(Default)]
struct Called {
    module: Option<String>,
    function: Option<String>,
}

impl Visit for Called {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "module" => self.module = Some(value.to_string()),
            "function" => self.function = Some(value.to_string()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, format!("{value:?}").trim_matches('"'));
    }
}
