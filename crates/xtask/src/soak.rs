//! `cargo xtask soak`: everything is killed in turn while users change things, and then nothing may be wrong.

use std::path::Path;

use anyhow::Result;

use crate::checks::cargo;
use crate::{build, parts, tools};

/// How to soak.
#[derive(clap::Args)]
pub struct Arguments {
    /// How long things are changed and killed
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// What decides who dies when; printed by every run
    #[arg(long)]
    seed: Option<u64>,
    /// A known mistake, which must be found: polling-by-id, no-on-conflict, consume-retry-off or answer-204
    #[arg(long)]
    variant: Option<String>,
}

/// Builds and brings what it needs, and runs it.
pub fn soak(root: &Path, arguments: &Arguments) -> Result<()> {
    build::components(root)?;
    tools::redis(root)?;
    let name = "soak::nothing_is_lost_doubled_or_reordered_whatever_dies";
    let line = cargo(&format!("test -p host --test kafka -- --ignored --nocapture --exact {name}"));
    let mut line = parts::bring(root)?.with(line).with("SPINDLE_SOAK_SECONDS", &arguments.seconds.to_string());
    if let Some(seed) = arguments.seed {
        line = line.with("SPINDLE_SOAK_SEED", &seed.to_string());
    }
    if let Some(variant) = &arguments.variant {
        line = line.with("SPINDLE_SOAK_VARIANT", variant);
    }
    line.run(root)
}
