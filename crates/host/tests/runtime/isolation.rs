//! Nothing that one request leaves in the pool's memory reaches the next, whichever component it is for and however the
//! one before has ended.
//!
//! In a pool for one instance, which has two memories, `lodger` (composed of two guests) always takes both, and what it
//! sees is what any other component left. `probe` and `wild` are one file, compiled twice: for the pool two modules.

mod pool;

use std::time::Duration;

use host::AppOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Answer, Site};

/// MiB that a guest may have, and to which those grow that look for stains.
const MEMORY: usize = 48;
const LOOKED_AT: usize = 40;
/// MiB of heap that are less, and more, than what the pool keeps with a slot.
const STAINS: [usize; 2] = [1, 24];

async fn narrow(change: impl FnOnce(&mut AppOptions)) -> Site {
    Site::with(|options| {
        options.limits.instances = 1;
        options.limits.memory_bytes = MEMORY << 20;
        // It runs by itself, and would take the place every second.
        options.without.insert("clock".into());
        change(options);
    })
    .await
}

/// Stains all memory of `component` and then does what `then` says.
async fn stain(site: &Site, component: &str, mib: usize, then: &str) -> Answer {
    match component {
        "lodger" => site.post(&format!("/lodger/stain?{mib}"), then.to_owned()).await,
        _ => site.post(&format!("/{component}/sql"), script(mib, then)).await,
    }
}

fn script(mib: usize, then: &str) -> String {
    format!("stain {mib}\n! insert into seen (what) values ('stained')\n{then}")
}

async fn look(site: &Site, component: &str) -> Answer {
    site.get(&format!("/{component}/look?{LOOKED_AT}")).await
}

fn assert_clean(answer: &Answer, context: &str) {
    let clean = answer.text.split(' ').all(|number| number == "0");
    assert!(answer.status == 200 && clean, "{context}: {answer:?}");
}

/// That `times` requests have come to stain all, and that now no component sees anything of it.
async fn assert_stained_and_gone(site: &Site, times: usize, context: &str) {
    site.app.settle().await;
    assert_eq!(site.seen().await, vec!["stained"; times], "{context}");
    for component in ["lodger", "probe", "wild"] {
        assert_clean(&look(site, component).await, &format!("{component} after {context}"));
    }
}

/// Runs every component with every size of stain; `then` ends each of the guests with `status`.
async fn assert_nothing_stays(site: &Site, then: &str, status: u16) {
    let mut times = 0;
    for mib in STAINS {
        for component in ["probe", "lodger"] {
            let context = format!("{component} {mib} MiB {then}");
            assert_eq!(stain(site, component, mib, then).await.status, status, "{context}");
            times += 1;
            assert_stained_and_gone(site, times, &context).await;
        }
    }
}

/// Without this the other tests could be blind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_finds_its_own_stains() {
    let site = narrow(|_| {}).await;
    for component in ["probe", "lodger"] {
        let answer = stain(&site, component, 24, &format!("look {LOOKED_AT}")).await;
        let numbers: Vec<usize> = answer.text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let (stained, known) = match numbers[..] {
            [stained, known, fresh] => (stained, known * 8 + fresh),
            [stained, image, known, fresh, rooms, fresh_rooms] => {
                assert_eq!(image, 1 << 20, "the whole image was to be changed");
                (stained, (known + rooms) * 8 + fresh + fresh_rooms)
            }
            _ => panic!("{component}: {answer:?}"),
        };
        assert!(stained > 24 << 20 && known >= stained, "{component}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_guest_that_answers() {
    assert_nothing_stays(&narrow(|_| {}).await, "sleep 0", 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_guest_that_traps() {
    assert_nothing_stays(&narrow(|_| {}).await, "panic now", 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_guest_that_computes_too_long() {
    let site = narrow(|options| options.limits.cpu = Duration::from_secs(1)).await;
    assert_nothing_stays(&site, "spin on", 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_guest_that_waits_too_long() {
    let site = narrow(|options| options.limits.wall = Duration::from_millis(1_500)).await;
    assert_nothing_stays(&site, "sleep 60000", 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_guest_that_is_cut_off_after_its_answer_began() {
    let site = narrow(|options| options.limits.stream = Duration::from_secs(1)).await;
    for (times, mib) in (1..).zip(STAINS) {
        assert_eq!(site.text("then", script(mib, "sleep 60000")).await, "begun");
        assert_stained_and_gone(&site, times, &format!("{mib} MiB late")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_of_a_guest_whose_client_went_away() {
    let site = narrow(|_| {}).await;
    for (times, mib) in (1..).zip(STAINS) {
        let body = script(mib, "sleep 0");
        let head = format!("POST /probe/then HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
        let mut client = tokio::net::TcpStream::connect(site.app.address()).await.unwrap();
        client.write_all((head + &body).as_bytes()).await.unwrap();
        // Its first byte tells that the guest runs.
        client.read_u8().await.unwrap();
        drop(client);
        assert_stained_and_gone(&site, times, &format!("{mib} MiB alone")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_that_run_at_once_see_nothing_of_each_other() {
    let site = narrow(|options| options.limits.instances = 3).await;
    let ends = ["sleep 0", "panic now", "sleep 5"];
    let requests = (0..60).map(|index| {
        let site = &site;
        async move {
            if index % 2 == 0 {
                let component = ["lodger", "probe", "wild"][index / 2 % 3];
                assert_clean(&look(site, component).await, &format!("{component}, request {index}"));
            } else {
                stain(site, ["lodger", "probe"][index / 2 % 2], STAINS[index / 4 % 2], ends[index / 2 % 3]).await;
            }
        }
    });
    futures::future::join_all(requests).await;
    assert_eq!(site.seen().await, vec!["stained"; 30]);
}
