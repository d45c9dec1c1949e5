//! Requests and answers, and what a guest sees of the world.

use bytes::Bytes;
use http::Request;

use crate::harness::{START, Site};
use host::TestBed;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_answered() {
    let site = Site::start().await;
    let request = Request::get("/probe/hello").body(Bytes::new()).unwrap();
    let response = site.app.handle(request).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-probe"], "yes");
    assert_eq!(response.body(), "Hello");
    assert_eq!(site.get("/nowhere").await.status, 404);
    assert_eq!(site.get("/.well-known/spin/health").await.text, "OK");
    site.app.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_wire_small_answers_are_whole() {
    let site = Site::start().await;
    let text =
        site.raw(b"POST /probe/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc").await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("content-length: 3"), "{head}");
    assert_eq!(body, "abc");
    let big = "x".repeat(3 << 20);
    assert_eq!(site.text("echo", big.clone()).await, big);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spin_headers_come_after_the_clients() {
    let site = Site::start().await;
    let text = site
        .raw(
            b"GET /exact/ada/headers?q=1 HTTP/1.1\r\nHost: example.org\r\nSpin-Client-Addr: 6.6.6.6:1\r\n\
              X-A: 1\r\nX-A: 2\r\nconnection: close\r\n\r\n",
        )
        .await;
    let (_, body) = text.split_once("\r\n\r\n").unwrap();
    let lines: Vec<_> = body.lines().collect();
    assert!(lines.contains(&"spin-full-url: http://example.org/exact/ada/headers?q=1"), "{body}");
    assert!(lines.contains(&"spin-raw-component-route: /exact/:name/headers"));
    assert!(lines.contains(&"spin-path-match-name: ada") && lines.contains(&"spin-path-info: "));
    assert!(!body.contains("\nhost:"), "host is no header for guests");
    let addresses: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("spin-client-addr: ")).collect();
    assert_eq!(addresses[0], "6.6.6.6:1");
    assert!(addresses.len() == 2 && addresses[1].starts_with("127.0.0.1:"), "{addresses:?}");
    let repeated: Vec<_> = lines.iter().filter(|line| line.starts_with("x-a")).collect();
    assert_eq!(repeated, [&"x-a: 1", &"x-a: 2"]);
    assert!(site.text("headers", "").await.contains("spin-path-info: /headers\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_that_is_not_utf8_is_a_500() {
    let site = Site::start().await;
    let wrong = site.raw(b"GET /probe/hello HTTP/1.1\r\nhost: a\r\nx: \xE9\r\nconnection: close\r\n\r\n").await;
    assert!(wrong.starts_with("HTTP/1.1 500"), "{wrong}");
    let fine = site.raw("GET /probe/hello HTTP/1.1\r\nhost: a\r\nx: é\r\nconnection: close\r\n\r\n".as_bytes()).await;
    assert!(fine.starts_with("HTTP/1.1 200"), "{fine}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_arrive_piece_by_piece() {
    let site = Site::start().await;
    let mut stream = tokio::net::TcpStream::connect(site.app.address()).await.unwrap();
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    stream.write_all(b"GET /probe/stream HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut first = vec![0; 4096];
    let length = stream.read(&mut first).await.unwrap();
    let first = String::from_utf8_lossy(&first[..length]).into_owned();
    assert!(first.contains("one ") && !first.contains("three"), "{first}");
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!((first + &rest).contains("three"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_after_the_answer_and_without_the_client() {
    let site = Site::start().await;
    assert_eq!(site.text("late", "insert into seen (what) values ('late')").await, "early");
    assert_eq!(site.seen().await, Vec::<String>::new());
    site.app.settle().await;
    assert_eq!(site.seen().await, ["late"]);
    let sql = "insert into seen (what) values ('gone')\n";
    let script = format!("sleep 150\n! {sql}");
    let head = format!("POST /probe/sql HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{script}", script.len());
    let mut stream = tokio::net::TcpStream::connect(site.app.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    drop(stream);
    site.app.settle().await;
    assert_eq!(site.seen().await, ["late", "gone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_share_no_memory() {
    let site = Site::start().await;
    for _ in 0..20 {
        assert_eq!(site.text("count", "").await, "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_is_a_500_without_a_body() {
    let site = Site::start().await;
    for what in ["panic", "silent"] {
        let answer = site.get(&format!("/probe/{what}")).await;
        assert_eq!((answer.status, answer.text.as_str()), (500, ""), "{what}");
    }
    assert_eq!(site.text("late-panic", "").await, "before");
    assert_eq!(site.text("hello", "").await, "Hello");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_see_their_files_variables_and_environment() {
    let site = Site::start().await;
    assert_eq!(site.text("read?/files/greeting.txt", "").await, "from a file");
    assert_eq!(site.get("/probe/read?/files/../secret.txt").await.status, 418);
    assert!(site.text("write?/files/new.txt", "").await.starts_with("Err"));
    assert_eq!(site.get("/closed/read?/files/greeting.txt").await.status, 418);
    assert_eq!(site.text("env?MOOD", "").await, "calm");
    assert_eq!(site.text("variable?greeting", "").await, "Ok(\"hi there\")");
    assert!(site.text("variable?db_origin", "").await.contains("Undefined"));
    assert!(site.text("variable?No-Name", "").await.contains("InvalidName"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn virtual_time_and_chance_repeat() {
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let site = Site::with(|options| options.bed = TestBed::virtual_time(START, seed)).await;
        assert_eq!(site.text("now", "").await, START.to_string());
        site.app.bed().advance_micros(1_500_000);
        assert_eq!(site.text("now", "").await, (START + 1_500_000).to_string());
        assert_eq!(site.text("monotonic", "").await, format!("{}000", START + 1_500_000));
        runs.push((site.text("random", "").await, site.text("random", "").await));
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert_ne!(runs[0].0, runs[0].1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_time_and_chance_are_the_machines() {
    let site = Site::with(|_| {}).await;
    let now: i64 = site.text("now", "").await.parse().unwrap();
    assert!((site.app.bed().now_micros() - now).abs() < 5_000_000);
    assert_ne!(site.text("random", "").await, site.text("random", "").await);
    assert!(site.app.bed().statements().is_empty());
}
