//! What the guests, which are the examples, have in common.

pub mod memory;
