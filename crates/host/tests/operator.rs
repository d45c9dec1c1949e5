//! The binary `spindle` as an operator runs it, on a real PostgreSQL.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use domain::audit::{Entry, GENESIS, commitment, entry_hash};
use host::cluster::{Cluster, Options};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

const ALICE: Uuid = Uuid::from_u128(0xa11ce);
const BOB: Uuid = Uuid::from_u128(0xb0b);

/// A database that the binary is pointed to by DATABASE_URL.
struct Bed {
    _cluster: Cluster,
    url: String,
    client: Client,
}

impl Bed {
    async fn new(name: &str) -> Bed {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pg-{name}"));
        let options = Options { durable: false, patience: Duration::from_secs(20), ..Default::default() };
        let cluster = Cluster::start(&dir, options).unwrap();
        let admin = connect(&cluster.owner_url("postgres")).await;
        admin.batch_execute("drop database if exists operator").await.unwrap();
        let roles = host::migrate::ROLES.join(", ");
        admin.batch_execute(&format!("drop role if exists {roles}")).await.unwrap();
        cluster.ensure_database("operator").await.unwrap();
        let url = cluster.owner_url("operator");
        let client = connect(&url).await;
        Bed { _cluster: cluster, url, client }
    }

    fn run(&self, arguments: &str) -> Output {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("operator");
        Command::new(env!("CARGO_BIN_EXE_spindle"))
            .args(arguments.split_whitespace())
            .arg("--state")
            .arg(state)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .env("DATABASE_URL", &self.url)
            .env("NO_COLOR", "1")
            .output()
            .unwrap()
    }

    /// What it printed, and whether it succeeded.
    fn says(&self, arguments: &str) -> (String, bool) {
        let output = self.run(arguments);
        let words = [output.stdout, output.stderr].concat();
        (String::from_utf8(words).unwrap(), output.status.success())
    }

    fn json(&self, arguments: &str) -> Value {
        serde_json::from_slice(&self.run(arguments).stdout).unwrap()
    }

    /// A whole chain of `length` entries.
    async fn chain(&self, user: Uuid, length: i64) {
        let (salt, mut last) = ([7; 32], GENESIS);
        for seq in 1..=length {
            let (event, payload) = (Uuid::from_u128(user.as_u128() * 1000 + seq as u128), format!("{{\"n\":{seq}}}"));
            let commitment = commitment(&salt, &payload);
            let entry = Entry {
                seq,
                event_id: event,
                at_micros: seq * 1_000_001,
                action: "task.created".to_owned(),
                stream: "task/x".to_owned(),
                stream_seq: seq,
                salt: None,
                payload: None,
                commitment,
                hash: GENESIS,
            };
            last = entry_hash(&last, &entry);
            let sql = "insert into audit_entry
                (user_id, seq, event_id, at, action, stream, stream_seq, salt, payload, commitment, hash)
                values ($1, $2, $3, 'epoch'::timestamptz + $2::bigint * interval '1.000001 seconds', 'task.created',
                    'task/x', $2, $4, $5, $6, $7)";
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
                [&user, &seq, &event, &salt.as_slice(), &payload, &commitment.as_slice(), &last.as_slice()];
            self.client.execute(sql, &values).await.unwrap();
        }
        let head = "insert into audit_head (user_id, seq, hash) values ($1, $2, $3)";
        self.client.execute(head, &[&user, &length, &last.as_slice()]).await.unwrap();
    }

    async fn sql(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn an_altered_audit_log_is_found() {
    let bed = Bed::new("audit").await;
    let (words, good) = bed.says("migrate up");
    assert!(good, "{words}");
    bed.chain(ALICE, 5).await;
    bed.chain(BOB, 3).await;
    assert_eq!(bed.says("audit verify"), ("whole: 2 chains with 8 entries\n".to_string(), true));

    bed.sql("update audit_entry set payload = null, salt = null where seq = 2").await;
    assert!(bed.says("audit verify").1, "an erased payload is no break");

    bed.sql(&format!("update audit_entry set payload = '{{\"n\":9}}' where seq = 3 and user_id = '{ALICE}'")).await;
    let (words, good) = bed.says("audit verify");
    assert!(!good && words.contains(&format!("user {ALICE}: audit entry 3 has an altered payload")), "{words}");
    assert!(words.contains("1 of 2 chains are broken"), "{words}");
    assert!(bed.says(&format!("audit verify --user {BOB}")).1);
    let json = bed.json("audit verify --json");
    assert_eq!(json[1]["whole"], false);
    assert_eq!((&json[1]["seq"], &json[0]["entries"]), (&Value::from(3), &Value::from(3)));

    bed.sql("update audit_entry set payload = '{\"n\":3}' where seq = 3; delete from audit_entry where seq = 5").await;
    let (words, good) = bed.says("audit verify");
    assert!(!good && words.contains("audit entry 5 is missing from the end"), "{words}");
    bed.sql("update audit_entry set hash = 'short' where seq = 1").await;
    let (words, _) = bed.says(&format!("audit verify --user {BOB}"));
    assert!(words.contains("audit entry 1 was altered"), "{words}");
}

#[tokio::test]
async fn doctor_and_status_say_what_to_do() {
    let bed = Bed::new("doctor").await;
    let (words, good) = bed.says("doctor");
    assert!(!good, "{words}");
    assert!(
        words.contains("bad roles: missing: spindle_tasks") && words.contains("→ run `spindle migrate roles`"),
        "{words}"
    );
    assert!(words.contains("bad schema: 0 applied") && words.contains("→ run `spindle migrate up`"), "{words}");
    assert_eq!(bed.json("migrate status --json")[0]["state"], "pending");
    assert!(!bed.says("migrate status").1);
    let (applied, good) = bed.says("migrate up");
    assert!(good, "{applied}");
    assert!(words.contains("memory: "), "{words}");
    let json = bed.json("doctor --json");
    assert!(json.as_array().unwrap().iter().all(|finding| finding["good"] == true), "{json}");
    assert!(bed.says("migrate status").1);
    assert_eq!(bed.says("migrate up").0, "nothing to apply: the schema is up to date\n");
    let (words, good) = bed.says("migrate up --to 99");
    assert!(!good && words.contains("there is no migration 0099"), "{words}");
}
