//! Spans: pieces of work, each within the one that caused it. Where nobody traces they are nothing, and cost nothing.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Link, SpanBuilder, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;

/// A piece of work under way. Dropped, it has ended.
#[derive(Default)]
pub struct Span(Scope);

/// The inside of a span, where others begin; it may outlast its span. A clone is the same.
#[derive(Clone, Default)]
pub struct Scope(Option<Arc<Inside>>);

struct Inside {
    tracer: SdkTracer,
    context: Context,
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(inside) = &self.0.0 {
            inside.context.span().end();
        }
    }
}

impl Span {
    /// Its inside.
    pub fn scope(&self) -> Scope {
        self.0.clone()
    }

    /// Adds what is known only now.
    pub fn set(&self, attribute: impl FnOnce() -> KeyValue) {
        if let Some(inside) = &self.0.0 {
            inside.context.span().set_attribute(attribute());
        }
    }

    /// Gives it another name.
    pub fn rename(&self, name: impl FnOnce() -> String) {
        if let Some(inside) = &self.0.0 {
            inside.context.span().update_name(name());
        }
    }

    /// Marks it as failed. `why` is a word out of few, never a message: that might hold what a user wrote.
    pub fn fail(&self, why: impl FnOnce() -> String) {
        if let Some(inside) = &self.0.0 {
            let span = inside.context.span();
            span.set_attribute(KeyValue::new("error.type", why()));
            span.set_status(Status::error(""));
        }
    }
}

impl Scope {
    /// The outside of all spans of `tracer`.
    pub fn outermost(tracer: SdkTracer) -> Self {
        Scope(Some(Arc::new(Inside { tracer, context: Context::new() })))
    }

    /// Begins a span in here.
    pub fn child(&self, describe: impl FnOnce() -> SpanBuilder) -> Span {
        let Some(inside) = &self.0 else { return Span::default() };
        let span = inside.context.span();
        let own = span.span_context();
        if own.is_valid() && !own.is_sampled() {
            // what is in a trace that is not wanted is not wanted either; headers still tell of it
            return Span(self.clone());
        }
        inside.start(&inside.context, describe())
    }

    /// Begins a span that the sender of `headers` caused, if they name a span (W3C Trace Context); else one in here. A
    /// span in somebody else's trace links to the one that it was begun in.
    pub fn caused_by(&self, headers: &HeaderMap, describe: impl FnOnce() -> SpanBuilder) -> Span {
        let Some(inside) = &self.0 else { return Span::default() };
        let named = TraceContextPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let (span, other) = (inside.context.span(), named.span());
        let (own, other) = (span.span_context(), other.span_context());
        if !other.is_valid() {
            return self.child(describe);
        }
        let elsewhere = own.is_valid() && own.trace_id() != other.trace_id();
        let links = if elsewhere { vec![Link::with_context(own.clone())] } else { Vec::new() };
        inside.start(&named, describe().with_links(links))
    }

    /// Names this span in the headers of a request, as what causes it, in place of what they named.
    pub fn write(&self, headers: &mut HeaderMap) {
        let Some(inside) = &self.0 else { return };
        TraceContextPropagator::new().inject_context(&inside.context, &mut HeaderInjector(headers));
        if headers.get("tracestate").is_some_and(HeaderValue::is_empty) {
            headers.remove("tracestate");
        }
    }
}

impl Inside {
    fn start(&self, parent: &Context, builder: SpanBuilder) -> Span {
        let span = builder.start_with_context(&self.tracer, parent);
        Span(Scope(Some(Arc::new(Inside { tracer: self.tracer.clone(), context: parent.with_span(span) }))))
    }
}
