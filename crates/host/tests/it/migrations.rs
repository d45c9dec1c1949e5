//! The migrations: where they lead, the way back, and who owns and writes each table.

use std::collections::{BTreeMap, BTreeSet};

use host::migrate::{self, Migrations};
use tokio_postgres::Client;

use crate::harness::{connect, database, root};
use crate::{golden, statements};

fn load() -> Migrations {
    Migrations::load(&root().join("migrations")).expect("migrations")
}

async fn schema(client: &Client) -> String {
    migrate::schema(client).await.expect("a schema")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_lead_to_the_schema_and_back() {
    let (migrations, mut client) = (load(), connect(&database().await).await);
    let whole = schema(&client).await;
    golden::check(&root().join("migrations/schema.sql"), &whole);
    migrate::down_to(&mut client, &migrations, 0).await.expect("all taken back");
    let empty = schema(&client).await;
    assert!(!empty.contains("create") && !empty.contains("grant"), "left behind: {empty}");
    // each down undoes exactly its up
    let mut before = empty;
    for migration in migrations.iter() {
        migrate::up_to(&mut client, &migrations, migration.number).await.expect(&migration.name);
        let after = schema(&client).await;
        migrate::down(&mut client, &migrations).await.expect(&migration.name);
        assert_eq!(schema(&client).await, before, "{}.down.sql does not undo its up", migration.name);
        migrate::up_to(&mut client, &migrations, migration.number).await.expect(&migration.name);
        assert_eq!(schema(&client).await, after, "{} leads elsewhere the second time", migration.name);
        before = after;
    }
    assert_eq!(before, whole, "one by one leads elsewhere than all at once");
}

/// What a migration's header says of one table.
struct Owned {
    owner: String,
    /// Who else writes it, in the header's words.
    others: String,
}

/// The tables that a migration makes.
fn tables(sql: &str) -> Vec<String> {
    let lines = sql.lines().filter_map(|line| line.strip_prefix("create table "));
    let lines = lines.filter(|line| !line.contains(" partition of "));
    lines.filter_map(|line| line.split([' ', '(']).next()).map(str::to_owned).collect()
}

/// `Owner: x. Other writers: …` for all tables of the file, or `Owner of t: x. Other writer: …` for each.
fn owners(name: &str, sql: &str) -> BTreeMap<String, Owned> {
    let header = sql.lines().map_while(|line| line.strip_prefix("--")).map(str::trim).collect::<Vec<_>>().join(" ");
    let mut found = BTreeMap::new();
    for part in header.split("Owner").skip(1) {
        let (table, rest) = part.split_once(": ").unwrap_or_else(|| panic!("{name}: Owner: whom?"));
        let (owner, others) = rest.split_once('.').unwrap_or((rest, ""));
        let others = others.split_once(": ").map_or("", |(_, others)| others);
        assert!(!others.is_empty(), "{name}: `Owner{part}` does not say who else writes");
        let these = match table.strip_prefix(" of ") {
            Some(table) => vec![table.to_owned()],
            None => tables(sql),
        };
        for table in these {
            let owned = Owned { owner: owner.to_owned(), others: others.to_owned() };
            assert!(found.insert(table.clone(), owned).is_none(), "{name}: {table} has two owners");
        }
    }
    found
}

/// `Writers of t besides owner: …`: what a later migration says of a table, besides the one that made it.
fn writers(sql: &str) -> Vec<(String, String)> {
    let lines = sql.lines().filter_map(|line| line.strip_prefix("-- Writers of "));
    let split = |line: &str| {
        let (table, others) = line.split_once(" besides ")?;
        Some((table.to_owned(), others.split_once(": ")?.1.to_owned()))
    };
    lines.filter_map(split).collect()
}

/// A header that says `the consumers` means who has an inbox.
fn names(words: &str, component: &str) -> bool {
    let said = words.split(|c: char| !(c.is_alphanumeric() || c == '-')).any(|word| word == component);
    said || (words.contains("the consumers") && statements::consumes(&root(), component))
}

/// Which verb of a header stands for a right.
fn says(words: &str, right: &str) -> bool {
    match right {
        "insert" => words.contains("insert"),
        "update" => words.contains("update") || words.contains("changes") || words.contains("ends"),
        right => words.contains(right),
    }
}

/// Table, role and right, of those that write.
async fn rights(client: &Client) -> BTreeSet<(String, String, String)> {
    let sql = "select table_name::text, grantee::text, lower(privilege_type::text)
        from information_schema.role_table_grants
        where table_schema = current_schema() and grantee like 'spindle\\_%' and privilege_type <> 'SELECT'";
    let rows = client.query(sql, &[]).await.expect("grants");
    rows.iter().map(|row| (row.get(0), component(row.get(1)), row.get(2))).collect()
}

fn component(role: &str) -> String {
    role.trim_start_matches("spindle_").replace('_', "-")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_has_one_owner_and_only_the_named_writers() {
    let client = connect(&database().await).await;
    let (mut owned, mut later) = (BTreeMap::new(), Vec::new());
    for migration in load().iter() {
        let (name, sql) = (&migration.name, &migration.up.sql);
        for (table, owner) in owners(name, sql) {
            assert!(tables(sql).contains(&table), "{name}: its header owns {table}, which it does not make");
            assert!(owned.insert(table.clone(), owner).is_none(), "{table} has two owners");
        }
        for (table, others) in writers(sql) {
            assert!(owned.contains_key(&table), "{name}: {table} has no owner");
            later.push((table, others));
        }
        let missing: Vec<_> = tables(sql).into_iter().filter(|table| !owned.contains_key(table)).collect();
        assert!(missing.is_empty(), "{name}: no owner line for {missing:?}");
    }
    let components = statements::components(&root());
    let rights = rights(&client).await;
    for (table, role, right) in &rights {
        let Some(Owned { owner, others }) = owned.get(table) else { panic!("{table} is in no migration's header") };
        assert!(components.contains(owner), "{table}: its owner {owner} is no component");
        let mut words = later.iter().filter(|(of, _)| of == table).map(|(_, words)| words).chain([others]);
        let told = role == owner || words.any(|words| names(words, role) && says(words, right));
        assert!(told, "{role} may {right} {table}, but the header says: owner {owner}, others: {others}");
    }
    for (table, Owned { owner, others }) in &owned {
        let named = components.iter().filter(|name| names(others, name) || *name == owner);
        for name in named {
            let of_group = owned.iter().filter(|(_, each)| each.others == *others && each.owner == *owner);
            let mut tables = of_group.map(|(table, _)| table);
            let writes = tables.any(|table| rights.iter().any(|(of, role, _)| of == table && role == name));
            assert!(writes, "{table}: the header names {name}, which was granted nothing to write");
        }
    }
}

/// What is due must not depend on the database's clock or chance.
#[test]
fn migrations_have_no_clock_and_no_chance() {
    for migration in load().iter() {
        for word in ["now()", "clock_timestamp", "current_timestamp", "random", "nextval", "serial", "identity"] {
            assert!(!migration.up.sql.contains(word), "{}: {word}", migration.name);
        }
    }
}
