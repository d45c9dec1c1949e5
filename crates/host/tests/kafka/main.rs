//! Events across a real broker and real sidecars. `cargo xtask test kafka` brings both and runs these; the soak is
//! `cargo xtask soak`.

#![allow(missing_docs, reason = "a test")]

mod api;
mod checker;
mod flows;
mod measure;
mod redis;
mod soak;
mod stage;
