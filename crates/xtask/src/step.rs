//! Running other programs, with a line before and after each.

use std::fmt::{self, Display};
use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A program with its arguments, as one would type it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// What is set in its environment.
    pub environment: Vec<(String, String)>,
}

impl Line {
    /// From the words of a command.
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Line {
        Line { words: words.into_iter().map(Into::into).collect(), environment: Vec::new() }
    }

    /// Sets an environment variable.
    pub fn with(mut self, name: &str, value: &str) -> Line {
        self.environment.push((name.to_string(), value.to_string()));
        self
    }

    /// Runs it in the project's folder, its output going where ours goes.
    ///
    /// # Errors
    /// When it cannot be started or fails; the message is the command to type.
    pub fn run(&self, root: &Path) -> Result<()> {
        let status = self.command(root)?.status().with_context(|| format!("cannot run `{self}`"))?;
        if !status.success() {
            bail!("`{self}` failed ({status}); run it alone to see more");
        }
        Ok(())
    }

    /// Runs it in the project's folder and keeps its output.
    ///
    /// # Errors
    /// When it cannot be started or fails; the message has the end of what it said.
    pub fn output(&self, root: &Path) -> Result<String> {
        let output = self.command(root)?.output().with_context(|| format!("cannot run `{self}`"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            let last: Vec<&str> = words.lines().rev().take(3).collect();
            bail!("`{self}` failed ({}): {}", output.status, last.into_iter().rev().collect::<Vec<_>>().join(" / "));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, root: &Path) -> Result<Command> {
        let (program, arguments) = self.words.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root).envs(self.environment.iter().cloned());
        Ok(command)
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
        let set = self.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        f.write_str(&set.chain(self.words.iter().map(quoted)).collect::<Vec<_>>().join(" "))
    }
}

/// Says what begins, does it, says how long it took. All of it on stderr: what a command answers may be for a program.
pub fn timed<T>(place: &str, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("{} {name}", paint(&format!("── {place}"), "1;34"));
    let since = Instant::now();
    let done = work();
    let took = seconds(since.elapsed());
    match &done {
        Ok(_) => eprintln!("{} {name} ({took})", paint("✓", "1;32")),
        Err(_) => eprintln!("{} {name} ({took})", paint("✗", "1;31")),
    }
    done
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Colours words, on a terminal only.
fn paint(words: &str, code: &str) -> String {
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\u{1b}[{code}m{words}\u{1b}[0m")
    } else {
        words.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_typed() {
        let line = Line::new(["cargo", "test", "--", "two words"]).with("A", "1");
        assert_eq!(line.to_string(), "A=1 cargo test -- 'two words'");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = Line::new(["sh", "-c", "exit 3"]).run(Path::new(".")).unwrap_err().to_string();
        assert!(error.contains("`sh -c 'exit 3'` failed") && error.contains('3'), "{error}");
    }
}
