//! The process that stops PostgreSQL when the owner of a cluster ends.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

use anyhow::{Context, Result, bail};

use super::account::{self, Account};
use super::binaries::Binaries;
use super::process;

/// The guard's whole program: wait until the pipe closes, then stop the server.
const SCRIPT: &str = r#"cat >/dev/null; exec "$0" stop --silent --mode fast -D "$1""#;

/// A guard at work. Its standard input is the pipe whose end means the owner's end; its standard output is the lock,
/// so the lock is free only when the server has stopped.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Starts the guard, which takes the lock over, and notes this process as the owner.
    pub fn set(binaries: &Binaries, place: &Path, account: Option<&Account>, lock: File) -> Result<Guard> {
        fs::write(place.join("owner"), std::process::id().to_string()).context("cannot note the owner")?;
        let mut child = account::command(Path::new("/bin/sh"), account)
            .arg("-c")
            .arg(SCRIPT)
            .arg(binaries.program("pg_ctl"))
            .arg(place.join("data"))
            .current_dir(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::from(lock))
            .stderr(Stdio::null())
            // Ctrl-C goes to every process of the terminal's group, and the server must outlive the owner's last work.
            .process_group(0)
            .spawn()
            .context("cannot start /bin/sh")?;
        let pipe = child.stdin.take();
        Ok(Guard { child, pipe })
    }

    /// Has the server stopped, and waits for that.
    pub fn release(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.pipe.take().is_none() {
            return Ok(());
        }
        let status = self.child.wait().context("lost the process that stops PostgreSQL")?;
        if !status.success() {
            bail!("PostgreSQL did not stop within a minute ({status})");
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("{error:#}");
        }
    }
}

/// Whether the process that last owned the cluster still runs.
pub fn owner_lives(place: &Path) -> bool {
    fs::read_to_string(place.join("owner")).is_ok_and(|owner| process::arguments(&owner).is_some())
}
