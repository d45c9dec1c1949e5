//! Requests that guests send.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_call_each_other_in_process() {
    let site = Site::start().await;
    assert_eq!(site.text("post?http://other.spin.internal/any/echo", "passed on").await, "200 passed on");
    let seen = site.text("get?http://other.spin.internal/a/headers", "").await;
    assert!(seen.contains("spin-full-url: http://other.spin.internal/a/headers"), "{seen}");
    assert!(seen.contains("spin-client-addr: 0.0.0.0:0") && seen.contains("spin-path-info: /a/headers"), "{seen}");
    assert_eq!(site.text("get?http://other.spin.internal/panic", "").await, "500 ");
    assert_eq!(site.get("/wild/get?http://other.spin.internal/hello").await.text, "200 Hello");
    assert_eq!(site.get("/other/hello").await.status, 404, "a private route is not public");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callee_outlives_its_caller() {
    let site = Site::start().await;
    let sql = "insert into seen (what) values ('late')";
    assert_eq!(site.text("post?http://other.spin.internal/late", sql).await, "200 early");
    site.app.settle().await;
    // `late` runs its body, and the caller sent none but the statement.
    assert_eq!(site.seen().await, ["late"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_listed_is_denied() {
    let site = Site::start().await;
    for path in [
        "/closed/get?http://other.spin.internal/",
        "/closed/get?http://127.0.0.1:1/",
        "/probe/get?http://probe.spin.internal/",
        "/probe/get?http://127.0.0.1:2/",
        "/wild/get?http://127.0.0.1:1/",
        "/wild/get?http://nobody.spin.internal/",
    ] {
        let said = site.get(path).await;
        assert!(said.text.contains("HttpRequestDenied"), "{path}: {said:?}");
    }
    assert!(site.text("get?http://127.0.0.1:1/", "").await.contains("ConnectionRefused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_component_that_does_not_run_fails_the_caller() {
    let site = Site::start().await;
    assert_eq!(site.get("/probe/get?http://gone.spin.internal/").await.status, 500);
    let site = Site::with(|options| options.without = ["other".into()].into()).await;
    assert_eq!(site.get("/probe/get?http://other.spin.internal/").await.status, 500);
    assert!(site.get("/wild/get?http://other.spin.internal/").await.text.contains("HttpRequestDenied"));
    let site = Site::with(|options| options.without = ["probe".into()].into()).await;
    assert_eq!(site.get("/probe/hello").await.status, 404);
}

/// A server that answers each connection with `answer`, after it has read something.
async fn server(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_left_to_the_guest() {
    let answer = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 5\r\n\r\nthere";
    let outside = server(answer).await;
    let site = Site::with(|options| drop(options.variables.insert("outside".into(), outside.clone()))).await;
    assert_eq!(site.text(&format!("get?{outside}/"), "").await, "302 there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_given_up() {
    let outside = server(b"").await;
    let site = Site::with(|options| {
        options.variables.insert("outside".into(), outside.clone());
        options.limits.outgoing = Duration::from_millis(200);
    })
    .await;
    let start = Instant::now();
    let said = site.text(&format!("get?{outside}/"), "").await;
    assert!(said.contains("ConnectionReadTimeout"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(5));
}
