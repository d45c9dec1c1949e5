//! Writers change things while every process is killed in turn; then nothing may be lost, doubled or out of order.
//!
//! `cargo xtask soak [--seconds N] [--seed N] [--variant NAME]`: a variant is a known mistake, which must be found.

mod chaos;
mod hosts;
mod leaks;
mod proxy;
mod stand;
mod variants;
mod writers;

use std::time::{Duration, Instant};

use chaos::Chaos;
use stand::Stand;
use variants::Variant;
use writers::Writers;

use crate::checker;

/// How long everything may take to come to rest: a lease lasts 30 s, the gap check waits 60 s.
const REST: Duration = Duration::from_secs(180);

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(format!("SPINDLE_SOAK_{name}")).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("SPINDLE_SOAK_{name}={text} is no number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Kafka, Redis and daprd, and minutes: cargo xtask soak"]
async fn nothing_is_lost_doubled_or_reordered_whatever_dies() {
    let seed = setting("SEED").unwrap_or_else(rand::random);
    let time = Duration::from_secs(setting("SECONDS").unwrap_or(120));
    let name = std::env::var("SPINDLE_SOAK_VARIANT").unwrap_or_default();
    let variant = Variant::named(&name);
    println!("soak: {time:?}, seed {seed}, variant {variant:?}; the same again: cargo xtask soak --seed {seed}");
    let found = run(seed, time, variant).await;
    match variant {
        None => assert_eq!(found, Vec::<String>::new(), "seed {seed}"),
        Some(variant) => {
            assert!(!found.is_empty(), "{variant:?} was not found with seed {seed}: the checker is blind to it");
            println!("{variant:?} was found:\n{}", found.join("\n"));
        }
    }
}

async fn run(seed: u64, time: Duration, variant: Option<Variant>) -> Vec<String> {
    let mut stand = Stand::start(variant).await;
    let writers = Writers::start(stand.api_port());
    let mut chaos = Chaos::new(seed);
    let end = Instant::now() + time;
    while Instant::now() < end {
        chaos.strike(&mut stand).await;
    }
    let history = writers.stop().await;
    chaos.rest(&mut stand).await;
    println!(
        "{} changes were acknowledged, {} had no answer; {} blows",
        history.acked.len(),
        history.unknown,
        chaos.blows
    );
    assert!(history.acked.len() > 100, "too few to say anything");
    let quiet = rest(&stand).await;
    let mut found = checker::faults(&stand.sql().await).await;
    found.extend(checker::history(&stand.sql().await, &history.acked).await);
    let events = checker::events(&stand.sql().await).await;
    let missing = stand.proxy.missing(&events);
    found.extend(missing.iter().take(3).map(|each| format!("of {} that were lost on the way: {each}", missing.len())));
    found.extend(stand.proxy.repeated());
    found.extend(leaks::secrets_in(stand.place()));
    let healed = checker::healed(&stand.sql().await).await;
    let ((deliveries, different), events) = (stand.proxy.deliveries(), events.len());
    println!("at rest after {quiet:?}: {events} events, {deliveries} deliveries of {different}, {healed} gaps healed");
    found
}

/// Waits until nothing waits and all was delivered, or [`REST`] is over; the checker then says what was left.
async fn rest(stand: &Stand) -> Duration {
    let start = Instant::now();
    while start.elapsed() < REST {
        let sql = stand.sql().await;
        let quiet = checker::unfinished(&sql).await.is_empty();
        // the gap check may be quicker than a broker that was down
        if quiet && stand.proxy.missing(&checker::events(&sql).await).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    start.elapsed()
}
