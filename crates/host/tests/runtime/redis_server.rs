//! The same with a real Redis server.

use std::net::TcpListener;
use std::time::Duration;

use crate::harness::Site;
use crate::redis_process::Redis;
use host::AppOptions;

/// Hints over the server, no schedule.
fn over(server: &Redis, options: &mut AppOptions) {
    let url = format!("redis://127.0.0.1:{}", server.port);
    options.redis_url = Some(url.clone());
    options.variables.insert("redis_address".into(), url);
    options.without.insert("clock".into());
}

async fn seen(site: &Site, count: usize) -> Vec<String> {
    for _ in 0..50 {
        let seen = site.seen().await;
        if seen.len() >= count {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    site.seen().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: cargo xtask test --all brings it"]
async fn commands_reach_the_server() {
    let server = Redis::any();
    let site = Site::with(|options| over(&server, options)).await;
    let said = site.text("redis-commands", "").await;
    let lines: Vec<_> = said.lines().collect();
    let expected = [
        "Ok(())",
        "Ok(Some([118]))",
        "Ok(None)",
        "Ok(1) true",
        "Ok(2)",
        "Ok(1)",
        "Ok([\"b\"])",
        "Ok([RedisResult::Status(\"PONG\")])",
        "Ok([RedisResult::Binary([118]), RedisResult::Nil])",
        "Ok(3)",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server: cargo xtask test --all brings it"]
async fn messages_come_through_the_server_also_after_it_was_lost() {
    let server = Redis::any();
    let site = Site::with(|options| over(&server, options)).await;
    site.text("publish?hints", "one").await;
    assert_eq!(seen(&site, 1).await, ["message one"]);
    let port = server.port;
    drop(server);
    assert!(site.get("/probe/publish?hints").await.text.contains("refused"));
    let _server = Redis::start(port);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    site.text("publish?hints", "two").await;
    assert_eq!(seen(&site, 2).await, ["message one", "message two"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_server_the_start_fails() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Site::try_with(|options| {
        options.redis_url = Some(format!("redis://127.0.0.1:{port}"));
        options.variables.insert("redis_address".into(), format!("redis://127.0.0.1:{port}"));
    })
    .await
    .err()
    .unwrap();
    assert!(format!("{error:#}").contains("cannot connect"), "{error:#}");
}
