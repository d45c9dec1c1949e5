//! Telemetry, as the environment switches it on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::bed::Bed;
use crate::collector::Collector;

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
