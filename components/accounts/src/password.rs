//! Passwords: argon2id as OWASP's password storage sheet has it (19 MiB, two passes, one lane).

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use edge::{Problem, clock};

/// A hash of no password that anybody has: checking against it takes the time that an unknown address must take too.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c3BpbmRsZSBub2JvZHkhIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> Argon2<'static> {
    // these parameters are argon2's own default; named so that a change of the library does not change them
    let params = Params::new(19_456, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a password with a new salt, as a PHC string.
pub fn hash(password: &str) -> Result<String, Problem> {
    let failed = |error| Problem::internal(format!("password hash: {error}"));
    let salt = SaltString::encode_b64(&clock::random(16)).map_err(failed)?;
    argon2().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string()).map_err(failed)
}

/// Whether a password fits a hash; without a hash it takes as long, and does not.
pub fn fits(password: &str, hash: Option<&str>) -> bool {
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else {
        return false;
    };
    argon2().verify_password(password.as_bytes(), &parsed).is_ok() && hash.is_some()
}
