//! The migrations: numbered pairs of plain SQL files, applied in order, each at most once.
//!
//! `NNNN_name.up.sql` and `NNNN_name.down.sql`, numbers dense from 0001. Each file runs in one transaction together
//! with its row in `schema_migration`; a file whose first line is `-- no-transaction` holds one statement and runs
//! by itself (`create index concurrently`). An applied file must not change: its SHA-256 is kept.

mod files;
mod history;
mod roles;
mod run;
mod schema;

pub use files::{Migration, Migrations, Script};
pub use history::{State, Status, status};
pub use roles::{ROLES, roles, roles_with_limit};
pub use run::{down, down_to, redo, up, up_to};
pub use schema::schema;
