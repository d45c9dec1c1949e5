//! What the tests of the application start it with.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The password of the components' roles.
pub const DB_PASSWORD: &str = "role-password-of-tests";
/// What internal routes want to see.
pub const INTERNAL_TOKEN: &str = "internal-token-of-tests";
/// What operators' routes want to see.
pub const OPERATOR_TOKEN: &str = "operator-token-of-tests";
/// 32 bytes, base64url.
pub const TOKEN_KEYS: &str = "test=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

/// The folder of the project.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/host has a root").to_path_buf()
}

/// The variables of an application that listens on `port`, with a database of PostgreSQL on `db_port`.
pub fn variables(db_port: u16, database: &str, port: u16) -> BTreeMap<String, String> {
    let values = [
        ("db_host", format!("127.0.0.1:{db_port}")),
        ("db_name", database.to_owned()),
        ("db_password", DB_PASSWORD.to_owned()),
        ("token_keys", TOKEN_KEYS.to_owned()),
        ("internal_token", INTERNAL_TOKEN.to_owned()),
        ("operator_token", OPERATOR_TOKEN.to_owned()),
        ("internal_base", format!("http://127.0.0.1:{port}")),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
