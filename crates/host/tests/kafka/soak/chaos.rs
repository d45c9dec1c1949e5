//! What is killed when: everything from one seed.

use std::time::{Duration, Instant};

use rand::rngs::ChaCha20Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::stand::{Stand, kill};

/// A relay that hangs for longer than its lease of 30 s.
const HANG: Duration = Duration::from_secs(33);
/// How often it is tried to stop it at such a moment.
const TRIES: usize = 20;

pub struct Chaos {
    chance: ChaCha20Rng,
    start: Instant,
    /// When the relay that hangs goes on, and which it is.
    hangs: Option<(Instant, u32)>,
    hung: u32,
    pub blows: usize,
}

impl Chaos {
    pub fn new(seed: u64) -> Chaos {
        let chance = ChaCha20Rng::seed_from_u64(seed);
        Chaos { chance, start: Instant::now(), hangs: None, hung: 0, blows: 0 }
    }

    /// Waits some seconds, then kills something, and starts it again after some more.
    pub async fn strike(&mut self, stand: &mut Stand) {
        tokio::time::sleep(Duration::from_millis(self.chance.random_range(1_000..4_000))).await;
        let down = Duration::from_millis(self.chance.random_range(0..3_000));
        let victim = self.chance.random_range(0..7);
        self.wake();
        if self.hangs.is_none() && self.hung < 3 {
            self.hang(stand).await;
        }
        self.blows += 1;
        let name = match victim {
            0 => {
                stand.kill_host(0, down).await;
                "the API".to_owned()
            }
            1 => {
                stand.kill_host(1, down).await;
                "a relay".to_owned()
            }
            2 => {
                stand.kill_kafka(down).await;
                "Kafka".to_owned()
            }
            3 => {
                stand.kill_redis(down).await;
                "Redis".to_owned()
            }
            4 => {
                stand.kill_postgres(down).await;
                "PostgreSQL".to_owned()
            }
            _ => {
                let all = stand.sidecars.processes();
                let (name, process) = all[self.chance.random_range(0..all.len())];
                stand.kill_sidecar(name, process, down).await;
                format!("the sidecar of {name}")
            }
        };
        println!("{:>6.1} s  killed {name}, for {down:?}", self.start.elapsed().as_secs_f64());
    }

    /// Stops the second relay while it holds leases, for longer than they last: it will think they are its own still.
    async fn hang(&mut self, stand: &Stand) {
        let Some(relay) = &stand.hosts[2] else { return };
        let process = relay.process().to_string();
        // a lease that stays for so long, of 30 s, is that of one who has stopped
        let held = "select count(*) from event_stream
            where lease_token is not null and lease_until < clock_timestamp() + interval '29.6 s'";
        for _ in 0..TRIES {
            kill("-STOP", &process);
            tokio::time::sleep(Duration::from_millis(600)).await;
            let leases: i64 = stand.sql().await.query_one(held, &[]).await.expect("leases").get(0);
            if leases > 0 {
                self.hangs = Some((Instant::now() + HANG, relay.process()));
                self.hung += 1;
                let at = self.start.elapsed().as_secs_f64();
                println!("{at:>6.1} s  a relay hangs for {HANG:?}, with {leases} leases");
                return;
            }
            kill("-CONT", &process);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn wake(&mut self) {
        if let Some((until, process)) = self.hangs
            && Instant::now() >= until
        {
            kill("-CONT", &process.to_string());
            println!("{:>6.1} s  the relay goes on", self.start.elapsed().as_secs_f64());
            self.hangs = None;
        }
    }

    /// Lets everything run again.
    pub async fn rest(&mut self, stand: &mut Stand) {
        if let Some((until, _)) = self.hangs {
            tokio::time::sleep_until(until.into()).await;
            self.wake();
        }
        stand.start_sidecars().await;
    }
}
