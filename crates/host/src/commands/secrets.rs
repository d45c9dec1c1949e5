//! The secrets of an installation on this machine: made on first use, kept in a file that only its owner can read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use host::cluster::random_hex;

const HEADER: &str = "\
# The secrets of this installation, as variables for `spin up` and `spindle up`. Keep them private, and keep them:
# without the keys every session ends. To change the key, put a new one in front (k2=…,k1=…) and start again.
";

/// Values of application variables, by name.
pub type Secrets = BTreeMap<String, String>;

/// Reads `secrets.env` in the folder, adding what it lacks. Commands that come at the same time get the same secrets.
///
/// # Errors
/// When the file cannot be read or written, or has a line that is no `SPIN_VARIABLE_NAME=value`.
pub fn load(folder: &Path) -> Result<Secrets> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    // Held until the return: without it the first two commands of an installation would each make secrets of their own.
    let turn = File::open(folder)?;
    turn.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
    let path = folder.join("secrets.env");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut secrets = parse(&text).with_context(|| format!("cannot read {}", path.display()))?;
    let known = secrets.len();
    // 64 hex digits are base64url too: 48 bytes, of which a key needs 32.
    let tokens = ["internal_token", "operator_token", "dapr_api_token", "db_password"];
    for (name, prefix) in tokens.map(|name| (name, "")).into_iter().chain([("token_keys", "k1=")]) {
        if !secrets.contains_key(name) {
            secrets.insert(name.to_string(), format!("{prefix}{}", random_hex()?));
        }
    }
    if secrets.len() > known {
        write(folder, &path, &secrets).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(secrets)
}

/// The password of the components' roles: `SPIN_VARIABLE_DB_PASSWORD` if set, as for the components, else the file's.
///
/// # Errors
/// As [`load`].
pub fn db_password(folder: &Path) -> Result<String> {
    match std::env::var("SPIN_VARIABLE_DB_PASSWORD").ok().filter(|password| !password.is_empty()) {
        Some(password) => Ok(password),
        None => load(folder)?.remove("db_password").context("there is no db_password"),
    }
}

fn parse(text: &str) -> Result<Secrets> {
    let mut secrets = Secrets::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .strip_prefix("SPIN_VARIABLE_")
            .and_then(|line| line.split_once('='))
            .with_context(|| format!("line {} is no SPIN_VARIABLE_NAME=value", index + 1))?;
        secrets.insert(name.to_ascii_lowercase(), value.trim_matches('\'').to_string());
    }
    Ok(secrets)
}

/// The file appears whole, under its name, with its mode.
fn write(folder: &Path, path: &Path, secrets: &Secrets) -> Result<()> {
    let mut text = HEADER.to_string();
    for (name, value) in secrets {
        writeln!(text, "SPIN_VARIABLE_{}='{value}'", name.to_ascii_uppercase())?;
    }
    let fresh = folder.join("secrets.env.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(fs::rename(&fresh, path)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_kept() {
        let folder = std::env::temp_dir().join(format!("spindle-secrets-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let first = load(&folder).unwrap();
        assert_eq!(load(&folder).unwrap(), first);
        let names = ["dapr_api_token", "db_password", "internal_token", "operator_token", "token_keys"];
        assert_eq!(first.keys().collect::<Vec<_>>(), names);
        let path = folder.join("secrets.env");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mut text = fs::read_to_string(&path).unwrap();
        text = text.replace("SPIN_VARIABLE_INTERNAL_TOKEN", "SPIN_VARIABLE_OTHER");
        fs::write(&path, text).unwrap();
        let second = load(&folder).unwrap();
        assert_eq!(second["other"], first["internal_token"], "what is there stays");
        assert_ne!(second["internal_token"], first["internal_token"], "what lacks is made");
        fs::write(&path, "nonsense\n").unwrap();
        assert!(format!("{:#}", load(&folder).unwrap_err()).contains("line 1 is no"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn commands_at_the_same_time_get_the_same() {
        let folder = std::env::temp_dir().join(format!("spindle-secrets-turn-{}", std::process::id()));
        let loads: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..8).map(|_| scope.spawn(|| load(&folder).unwrap())).collect();
            started.into_iter().map(|each| each.join().unwrap()).collect()
        });
        fs::remove_dir_all(&folder).unwrap();
        assert!(loads.windows(2).all(|two| two[0] == two[1]));
    }

    #[test]
    fn a_fresh_key_signs() {
        let folder = std::env::temp_dir().join(format!("spindle-key-{}", std::process::id()));
        let keys = domain::token::keys(&load(&folder).unwrap()["token_keys"]);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(keys.unwrap().len(), 1);
    }
}
