//! Events across a real broker and real sidecars. `cargo xtask test kafka` brings both and runs these; the soak is
//! `cargo xtask soak`.

#![allow(missing_docs, reason = "a test")]

mod api;
mod checker;
#[path = "../collector/mod.rs"]
mod collector;
mod flows;
mod measure;
mod redis;
#[path = "../redis_process/mod.rs"]
mod redis_process;
#[path = "../settings/mod.rs"]
mod settings;
mod soak;
mod stage;
mod traces;
