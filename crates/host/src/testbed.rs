//! What only tests change: time, chance, faults at host calls, and records of what guests did.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::ChaCha20Rng;
use rand::{Rng as _, SeedableRng as _};

/// One call of a guest into the host (growing its memory is one, too), as counted since [`TestBed::record_calls`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCall {
    /// Position over all components, from 1.
    pub index: u64,
    /// The component that called.
    pub component: String,
    /// What the call does outside the guest: `pg open`, `pg query …`, `pg execute …`, `http POST …`,
    /// `redis publish …`; `None` for WASI plumbing.
    pub effect: Option<String>,
}

/// The knobs and records of a test; a real host uses [`TestBed::real`]. A clone shares the state.
#[derive(Clone, Default)]
pub struct TestBed {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    virtual_time: Option<Virtual>,
    recording: AtomicBool,
    calls: Mutex<CallLog>,
    statements: Mutex<BTreeMap<(String, String), u64>>,
    rewrites: Mutex<BTreeMap<String, String>>,
    rewriting: AtomicBool,
    open_transactions: Mutex<Vec<String>>,
}

struct Virtual {
    now: AtomicI64,
    chance: Mutex<ChaCha20Rng>,
}

type Wanted = Box<dyn Fn(&HostCall) -> bool + Send>;

#[derive(Default)]
struct CallLog {
    calls: Vec<HostCall>,
    before: Option<u64>,
    after: Option<u64>,
    /// Where a fault has fired.
    trapped: Option<u64>,
    wanted: Option<Wanted>,
}

/// Entries kept of [`TestBed::open_transactions`]; a host that runs for long must not grow by a broken guest.
const MAX_OPEN_TRANSACTIONS: usize = 1_000;

impl TestBed {
    /// The machine's clock and randomness, no faults, no records of statements.
    pub fn real() -> Self {
        Self::default()
    }

    /// Time stands at `start_unix_micros` until a test moves it, and randomness is one ChaCha stream from `seed`
    /// that all instances share. Cron triggers fire only when asked.
    pub fn virtual_time(start_unix_micros: i64, seed: u64) -> Self {
        let chance = Mutex::new(ChaCha20Rng::seed_from_u64(seed));
        let virtual_time = Some(Virtual { now: AtomicI64::new(start_unix_micros), chance });
        TestBed { inner: Arc::new(Inner { virtual_time, ..Inner::default() }) }
    }

    /// Whether time and chance are the test's.
    pub fn is_virtual(&self) -> bool {
        self.inner.virtual_time.is_some()
    }

    /// Microseconds since the Unix epoch, as guests see them.
    pub fn now_micros(&self) -> i64 {
        match &self.inner.virtual_time {
            Some(time) => time.now.load(Ordering::SeqCst),
            None => chrono::Utc::now().timestamp_micros(),
        }
    }

    /// Sets virtual time; real time is not ours to set, then this does nothing.
    pub fn set_now_micros(&self, t: i64) {
        if let Some(time) = &self.inner.virtual_time {
            time.now.store(t, Ordering::SeqCst);
        }
    }

    /// Moves virtual time by `d` microseconds.
    pub fn advance_micros(&self, d: i64) {
        if let Some(time) = &self.inner.virtual_time {
            time.now.fetch_add(d, Ordering::SeqCst);
        }
    }

    /// Fills `bytes` from the seeded stream; `false` under real time, where the machine's randomness serves.
    pub(crate) fn fill_random(&self, bytes: &mut [u8]) -> bool {
        let Some(time) = &self.inner.virtual_time else { return false };
        lock(&time.chance).fill_bytes(bytes);
        true
    }

    /// Starts to count host calls, from 1, and forgets earlier calls and armed faults.
    pub fn record_calls(&self) {
        *lock(&self.inner.calls) = CallLog::default();
        self.inner.recording.store(true, Ordering::SeqCst);
    }

    /// The calls counted so far, in order.
    pub fn calls(&self) -> Vec<HostCall> {
        lock(&self.inner.calls).calls.clone()
    }

    /// Makes the guest that makes call `index` trap before the host acts on it. Fires once.
    pub fn trap_before(&self, index: u64) {
        lock(&self.inner.calls).before = Some(index);
    }

    /// Makes the guest that makes call `index` trap after the host has acted, before it sees the result. Fires once.
    pub fn trap_after(&self, index: u64) {
        lock(&self.inner.calls).after = Some(index);
    }

    /// Makes the guest that makes the first call with an effect for which `wanted` holds trap after the host has acted.
    /// Fires once. Where guests run at the same time this finds a call that an index would miss.
    pub fn trap_after_effect(&self, wanted: impl Fn(&HostCall) -> bool + Send + 'static) {
        lock(&self.inner.calls).wanted = Some(Box::new(wanted));
    }

    /// Whether an armed fault has fired.
    pub fn trapped(&self) -> bool {
        self.trapped_at().is_some()
    }

