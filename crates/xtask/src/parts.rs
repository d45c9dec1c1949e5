//! Programs that run beside Spindle as in a cluster: Kafka and Dapr's sidecar. They are kept in the user's cache, for
//! all checkouts, by version.

use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step::{Line, timed};
use crate::tools;

/// What a run needs to find them.
pub struct Parts {
    kafka: PathBuf,
    daprd: PathBuf,
}

impl Parts {
    /// The line with the parts in its environment.
    pub fn with(&self, line: Line) -> Line {
        let path = |path: &Path| path.display().to_string();
        line.with("SPINDLE_KAFKA", &path(&self.kafka)).with("SPINDLE_DAPRD", &path(&self.daprd))
    }
}

/// Brings what is missing: minutes the first time, no time later.
///
/// # Errors
/// Says what to install.
pub fn bring(root: &Path) -> Result<Parts> {
    let parts = Parts { kafka: kafka(root)?, daprd: daprd(root)? };
    for (name, target) in [("kafka", &parts.kafka), ("daprd", &parts.daprd)] {
        // where `spindle` looks when nobody tells it
        let link = cache().join(name);
        if fs::read_link(&link).ok().as_ref() != Some(target) {
            let _old = fs::remove_file(&link);
            std::os::unix::fs::symlink(target, &link).with_context(|| format!("cannot make {}", link.display()))?;
        }
    }
    Ok(parts)
}

/// As `spindle` has it: $XDG_CACHE_HOME/spindle.
fn cache() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".cache"));
    set("XDG_CACHE_HOME").or_else(home).unwrap_or_else(std::env::temp_dir).join("spindle")
}

/// The broker's jars, by Maven, which checks their sums.
fn kafka(root: &Path) -> Result<PathBuf> {
    let pom = root.join("dapr/broker/pom.xml");
    let folder = cache().join(format!("kafka-{}", fingerprint(&[&pom])?));
    if folder.exists() {
        return Ok(folder);
    }
    tools::java(root)?;
    let fresh = fresh(&folder)?;
    timed("parts", "Kafka", || {
        let words = ["mvn", "--quiet", "--batch-mode", "--strict-checksums", "dependency:copy-dependencies"];
        let mut line = Line::new(words);
        line.words.push("-DincludeScope=runtime".to_owned());
        line.words.push(format!("-DoutputDirectory={}", fresh.display()));
        line.words.push(format!("--file={}", pom.display()));
        line.run(root).context("Kafka cannot be fetched")
    })?;
    fs::rename(&fresh, &folder).context("cannot put Kafka in its place")?;
    Ok(folder)
}

/// Dapr's sidecar, built with the components that Spindle uses.
fn daprd(root: &Path) -> Result<PathBuf> {
    let source = root.join("dapr/daprd");
    let files = ["main.go", "go.mod", "go.sum"].map(|name| source.join(name));
    let folder = cache().join(format!("daprd-{}", fingerprint(&files.each_ref().map(PathBuf::as_path))?));
    let binary = folder.join("daprd");
    if binary.exists() {
        return Ok(binary);
    }
    tools::go(root)?;
    let fresh = fresh(&folder)?;
    timed("parts", "daprd (its first build takes some minutes)", || {
        let mut line = Line::new(["go", "build", "-C"]);
        line.words.push(source.display().to_string());
        line.words.extend(["-trimpath", "-ldflags=-s -w", "-o"].map(String::from));
        line.words.push(fresh.join("daprd").display().to_string());
        line.words.push(".".to_owned());
        line.run(root).context("daprd cannot be built")
    })?;
    fs::rename(&fresh, &folder).context("cannot put daprd in its place")?;
    Ok(binary)
}

/// An empty folder beside the one that is to be made: a build that is cut off leaves nothing that looks whole.
fn fresh(folder: &Path) -> Result<PathBuf> {
    let fresh = folder.with_extension(format!("new-{}", std::process::id()));
    fs::create_dir_all(&fresh).with_context(|| format!("cannot make {}", fresh.display()))?;
    Ok(fresh)
}

/// Changes when one of the files does.
fn fingerprint(files: &[&Path]) -> Result<String> {
    let mut hash = DefaultHasher::new();
    for file in files {
        hash.write(&fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(format!("{:016x}", hash.finish()))
}
