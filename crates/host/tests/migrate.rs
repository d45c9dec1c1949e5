//! The migration runner and the private cluster, on a real PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use host::cluster::{Cluster, Options};
use host::migrate::{self, Migrations, State};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

const ONE_UP: &str = "create table one (id int primary key);\ngrant select on one to spindle_status;\n";
const TWO_UP: &str = "create table two (id int references one (id));\n";

static CLUSTER: LazyLock<Mutex<Cluster>> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pg-migrate");
    Mutex::new(
        Cluster::start(&dir, Options { durable: false, patience: Duration::from_secs(20), ..Default::default() })
            .unwrap(),
    )
});

/// Removes what earlier runs left: their databases, and settings of roles, which belong to the whole cluster.
async fn clean(admin: &Client) {
    let names = "select datname::text from pg_database where datname ~ '^m[0-9]+_[0-9]+$'";
    for row in admin.query(names, &[]).await.unwrap() {
        let name: String = row.get(0);
        let pid = name[1..].split('_').next().unwrap();
        if !Path::new("/proc").join(pid).exists() {
            admin.batch_execute(&format!("drop database if exists {name} with (force)")).await.unwrap();
        }
    }
    for role in migrate::ROLES {
        let _ = admin.batch_execute(&format!("alter role {role} reset all")).await;
    }
}

/// A fresh database and a fresh folder of migrations.
struct Bed {
    client: Client,
    url: String,
    dir: PathBuf,
}

impl Bed {
    async fn new() -> Bed {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("m{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (postgres, url) = {
            let cluster = CLUSTER.lock().unwrap();
            (cluster.owner_url("postgres"), cluster.owner_url(&name))
        };
        static CLEAN: OnceCell<()> = OnceCell::const_new();
        let admin = connect(&postgres).await;
        CLEAN.get_or_init(|| clean(&admin)).await;
        admin.batch_execute(&format!("create database {name}")).await.unwrap();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&name);
        std::fs::create_dir_all(&dir).unwrap();
        let bed = Bed { client: connect(&url).await, url, dir };
        migrate::roles(&bed.client, "it's a \\secret").await.unwrap();
        bed.write("0001_one.up.sql", ONE_UP);
        bed.write("0001_one.down.sql", "drop table one;\n");
        bed.write("0002_two.up.sql", TWO_UP);
        bed.write("0002_two.down.sql", "drop table two;\n");
        bed
    }

    fn write(&self, file: &str, sql: &str) {
        std::fs::write(self.dir.join(file), sql).unwrap();
    }

    fn remove(&self, file: &str) {
        std::fs::remove_file(self.dir.join(file)).unwrap();
    }

    fn load(&self) -> Migrations {
        Migrations::load(&self.dir).unwrap()
    }

    async fn up(&mut self) -> Vec<String> {
        let migrations = self.load();
        migrate::up(&mut self.client, &migrations).await.unwrap()
    }

    async fn refused(&mut self) -> String {
        match Migrations::load(&self.dir) {
            Err(error) => format!("{error:#}"),
            Ok(migrations) => format!("{:#}", migrate::up(&mut self.client, &migrations).await.unwrap_err()),
        }
    }

    async fn states(&self) -> Vec<State> {
        migrate::status(&self.client, &self.load()).await.unwrap().iter().map(|each| each.state).collect()
    }

    async fn tables(&self) -> Vec<String> {
        let sql = "select relname::text from pg_class where relkind = 'r'
            and relnamespace = 'public'::regnamespace and relname <> 'schema_migration' order by 1";
        self.client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn up_down_up_leads_to_the_same_schema() {
    let mut bed = Bed::new().await;
    assert_eq!(bed.up().await, ["0001_one", "0002_two"]);
    assert_eq!(bed.up().await, Vec::<String>::new(), "a second run has nothing to do");
    let first = migrate::schema(&bed.client).await.unwrap();
    let migrations = bed.load();
    assert_eq!(migrate::down(&mut bed.client, &migrations).await.unwrap(), ["0002_two"]);
    assert_eq!(bed.tables().await, ["one"]);
    assert_eq!(bed.states().await, [State::Applied, State::Pending]);
    assert_eq!(migrate::up_to(&mut bed.client, &migrations, 2).await.unwrap(), ["0002_two"]);
    assert_eq!(migrate::redo(&mut bed.client, &migrations).await.unwrap(), ["0002_two"]);
    assert_eq!(migrate::schema(&bed.client).await.unwrap(), first);
    assert_eq!(migrate::down_to(&mut bed.client, &migrations, 0).await.unwrap(), ["0002_two", "0001_one"]);
    assert_eq!(bed.tables().await, Vec::<String>::new());
    assert_eq!(migrate::up_to(&mut bed.client, &migrations, 1).await.unwrap(), ["0001_one"]);
    assert_eq!(bed.states().await, [State::Applied, State::Pending]);
}

#[tokio::test]
async fn the_dump_shows_what_matters() {
    let mut bed = Bed::new().await;
    bed.write(
        "0003_three.up.sql",
        "create table three (id bigint generated always as identity, at timestamptz not null, tag text default 'x'
             check (tag <> ''), one int references one (id) on delete cascade) with (fillfactor = 70);
         create unique index three_tag on three (lower(tag)) where one is null;
         grant update (tag), select on three to spindle_tasks;",
    );
    bed.write("0003_three.down.sql", "drop table three;");
    bed.up().await;
    let dump = migrate::schema(&bed.client).await.unwrap();
    let expected = "
create table three (
    id bigint not null generated always as identity,
    at timestamp with time zone not null,
    tag text default 'x'::text,
    one integer,
    constraint three_tag_check CHECK (tag <> ''::text)
) with (fillfactor=70);
CREATE UNIQUE INDEX three_tag ON three USING btree (lower(tag)) WHERE one IS NULL;
grant select, update (tag) on three to spindle_tasks;
";
    assert!(dump.contains(expected), "{dump}");
    assert!(dump.ends_with(
        "\nalter table three add constraint three_one_fkey FOREIGN KEY (one) REFERENCES one(id) ON DELETE CASCADE;\n\
         alter table two add constraint two_id_fkey FOREIGN KEY (id) REFERENCES one(id);\n"
    ));
    // The dump is SQL: run in an empty database, it gives the same dump.
    let other = Bed::new().await;
    other.client.batch_execute(&dump).await.unwrap();
    assert_eq!(migrate::schema(&other.client).await.unwrap(), dump);
}

