//! The folder of a cluster: `data/`, `password`, `log`, `lock`, `owner`.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::account::Account;

/// Makes the folder, closed to everyone but the server's account, and returns its full path: `dir`, or a folder
/// under /var/tmp when the account cannot reach `dir`.
pub fn prepare(dir: &Path, account: Option<&Account>) -> Result<PathBuf> {
    let wanted = make(dir)?;
    let place = match account {
        Some(account) if !account.can_reach(&wanted) => {
            let elsewhere = make(&substitute(&wanted))?;
            eprintln!(
                "PostgreSQL runs as {}, who cannot reach {}: the database is in {}",
                account.name,
                wanted.display(),
                elsewhere.display()
            );
            elsewhere
        }
        _ => wanted,
    };
    fs::set_permissions(&place, Permissions::from_mode(0o700))?;
    if let Some(account) = account {
        account.own(&place)?;
    }
    Ok(place)
}

fn make(dir: &Path) -> Result<PathBuf> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))
}

/// The same folder always gets the same substitute.
fn substitute(dir: &Path) -> PathBuf {
    let name = hex(&Sha256::digest(dir.as_os_str().as_encoded_bytes())[..6]);
    Path::new("/var/tmp").join(format!("spindle-{name}"))
}

/// The owner's password, made on first use and kept in a file that only the server's account can read.
pub fn password(place: &Path, account: Option<&Account>) -> Result<String> {
    let path = place.join("password");
    match fs::read_to_string(&path) {
        Ok(password) if !password.is_empty() => return Ok(password),
        _ => {}
    }
    let password = random_hex()?;
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(password.as_bytes())?;
    if let Some(account) = account {
        account.own(&path)?;
    }
    Ok(password)
}

/// 32 bytes of the system's randomness in lower-case hex.
pub fn random_hex() -> Result<String> {
    let mut bytes = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read randomness")?;
    Ok(hex(&bytes))
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
