//! The secrets that sign tokens.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// The shortest secret, in bytes: as long as the hash (RFC 7518 section 3.2).
const MIN_SECRET: usize = 32;
/// The longest key id, in bytes.
const MAX_KID: usize = 64;
/// The most keys: one that signs, and others that are on their way out.
const MAX_KEYS: usize = 8;
/// SHA-256's block, to which HMAC fills a key up (RFC 2104 section 2).
const BLOCK: usize = 64;

/// A secret that signs and checks tokens, found by its id.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The id that a token's header names.
    pub kid: String,
    /// At least 32 random bytes.
    pub secret: Vec<u8>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Key {
    /// HMAC-SHA-256 of a message under this key.
    pub(super) fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.hmac(message).finalize().into_bytes().into()
    }

    /// Whether `mac` is this key's MAC of the message, compared in constant time.
    pub(super) fn signed(&self, message: &[u8], mac: &[u8]) -> bool {
        self.hmac(message).verify_slice(mac).is_ok()
    }

    /// Fills the key up to a block itself, because the constructor for a whole block cannot fail.
    fn hmac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut block = [0; BLOCK];
        let hash = Sha256::digest(&self.secret);
        let key = if self.secret.len() > BLOCK { hash.as_slice() } else { &self.secret };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        Hmac::new(&block.into()).chain_update(message)
    }
}

/// Why a list of keys cannot be used. The message names the key id, never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token keys: {}; write kid=base64url,kid2=base64url", self.0)
    }
}

impl std::error::Error for KeyError {}

/// Reads `kid=base64url,kid2=base64url`, at most eight keys. The first signs, all of them verify.
///
/// A kid is 1 to 64 letters, digits, `-`, `_` or `.`, and a secret at least 32 bytes in base64url without padding.
pub fn keys(text: &str) -> Result<Vec<Key>, KeyError> {
    let mut keys: Vec<Key> = Vec::new();
    for entry in text.split(',') {
        let key = key(entry)?;
        if keys.iter().any(|other| other.kid == key.kid) {
            return Err(KeyError(format!("the kid {} comes twice", key.kid)));
        }
        if keys.len() == MAX_KEYS {
            return Err(KeyError(format!("there are more than {MAX_KEYS}")));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn key(entry: &str) -> Result<Key, KeyError> {
    let (kid, secret) = entry.split_once('=').ok_or_else(|| KeyError("an entry has no \"=\"".to_owned()))?;
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
    if kid.is_empty() || kid.len() > MAX_KID || !kid.bytes().all(plain) {
        return Err(KeyError(format!("a kid is 1 to {MAX_KID} letters, digits, \"-\", \"_\" or \".\"")));
    }
    let secret = URL_SAFE_NO_PAD.decode(secret);
    let secret = secret.map_err(|_| KeyError(format!("the secret of {kid} is not base64url without padding")))?;
    if secret.len() < MIN_SECRET {
        return Err(KeyError(format!("the secret of {kid} has fewer than {MIN_SECRET} bytes")));
    }
    Ok(Key { kid: kid.to_owned(), secret })
}
