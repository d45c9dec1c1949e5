//! Rounds: every target has its turn in each, in an order drawn anew.

use anyhow::Result;
use serde::Serialize;

use crate::Arguments;
use crate::counts::{self, Counts};
use crate::data::Data;
use crate::load::{self, Seen};
use crate::process;
use crate::target::{NAMES, Target};
use crate::work::{WORKS, Work};

/// What is to be measured.
pub struct Plan {
    /// Names of targets.
    pub targets: Vec<String>,
    works: Vec<&'static Work>,
    connections: Vec<usize>,
    rounds: usize,
    seconds: u32,
}

/// All that was measured.
#[derive(Serialize)]
pub struct Measured {
    /// One row a work, a number of connections and a target.
    pub rows: Vec<Row>,
    /// One entry a target.
    pub servers: Vec<Server>,
}

/// The medians of one work by one target. A ratio is the median of the ratios within each round.
#[derive(Serialize)]
pub struct Row {
    /// The work.
    pub work: &'static str,
    /// Connections at once.
    pub connections: usize,
    /// The target.
    pub target: &'static str,
    /// Rounds that count.
    pub rounds: usize,
    /// Requests a second.
    pub rps: f64,
    /// Latency in milliseconds.
    pub p50_ms: f64,
    /// Latency in milliseconds.
    pub p95_ms: f64,
    /// Latency in milliseconds.
    pub p99_ms: f64,
    /// Processor time of the server, in microseconds a request.
    pub server_cpu_us: f64,
    /// Processor time of PostgreSQL, in microseconds a request.
    pub postgres_cpu_us: f64,
    /// Failed requests of all rounds.
    pub errors: u64,
    /// Requests a second, to those of FastAPI.
    pub ratio_to_fastapi: Option<f64>,
    /// Requests a second, to those of the native reference.
    pub ratio_to_native: Option<f64>,
    /// Processor time of server and PostgreSQL, to that of FastAPI.
    pub cpu_ratio_to_fastapi: Option<f64>,
    /// Processor time of PostgreSQL, to that of pgbench.
    pub postgres_ratio_to_pgbench: Option<f64>,
    /// Statements and write-ahead log a request.
    pub counts: Option<Counts>,
}

/// What a server is like.
#[derive(Serialize)]
pub struct Server {
    /// The target.
    pub target: &'static str,
    /// From its start to its first answer, everything compiled.
    pub start_ms: f64,
    /// Megabytes it holds after all loads.
    pub resident_mb: f64,
}

/// One figure of one round.
struct Sample {
    round: usize,
    work: &'static Work,
    connections: usize,
    target: &'static str,
    seen: Seen,
    server_us: f64,
    postgres_us: f64,
}

impl Plan {
    /// From the command line.
    pub fn from(arguments: &Arguments) -> Plan {
        let chosen = |list: &[String], name: &str| list.is_empty() || list.iter().any(|other| other == name);
        Plan {
            targets: NAMES.iter().filter(|name| chosen(&arguments.target, name)).map(|name| (*name).into()).collect(),
            works: WORKS.iter().filter(|work| chosen(&arguments.work, work.name)).collect(),
            connections: arguments.connections.clone(),
            rounds: if arguments.quick { 2 } else { arguments.rounds },
            seconds: if arguments.quick { 1 } else { arguments.seconds },
        }
    }
}

/// Runs the plan.
///
/// # Errors
/// When a load cannot be run or PostgreSQL refuses.
pub async fn run(plan: &Plan, targets: &[Target], data: &Data) -> Result<Measured> {
    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        for work in &plan.works {
            for connections in &plan.connections {
                for target in shuffled(targets).into_iter().filter(|target| target.does(work)) {
                    eprint!(
                        "\rround {round} of {}: {} by {} over {connections}\u{1b}[K",
                        plan.rounds, work.name, target.name
                    );
                    let (seen, server_us, postgres_us) = sample(plan, target, work, *connections, data).await?;
                    let (connections, target) = (*connections, target.name);
                    samples.push(Sample { round, work, connections, target, seen, server_us, postgres_us });
                }
            }
        }
    }
    eprintln!("\rcounting statements\u{1b}[K");
    let mut rows = Vec::new();
    for work in &plan.works {
        for target in targets.iter().filter(|target| target.does(work)) {
            let counts = counts::count(target, work, data).await?;
            rows.extend(plan.connections.iter().map(|at| row(&samples, work, *at, target.name, counts)));
        }
    }
    let server = |target: &Target| {
        Some(Server { target: target.name, start_ms: target.start_ms?, resident_mb: target.resident_mb()? })
    };
    Ok(Measured { rows, servers: targets.iter().filter_map(server).collect() })
}

