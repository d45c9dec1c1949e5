//! One Kafka broker, controller and all (KRaft).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Guarded, answers, free_port, part};

/// The memory of the Java heap, and settings under which a small broker starts soon.
const JAVA: [&str; 4] = ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// The cluster's id: 16 bytes as base64url.
const CLUSTER: &str = "c3BpbmRsZWthZmthMDAwMQ";

/// A running broker. Dropping it stops it; its data stay.
#[derive(Debug)]
pub struct Kafka {
    place: PathBuf,
    classes: String,
    port: u16,
    broker: Option<Guarded>,
}

impl Kafka {
    /// Starts a broker with its data in `place`, made on first use. `settings` is dapr/broker/server.properties.
    ///
    /// # Errors
    /// When Kafka or Java are missing, or the broker does not start: with the end of its log.
    pub async fn start(place: &Path, settings: &Path) -> Result<Kafka> {
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
        let place = place.canonicalize()?;
        let classes = format!("{}/*", part("SPINDLE_KAFKA", "kafka")?.display());
        let (port, controller) = (free_port()?, free_port()?);
        let text = fs::read_to_string(settings).with_context(|| format!("cannot read {}", settings.display()))?;
        let data = place.join("data");
        let text = text
            .replace("$BROKER", &port.to_string())
            .replace("$CONTROLLER", &controller.to_string())
            .replace("$DATA", &data.display().to_string());
        fs::write(place.join("server.properties"), text)?;
        let mut kafka = Kafka { place, classes, port, broker: None };
        if !data.join("meta.properties").exists() {
            kafka.format()?;
        }
        kafka.restart().await?;
        Ok(kafka)
    }

    /// Where it listens: `127.0.0.1:9092`.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The broker's process id.
    ///
    /// # Errors
    /// When it is stopped.
    pub fn process(&self) -> Result<u32> {
        self.broker.as_ref().context("Kafka is stopped")?.process()
    }

    /// Stops it; the data stay.
    pub fn stop(&mut self) {
        self.broker = None;
    }

    /// Starts it again, however it ended, on the same port.
    ///
    /// # Errors
    /// As [`start`](Kafka::start).
    pub async fn restart(&mut self) -> Result<()> {
        self.broker = None;
        let mut command = self.java(&JAVA, "kafka.Kafka");
        command.arg(self.place.join("server.properties"));
        let mut broker = Guarded::start("kafka", &command, &self.place)?;
        answers(self.port, &mut broker, PATIENCE).await?;
        self.broker = Some(broker);
        Ok(())
    }

    fn format(&self) -> Result<()> {
        let mut command = self.java(&[], "kafka.tools.StorageTool");
        command.args(["format", "-t", CLUSTER, "-c"]).arg(self.place.join("server.properties"));
        let output = command.output().context("cannot run java: install the package openjdk-17-jre-headless")?;
        if !output.status.success() {
            bail!("Kafka's storage cannot be made: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    fn java(&self, options: &[&str], class: &str) -> Command {
        let mut command = Command::new("java");
        command.args(options).args(["-cp", &self.classes, class]).current_dir(&self.place);
        command
    }
}
