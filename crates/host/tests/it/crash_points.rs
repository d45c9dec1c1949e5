//! A guest may die at any of its calls into the host. Whatever call that is, a client that repeats its request and
//! ticks that go on must lead to the same end.
//! By default the guest dies before and after each call with an effect outside, and before every seventh other one
//! (after it the world is as before the next); with `SPINDLE_ALL=1`, before and after each.

mod script;
pub mod state;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use host::testbed::{HostCall, TestBed};
use tokio_postgres::Client;

use crate::chains::chains_verify;
use crate::harness::{START, Setup, Spindle, root};
use script::{Part, Script};

/// Applications that try crash points at the same time.
const LANES: u64 = 2;
/// Of the calls without an effect one in so many is tried.
const STEP: u64 = 7;
/// How often effects that no guest died after are tried again.
const MORE_ROUNDS: usize = 3;
/// Failures after which no more are looked for.
const ENOUGH: usize = 5;

/// A guest that traps once.
#[derive(Clone, Debug)]
enum Fault {
    Before(u64),
    After(u64),
    /// After the first call with this effect, wherever it comes.
    AfterEffect(String),
}

/// An application with a database that the runs empty.
struct Lane {
    app: Spindle,
    sql: Client,
}

/// What became of a run.
struct Outcome {
    /// The call at which the guest died; none if the run had no such call.
    died_at: Option<HostCall>,
    end: Result<Vec<String>, String>,
}

impl Lane {
    async fn new(seed: u64) -> Self {
        let app = Spindle::with(Setup { bed: TestBed::virtual_time(START, seed), ..Setup::default() }).await;
        let sql = app.sql().await;
        Lane { app, sql }
    }

    async fn run(&self, part: Part, fault: Option<Fault>) -> Outcome {
        state::forget(&self.sql).await;
        let bed = self.app.app.bed();
        bed.record_calls();
        match fault {
            Some(Fault::Before(index)) => bed.trap_before(index),
            Some(Fault::After(index)) => bed.trap_after(index),
            Some(Fault::AfterEffect(wanted)) => {
                bed.trap_after_effect(move |call| effect(call).as_ref() == Some(&wanted));
            }
            None => {}
        }
        let went = Script { app: &self.app, sql: &self.sql }.run(part).await;
        let died_at = bed.trapped_at().and_then(|index| bed.calls().into_iter().nth(position(index)));
        let end = match went {
            Ok(()) => self.end().await,
            Err(step) => Err(step),
        };
        Outcome { died_at, end }
    }

    async fn end(&self) -> Result<Vec<String>, String> {
        if !chains_verify(&self.sql).await {
            return Err("the audit chain does not verify".to_owned());
        }
        match self.app.app.bed().open_transactions().as_slice() {
            [] => Ok(state::read(&self.sql).await),
            open => Err(format!("left open transactions: {open:?}")),
        }
    }
}

fn position(index: u64) -> usize {
    usize::try_from(index - 1).expect("an index")
}

/// What the runs found.
#[derive(Default)]
struct Report {
    /// Guests that died.
    deaths: usize,
    /// Of them, those that died at a call of the same component as in the undisturbed run: concurrent guests shift.
    alike: usize,
    /// The effects after which a guest died.
    effects: BTreeSet<String>,
    failures: Vec<String>,
}

struct Trial {
    part: Part,
    /// The calls of the undisturbed run, and the state at its end.
    calls: Vec<HostCall>,
    expected: Vec<String>,
    report: Mutex<Report>,
}

impl Trial {
    async fn new(lane: &Lane, part: Part) -> Self {
        // the first run finds no connections to the database, whose making is work for others, not for guests
        assert_eq!(lane.run(part, None).await.end.map(drop), Ok(()));
        let expected = lane.run(part, None).await.end.expect("an undisturbed run");
        let calls = lane.app.app.bed().calls();
        Trial { part, calls, expected, report: Mutex::default() }
    }

    /// Tries faults on all lanes until none is left, or enough has failed.
    async fn over(&self, lanes: &[Lane], faults: &[Fault]) {
        let next = AtomicUsize::new(0);
        futures::future::join_all(lanes.iter().map(|lane| self.work(lane, faults, &next))).await;
    }

    async fn work(&self, lane: &Lane, faults: &[Fault], next: &AtomicUsize) {
        while self.report.lock().expect("a report").failures.len() < ENOUGH {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(fault) = faults.get(number) else { return };
            let outcome = lane.run(self.part, Some(fault.clone())).await;
            self.judge(fault, outcome);
            if number % 100 == 99 {
                say(&format!("crash points of {:?}: {} of {}", self.part, number + 1, faults.len()));
            }
        }
    }

