//! The host against guests of its own (`tests/guests/probe`) and a real PostgreSQL.

#[path = "../collector/mod.rs"]
mod collector;
mod database;
mod events;
mod faults;
mod harness;
mod http;
mod isolation;
mod limits;
mod outgoing;
#[path = "../redis_process/mod.rs"]
mod redis_process;
mod redis_server;
mod telemetry;
