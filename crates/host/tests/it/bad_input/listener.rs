//! What only bytes on a socket can say.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::Spindle;

/// The most that a case may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends bytes and answers all that comes back until the other side closes.
async fn talk(app: &Spindle, bytes: &[u8]) -> String {
    let talk = async {
        let mut stream = TcpStream::connect(app.app.address()).await.expect("the listener listens");
        // it may refuse before it has read all
        let _refused = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("an answer or an end")
}

fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("{line}\r\n{headers}Connection: close\r\n\r\n{body}").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_bytes_get_a_refusal() {
    let app = Spindle::start().await;
    let (post, host) = ("POST /api/v1/accounts HTTP/1.1", "Host: localhost\r\n");
    let with = |headers: &str, body: &str| request(post, &format!("{host}{headers}"), body);
    let chunk = format!("40000\r\n{}\r\n", " ".repeat(0x40000));
    let cases: Vec<(&str, Vec<u8>, &[u16])> = vec![
        ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n".to_vec(), &[400]),
        ("a header with NUL", with("X: a\0b\r\n", ""), &[400]),
        ("a header name with a blank", with("X Y: a\r\n", ""), &[400]),
        ("a folded header", with("X: a\r\n b\r\n", ""), &[400]),
        ("HTTP/1.1 without host", request("GET /healthz HTTP/1.1", "", ""), &[400]),
        ("HTTP/1.0 without host", request("GET /healthz HTTP/1.0", "", ""), &[200, 400]),
        ("another version", request("GET /healthz HTTP/3.7", host, ""), &[400]),
        ("no path", request("GET  HTTP/1.1", host, ""), &[400]),
        ("a blank in the path", request("GET /api/v1/tasks/a b HTTP/1.1", host, ""), &[400]),
        ("a length that is none", with("Content-Length: x\r\n", ""), &[400]),
        ("a negative length", with("Content-Length: -1\r\n", ""), &[400]),
        ("two lengths", with("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), &[400]),
        ("a length beyond the limit", with("Content-Length: 262145\r\n", ""), &[413]),
        ("a length beyond all", with("Content-Length: 99999999999999999999999\r\n", ""), &[400]),
        (
            "chunks beyond the limit",
            with("Transfer-Encoding: chunked\r\n", &format!("{chunk}{chunk}0\r\n\r\n")),
            &[413],
        ),
        ("a chunk that is none", with("Transfer-Encoding: chunked\r\n", "zz\r\n{}\r\n0\r\n\r\n"), &[400]),
        ("a coding that is unknown", with("Transfer-Encoding: gzip\r\n", "{}"), &[400, 501]),
        ("a very long header", with(&format!("X: {}\r\n", "x".repeat(1 << 20)), ""), &[400, 431]),
        ("very many headers", with(&"X: y\r\n".repeat(10_000), ""), &[400, 431]),
        ("a very long path", request(&format!("GET /{} HTTP/1.1", "x".repeat(1 << 20)), host, ""), &[400, 414, 431]),
    ];
    for (what, bytes, statuses) in cases {
        let answer = talk(&app, &bytes).await;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        assert!(statuses.contains(&status), "{what}: {status} {}", answer.chars().take(300).collect::<String>());
        assert!(!answer.contains("panicked") && !answer.contains(".rs"), "{what}: {answer}");
    }
    // a body that never comes: the client hangs up, and the next one is served
    let mut stream = TcpStream::connect(app.app.address()).await.expect("the listener listens");
    stream.write_all(&with("Content-Length: 100\r\n", "{")).await.expect("sent");
    drop(stream);
    assert!(talk(&app, &request("GET /healthz HTTP/1.1", host, "")).await.starts_with("HTTP/1.1 200"));
    assert_eq!(app.count("select count(*) from account").await, 0);
}
