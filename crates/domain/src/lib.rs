//! The rules of Spindle: what a value may be and what follows from it.
//!
//! Nothing here does I/O, reads a clock or draws a random number: whoever calls passes the time, the salt and the id
//! in. So every rule can be tested by itself, and gives the same answer natively and in a WebAssembly guest.
//!
//! Invariants that hold in every module:
//! - no input panics, and the work an input can cause is bounded by a number written beside the function;
//! - local time is naive (`jiff::civil::DateTime`) and becomes an instant only in [`zone`];
//! - what is hashed or signed has exactly one spelling ([`audit::canonical`], [`token`], [`page`]).

pub mod account;
pub mod audit;
pub mod event;
pub mod input;
pub mod json;
pub mod operator;
pub mod page;
pub mod retry;
pub mod rrule;
pub mod secret;
pub mod series;
pub mod task;
pub mod time;
pub mod token;
pub mod trace;
pub mod zone;
