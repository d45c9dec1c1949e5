//! Limits of memory, time and size.

use std::time::{Duration, Instant};

use crate::harness::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_that_compute_do_not_block_others() {
    let site = Site::start().await;
    let site = std::sync::Arc::new(site);
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let site = site.clone();
            // Virtual time stands still, so this computes until its limit; the test does not wait for that.
            tokio::spawn(async move { site.get("/probe/spin").await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(site.text("hello", "").await, "Hello");
    }
    let took = start.elapsed();
    assert!(busy.iter().all(|task| !task.is_finished()), "the guests were to be still computing");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn computing_too_long_is_a_500() {
    let site = Site::with(|options| options.limits.cpu = Duration::from_millis(200)).await;
    let start = Instant::now();
    assert_eq!(site.get("/probe/spin").await.status, 500);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(site.text("busy?20", "").await, "done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_too_long_is_a_500() {
    let site = Site::with(|options| options.limits.wall = Duration::from_millis(300)).await;
    let start = Instant::now();
    assert_eq!(site.get("/probe/sleep?5000").await.status, 500);
    assert_eq!(site.post("/probe/sql", "? select 'stuck', pg_sleep(5)::text").await.status, 500);
    assert!(start.elapsed() < Duration::from_secs(4));
    // The statement was cancelled, so that neither its connection nor its locks stay.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stuck = "select count(*) from pg_stat_activity where query like '%stuck%' and pid <> pg_backend_pid() \
                 and datname = current_database()";
    assert_eq!(site.db.query_one(stuck, &[]).await.unwrap().get::<_, i64>(0), 0);
    assert_eq!(site.sql("? select 1").await, "[[Int32(1)]]\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_places_wait_for_their_turn() {
    let site = Site::with(|options| {
        options.limits.instances = 2;
        options.limits.wall = Duration::from_millis(1_500);
    })
    .await;
    let slow = || site.get("/probe/sleep?200");
    let answers = tokio::join!(slow(), slow(), slow(), slow());
    assert_eq!([answers.0.status, answers.1.status, answers.2.status, answers.3.status], [200; 4]);
    let slow = || site.get("/probe/sleep?1000");
    // Two at once, two after a second; the last two would come after two, and have waited too long before. Which are
    // first is not said.
    let answers = futures::future::join_all((0..6).map(|_| slow())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 503, 503]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_much_memory_is_a_500() {
    let site = Site::with(|options| options.limits.memory_bytes = 32 << 20).await;
    assert_eq!(site.text("alloc?16", "").await, (16 << 20).to_string());
    assert_eq!(site.get("/probe/alloc?64").await.status, 500);
    assert_eq!(site.text("alloc?16", "").await, (16 << 20).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_body_is_a_413() {
    let site = Site::with(|options| options.limits.request_body_bytes = 1_000).await;
    assert_eq!(site.text("size", vec![b'x'; 1_000]).await, "1000");
    assert_eq!(site.post("/probe/size", vec![b'x'; 1_001]).await.status, 413);
    let head: &[u8] =
        b"POST /probe/size HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut chunked = head.to_vec();
    for _ in 0..3 {
        chunked.extend_from_slice(b"190\r\n");
        chunked.extend_from_slice(&[b'x'; 400]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = site.raw(&chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_waits_for_what_runs() {
    let site = Site::start().await;
    let address = site.app.address();
    let request = b"POST /probe/sql HTTP/1.1\r\nhost: a\r\ncontent-length: 60\r\n\r\n";
    let script = format!("{:<60}", "sleep 200\n! insert into seen (what) values ('done')");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    stream.write_all(&[request, script.as_bytes()].concat()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let Site { app, db, .. } = site;
    app.stop().await.unwrap();
    assert_eq!(db.query("select 1 from seen", &[]).await.unwrap().len(), 1);
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