    fn judge(&self, fault: &Fault, outcome: Outcome) {
        let Some(call) = outcome.died_at else { return };
        let mut report = self.report.lock().expect("a report");
        report.deaths += 1;
        report.alike += usize::from(
            self.calls.get(position(call.index)).is_some_and(|undisturbed| undisturbed.component == call.component),
        );
        let wrong = match outcome.end {
            Ok(state) => state::difference(&self.expected, &state),
            Err(error) => Some(error),
        };
        let told = wrong.map(|wrong| format!("{fault:?}, {}, {:?}:\n{wrong}", call.component, call.effect));
        report.failures.extend(told);
        report.effects.extend(effect(&call));
    }

    /// The effects of the undisturbed run after which no guest has died yet.
    fn missed(&self) -> BTreeSet<String> {
        let report = self.report.lock().expect("a report");
        self.calls.iter().filter_map(effect).filter(|effect| !report.effects.contains(effect)).collect()
    }

    /// Tries what was missed, since guests that run at the same time shift the calls: now by what the call does.
    async fn try_missed(&self, lanes: &[Lane]) {
        for _ in 0..MORE_ROUNDS {
            let faults: Vec<Fault> = self.missed().into_iter().map(Fault::AfterEffect).collect();
            self.over(lanes, &faults).await;
        }
    }
}

/// What a call does outside, with its component; the port in it is each lane's own.
fn effect(call: &HostCall) -> Option<String> {
    let effect: String =
        call.effect.as_ref()?.split(':').map(|part| part.trim_start_matches(char::is_numeric)).collect();
    Some(format!("{}: {effect}", call.component))
}

/// Shows how it goes, even while the test's output is held back.
fn say(line: &str) {
    let _unheard = writeln!(std::io::stderr(), "{line}");
}

async fn lanes(count: u64) -> Vec<Lane> {
    futures::future::join_all((1..=count).map(Lane::new)).await
}

/// The faults to try at a call.
fn faults(call: &HostCall, all: bool) -> Vec<Fault> {
    let (before, after) = (Fault::Before(call.index), Fault::After(call.index));
    match call.effect {
        Some(_) => vec![before, after],
        None if all => vec![before, after],
        None if call.index.is_multiple_of(STEP) => vec![before],
        None => Vec::new(),
    }
}

async fn crash_everywhere(part: Part) {
    let started = Instant::now();
    let all = std::env::var("SPINDLE_ALL").is_ok_and(|value| value == "1");
    let lanes = lanes(LANES).await;
    let trial = Trial::new(&lanes[0], part).await;
    let plan: Vec<Fault> = trial.calls.iter().flat_map(|call| faults(call, all)).collect();
    trial.over(&lanes, &plan).await;
    let planned = trial.report.lock().expect("a report").deaths;
    trial.try_missed(&lanes).await;
    let missed = trial.missed();
    let Report { deaths, alike, effects, failures } = trial.report.into_inner().expect("a report");
    say(&format!(
        "crash points of {part:?}: {} host calls; {} runs planned, {planned} guests died, {} more; {alike} in the \
         component that it would have been undisturbed; after {} effects, {} missed; {} failures; {} s",
        trial.calls.len(),
        plan.len(),
        deaths - planned,
        effects.len(),
        missed.len(),
        failures.len(),
        started.elapsed().as_secs()
    ));
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(planned * 100 >= plan.len() * 97, "only {planned} of {} guests died", plan.len());
    assert!(missed.is_empty(), "no guest died after {missed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_host_call_loses_no_account() {
    crash_everywhere(Part::Accounts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_host_call_changes_nothing() {
    crash_everywhere(Part::Tasks).await;
}

/// A statement of the project with one of its guards taken out.
struct Mutation {
    file: &'static str,
    guard: &'static str,
    instead: &'static str,
}

impl Mutation {
    /// The failures with this mutation, with guests of `component` dying after each effect that they have.
    async fn failures(&self, component: &str) -> Vec<String> {
        let lane = Lane::new(1).await;
        let trial = Trial::new(&lane, Part::Tasks).await;
        let text = std::fs::read_to_string(root().join(self.file)).expect(self.file);
        let without = text.replace(self.guard, self.instead);
        assert_ne!(text, without, "{} has no {}", self.file, self.guard);
        lane.app.app.bed().rewrite_sql(&text, &without);
        let calls = trial.calls.iter().filter(|call| call.component == component && call.effect.is_some());
        let faults: Vec<Fault> = calls.map(|call| Fault::After(call.index)).collect();
        trial.over(&[lane], &faults).await;
        trial.report.into_inner().expect("a report").failures
    }
}

/// Crash points that find nothing where something is broken would prove nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_crash_test_finds_a_lost_guard() {
    let (file, instead) = ("components/tasks/sql/complete.sql", "");
    let twice = Mutation { file, guard: " and old.completed_at is null", instead };
    let failures = twice.failures("tasks").await;
    assert!(failures.iter().any(|failure| failure.contains("task.completed")), "{failures:?}");
    let (file, guard) = ("components/relay/sql/ack.sql", "set acked_seq = s.acked_seq + 1");
    let beyond = Mutation { file, guard, instead: "set acked_seq = s.last_seq" };
    let failures = beyond.failures("relay").await;
    assert!(!failures.is_empty(), "an event that is acknowledged with the one before it is lost");
}
