//! How much of `domain` and `edge` their own tests run.

use std::path::Path;

use anyhow::{Context, Result};

use crate::checks::cargo;
use crate::step::Line;
use crate::tools::{bring, package_of_debian};

/// The least share of lines that their tests run, in per cent.
const LEAST: &str = "85";

/// What of `edge` only calls the host: natively those calls are stubs, and llvm-cov cannot read a guest. It is run as
/// shipped by the host's tests, which count statements and answers instead of lines.
const NEEDS_A_HOST: &str = r"edge/src/(auth|body|clock|config|db|hint|http|inbox|lib|send|trigger)\.rs";

/// Fails when the tests of `domain` and `edge` run less than 85 % of the lines that can run natively.
pub fn check(root: &Path) -> Result<()> {
    bring(root, "cargo-llvm-cov")?;
    let mut line = cargo("llvm-cov --package domain --package edge --lib --tests --summary-only");
    line.words.extend(["--ignore-filename-regex", NEEDS_A_HOST, "--fail-under-lines"].map(String::from));
    line.words.push(LEAST.to_string());
    for (variable, program) in llvm(root)? {
        line = line.with(variable, &program);
    }
    line.run(root)
}

/// LLVM's two programs that read profiles: rustup's component, or, where that cannot be had, the distribution's of
/// the very version that rustc was built with.
fn llvm(root: &Path) -> Result<Vec<(&'static str, String)>> {
    let programs = [("LLVM_COV", "llvm-cov"), ("LLVM_PROFDATA", "llvm-profdata")];
    if programs.iter().all(|(variable, _)| std::env::var_os(variable).is_some()) || has_component(root)? {
        return Ok(Vec::new());
    }
    let add = Line::new(["timeout", "60", "rustup", "component", "add", "llvm-tools"]);
    if add.output(root).is_ok() && has_component(root)? {
        return Ok(Vec::new());
    }
    let version = llvm_version(&Line::new(["rustc", "-vV"]).output(root)?)?;
    let named = programs.map(|(variable, program)| (variable, format!("{program}-{version}")));
    let there = |program: &String| Line::new([program.as_str(), "--version"]).output(root).is_ok();
    if !named.iter().all(|(_, program)| there(program)) {
        println!("rustup has no llvm-tools here: installing the package llvm-{version}");
        let package = format!("llvm-{version}");
        package_of_debian(root, &package).with_context(|| {
            format!("needs LLVM's tools: `rustup component add llvm-tools`, or install the package {package}")
        })?;
    }
    Ok(named.to_vec())
}

/// Whether the active toolchain has rustup's component.
fn has_component(root: &Path) -> Result<bool> {
    let libraries = Line::new(["rustc", "--print", "target-libdir"]).output(root)?;
    let folder = Path::new(libraries.trim()).parent().context("the toolchain has no folder of libraries")?;
    Ok(folder.join("bin/llvm-profdata").is_file())
}

/// The major version in rustc's `LLVM version: 22.1.2`.
fn llvm_version(words: &str) -> Result<String> {
    let line = words.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let version = line.and_then(|version| version.split('.').next()).context("`rustc -vV` names no LLVM")?;
    Ok(version.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn reads_the_version_of_llvm() {
        assert_eq!(super::llvm_version("rustc 1.95.0\nhost: x\nLLVM version: 22.1.2\n").unwrap(), "22");
        assert!(super::llvm_version("rustc 1.95.0\n").is_err());
    }
}
