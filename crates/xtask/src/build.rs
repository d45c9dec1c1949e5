//! Building the components.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::step::{Line, timed};

/// What the components are built for: WASI 0.2.
pub const TARGET: &str = "wasm32-wasip2";

/// A component begins with 1.5 MiB of memory, which is enough for nearly every request, half a megabyte of it for its
/// stack. To grow it, and to take that back when the instance ends, is a system call each, which stops every thread of
/// the host to flush its page tables; and the less there is, the less page table the host walks to reset it.
const MEMORY: &str = "-Clink-arg=-zstack-size=524288 -Clink-arg=--initial-memory=1572864";

/// `cargo xtask build`.
pub fn build(root: &Path, release: bool) -> Result<()> {
    timed("build", "components", || components(root))?;
    print!("{}", sizes(root)?);
    if release {
        timed("build", "spindle", || Line::new(["cargo", "build", "--profile=native", "-p", "host"]).run(root))?;
        println!("target/native/spindle is ready");
    }
    Ok(())
}

/// Builds every component, bringing the target first where it is missing.
pub fn components(root: &Path) -> Result<()> {
    bring_target(root)?;
    let mut words = vec!["build".to_string(), "--release".to_string(), format!("--target={TARGET}")];
    words.extend(names(root)?.into_iter().map(|name| format!("-p={name}")));
    words.insert(0, "cargo".to_string());
    Line::new(words).with("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", MEMORY).run(root)
}

/// The names of the components: the folders of `components/` that hold a package.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("components");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join("Cargo.toml").is_file() {
            names.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("{} holds no component", folder.display());
    }
    Ok(names)
}

/// Where a component's module is built to.
pub fn module(root: &Path, name: &str) -> PathBuf {
    root.join("target").join(TARGET).join("release").join(format!("{}.wasm", name.replace('-', "_")))
}

/// The components with the sizes of their modules.
fn sizes(root: &Path) -> Result<String> {
    let mut table = String::new();
    for name in names(root)? {
        let path = module(root, &name);
        let bytes = fs::metadata(&path).with_context(|| format!("{} was not built", path.display()))?.len();
        table.push_str(&format!("  {name:<16} {:>7} kB\n", bytes.div_ceil(1000)));
    }
    Ok(table)
}

/// Makes the active toolchain able to build for the target.
pub fn bring_target(root: &Path) -> Result<()> {
    let sysroot = Line::new(["rustc", "--print", "sysroot"]).output(root)?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib");
    if has_std(&library) {
        return Ok(());
    }
    eprintln!("the target {TARGET} is missing: bringing it, which may take two minutes");
    if Line::new(["rustup", "target", "add", TARGET]).output(root).is_ok() && has_std(&library) {
        return Ok(());
    }
    let script = Line::new(["bash", "crates/xtask/wasm-target.sh"]);
    script.run(root).with_context(|| format!("the target {TARGET} is missing: run `rustup target add {TARGET}`"))
}

fn has_std(library: &Path) -> bool {
    let files = fs::read_dir(library).into_iter().flatten().flatten();
    files.map(|file| file.file_name()).any(|name| name.to_string_lossy().starts_with("libstd-"))
}
