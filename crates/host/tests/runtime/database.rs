//! PostgreSQL as guests see it.

use crate::harness::Site;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_pass_both_ways() {
    let site = Site::start().await;
    let cases = [
        ("select $1::bool", "bool:true", "Boolean(true)"),
        ("select $1::int2", "int2:-3", "Int16(-3)"),
        ("select $1::int4", "int4:7", "Int32(7)"),
        ("select $1::int8", "int8:9000000000", "Int64(9000000000)"),
        ("select $1::float8", "float8:1.5", "Floating64(1.5)"),
        ("select $1::text", "str:ü", "Str(\"ü\")"),
        ("select $1::varchar", "str:a", "Str(\"a\")"),
        ("select $1::bytea", "bytes:ab", "Binary([97, 98])"),
        ("select $1::date", "date:", "Date((2026, 2, 28))"),
        ("select $1::time", "time:", "Time((23, 59, 59, 1000))"),
        ("select $1::timestamp", "datetime:", "Datetime((2026, 2, 28, 23, 59, 59, 1000))"),
        ("select $1::timestamptz at time zone 'utc'", "timestamp:60", "Datetime((1970, 1, 1, 0, 1, 0, 0))"),
        (
            "select $1::uuid",
            "uuid:00000000-0000-0000-0000-00000000000a",
            "Uuid(\"00000000-0000-0000-0000-00000000000a\")",
        ),
        ("select $1::jsonb", "jsonb:{\"a\":1}", "Jsonb([123, 34, 97, 34, 58, 49, 125])"),
        ("select $1::numeric", "decimal:1.50", "Decimal(\"1.50\")"),
        ("select $1::text[]", "strs:a,null", "ArrayStr([Some(\"a\"), None])"),
        ("select $1::numeric[]", "decimals:1.5,null", "ArrayDecimal([Some(\"1.5\"), None])"),
        ("select $1::interval", "interval:", "Interval(Interval { micros: 1500000, days: 2, months: -3 })"),
        ("select $1::int4", "null:", "DbNull"),
        ("select $1::text::jsonb::text", "str:{\"a\":1}", "Str(\"{\\\"a\\\": 1}\")"),
        ("select array[1,null]::int4[]", "", "ArrayInt32([Some(1), None])"),
        ("select array[1]::int8[]", "", "ArrayInt64([Some(1)])"),
        ("select 'x'::name", "", "Unsupported([120])"),
        ("select '{}'::json", "", "Unsupported([123, 125])"),
    ];
    for (sql, parameter, expected) in cases {
        let body = if parameter.is_empty() { sql.to_owned() } else { format!("{sql}\n{parameter}") };
        let said = site.text("typed", body).await;
        assert!(said.contains(&format!("[[{expected}]]")), "{sql}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_spin_refuses_is_refused() {
    let site = Site::start().await;
    let cases = [
        ("select now()", "ValueConversionFailed"),
        ("select null::timestamptz", "ValueConversionFailed"),
        ("select $1::uuid\nstr:00000000-0000-0000-0000-00000000000a", "QueryFailed(QueryError::Text"),
        ("select $1::timestamptz\nstr:2026-01-01", "QueryFailed(QueryError::Text"),
        ("select $1::timestamptz\ndatetime:", "QueryFailed(QueryError::Text"),
        ("select $1::int4\nint8:1", "QueryFailed(QueryError::Text"),
        ("select $1::jsonb\nstr:{}", "QueryFailed(QueryError::Text"),
        ("select $1::uuid\nuuid:no", "BadParameter"),
        ("select $1::jsonb\njsonb:{", "BadParameter"),
        ("select $1::int4range\nrange:", "BadParameter"),
        ("select 1; select 2", "DbError"),
        ("select nothing", "DbError"),
    ];
    for (body, expected) in cases {
        let said = site.text("typed", body).await;
        assert!(said.contains(expected), "{body}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn query_loses_the_sqlstate_and_execute_keeps_it() {
    let site = Site::start().await;
    let insert = "insert into seen (id, what) values (1, 'a')";
    let said = site.sql(format!("! {insert}\n! {insert}\n? {insert} returning id\n? select 1/0")).await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "Ok(1)");
    assert!(lines[1].contains("code: \"23505\"") && lines[1].contains("(\"constraint\", \"seen_pkey\")"), "{said}");
    assert!(lines[2].contains("QueryError::Text(\"db error: ERROR: duplicate key value"), "{said}");
    assert!(!lines[2].contains("23505") && lines[2].contains("DETAIL: Key (id)=(1) already exists."), "{said}");
    assert!(lines[3].contains("code: \"22012\""), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_transaction_is_fine() {
    let site = Site::start().await;
    let insert = "! insert into seen (what) values ('a')";
    site.sql(format!("! begin\n{insert}\n! commit\n! begin\n{insert}\n! rollback")).await;
    assert_eq!(site.seen().await, ["a"]);
    assert!(site.app.bed().open_transactions().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_left_open_is_a_500_and_leaks_nothing() {
    let site = Site::start().await;
    let begun = "! begin\n! insert into seen (what) values ('leaked')\n";
    for script in [begun.to_owned(), format!("{begun}panic"), format!("{begun}open\n? select 1")] {
        let answer = site.post("/probe/sql", script.clone()).await;
        assert_eq!((answer.status, answer.text.as_str()), (500, ""), "{script}");
        // The next guest's commit would bring to light what the first one wrote.
        site.sql("! begin\n! commit").await;
        assert_eq!(site.seen().await, Vec::<String>::new(), "{script}");
    }
    assert_eq!(site.app.bed().open_transactions(), ["probe"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_come_back_clean() {
    let site = Site::start().await;
    let first = site.sql("? select pg_backend_pid()\n! set application_name = 'mine'").await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let second = site.sql("? select pg_backend_pid()\n? show application_name").await;
    assert_eq!(second.lines().next(), first.lines().next(), "the connection is used again");
    assert!(!second.contains("mine"), "{second}");
    let third = site.sql("? select pg_backend_pid()\n? select set_config('application_name', 'x', false)").await;
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert!(!site.sql("? show application_name").await.contains("\"x\""), "{third}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_stay_prepared_and_survive_a_migration() {
    let site = Site::start().await;
    let prepared = "? select count(*) from pg_prepared_statements where statement = 'select * from seen'";
    for _ in 0..3 {
        site.sql("? select * from seen").await;
    }
    assert_eq!(site.sql(prepared).await, "[[Int64(1)]]\n");
    site.db.batch_execute("alter table seen add more int; insert into seen (what) values ('a')").await.unwrap();
    assert_eq!(site.sql("? select * from seen").await, "[[Int32(1), Str(\"a\"), DbNull]]\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_opens_are_two_backends() {
    let site = Site::start().await;
    let pids = site.sql("? select pg_backend_pid()\nopen\n? select pg_backend_pid()").await;
    let pids: Vec<_> = pids.lines().collect();
    // The first was dropped after the second was opened.
    assert_ne!(pids[0], pids[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_addresses_are_refused() {
    let site = Site::start().await;
    let port = site.db_url.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
    let cases = [
        // The same server by another name: only the list of hosts refuses it.
        (site.db_url.replace("127.0.0.1", "localhost"), "postgres://localhost"),
        ("postgres://127.0.0.1:1/x".to_owned(), "postgres://127.0.0.1:1 is not permitted"),
        (format!("host=127.0.0.1,10.0.0.1 port={port} user=x"), "postgres://10.0.0.1"),
        (format!("host=127.0.0.1 hostaddr=10.0.0.1 port={port} user=x"), "no hostaddr"),
        ("postgres:///x?host=/var/run/postgresql".to_owned(), "name a TCP host"),
        ("mysql://127.0.0.1".to_owned(), "not a PostgreSQL address"),
    ];
    for (address, why) in cases {
        let said = site.text("pg-open", address.clone()).await;
        assert!(said.contains("ConnectionFailed") && said.contains(why), "{address}: {said}");
    }
    assert!(!site.text("pg-open", format!("postgres://u:hush@10.0.0.1:{port}/x")).await.contains("hush"));
    assert_eq!(site.text("pg-open", site.db_url.clone()).await, "Ok(())");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_recorded_and_rewritten() {
    let site = Site::start().await;
    site.app.bed().rewrite_sql("select 'kept'", "select 'changed'");
    let said = site.sql("? select 'kept'\n? select 'kept'\n? select 2").await;
    assert_eq!(said, "[[Str(\"changed\")]]\n".repeat(2) + "[[Int32(2)]]\n");
    let statements = site.app.bed().statements();
    assert_eq!(statements[&("probe".into(), "select 'kept'".into())], 2);
    assert_eq!(statements[&("probe".into(), "select 2".into())], 1);
}
