//! What has been applied to a database: the table `schema_migration`.

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio_postgres::{Client, GenericClient};

use super::{Migration, Migrations};

/// `spindle_status` says in `/readyz` which migration was the last; it is missing only where no roles were made.
const TABLE: &str = "
    create table if not exists schema_migration (
        number int primary key,
        name text not null,
        sha256 text not null,
        applied_at timestamptz not null
    );
    do $$ begin
        if exists (select from pg_roles where rolname = 'spindle_status') then
            grant select on schema_migration to spindle_status;
        end if;
    end $$";

/// How a migration stands in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Applied, from the file as it is.
    Applied,
    /// Not applied yet.
    Pending,
    /// Applied from a file that had other words: the file was edited or renamed since.
    Edited,
    /// Applied, but this folder has no such file: the database is ahead of this build.
    Unknown,
}

/// One line of `spindle migrate status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The migration's number.
    pub number: i32,
    /// Its name, as in the file or else as applied.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// When it was applied, in UTC as `2026-01-31T09:00:00Z`.
    pub applied_at: Option<String>,
}

/// A row of the table.
pub struct Applied {
    pub number: i32,
    pub name: String,
    pub sha256: String,
    pub at: String,
}

/// How every migration stands, in the order of their numbers. Changes nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(client: &Client, migrations: &Migrations) -> Result<Vec<Status>> {
    let applied = applied(client).await?;
    let mut all: Vec<Status> = applied.iter().map(|row| of_row(row, migrations)).collect();
    let pending = migrations.iter().filter(|each| applied.iter().all(|row| row.number != each.number));
    all.extend(pending.map(|each| Status {
        number: each.number,
        name: each.name.clone(),
        state: State::Pending,
        applied_at: None,
    }));
    all.sort_by_key(|each| each.number);
    Ok(all)
}

fn of_row(row: &Applied, migrations: &Migrations) -> Status {
    let state = match migrations.get(row.number) {
        None => State::Unknown,
        Some(file) if file.up.sha256 == row.sha256 && file.name == row.name => State::Applied,
        Some(_) => State::Edited,
    };
    Status { number: row.number, name: row.name.clone(), state, applied_at: Some(row.at.clone()) }
}

/// The rows of the table, in order; none where there is no table yet.
pub async fn applied(client: &Client) -> Result<Vec<Applied>> {
    let table = client.query_one("select to_regclass('schema_migration') is not null", &[]).await;
    if !table.context("cannot read the database")?.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql = "select number, name, sha256, to_char(applied_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
        from schema_migration order by number";
    let rows = client.query(sql, &[]).await.context("cannot read schema_migration")?;
    let row = |row: &tokio_postgres::Row| Applied {
        number: row.get(0),
        name: row.get(1),
        sha256: row.get(2),
        at: row.get(3),
    };
    Ok(rows.iter().map(row).collect())
}

/// Makes the table, and refuses a database whose history is not this folder's. Returns the last number applied.
pub async fn check(client: &Client, migrations: &Migrations) -> Result<i32> {
    client.batch_execute(TABLE).await.context("cannot make the table schema_migration")?;
    let applied = applied(client).await?;
    for row in &applied {
        match of_row(row, migrations).state {
            State::Unknown => bail!(
                "the database has migration {}, which this folder has not: use the build that made it, or a newer one",
                row.name
            ),
            State::Edited => bail!(
                "migration {} was changed after it was applied on {}: put the file back as it was, and write the \
                 change as a new migration",
                row.name,
                row.at
            ),
            State::Applied | State::Pending => {}
        }
    }
    let last = applied.last().map_or(0, |row| row.number);
    if usize::try_from(last) != Ok(applied.len()) {
        bail!("schema_migration has gaps below {last}: rows were deleted by hand; restore them");
    }
    Ok(last)
}

/// Notes a migration as applied.
pub async fn add(client: &impl GenericClient, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    let sql = "insert into schema_migration (number, name, sha256, applied_at) values ($1, $2, $3, now())";
    client.execute(sql, &[&migration.number, &migration.name, &migration.up.sha256]).await.map(|_| ())
}

/// Notes a migration as taken back.
pub async fn remove(client: &impl GenericClient, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    client.execute("delete from schema_migration where number = $1", &[&migration.number]).await.map(|_| ())
}
