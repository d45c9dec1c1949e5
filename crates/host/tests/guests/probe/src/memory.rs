//! Fills an instance's memory with a secret, and looks for it in one that must not know it.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

/// What no other instance may see. It is part of the code, which is in no memory of a guest's.
const SECRET: u64 = 0x5EC2_E7A0_15E5_0F0D;

/// Words that are no part of the memory's first image.
static BOARD: [AtomicU64; 32 << 10] = [const { AtomicU64::new(0) }; 32 << 10];

const FRAME: usize = 128;
const DEPTH: usize = 800;
const PAGE: usize = 64 << 10;

/// Writes the secret to a static, to most of the stack and to `mib` of heap; how many bytes hold it now, at least.
pub fn stain(mib: usize) -> usize {
    let secret = black_box(SECRET);
    black_box(&BOARD).iter().for_each(|word| word.store(secret, Ordering::Relaxed));
    black_box(dive(DEPTH, secret));
    let heap = black_box(vec![secret; (mib << 20) / size_of::<u64>()]);
    let bytes = size_of_val(&BOARD) + DEPTH * FRAME * size_of::<u64>() + size_of_val(heap.as_slice());
    std::mem::forget(heap);
    bytes
}

/// Leaves a frame of secrets at each depth of the stack.
#[inline(never)]
fn dive(depth: usize, secret: u64) -> u64 {
    let mut frame = [0; FRAME];
    black_box(&mut frame).fill(secret);
    let deeper = if depth == 0 { 0 } else { dive(depth - 1, secret) };
    deeper ^ black_box(&frame)[depth % FRAME]
}

/// Two numbers: how many words of the memory are the secret, and how many are not zero of those that it gains when it
/// grows to `mib`. A new instance says `0 0`.
pub fn look(mib: usize) -> String {
    let size = core::arch::wasm32::memory_size::<0>() * PAGE;
    // A Rust pointer is never null, so the first word stays unseen.
    let known = words(size_of::<u64>(), size).filter(|word| *word == SECRET).count();
    core::arch::wasm32::memory_grow::<0>(((mib << 20) / PAGE).saturating_sub(size / PAGE));
    let grown = core::arch::wasm32::memory_size::<0>() * PAGE;
    assert!(grown >= mib << 20, "the memory does not grow to {mib} MiB");
    let fresh = words(size, grown).filter(|word| *word != 0).count();
    format!("{known} {fresh}")
}

fn words(from: usize, to: usize) -> impl Iterator<Item = u64> {
    let addresses = (from..to).step_by(size_of::<u64>());
    // SAFETY: it is this instance's memory, aligned, and nobody writes to it meanwhile.
    addresses.map(|address| unsafe { std::ptr::with_exposed_provenance::<u64>(address).read_volatile() })
}

/// Computes for ever.
pub fn spin() -> ! {
    loop {
        black_box(&BOARD)[0].fetch_add(1, Ordering::Relaxed);
    }
}
