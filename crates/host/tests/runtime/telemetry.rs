//! What the host tells a collector, what it tells others of a trace, and that no collector can hold it up.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::collector::{Collector, Span, flush, telemetry};
use crate::harness::{START, Site};
use host::{Telemetry, TestBed};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";

/// The header of a span of `trace`, that is recorded or not.
fn traceparent(trace: &str, sampled: bool) -> String {
    format!("00-{trace}-00f067aa0ba902b7-0{}", u8::from(sampled))
}

/// The probes, whose host tells `telemetry`.
async fn site(telemetry: &Telemetry) -> Site {
    Site::with(|options| {
        options.bed = TestBed::virtual_time(START, 1);
        options.telemetry = telemetry.clone();
    })
    .await
}

/// What `path` answers to a request in a trace.
async fn traced(site: &Site, path: &str, traceparent: &str, body: &str) -> String {
    let request = Request::post(path).header("traceparent", traceparent).body(Bytes::from(body.to_owned())).unwrap();
    String::from_utf8(site.app.handle(request).await.body().to_vec()).unwrap()
}

/// A header as the probe's `headers` shows it.
fn header<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.trim_start_matches("200 "));
    lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

fn one<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name}: {spans:#?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_and_what_it_does_are_spans_of_its_trace() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let site = site(&telemetry).await;
    let script = "! insert into seen (what) values ('secret')\n! select 'secret'::int";
    traced(&site, "/probe/sql", &traceparent(TRACE, true), script).await;
    flush(&telemetry).await;
    let spans = collector.trace(TRACE);
    let request = one(&spans, "POST /probe/...");
    assert_eq!((request.kind, request.parent.as_str()), (2, "00f067aa0ba902b7"));
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/probe/..."),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("network.peer.address", "127.0.0.1"),
    ] {
        assert_eq!(request.attribute(name), value, "{name}");
    }
    let run = one(&spans, "execute_wasm_component probe");
    assert_eq!((run.kind, &run.parent, run.attribute("component_id")), (1, &request.id, "probe"));
    let opened = one(&spans, "spin_outbound_pg.open");
    assert_eq!((opened.kind, &opened.parent, opened.failed), (3, &run.id, false));
    let statements: Vec<_> = spans.iter().filter(|span| !span.attribute("db.query.summary").is_empty()).collect();
    let told: Vec<_> = statements.iter().map(|span| (span.attribute("db.query.summary"), span.failed)).collect();
    assert!(told.contains(&("insert", false)) && told.contains(&("select", true)), "{told:?}");
    assert!(statements.iter().all(|span| span.parent == run.id));
    assert!(!String::from_utf8_lossy(&collector.bytes()).contains("secret"));
    let resource = &request.resource;
    assert_eq!((resource["service.name"].as_str(), resource["telemetry.sdk.language"].as_str()), ("spindle", "rust"));
    site.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_is_marked() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let site = site(&telemetry).await;
    let calls = ["127.0.0.1:2/", "other.spin.internal/panic"].map(|to| format!("/probe/get?http://{to}"));
    for path in ["/probe/panic".to_owned(), "/nowhere".to_owned()].iter().chain(&calls) {
        site.get(path).await;
    }
    site.app.settle().await;
    flush(&telemetry).await;
    let spans = collector.spans();
    let with = |name: &str, attribute: &str, value: &str| {
        let found = spans.iter().find(|span| span.name == name && span.attribute(attribute) == value);
        found.unwrap_or_else(|| panic!("{name} {attribute}={value}: {spans:#?}")).clone()
    };
    let failed = with("POST /probe/...", "http.response.status_code", "500");
    assert!(failed.failed && failed.attribute("error.type") == "500");
    let run = spans.iter().find(|span| span.parent == failed.id).unwrap();
    assert!(run.failed && !run.attribute("error.type").is_empty(), "{run:?}");
    let missing = with("POST", "http.response.status_code", "404");
    assert!(!missing.failed && missing.attribute("http.route").is_empty(), "the client's fault is no failure here");
    let send = "spin_outbound_http.send_request";
    assert!(with(send, "error.type", "HttpRequestDenied").failed);
    assert!(with(send, "error.type", "500").failed, "the callee trapped");
    site.app.stop().await.unwrap();
}

/// A server that notes the head of each request and answers 204.
async fn recorder() -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (heads, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            heads.send(String::from_utf8_lossy(&head[..length]).to_lowercase()).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
        }
    });
    (url, heard)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_told_of_the_trace() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let (outside, mut heard) = recorder().await;
    let site = Site::with(|options| {
        options.telemetry = telemetry.clone();
        options.variables.insert("outside".into(), outside.clone());
    })
    .await;
    // the guest sees its own run
    let seen = traced(&site, "/probe/headers", &traceparent(TRACE, true), "").await;
    // the one that it calls sees the call, in process and outside
    let chained = "/probe/get?http://other.spin.internal/headers";
    let chained = traced(&site, chained, &traceparent(TRACE, true), "").await;
    traced(&site, &format!("/probe/get?{outside}/"), &traceparent(TRACE, true), "").await;
    let outer = heard.recv().await.unwrap();
    flush(&telemetry).await;
    let spans = collector.trace(TRACE);
    let named = |name: &str, at: &str| {
        let here = spans.iter().find(|span| span.name == name && format!("00-{TRACE}-{}-01", span.id) == at);
        here.unwrap_or_else(|| panic!("{at} is no {name}: {spans:#?}")).clone()
    };
    named("execute_wasm_component probe", header(&seen, "traceparent")[0]);
    assert_eq!(header(&seen, "traceparent").len(), 1, "the client's is replaced");
    let callee = named("execute_wasm_component other", header(&chained, "traceparent")[0]);
    let call = spans.iter().find(|span| span.id == callee.parent).unwrap();
    assert_eq!(call.name, "spin_outbound_http.send_request");
    assert_eq!(call.attribute("server.address"), "other.spin.internal");
    let sent = named("spin_outbound_http.send_request", header(&outer, "traceparent")[0]);
    assert_eq!((sent.kind, sent.attribute("http.response.status_code")), (3, "204"));
    assert_eq!(header(&outer, "tracestate"), [""; 0], "none, not an empty one");
    site.app.stop().await.unwrap();
}

