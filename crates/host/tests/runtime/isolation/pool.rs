//! The pool by itself, with modules of which every byte of memory and every slot of the table is known.

use std::future::{pending, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use host::engine;
use wasmtime::{Caller, Engine, Instance, Linker, Module, PoolConcurrencyLimitError, Ref, Store, Val};

/// Bytes of a WebAssembly page.
const PAGE: usize = 64 << 10;
/// Pages to which every memory grows, far more than what the pool keeps with a slot.
const PAGES: usize = 448;
/// Slots to which every table grows: 720 KB, again more than is kept.
const SLOTS: usize = 90_000;
/// What a byte of an image is. Stains are 0x5E.
const INK: u8 = b'i';
/// Locals of each call in the module, more than there are registers.
const LOCALS: usize = 40;

/// How an instance begins.
#[derive(Debug)]
struct Shape {
    pages: usize,
    slots: usize,
    /// Where its memory is not zero: offset and length.
    image: (usize, usize),
    /// Where its table is not null: offset and length.
    functions: (usize, usize),
}

const SHAPES: [Shape; 4] = [
    Shape { pages: 2, slots: 10, image: (100, 5_000), functions: (3, 2) },
    Shape { pages: 200, slots: SLOTS, image: (0, 0), functions: (0, 0) },
    Shape { pages: 40, slots: 1_000, image: ((1 << 20) + 17, 300_000), functions: (990, 10) },
    Shape { pages: 0, slots: 0, image: (0, 0), functions: (0, 0) },
];

/// Which bytes are stained: from where on, how many at once, and how far it is to the next.
#[derive(Clone, Copy, Debug)]
struct Stain {
    from: usize,
    length: usize,
    step: usize,
}

const STAINS: [Stain; 5] = [
    Stain { from: 0, length: PAGE, step: PAGE },
    // Less than is kept: in one piece at the end, in a few, in more than one scan of the page map reports.
    Stain { from: (PAGES - 20) * PAGE, length: PAGE, step: PAGE },
    Stain { from: 0, length: 100_000, step: 40 * PAGE },
    Stain { from: 4_096, length: 1, step: 12 * 4_096 },
    // More than is kept, and scattered.
    Stain { from: 4_096, length: 5_000, step: 4 * 4_096 },
];

/// How an instance ends once all is stained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
enum End {
    Returns,
    Traps,
    LeavesItsMemory,
    ExhaustsItsStack,
    /// The host fails.
    IsRefused,
    /// Its future is dropped in the middle.
    Computes,
    /// Its future is dropped while it waits for the host.
    Waits,
}

const ENDS: [End; 7] =
    [End::Returns, End::Traps, End::LeavesItsMemory, End::ExhaustsItsStack, End::IsRefused, End::Computes, End::Waits];

/// The data of a store.
struct Run {
    end: End,
    stained: Arc<AtomicBool>,
}

struct Pool {
    engine: Engine,
    linker: Linker<Run>,
    modules: Vec<Module>,
}

impl Pool {
    fn new(instances: u32) -> Pool {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let engine = engine::engine(instances, PAGES * PAGE, &cache).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap_async("host", "stained", |caller, ()| Box::new(stained(caller))).unwrap();
        let modules = SHAPES.iter().map(|shape| assemble(&engine, &text(shape))).collect();
        Pool { engine, linker, modules }
    }

    /// A new instance of a shape, by its index, which gives way at every tick, as in the host.
    async fn guest(&self, shape: usize, end: End) -> Guest {
        let mut store = Store::new(&self.engine, Run { end, stained: Arc::default() });
        store.epoch_deadline_async_yield_and_update(1);
        let instance = self.linker.instantiate_async(&mut store, &self.modules[shape]).await.unwrap();
        Guest { store, instance, shape: &SHAPES[shape] }
    }

    /// Takes all places but one, so that each instance comes to the place of the one before.
    fn one_place_left(&self) -> Vec<Store<()>> {
        let both = assemble(&self.engine, "(module (memory 1) (table 1 funcref))");
        let table = assemble(&self.engine, "(module (table 1 funcref))");
        let mut taken = Vec::new();
        for module in [&both, &table] {
            taken.extend(std::iter::from_fn(|| taker(&self.engine, module)).take(1_000));
        }
        taken.swap_remove(0);
        let last = taker(&self.engine, &both);
        assert!(last.is_some() && taker(&self.engine, &both).is_none(), "one place was to be left");
        taken
    }
}

/// A store with an instance that takes a place as long as it lives; none when the pool has no more.
fn taker(engine: &Engine, module: &Module) -> Option<Store<()>> {
    let mut store = Store::new(engine, ());
    store.set_epoch_deadline(u64::MAX / 2);
    match Instance::new(&mut store, module, &[]) {
        Ok(_) => Some(store),
        Err(error) if error.is::<PoolConcurrencyLimitError>() => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn stained(caller: Caller<'_, Run>) -> wasmtime::Result<()> {
    caller.data().stained.store(true, Ordering::Relaxed);
    match caller.data().end {
        End::Waits => pending().await,
        End::IsRefused => Err(wasmtime::format_err!("refused")),
        _ => Ok(()),
    }
}

struct Guest {
    store: Store<Run>,
    instance: Instance,
    shape: &'static Shape,
}

impl Guest {
    /// Stains memory, table, globals and stack, and comes to its end. Where that is none, it waits to be dropped.
    async fn stain(&mut self, stain: &Stain) {
        let (end, told) = (self.store.data().end, self.store.data().stained.clone());
        let function = self.instance.get_typed_func::<(i32, i32, i32, i32), ()>(&mut self.store, "stain").unwrap();
        let [from, length, step] = [stain.from, stain.length, stain.step].map(|number| number as i32);
        let mut run = pin!(function.call_async(&mut self.store, (from, length, step, end as i32)));
        let endless = matches!(end, End::Computes | End::Waits);
        let outcome = poll_fn(|context| match run.as_mut().poll(context) {
            Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
            Poll::Pending if endless && told.load(Ordering::Relaxed) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        let expected = match &outcome {
            None => endless,
            Some(Ok(())) => end == End::Returns,
            Some(Err(_)) => !endless && end != End::Returns,
        };
        assert!(expected && told.load(Ordering::Relaxed), "{end:?}: {outcome:?}");
    }

    /// What is not as it has to be in a new instance, before it grows and after.
    async fn look(&mut self) -> Vec<String> {
        let (store, shape) = (&mut self.store, self.shape);
        let memory = self.instance.get_memory(&mut *store, "memory").unwrap();
        let table = self.instance.get_table(&mut *store, "table").unwrap();
        let slot = self.instance.get_typed_func::<(), i32>(&mut *store, "slot").unwrap();
        let mut faults = Vec::new();
        for _ in 0..2 {
            faults.extend(check_memory(memory.data(&*store), shape).err());
            let slot = slot.call_async(&mut *store, ()).await.unwrap();
            if slot >= 0 {
                faults.push(format!("slot {slot} of {} is another", table.size(&*store)));
            }
            let (pages, slots) = (memory.size(&*store), table.size(&*store));
            memory.grow(&mut *store, PAGES as u64 - pages).unwrap();
            table.grow(&mut *store, SLOTS as u64 - slots, Ref::Func(None)).unwrap();
        }
        let number = self.instance.get_global(&mut *store, "number").unwrap().get(&mut *store);
        let function = self.instance.get_global(&mut *store, "function").unwrap().get(&mut *store);
        if !matches!((&number, &function), (Val::I64(7), Val::FuncRef(None))) {
            faults.push(format!("globals: {number:?} {function:?}"));
        }
        let locals = self.locals(0).await;
        if locals != 0 {
            faults.push(format!("locals: {locals:#x}"));
        }
        faults
    }

    /// What locals hold that were not set, or all were when it is 1.
    async fn locals(&mut self, set: i32) -> i64 {
        let locals = self.instance.get_typed_func::<i32, i64>(&mut self.store, "locals").unwrap();
        locals.call_async(&mut self.store, set).await.unwrap()
    }
}

/// Whether all of the memory is zero but for the image.
fn check_memory(memory: &[u8], shape: &Shape) -> Result<(), String> {
    let (offset, length) = shape.image;
    let (before, rest) = memory.split_at(offset);
    let (image, after) = rest.split_at(length);
    let parts = [(before, 0, 0), (image, INK, offset), (after, 0, offset + length)];
    for (part, byte, start) in parts {
        // A test is built without optimisation; comparing slices is quick all the same.
        let right = [byte; 4_096];
        let wrong = part.chunks(right.len()).position(|chunk| chunk != &right[..chunk.len()]);
        if let Some(index) = wrong {
            let chunk = part.chunks(right.len()).nth(index).unwrap();
            let within = chunk.iter().position(|found| *found != byte).unwrap();
            let (at, found) = (start + index * right.len() + within, chunk[within]);
            return Err(format!("byte {at:#x} of {:#x} is {found:#x}", memory.len()));
        }
    }
    Ok(())
}

fn assemble(engine: &Engine, text: &str) -> Module {
    Module::new(engine, wat::parse_str(text).unwrap()).unwrap()
}

/// The module. `stain` fills memory, table, globals and stack, tells the host, and ends; `slot` is the first one of the
/// table that is not as it was at the beginning, or -1; `locals` says what its own hold.
fn text(shape: &Shape) -> String {
    let &Shape { pages, slots, image: (ink_at, ink), functions: (first, count) } = shape;
    let (ink, functions) = (char::from(INK).to_string().repeat(ink), "$own ".repeat(count));
    let locals = format!("(local{})", " i64".repeat(LOCALS));
    let all = |each: &dyn Fn(usize) -> String| (1..=LOCALS).map(each).collect::<String>();
    let secret = all(&|local| format!("(local.set {local} (i64.const 0x5E5E5E5E5E5E5E5E))"));
    let sum = all(&|local| format!("(i64.or (local.get {local}))"));
    format!(
        r#"(module
          (import "host" "stained" (func $stained))
          (memory (export "memory") {pages})
          (table (export "table") {slots} funcref)
          (global $number (export "number") (mut i64) (i64.const 7))
          (global $function (export "function") (mut funcref) (ref.null func))
          (data (i32.const {ink_at}) "{ink}")
          (elem (i32.const {first}) func {functions})
          (elem declare func $own)
          (func $own)
          (func $dive (param $depth i32) (result i64) {locals}
            {secret}
            (if (local.get $depth) (then (local.set 1 (call $dive (i32.sub (local.get $depth) (i32.const 1))))))
            (i64.const 0) {sum})
          (func (export "slot") (result i32) (local $at i32)
            (block $none
              (loop $on
                (br_if $none (i32.ge_u (local.get $at) (table.size)))
                (if (i32.ne (ref.is_null (table.get (local.get $at)))
                            (i32.ge_u (i32.sub (local.get $at) (i32.const {first})) (i32.const {count})))
                    (then (return (local.get $at))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $on)))
            (i32.const -1))
          (func (export "locals") (param $set i32) (result i64) {locals}
            (if (local.get $set) (then {secret}))
            (call $own)
            (i64.const 0) {sum})
          (func (export "stain") (param $at i32) (param $length i32) (param $step i32) (param $end i32)
            (drop (memory.grow (i32.sub (i32.const {PAGES}) (memory.size))))
            (loop $on
              (memory.fill (local.get $at) (i32.const 0x5E) (local.get $length))
              (local.set $at (i32.add (local.get $at) (local.get $step)))
              (br_if $on (i32.le_u (i32.add (local.get $at) (local.get $length))
                                   (i32.mul (memory.size) (i32.const {PAGE})))))
            (drop (table.grow (ref.func $own) (i32.sub (i32.const {SLOTS}) (table.size))))
            (table.fill (i32.const 0) (ref.func $own) (table.size))
            (global.set $number (i64.const 0x5E5E5E5E5E5E5E5E))
            (global.set $function (ref.func $own))
            (drop (call $dive (i32.const 500)))
            (call $stained)
            (if (i32.eq (local.get $end) (i32.const {traps})) (then (unreachable)))
            (if (i32.eq (local.get $end) (i32.const {leaves})) (then (i32.store (i32.const -4) (i32.const 0))))
            (if (i32.eq (local.get $end) (i32.const {exhausts})) (then (drop (call $dive (i32.const -1)))))
            (if (i32.eq (local.get $end) (i32.const {computes})) (then (loop $ever (br $ever))))))"#,
        traps = End::Traps as i32,
        leaves = End::LeavesItsMemory as i32,
        exhausts = End::ExhaustsItsStack as i32,
        computes = End::Computes as i32,
    )
}

/// Without this the other tests could be blind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_was_stained_does_not_look_new() {
    let pool = Pool::new(1);
    for (index, shape) in SHAPES.iter().enumerate() {
        for stain in &STAINS {
            let mut guest = pool.guest(index, End::Returns).await;
            guest.stain(stain).await;
            let faults = guest.look().await.join("; ");
            let all = ["byte", "slot", "globals"].iter().all(|part| faults.contains(part));
            assert!(all, "{shape:?} {stain:?}: {faults}");
            assert_eq!(guest.locals(1).await, 0x5E5E_5E5E_5E5E_5E5E);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_sees_nothing_of_the_one_before_in_its_place() {
    let pool = Pool::new(1);
    let _taken = pool.one_place_left();
    let metrics = pool.engine.pooling_allocator_metrics().unwrap();
    let (mut kept, mut kept_of_table) = (0, 0);
    for turn in 0..ENDS.len() * STAINS.len() * 4 {
        let (end, stain) = (ENDS[turn / 4 / STAINS.len()], &STAINS[turn / 4 % STAINS.len()]);
        let mut before = pool.guest(turn % 16 / 4, end).await;
        // To the kernel, pages that were read before they are written are others than those that were not.
        if turn % 3 == 0 {
            before.look().await;
        }
        before.stain(stain).await;
        let context = format!("{:?} {stain:?} {end:?}", before.shape);
        drop(before);
        kept = kept.max(metrics.unused_memory_bytes_resident());
        kept_of_table = kept_of_table.max(metrics.unused_table_bytes_resident());
        let mut after = pool.guest(turn % 4, end).await;
        let faults = after.look().await;
        assert!(faults.is_empty(), "{:?} after {context}: {faults:?}", after.shape);
    }
    // Pages were kept, so that what cleaned them was the host's hand, but not all, so that others were taken away.
    assert!((1 << 20..PAGES * PAGE).contains(&kept), "{kept}");
    assert!((1 << 12..SLOTS * 8).contains(&kept_of_table), "{kept_of_table}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_at_once_see_nothing_of_each_other() {
    let pool = Arc::new(Pool::new(3));
    let tasks = (0..3).map(|task| {
        let pool = pool.clone();
        tokio::spawn(async move {
            for turn in 0..40 {
                let mut guest = pool.guest((turn + task) % SHAPES.len(), ENDS[(turn + task) % ENDS.len()]).await;
                let faults = guest.look().await;
                assert!(faults.is_empty(), "{:?}: {faults:?}", guest.shape);
                // Not the first stain, which takes longest.
                guest.stain(&STAINS[1 + turn % 4]).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}
