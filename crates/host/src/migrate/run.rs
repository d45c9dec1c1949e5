//! Applying migrations and taking them back.

use anyhow::{Context, Error, Result, anyhow, bail};
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, GenericClient};

use super::{Migration, Migrations, Script, history};

/// The advisory lock of a run: "spindle" in ASCII.
const LOCK: i64 = 0x0073_7069_6e64_6c65;

/// Which way a migration is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// Applies every migration that is missing. Returns their names.
///
/// # Errors
/// Names the file, its line where PostgreSQL says one, and what to do; what that file did is rolled back, and what
/// the files before it did stays.
pub async fn up(client: &mut Client, migrations: &Migrations) -> Result<Vec<String>> {
    up_to(client, migrations, migrations.last()).await
}

/// Applies what is missing up to migration `target`. Returns the names.
///
/// # Errors
/// As [`up`].
pub async fn up_to(client: &mut Client, migrations: &Migrations, target: i32) -> Result<Vec<String>> {
    if migrations.get(target).is_none() {
        bail!("there is no migration {target:04}: the last one is {:04}", migrations.last());
    }
    lock(client).await?;
    let done = up_locked(client, migrations, target).await;
    unlock(client, done).await
}

/// Takes the last applied migration back. Returns its name, or nothing when none is applied.
///
/// # Errors
/// As [`up`].
pub async fn down(client: &mut Client, migrations: &Migrations) -> Result<Vec<String>> {
    lock(client).await?;
    let done = async {
        let last = history::check(client, migrations).await?;
        down_locked(client, migrations, last, last - 1).await
    };
    let done = done.await;
    unlock(client, done).await
}

/// Takes everything after migration `target` back; 0 takes everything. Returns the names, the last migration first.
///
/// # Errors
/// As [`up`].
pub async fn down_to(client: &mut Client, migrations: &Migrations, target: i32) -> Result<Vec<String>> {
    if target != 0 && migrations.get(target).is_none() {
        bail!("there is no migration {target:04}: use 0 to take everything back");
    }
    lock(client).await?;
    let done = async {
        let last = history::check(client, migrations).await?;
        down_locked(client, migrations, last, target).await
    };
    let done = done.await;
    unlock(client, done).await
}

/// Takes the last applied migration back and applies it again. Returns its name, or nothing when none is applied.
///
/// # Errors
/// As [`up`].
pub async fn redo(client: &mut Client, migrations: &Migrations) -> Result<Vec<String>> {
    lock(client).await?;
    let done = async {
        let last = history::check(client, migrations).await?;
        down_locked(client, migrations, last, last - 1).await?;
        if last == 0 { Ok(Vec::new()) } else { up_locked(client, migrations, last).await }
    };
    let done = done.await;
    unlock(client, done).await
}

async fn up_locked(client: &mut Client, migrations: &Migrations, target: i32) -> Result<Vec<String>> {
    let last = history::check(client, migrations).await?;
    let mut done = Vec::new();
    for migration in migrations.iter().filter(|each| each.number > last && each.number <= target) {
        run(client, migration, Way::Up).await?;
        done.push(migration.name.clone());
    }
    Ok(done)
}

async fn down_locked(client: &mut Client, migrations: &Migrations, last: i32, target: i32) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for migration in migrations.iter().rev().filter(|each| each.number > target && each.number <= last) {
        run(client, migration, Way::Down).await?;
        done.push(migration.name.clone());
    }
    Ok(done)
}

async fn run(client: &mut Client, migration: &Migration, way: Way) -> Result<()> {
    let script = if way == Way::Up { &migration.up } else { &migration.down };
    if script.runs_alone() {
        client.batch_execute(&script.sql).await.map_err(|error| failure(script, &error))?;
        return note(client, migration, way).await.context("ran, but cannot be noted in schema_migration");
    }
    let transaction = client.transaction().await.context("cannot begin a transaction")?;
    let before = transaction_id(&transaction).await?;
    note(&transaction, migration, way).await.with_context(|| format!("cannot note {}", migration.name))?;
    transaction.batch_execute(&script.sql).await.map_err(|error| failure(script, &error))?;
    if transaction_id(&transaction).await? != before {
        bail!(
            "{} ends its transaction itself: take the commit or rollback out of it, and look at what it left behind",
            script.path.display()
        );
    }
    transaction.commit().await.map_err(|error| failure(script, &error))
}

async fn note(client: &impl GenericClient, migration: &Migration, way: Way) -> Result<(), tokio_postgres::Error> {
    match way {
        Way::Up => history::add(client, migration).await,
        Way::Down => history::remove(client, migration).await,
    }
}

async fn transaction_id(client: &impl GenericClient) -> Result<String> {
    Ok(client.query_one("select pg_current_xact_id()::text", &[]).await?.get(0))
}

/// What went wrong, where, and what follows.
fn failure(script: &Script, error: &tokio_postgres::Error) -> Error {
    let path = script.path.display();
    let Some(db) = error.as_db_error() else { return anyhow!("{path}: {error}") };
    let line = match db.position() {
        Some(ErrorPosition::Original(position)) => format!(":{}", line_of(&script.sql, *position)),
        _ => String::new(),
    };
    let more = [db.detail(), db.hint(), db.where_()].into_iter().flatten().map(|words| format!("\n  {words}"));
    let more = more.collect::<String>();
    let left = if script.runs_alone() {
        "it ran outside a transaction: look at what it left behind"
    } else {
        "nothing of this file was kept: correct it and run the command again"
    };
    anyhow!("{path}{line}: {} ({}){more}\n  {left}", db.message(), db.code().code())
}

/// The line of a character position, both from 1.
fn line_of(sql: &str, position: u32) -> usize {
    let before = usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1);
    sql.chars().take(before).filter(|c| *c == '\n').count() + 1
}

/// One run at a time: waits for the lock, with a word about it.
async fn lock(client: &Client) -> Result<()> {
    let free =
        client.query_one("select pg_try_advisory_lock($1)", &[&LOCK]).await.context("cannot lock the database")?;
    if free.get(0) {
        return Ok(());
    }
    eprintln!("waiting for another migration run on this database");
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await.context("cannot lock the database")?;
    Ok(())
}

/// Frees the lock, whatever came of the run.
async fn unlock<T>(client: &Client, done: Result<T>) -> Result<T> {
    let unlocked = client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await;
    let done = done?;
    unlocked.context("cannot unlock the database")?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_are_counted_in_characters() {
        let sql = "-- é\nselect\n  x;";
        assert_eq!(super::line_of(sql, 1), 1);
        assert_eq!(super::line_of(sql, 6), 2);
        assert_eq!(super::line_of(sql, 15), 3);
        assert_eq!(super::line_of(sql, 9999), 3);
    }
}