/// The relay sends the events of many traces in one run: a span that a guest names goes before its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_may_say_whose_request_it_sends() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let site = site(&telemetry).await;
    let path = "/probe/send-as?http://other.spin.internal/headers";
    let seen = traced(&site, path, &traceparent(TRACE, true), &traceparent(OTHER, true)).await;
    let unread = traced(&site, path, &traceparent(TRACE, true), "00-nonsense").await;
    flush(&telemetry).await;
    let (own, other) = (collector.trace(TRACE), collector.trace(OTHER));
    let callee = one(&other, "execute_wasm_component other");
    assert_eq!(header(&seen, "traceparent"), [format!("00-{OTHER}-{}-01", callee.id)]);
    let send = one(&other, "spin_outbound_http.send_request");
    assert_eq!((&send.id, send.parent.as_str()), (&callee.parent, "00f067aa0ba902b7"));
    assert_eq!(send.links, [TRACE], "the trace of the run that sent it");
    assert!(header(&unread, "traceparent")[0].contains(TRACE), "what names nothing is replaced");
    one(&own, "execute_wasm_component other");
    site.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_wanted_is_passed_on_as_such() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let site = site(&telemetry).await;
    let path = "/probe/get?http://other.spin.internal/headers";
    let seen = traced(&site, path, &traceparent(TRACE, false), "").await;
    site.get("/probe/hello").await;
    flush(&telemetry).await;
    let passed = header(&seen, "traceparent")[0];
    assert!(passed.contains(TRACE) && passed.ends_with("-00"), "{passed}");
    assert!(collector.trace(TRACE).is_empty() && !collector.spans().is_empty());
    site.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_and_the_clock_begin_traces() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let site = site(&telemetry).await;
    traced(&site, "/probe/publish?hints", &traceparent(TRACE, true), "secret").await;
    site.app.settle().await;
    site.app.fire_cron().await.unwrap();
    flush(&telemetry).await;
    let spans = collector.spans();
    assert_eq!(one(&spans, "spin_outbound_redis.publish").trace, TRACE);
    let message = one(&spans, "spin_trigger_redis.handle_message");
    assert_eq!((message.kind, message.parent.as_str()), (5, ""));
    assert_eq!(message.attribute("messaging.destination.name"), "hints");
    assert_eq!(message.attribute("component_id"), "listener");
    let clock = one(&spans, "spin_trigger_cron.handle_cron_event");
    assert_eq!((clock.parent.as_str(), clock.attribute("component_id")), ("", "clock"));
    assert!(message.trace != TRACE && clock.trace != TRACE && clock.trace != message.trace);
    for root in [message, clock] {
        assert!(spans.iter().any(|span| span.parent == root.id && span.name == "spin_outbound_pg.open"), "{spans:#?}");
    }
    assert!(!String::from_utf8_lossy(&collector.bytes()).contains("secret"));
    site.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_measured_by_route() {
    let collector = Collector::start().await;
    let telemetry = collector.telemetry();
    let site = site(&telemetry).await;
    for path in ["/probe/hello", "/probe/hello", "/probe/panic", "/nowhere"] {
        site.get(path).await;
    }
    flush(&telemetry).await;
    let points = collector.points();
    let count = |status: &str, route: &str| {
        let fits = |point: &&crate::collector::Point| {
            let attribute = |name: &str| point.attributes.get(name).map_or("", String::as_str);
            (attribute("http.response.status_code"), attribute("http.route")) == (status, route)
        };
        points.iter().filter(fits).map(|point| point.count).max()
    };
    assert_eq!(count("200", "/probe/..."), Some(2), "{points:?}");
    assert_eq!((count("500", "/probe/..."), count("404", "")), (Some(1), Some(1)));
    for point in &points {
        assert_eq!((point.metric.as_str(), point.unit.as_str()), ("http.server.request.duration", "s"));
    }
    site.app.stop().await.unwrap();
}

/// More spans than the queue holds, for a collector that takes connections and never answers, and for one that is not
/// there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_or_is_down_holds_nobody_up() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let down = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for address in [hanging.local_addr().unwrap(), down] {
        let telemetry = telemetry(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))]);
        let site = site(&telemetry).await;
        for _ in 0..1_500 {
            let start = Instant::now();
            assert_eq!(site.get("/probe/hello").await.status, 200);
            assert!(start.elapsed() < Duration::from_secs(2), "{address}: {:?}", start.elapsed());
        }
        let start = Instant::now();
        site.app.stop().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(8), "{address}: {:?}", start.elapsed());
    }
}
