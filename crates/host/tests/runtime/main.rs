//! The host against guests of its own (`tests/guests/probe`) and a real PostgreSQL.

mod database;
mod events;
mod faults;
mod harness;
mod http;
mod isolation;
mod limits;
mod outgoing;
mod redis_server;
