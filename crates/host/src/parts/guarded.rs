//! A program that does not outlive whoever started it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::end_of;

/// Starts the program, notes its process in the file `$0`, and asks it to stop when the pipe on stdin closes; after
/// ten seconds it is killed.
const SCRIPT: &str = r#"exec 3<&0
"$@" 3<&- </dev/null & program=$!
echo $program >"$0"
(cat <&3 >/dev/null; kill $program; sleep 10; kill -9 $program) 2>/dev/null & guard=$!
wait $program; code=$?
kill $guard 2>/dev/null
exit $code"#;

/// A running program.
#[derive(Debug)]
pub struct Guarded {
    name: String,
    guard: Child,
    pipe: Option<ChildStdin>,
    process: PathBuf,
    log: PathBuf,
}

impl Guarded {
    /// Starts `command` with its output in `<name>.log` of `folder`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &Command, folder: &Path) -> Result<Guarded> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (process, log) = (folder.join(format!("{name}.pid")), folder.join(format!("{name}.log")));
        let _old = fs::remove_file(&process);
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut guard = Command::new("/bin/sh");
        guard.arg("-c").arg(SCRIPT).arg(&process).arg(command.get_program()).args(command.get_args());
        guard.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            guard.current_dir(folder);
        }
        let mut guard = guard
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C goes to every process of the terminal's group; these end after what uses them
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let pipe = guard.stdin.take();
        Ok(Guarded { name: name.to_owned(), guard, pipe, process, log })
    }

    /// The program's process id.
    ///
    /// # Errors
    /// When it has not been started yet.
    pub fn process(&self) -> Result<u32> {
        let text = fs::read_to_string(&self.process).with_context(|| format!("{} was not started", self.name))?;
        text.trim().parse().with_context(|| format!("{} was not started", self.name))
    }

    /// Whether it still runs after `waited`, which may be `patience` long.
    ///
    /// # Errors
    /// When it has ended, or waited too long: with the end of its log.
    pub fn check(&mut self, waited: Duration, patience: Duration) -> Result<()> {
        let (name, log) = (&self.name, self.log.display());
        if let Some(status) = self.guard.try_wait().with_context(|| format!("lost {name}"))? {
            bail!("{name} ended by itself ({status}); the end of {log}:\n{}", end_of(&self.log));
        }
        if waited > patience {
            bail!("{name} does not answer after {patience:?}; the end of {log}:\n{}", end_of(&self.log));
        }
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) {
        drop(self.pipe.take());
        let _status = self.guard.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
    }
}