#[tokio::test]
async fn an_applied_file_must_not_change() {
    let mut bed = Bed::new().await;
    bed.up().await;
    bed.write("0001_one.up.sql", &format!("{ONE_UP}-- a late remark\n"));
    assert_eq!(bed.states().await, [State::Edited, State::Applied]);
    let words = bed.refused().await;
    assert!(words.contains("0001_one was changed after it was applied"), "{words}");
    bed.write("0001_one.up.sql", ONE_UP);
    bed.write("0001_one.down.sql", "drop table one; -- the way back may be corrected\n");
    assert_eq!(bed.up().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let mut bed = Bed::new().await;
    bed.up().await;
    bed.remove("0002_two.up.sql");
    bed.remove("0002_two.down.sql");
    assert_eq!(bed.states().await, [State::Applied, State::Unknown]);
    let words = bed.refused().await;
    assert!(words.contains("0002_two") && words.contains("a newer one"), "{words}");
}

#[tokio::test]
async fn the_folder_must_be_whole() {
    let mut bed = Bed::new().await;
    bed.write("0004_four.up.sql", "select 1;");
    bed.write("0004_four.down.sql", "select 1;");
    let words = bed.refused().await;
    assert!(words.contains("0004_four: the number 0003 was expected"), "{words}");
    bed.remove("0004_four.up.sql");
    bed.remove("0004_four.down.sql");
    bed.write("0002_other.up.sql", "select 1;");
    bed.write("0002_other.down.sql", "select 1;");
    let words = bed.refused().await;
    assert!(words.contains("0003 was expected"), "a doubled number: {words}");
    bed.remove("0002_other.up.sql");
    let words = bed.refused().await;
    assert!(words.contains("0002_other"), "{words}");
    bed.remove("0002_other.down.sql");
    bed.remove("0002_two.down.sql");
    let words = bed.refused().await;
    assert!(words.contains("both 0002_two.up.sql and 0002_two.down.sql"), "{words}");
    bed.write("0002_two.down.sql", "drop table two;");
    bed.write("2_three.up.sql", "select 1;");
    let words = bed.refused().await;
    assert!(words.contains("2_three: call it NNNN_name.up.sql"), "{words}");
}

#[tokio::test]
async fn a_file_that_fails_leaves_nothing() {
    let mut bed = Bed::new().await;
    bed.write("0002_two.up.sql", "create table half (id int);\n-- é\ncreate table broken (id nosuchtype);\n");
    let words = bed.refused().await;
    assert!(words.contains("0002_two.up.sql:3: type \"nosuchtype\" does not exist (42704)"), "{words}");
    assert_eq!(bed.tables().await, ["one"], "the file before it stays, its own first statement does not");
    assert_eq!(bed.states().await, [State::Applied, State::Pending]);
    bed.write("0002_two.up.sql", TWO_UP);
    assert_eq!(bed.up().await, ["0002_two"], "corrected, it goes on");
}

#[tokio::test]
async fn a_file_does_not_end_its_own_transaction() {
    let mut bed = Bed::new().await;
    bed.write("0002_two.up.sql", "create table two (id int);\ncommit;\n");
    let words = bed.refused().await;
    assert!(words.contains("0002_two.up.sql ends its transaction itself"), "{words}");
}

#[tokio::test]
async fn an_index_can_be_built_outside_a_transaction() {
    let mut bed = Bed::new().await;
    let sql = "create index concurrently one_id on one (id);\n";
    bed.write("0003_index.down.sql", "drop index one_id;");
    bed.write("0003_index.up.sql", sql);
    let words = bed.refused().await;
    assert!(words.contains("cannot run inside a transaction block"), "{words}");
    bed.write("0003_index.up.sql", &format!("-- no-transaction\n{sql}"));
    assert_eq!(bed.up().await, ["0003_index"]);
}

#[tokio::test]
async fn two_runs_at_once_apply_each_file_once() {
    let bed = Bed::new().await;
    bed.write("0002_two.up.sql", &format!("{TWO_UP}select pg_sleep(0.3);"));
    let migrations = bed.load();
    let (mut first, mut second) = (connect(&bed.url).await, connect(&bed.url).await);
    let (a, b) = tokio::join!(migrate::up(&mut first, &migrations), migrate::up(&mut second, &migrations));
    let mut counts = [a.unwrap().len(), b.unwrap().len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, 2]);
}

