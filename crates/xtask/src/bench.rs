//! `cargo xtask bench`: builds and brings what the bench needs, and runs it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::build;
use crate::checks::cargo;
use crate::step::{Line, timed};
use crate::{parts, tools};

/// Builds the components and both servers as they are shipped, brings wrk and FastAPI, and runs `bench` with the
/// arguments as they were given.
pub fn bench(root: &Path, arguments: &[String]) -> Result<()> {
    if arguments.first().is_some_and(|first| first == "--events") {
        return events(root);
    }
    timed("1/4", "components", || build::components(root))?;
    timed("2/4", "the stock SDK's hello", || hello(root))?;
    timed("3/4", "spindle, the native reference and the bench, optimised", || {
        cargo("build --profile=native -p host -p bench").run(root)
    })?;
    timed("4/4", "wrk and FastAPI", || {
        tools::wrk(root)?;
        fastapi(root)
    })?;
    let mut line = Line::new(["target/native/bench"]);
    line.words.extend(arguments.iter().cloned());
    line.run(root)
}

/// How long events take by each transport, and what trouble does to users.
fn events(root: &Path) -> Result<()> {
    timed("1/3", "components", || build::components(root))?;
    let parts = timed("2/3", "Kafka and daprd", || parts::bring(root))?;
    timed("3/3", "events, with an optimised host", || {
        let line = cargo("test --profile=native -p host --test kafka -- --ignored --nocapture --exact measure::events");
        parts.with(line).run(root)
    })
}

/// The hello with which ours is compared: a package of its own, since `spin-sdk` is for `edge` alone.
fn hello(root: &Path) -> Result<()> {
    build::bring_target(root)?;
    let words = "build --release --quiet --manifest-path crates/bench/hello/Cargo.toml --target-dir target/bench/hello";
    let mut line = cargo(words);
    line.words.push(format!("--target={}", build::TARGET));
    line.run(root)
}

/// A Python environment with what `requirements.txt` pins.
fn fastapi(root: &Path) -> Result<()> {
    let python = "target/bench/python";
    let pins = "crates/bench/fastapi/requirements.txt";
    if !root.join(python).join("bin/pip").is_file() {
        let make = Line::new(["python3", "-m", "venv", python]);
        make.run(root).context("needs Python 3 with venv (Debian: apt-get install python3-venv)")?;
    }
    Line::new([&format!("{python}/bin/pip"), "install", "--quiet", "--disable-pip-version-check", "-r", pins]).run(root)
}