async fn sample(
    plan: &Plan,
    target: &Target,
    work: &'static Work,
    connections: usize,
    data: &Data,
) -> Result<(Seen, f64, f64)> {
    if work.changes() {
        data.reset().await?;
    }
    let postmaster = data.postmaster()?;
    let before = (target.cpu_seconds(), process::cpu_seconds(postmaster));
    let seen = match &target.base {
        Some(base) => load::http(data, base, work, connections, plan.seconds)?,
        None => load::pgbench(data, work, connections, plan.seconds)?,
    };
    let after = (target.cpu_seconds(), process::cpu_seconds(postmaster));
    let each = |seconds: f64| seconds * 1e6 / seen.requests.max(1) as f64;
    let server_us = after.0.zip(before.0).map_or(0.0, |(after, before)| each(after - before));
    let postgres_us = each(after.1 - before.1);
    Ok((seen, server_us, postgres_us))
}

fn shuffled(targets: &[Target]) -> Vec<&Target> {
    let mut rest: Vec<&Target> = targets.iter().collect();
    let mut order = Vec::new();
    while !rest.is_empty() {
        let at = uuid::Uuid::new_v4().as_u128() % rest.len() as u128;
        order.push(rest.swap_remove(at as usize));
    }
    order
}

fn row(
    samples: &[Sample],
    work: &'static Work,
    connections: usize,
    target: &'static str,
    counts: Option<Counts>,
) -> Row {
    let of = |name: &str| -> Vec<&Sample> {
        let same = |s: &&Sample| s.work.name == work.name && s.connections == connections && s.target == name;
        samples.iter().filter(same).collect()
    };
    let own = of(target);
    let each = |figure: fn(&Sample) -> f64| median(own.iter().map(|sample| figure(sample)).collect()).unwrap_or(0.0);
    let ratio = |to: &str, figure: fn(&Sample) -> f64| {
        let others = of(to);
        let pair = |sample: &&Sample| {
            let other = others.iter().find(|other| other.round == sample.round)?;
            Some(figure(sample) / figure(other)).filter(|ratio| ratio.is_finite())
        };
        median(own.iter().filter_map(pair).collect())
    };
    Row {
        work: work.name,
        connections,
        target,
        rounds: own.len(),
        rps: each(rps),
        p50_ms: each(|sample| sample.seen.p50_ms),
        p95_ms: each(|sample| sample.seen.p95_ms),
        p99_ms: each(|sample| sample.seen.p99_ms),
        server_cpu_us: each(|sample| sample.server_us),
        postgres_cpu_us: each(|sample| sample.postgres_us),
        errors: own.iter().map(|sample| sample.seen.errors).sum(),
        ratio_to_fastapi: ratio("fastapi", rps),
        ratio_to_native: ratio("native", rps),
        cpu_ratio_to_fastapi: ratio("fastapi", |sample| sample.server_us + sample.postgres_us),
        postgres_ratio_to_pgbench: ratio("pgbench", |sample| sample.postgres_us),
        counts,
    }
}

fn rps(sample: &Sample) -> f64 {
    sample.seen.requests as f64 / sample.seen.seconds
}

/// The figure in the middle, or the mean of the two that are.
pub fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() % 2 {
        1 => figures.get(middle).copied(),
        _ => Some((figures.get(middle.checked_sub(1)?)? + figures.get(middle)?) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
