//! Secrets where none may be: in what the broker keeps, and in what hosts and sidecars log.

use std::fs;
use std::path::Path;

use crate::settings::{DB_PASSWORD, INTERNAL_TOKEN, OPERATOR_TOKEN, TOKEN_KEYS};
use crate::stage::API_TOKEN;

/// PostgreSQL's own files, and the file that is the secret store.
const RIGHTLY: [&str; 2] = ["postgres", "secrets.json"];

/// Where secrets, or a user's password, stand in files below a folder.
pub fn secrets_in(folder: &Path) -> Vec<String> {
    let key = TOKEN_KEYS.split('=').nth(1).expect("a key");
    let secrets = [DB_PASSWORD, key, INTERNAL_TOKEN, API_TOKEN, OPERATOR_TOKEN, "the long password of"];
    let mut found = Vec::new();
    let mut read = 0;
    look(folder, &mut |path, bytes| {
        read += 1;
        for secret in secrets.iter().filter(|secret| bytes.windows(secret.len()).any(|part| part == secret.as_bytes()))
        {
            found.push(format!("{} has {secret:?}", path.display()));
        }
    });
    assert!(read > 20, "logs and segments are there to be looked at");
    found
}

fn look(folder: &Path, each: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Kafka's indexes hold offsets only, in ten megabytes each
        if RIGHTLY.iter().any(|rightly| name == *rightly) || name.ends_with("index") {
            continue;
        }
        if path.is_dir() {
            look(&path, each);
        } else if let Ok(bytes) = fs::read(&path) {
            each(&path, &bytes);
        }
    }
}
