//! `cargo xtask test`: every check and test, in the order in which a mistake is found soonest.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::build;
use crate::step::{Line, timed};
use crate::{coverage, parts, tidy, tools};

/// What a step does.
enum Work {
    Run(Vec<Line>),
    Tidy,
    Components,
    /// The components in the host, and then whether every statement and every documented answer was seen.
    Host(Line),
    /// What needs a Redis server.
    Redis,
    /// What needs a Kafka broker and Dapr's sidecars, the soak among it.
    Kafka,
    Licences,
    Coverage,
}

/// One step of the run.
struct Step {
    name: &'static str,
    work: Work,
    /// Only with `--all`: it takes minutes or brings a tool.
    slow: bool,
}

/// Runs the steps up to the first that fails: all, the one that is called `filter`, or, where none is, the tests
/// whose names hold `filter`.
pub fn test(root: &Path, all: bool, filter: Option<&str>) -> Result<()> {
    let steps = chosen(steps(root, all)?, all, filter)?;
    let count = steps.len();
    for (index, step) in steps.into_iter().enumerate() {
        let place = format!("{}/{count}", index + 1);
        timed(&place, step.name, || step.work.run(root))
            .with_context(|| format!("the step `{}` failed (`cargo xtask test {0}` runs it alone)", step.name))?;
    }
    println!("steps: {count} passed, 0 failed");
    Ok(())
}

impl Work {
    fn run(self, root: &Path) -> Result<()> {
        match self {
            Work::Run(lines) => lines.iter().try_for_each(|line| line.run(root)),
            Work::Tidy => tidy::run(root),
            Work::Components => build::components(root),
            Work::Host(tests) => {
                let seen = root.join("target/seen");
                if seen.exists() {
                    fs::remove_dir_all(&seen).with_context(|| format!("cannot remove {}", seen.display()))?;
                }
                tests.run(root)?;
                cargo("test -p host --test coverage").run(root)
            }
            Work::Redis => {
                tools::redis(root)?;
                cargo("test -p host --test runtime -- --ignored").run(root)
            }
            Work::Kafka => {
                tools::redis(root)?;
                let tests = cargo("test -p host --test kafka -- --ignored --test-threads=1 --skip measure");
                parts::bring(root)?.with(tests).run(root)
            }
            Work::Licences => tools::licences(root),
            Work::Coverage => coverage::check(root),
        }
    }
}

fn steps(root: &Path, all: bool) -> Result<Vec<Step>> {
    let fast = |name, work| Step { name, work, slow: false };
    let slow = |name, work| Step { name, work, slow: true };
    let one = |line| Work::Run(vec![line]);
    Ok(vec![
        fast("fmt", one(cargo("fmt --all --check"))),
        fast("tidy", Work::Tidy),
        fast("components", Work::Components),
        fast("clippy", Work::Run(clippy(root)?)),
        fast("domain", one(tests("-p domain -p edge -p xtask -p bench", all))),
        fast("host", Work::Host(tests("-p host", all))),
        slow("redis", Work::Redis),
        slow("kafka", Work::Kafka),
        slow("licences", Work::Licences),
        slow("coverage", Work::Coverage),
    ])
}

fn chosen(steps: Vec<Step>, all: bool, filter: Option<&str>) -> Result<Vec<Step>> {
    let Some(filter) = filter else { return Ok(steps.into_iter().filter(|step| all || !step.slow).collect()) };
    let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
    if filter.starts_with('-') {
        bail!("{filter:?} is neither a step ({}) nor part of a test's name", names.join(", "));
    }
    if names.contains(&filter) {
        return Ok(steps.into_iter().filter(|step| step.name == filter).collect());
    }
    let mut tests = tests("-p domain -p edge -p xtask -p bench -p host", all);
    tests.words.push(filter.to_string());
    Ok(vec![
        Step { name: "components", work: Work::Components, slow: false },
        Step { name: "tests", work: Work::Run(vec![tests]), slow: false },
    ])
}

/// Both sides: what runs here, and what runs in a guest.
fn clippy(root: &Path) -> Result<Vec<Line>> {
    let native = cargo("clippy -p domain -p edge -p host -p bench -p xtask --all-targets -- -D warnings");
    let mut guests = cargo(&format!("clippy --release --target={} -p edge", build::TARGET));
    guests.words.extend(build::names(root)?.into_iter().map(|name| format!("-p={name}")));
    guests.words.extend(["--", "-D", "warnings"].map(String::from));
    Ok(vec![native, guests])
}

/// The tests of some packages; with `all`, those that go through every crash point too.
fn tests(packages: &str, all: bool) -> Line {
    let line = cargo(&format!("test {packages}"));
    if all { line.with("SPINDLE_ALL", "1") } else { line }
}

/// A command of cargo, from its words.
pub fn cargo(words: &str) -> Line {
    Line::new(std::iter::once("cargo").chain(words.split_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: bool, filter: Option<&str>) -> Vec<&'static str> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let steps = chosen(steps(&root, all).unwrap(), all, filter).unwrap();
        steps.iter().map(|step| step.name).collect()
    }

    #[test]
    fn picks_the_steps() {
        let fast = ["fmt", "tidy", "components", "clippy", "domain", "host"];
        assert_eq!(names(false, None), fast);
        assert_eq!(names(true, None).len(), fast.len() + 4);
        assert_eq!(names(false, Some("coverage")), ["coverage"], "a slow step runs when it is named");
        assert_eq!(names(false, Some("month_ends")), ["components", "tests"]);
    }
}
