//! The folder of migrations.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// One file of SQL.
#[derive(Clone, Debug)]
pub struct Script {
    /// Where it was read from, for messages.
    pub path: PathBuf,
    /// The whole text.
    pub sql: String,
    /// SHA-256 of the text, in lower-case hex.
    pub sha256: String,
}

/// A step of the schema and the way back.
#[derive(Clone, Debug)]
pub struct Migration {
    /// From 1, without gaps.
    pub number: i32,
    /// `0001_account`: the file name without its ending.
    pub name: String,
    /// Makes the step.
    pub up: Script,
    /// Takes it back.
    pub down: Script,
}

/// All migrations, in order.
#[derive(Clone, Debug)]
pub struct Migrations(Vec<Migration>);

impl Script {
    fn read(path: PathBuf) -> Result<Script> {
        let sql = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let digest = Sha256::digest(sql.as_bytes());
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Script { path, sql, sha256 })
    }

    /// Whether the first line asks to run outside a transaction.
    pub fn runs_alone(&self) -> bool {
        self.sql.lines().next().is_some_and(|line| line.trim() == "-- no-transaction")
    }
}

impl Migrations {
    /// Reads a folder. Files that do not end in `.up.sql` or `.down.sql` are left alone.
    ///
    /// # Errors
    /// Names the file when a number is missing, doubled or malformed, or when one of a pair is missing.
    pub fn load(dir: &Path) -> Result<Migrations> {
        let entries = fs::read_dir(dir).with_context(|| format!("cannot read the migrations in {}", dir.display()))?;
        let mut pairs: BTreeMap<String, [Option<PathBuf>; 2]> = BTreeMap::new();
        for entry in entries {
            let path = entry?.path();
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(name) = file.strip_suffix(".up.sql") {
                pairs.entry(name.to_string()).or_default()[0] = Some(path);
            } else if let Some(name) = file.strip_suffix(".down.sql") {
                pairs.entry(name.to_string()).or_default()[1] = Some(path);
            }
        }
        let mut all = Vec::new();
        for (name, pair) in pairs {
            all.push(migration(dir, name, pair, all.len() + 1)?);
        }
        if all.is_empty() {
            bail!("{} holds no NNNN_name.up.sql", dir.display());
        }
        Ok(Migrations(all))
    }

    /// In the order of their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Migration> {
        self.0.iter()
    }

    /// The migration of that number.
    pub fn get(&self, number: i32) -> Option<&Migration> {
        self.0.iter().find(|each| each.number == number)
    }

    /// The highest number.
    pub fn last(&self) -> i32 {
        self.0.last().map_or(0, |each| each.number)
    }
}

fn migration(dir: &Path, name: String, pair: [Option<PathBuf>; 2], expected: usize) -> Result<Migration> {
    let number = number(&name)
        .with_context(|| format!("{}/{name}: call it NNNN_name.up.sql, as in 0001_account.up.sql", dir.display()))?;
    if usize::try_from(number) != Ok(expected) {
        bail!("{}/{name}: the number {expected:04} was expected here: numbers have no gaps or doubles", dir.display());
    }
    let [Some(up), Some(down)] = pair else {
        bail!("{}/{name}: both {name}.up.sql and {name}.down.sql must be there", dir.display());
    };
    Ok(Migration { number, up: Script::read(up)?, down: Script::read(down)?, name })
}

/// The number of `0001_account`.
fn number(name: &str) -> Option<i32> {
    let (digits, words) = name.split_once('_')?;
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !words.is_empty();
    if plain { digits.parse().ok() } else { None }
}