#[tokio::test]
async fn roles_log_in_with_limits_and_have_no_more_rights() {
    let mut bed = Bed::new().await;
    bed.up().await;
    let (a, b) = (connect(&bed.url).await, connect(&bed.url).await);
    let both = tokio::join!(migrate::roles(&a, "p'w\\"), migrate::roles_with_limit(&b, "p'w\\", 9));
    both.0.unwrap();
    both.1.unwrap();
    let mut config: tokio_postgres::Config = bed.url.parse().unwrap();
    config.user("spindle_status").password("p'w\\");
    let (status, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    status.query("select id from one", &[]).await.unwrap();
    let sql = "select current_setting('statement_timeout'), current_setting('lock_timeout'),
        current_setting('idle_in_transaction_session_timeout')";
    let row = status.query_one(sql, &[]).await.unwrap();
    assert_eq!([0, 1, 2].map(|column| row.get::<_, String>(column)), ["5s", "1s", "5s"]);
    status.query("select max(number) from schema_migration", &[]).await.unwrap();
    for sql in ["insert into one values (1)", "select from two", "create table x ()", "delete from schema_migration"] {
        let error = status.batch_execute(sql).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{sql}");
    }
    config.user("spindle_tasks").password("wrong");
    assert!(config.connect(NoTls).await.is_err());
}

/// Each migration alone is taken back without a trace, and all of them lead to the golden file.
#[tokio::test]
async fn the_projects_migrations_lead_to_the_golden_schema_and_back() {
    let mut bed = Bed::new().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let migrations = Migrations::load(&folder).unwrap();
    for number in 1..=migrations.last() {
        let before = migrate::schema(&bed.client).await.unwrap();
        migrate::up_to(&mut bed.client, &migrations, number).await.unwrap();
        let after = migrate::schema(&bed.client).await.unwrap();
        migrate::down(&mut bed.client, &migrations).await.unwrap();
        assert_eq!(migrate::schema(&bed.client).await.unwrap(), before, "{number:04} leaves something behind");
        migrate::up_to(&mut bed.client, &migrations, number).await.unwrap();
        assert_eq!(migrate::schema(&bed.client).await.unwrap(), after, "{number:04} differs the second time");
    }
    let golden = std::fs::read_to_string(folder.join("schema.sql")).unwrap_or_default();
    let schema = migrate::schema(&bed.client).await.unwrap();
    assert!(
        schema == golden,
        "migrations/schema.sql differs: look at `cargo run -p host -- migrate dump`, and if it is meant, save it there"
    );
}

#[test]
fn a_running_cluster_is_shared_and_ends_with_its_owner() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pg-shared");
    let options = Options { durable: false, ..Options::default() };
    let old = dir.with_extension("old");
    let _ = std::fs::rename(&dir, &old);
    let _ = std::fs::remove_dir_all(&old);
    let owner = Cluster::start(&dir, options).unwrap();
    let guest = Cluster::start(&dir, options).unwrap();
    assert!(owner.owned() && !guest.owned());
    assert_eq!(owner.port(), guest.port());
    let port = owner.port();
    let reachable = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    guest.stop().unwrap();
    assert!(reachable(), "a user's end does not stop it");
    owner.stop().unwrap();
    assert!(!reachable(), "the owner's end does");
    let data = dir.join("data");
    assert!(data.exists(), "the data stay");
    std::fs::write(data.join("postmaster.pid"), format!("{}\n{}\n1\n1\n", std::process::id(), data.display())).unwrap();
    let again = Cluster::start(&dir, options).unwrap();
    assert!(again.owned(), "another process with a dead server's id is no server");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(dir.join("password")).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    drop(again);
}
