//! Dapr's sidecars: one for each application of the cluster, all beside the one process here.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Guarded, free_port, part};

/// The applications that have a sidecar; the relay's is the one that events go out by.
const APPS: [&str; 6] = ["relay", "accounts", "audit", "notifications", "recurrence", "reminders"];
/// How long a start may take: a consumer group is joined in it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How events cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By Dapr's Kafka binding.
    KafkaBinding,
    /// By Dapr's publish/subscribe over Kafka.
    KafkaTopics,
    /// By Dapr's publish/subscribe over Redis streams.
    RedisTopics,
}

impl Transport {
    /// The value of the variable `event_transport`.
    pub fn variable(self) -> &'static str {
        if self == Transport::KafkaBinding { "dapr-binding" } else { "dapr-pubsub" }
    }

    /// The folders of `dapr/` whose resources it takes, besides those that all take.
    fn folders(self) -> &'static [&'static str] {
        match self {
            Transport::KafkaBinding => &["binding"],
            Transport::KafkaTopics => &["pubsub/kafka", "pubsub"],
            Transport::RedisTopics => &["pubsub/redis", "pubsub"],
        }
    }
}

/// Where the brokers are: `host:port`.
#[derive(Clone, Debug, Default)]
pub struct Brokers {
    /// Kafka's.
    pub kafka: Option<String>,
    /// Redis'.
    pub redis: Option<String>,
}

/// The tokens by which an application and its sidecar know each other.
#[derive(Clone)]
pub struct Tokens {
    /// What the sidecar shows to the application: the variable `internal_token`.
    pub app: String,
    /// What the application shows to the sidecar: the variable `dapr_api_token`.
    pub api: String,
}

/// The sidecars of one machine.
pub struct Sidecars {
    daprd: PathBuf,
    /// The project's folder `dapr`.
    dapr: PathBuf,
    place: PathBuf,
    transport: Transport,
    brokers: Brokers,
    tokens: Tokens,
    all: Vec<Sidecar>,
}

/// One sidecar.
pub struct Sidecar {
    name: &'static str,
    port: u16,
    program: Option<Guarded>,
}

impl Sidecars {
    /// Chooses the ports; nothing runs yet, since the relay must know its sidecar's before the sidecar can start.
    ///
    /// # Errors
    /// When daprd is missing: with the command that brings it.
    pub fn new(dapr: &Path, place: &Path, transport: Transport, brokers: Brokers, tokens: Tokens) -> Result<Self> {
        let daprd = part("SPINDLE_DAPRD", "daprd")?;
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
        let all = APPS.iter().map(|name| Ok(Sidecar { name, port: free_port()?, program: None }));
        let all = all.collect::<Result<_>>()?;
        let (dapr, place) = (dapr.canonicalize().context("cannot find the folder dapr")?, place.canonicalize()?);
        Ok(Sidecars { daprd, dapr, place, transport, brokers, tokens, all })
    }

    /// The variable `dapr_base`: where the relay's sidecar answers.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.all.first().map_or(0, |relay| relay.port))
    }

    /// Starts all that do not run; `port` says where the application of a sidecar listens.
    ///
    /// # Errors
    /// When one does not start: with the end of its log.
    pub async fn start(&mut self, port: impl Fn(&str) -> u16) -> Result<()> {
        let secrets = self.secrets()?;
        for at in 0..self.all.len() {
            if self.all[at].program.is_none() {
                let command = self.command(&self.all[at], port(self.all[at].name), &secrets)?;
                let name = format!("daprd-{}", self.all[at].name);
                self.all[at].program = Some(Guarded::start(&name, &command, &self.place)?);
            }
        }
        for sidecar in &mut self.all {
            sidecar.healthy().await?;
        }
        Ok(())
    }

    /// Their names and process ids.
    pub fn processes(&self) -> Vec<(&'static str, u32)> {
        let running = self.all.iter().filter_map(|each| Some((each.name, each.program.as_ref()?.process().ok()?)));
        running.collect()
    }

    /// Takes note that one has ended, so that [`start`](Sidecars::start) starts it again.
    pub fn lost(&mut self, name: &str) {
        for sidecar in self.all.iter_mut().filter(|each| each.name == name) {
            sidecar.program = None;
        }
    }

    /// Stops all.
    pub fn stop(&mut self) {
        self.all.iter_mut().for_each(|sidecar| sidecar.program = None);
    }

    /// The file behind the secret store of one machine; no secret of a broker is needed on it.
    fn secrets(&self) -> Result<PathBuf> {
        let path = self.place.join("secrets.json");
        let user = std::env::var("SMTP_USER").unwrap_or_default();
        let password = std::env::var("SMTP_PASSWORD").unwrap_or_default();
        let secrets = serde_json::json!({"redis": {"password": ""}, "smtp": {"user": user, "password": password}});
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(secrets.to_string().as_bytes())?;
        Ok(path)
    }

    fn command(&self, sidecar: &Sidecar, app_port: u16, secrets: &Path) -> Result<Command> {
        let mut command = Command::new(&self.daprd);
        let app_port = app_port.to_string();
        let flags = [
            ("--app-id", format!("spindle-{}", sidecar.name)),
            ("--app-port", app_port),
            ("--app-protocol", "http".to_owned()),
            ("--dapr-http-port", sidecar.port.to_string()),
            ("--dapr-grpc-port", free_port()?.to_string()),
            ("--dapr-internal-grpc-port", free_port()?.to_string()),
            ("--dapr-listen-addresses", "127.0.0.1".to_owned()),
            ("--dapr-internal-grpc-listen-address", "127.0.0.1".to_owned()),
            ("--config", self.dapr.join("config.yaml").display().to_string()),
            ("--log-level", "warn".to_owned()),
        ];
        command.args(flags.iter().flat_map(|(name, value)| [*name, value.as_str()]));
        command.arg("--enable-metrics=false");
        let mail = std::env::var_os("SMTP_HOST").is_some_and(|host| !host.is_empty());
        let folders = ["common", "local"].into_iter().chain(self.transport.folders().iter().copied());
        for folder in folders.chain(mail.then_some("mail")) {
            command.arg("--resources-path").arg(self.dapr.join(folder));
        }
        let brokers = [("KAFKA_BROKERS", &self.brokers.kafka), ("REDIS_HOST", &self.brokers.redis)];
        command.envs(brokers.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        command.env("KAFKA_AUTH_TYPE", "none").env("SECRETS_FILE", secrets);
        command.env("APP_API_TOKEN", &self.tokens.app).env("DAPR_API_TOKEN", &self.tokens.api);
        Ok(command)
    }
}

impl Sidecar {
    async fn healthy(&mut self) -> Result<()> {
        let (start, port) = (Instant::now(), self.port);
        let program = self.program.as_mut().context("the sidecar is stopped")?;
        while !says_healthy(port).await.unwrap_or(false) {
            program.check(start.elapsed(), PATIENCE)?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

async fn says_healthy(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"GET /v1.0/healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(head.ends_with(b" 204"))
}
