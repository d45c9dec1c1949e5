//! A database for a test, and the binary that works on it.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use domain::audit::{Entry, GENESIS, commitment, entry_hash};
use host::cluster::{Cluster, Options};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// A database that the binary is pointed to by DATABASE_URL.
pub struct Bed {
    _cluster: Cluster,
    url: String,
    pub client: Client,
}

impl Bed {
    pub async fn new(name: &str) -> Bed {
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

    pub fn command(&self, arguments: &str) -> Command {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("operator");
        let mut command = Command::new(env!("CARGO_BIN_EXE_spindle"));
        command.args(arguments.split_whitespace()).arg("--state").arg(state);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        command.env("DATABASE_URL", &self.url).env("NO_COLOR", "1");
        command
    }

    pub fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it printed, and whether it succeeded.
    pub fn says(&self, arguments: &str) -> (String, bool) {
        let output = self.run(arguments);
        let words = [output.stdout, output.stderr].concat();
        (String::from_utf8(words).unwrap(), output.status.success())
    }

    pub fn json(&self, arguments: &str) -> Value {
        let output = self.run(arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments}: {output:?}"))
    }

    /// A whole chain of `length` entries.
    pub async fn chain(&self, user: Uuid, length: i64) {
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

    pub async fn sql(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
