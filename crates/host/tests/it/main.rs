//! The shipped components in the host, on a real PostgreSQL.

mod accounts;
mod answers;
mod audit;
mod bad_input;
mod chains;
#[path = "../collector/mod.rs"]
mod collector;
mod costs;
mod crash_points;
mod events;
mod golden;
mod harness;
mod imports;
mod journey;
mod migrations;
mod notifications;
mod operator;
mod plans;
mod recurrence;
mod relay;
mod reminders;
mod routes;
mod seen;
mod seldom;
#[path = "../settings/mod.rs"]
mod settings;
mod sql;
mod statements;
mod status;
mod steps;
mod tasks;
mod traces;
mod two_users;
