//! `cargo xtask up`: Spindle on this machine.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::step::{Line, timed};
use crate::{build, parts};

/// Builds the components and the binary, and becomes `spindle up`, so that Ctrl-C and SIGTERM reach it.
pub fn up(root: &Path, listen: SocketAddr, kafka: bool) -> Result<()> {
    timed("1/2", "components", || build::components(root))?;
    timed("2/2", "spindle", || Line::new(["cargo", "build", "-p", "host"]).run(root))?;
    if kafka {
        parts::bring(root)?;
    }
    let binary = root.join("target/debug/spindle");
    let mut command = Command::new(&binary);
    command.arg("up").arg("--listen").arg(listen.to_string()).current_dir(root);
    if kafka {
        command.args(["--events", "kafka"]);
    }
    Err(command.exec()).with_context(|| format!("cannot run {}", binary.display()))
}
