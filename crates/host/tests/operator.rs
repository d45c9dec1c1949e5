//! The binary `spindle` as an operator runs it, on a real PostgreSQL.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

#[path = "collector/mod.rs"]
mod collector;

use collector::Collector;
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

    fn command(&self, arguments: &str) -> Command {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("operator");
        let mut command = Command::new(env!("CARGO_BIN_EXE_spindle"));
        command.args(arguments.split_whitespace()).arg("--state").arg(state);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
        command.env("DATABASE_URL", &self.url).env("NO_COLOR", "1");
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
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

/// `spindle up`, ready to answer.
struct Up {
    process: Child,
    address: String,
    /// Whoever prints to a closed pipe dies.
    _said: BufReader<ChildStdout>,
}

impl Up {
    fn start(bed: &Bed, environment: &[(&str, &str)]) -> Up {
        let mut command = bed.command("up --listen 127.0.0.1:0 -c status");
        let mut process = command.envs(environment.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let mut lines = said.by_ref().lines().map_while(Result::ok);
        let ready = lines.find_map(|line| Some(line.split_once("answers at http://")?.1.to_owned()));
        Up { process, address: ready.expect("it gets ready"), _said: said }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The names of its threads, as far as the kernel keeps them.
    fn threads(&self) -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default()).collect()
    }

    /// Stops it in order.
    fn stop(mut self) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn telemetry_is_as_the_environment_says() {
    let bed = Bed::new("telemetry").await;
    let collector = Collector::start().await;
    let endpoint = format!("http://{}", collector.address);
    let there = ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str());
    let of_sdk = |up: &Up| up.threads().iter().filter(|name| name.starts_with("OpenTelemetry")).count();

    for off in [[].as_slice(), &[there, ("OTEL_SDK_DISABLED", "true")]] {
        let up = Up::start(&bed, off);
        assert!(up.get("/healthz").starts_with("HTTP/1.1 200"));
        assert_eq!(of_sdk(&up), 0, "{off:?}: {:?}", up.threads());
        up.stop();
        assert!(collector.bytes().is_empty(), "{off:?}");
    }

    let unsampled = ("OTEL_TRACES_SAMPLER", "always_off");
    let up = Up::start(&bed, &[there, unsampled]);
    assert!(up.get("/healthz").starts_with("HTTP/1.1 200"));
    up.stop();
    assert!(collector.spans().is_empty() && !collector.points().is_empty());

    let named =
        [("OTEL_SERVICE_NAME", "spindle-test"), ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab")];
    let up = Up::start(&bed, &[there, named[0], named[1]]);
    assert!(up.get("/healthz").starts_with("HTTP/1.1 200"));
    assert_eq!(of_sdk(&up), 2, "{:?}", up.threads());
    up.stop();
    let spans = collector.spans();
    let request = spans.iter().find(|span| span.name == "GET /healthz").expect("what was left is sent at the end");
    let resource = |name: &str| request.resource.get(name).map_or("", String::as_str);
    assert_eq!((resource("service.name"), resource("deployment.environment.name")), ("spindle-test", "lab"));

    let refused = bed.command("up").envs([there, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).output().unwrap();
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && words.contains("OTEL_EXPORTER_OTLP_PROTOCOL is grpc"), "{words}");
}