    /// The call at which an armed fault has fired.
    pub fn trapped_at(&self) -> Option<u64> {
        lock(&self.inner.calls).trapped
    }

    /// How often each component executed each SQL text. Always recorded unless the bed is [`TestBed::real`].
    pub fn statements(&self) -> BTreeMap<(String, String), u64> {
        lock(&self.inner.statements).clone()
    }

    /// From now on a statement whose text equals `from` is sent as `to`.
    pub fn rewrite_sql(&self, from: &str, to: &str) {
        lock(&self.inner.rewrites).insert(from.into(), to.into());
        self.inner.rewriting.store(true, Ordering::SeqCst);
    }

    /// Components that left a transaction open, one entry each time.
    pub fn open_transactions(&self) -> Vec<String> {
        lock(&self.inner.open_transactions).clone()
    }

    pub(crate) fn add_open_transaction(&self, component: &str) {
        let mut open = lock(&self.inner.open_transactions);
        if open.len() < MAX_OPEN_TRANSACTIONS {
            open.push(component.into());
        }
    }

    pub(crate) fn add_statement(&self, component: &str, sql: &str) {
        if self.is_virtual() {
            *lock(&self.inner.statements).entry((component.into(), sql.into())).or_default() += 1;
        }
    }

    /// The text to send for `sql`.
    pub(crate) fn rewritten(&self, sql: String) -> String {
        if !self.inner.rewriting.load(Ordering::SeqCst) {
            return sql;
        }
        lock(&self.inner.rewrites).get(&sql).cloned().unwrap_or(sql)
    }

    pub(crate) fn is_recording(&self) -> bool {
        self.inner.recording.load(Ordering::Relaxed)
    }

    /// Counts a call; an error if the fault is armed before it.
    pub(crate) fn call_begins(&self, component: &str) -> Result<u64, Fault> {
        let mut log = lock(&self.inner.calls);
        let index = log.calls.len() as u64 + 1;
        log.calls.push(HostCall { index, component: component.into(), effect: None });
        if log.before == Some(index) {
            log.before = None;
            log.trapped = Some(index);
            return Err(Fault { index, when: "before" });
        }
        Ok(index)
    }

    /// An error if the fault is armed after call `index`.
    pub(crate) fn call_ends(&self, index: u64) -> Result<(), Fault> {
        let mut log = lock(&self.inner.calls);
        if index == 0 || log.after != Some(index) {
            return Ok(());
        }
        log.after = None;
        log.trapped = Some(index);
        Err(Fault { index, when: "after" })
    }

    pub(crate) fn set_effect(&self, index: u64, effect: String) {
        let position = usize::try_from(index).unwrap_or(usize::MAX).wrapping_sub(1);
        let mut log = lock(&self.inner.calls);
        let CallLog { calls, wanted, after, .. } = &mut *log;
        let Some(call) = calls.get_mut(position) else { return };
        call.effect = Some(effect);
        if wanted.as_ref().is_some_and(|wanted| wanted(call)) {
            *wanted = None;
            *after = Some(index);
        }
    }
}

/// A fault that a test armed.
#[derive(Debug)]
pub(crate) struct Fault {
    index: u64,
    when: &'static str,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the test bed trapped the guest {} host call {}", self.when, self.index)
    }
}

impl std::error::Error for Fault {}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_by_hand() {
        let bed = TestBed::virtual_time(1_000, 7);
        bed.advance_micros(5);
        assert_eq!(bed.clone().now_micros(), 1_005);
        bed.set_now_micros(-1);
        assert_eq!(bed.now_micros(), -1);
    }

    #[test]
    fn chance_repeats_by_seed() {
        let draw = |seed| {
            let bed = TestBed::virtual_time(0, seed);
            let mut bytes = [0; 16];
            assert!(bed.fill_random(&mut bytes));
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        assert!(!TestBed::real().fill_random(&mut [0; 4]));
    }

    #[test]
    fn a_fault_fires_once_at_its_call() {
        let bed = TestBed::virtual_time(0, 0);
        bed.record_calls();
        bed.trap_before(2);
        bed.trap_after(3);
        assert_eq!(bed.call_begins("a").ok(), Some(1));
        assert!(bed.call_ends(1).is_ok() && !bed.trapped());
        assert!(bed.call_begins("a").is_err() && bed.trapped());
        assert_eq!(bed.call_begins("a").ok(), Some(3));
        assert!(bed.call_ends(3).is_err() && bed.call_ends(3).is_ok());
        bed.record_calls();
        assert!(bed.calls().is_empty() && !bed.trapped());
        bed.trap_after_effect(|call| call.effect.as_deref() == Some("pg"));
        assert_eq!(bed.call_begins("a").ok(), Some(1));
        bed.set_effect(1, "redis".into());
        assert!(bed.call_ends(1).is_ok());
        assert_eq!(bed.call_begins("a").ok(), Some(2));
        bed.set_effect(2, "pg".into());
        assert!(bed.call_ends(2).is_err() && bed.trapped());
    }
}
