//! Access tokens: HS256 JSON Web Tokens (RFC 7515, RFC 7519) of type `at+jwt` (RFC 9068 section 2.1).
//!
//! Only Spindle issues and reads them, so a token has exactly one shape: the header holds `alg`, `typ` and `kid` and
//! nothing else (which rules out `crit`, `jku` and the rest), `iss` and `aud` are fixed, and the claims are read
//! only after the signature is known to be good.

mod keys;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use keys::{Key, KeyError, keys};

/// The longest token that is looked at, in bytes.
const MAX_BYTES: usize = 8 * 1024;
/// Seconds by which the clocks of two nodes may differ.
const LEEWAY: i64 = 30;
const ISSUER: &str = "spindle";
const AUDIENCE: &str = "spindle-api";
const ALGORITHM: &str = "HS256";
const TYPE: &str = "at+jwt";

/// What a token says, beside the fixed `iss` and `aud`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user.
    pub sub: Uuid,
    /// The user's IANA zone as the issuer stored it; not looked up again here.
    pub zoneinfo: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// From when on it is no longer good, in seconds since 1970.
    pub exp: i64,
    /// The token's own id.
    pub jti: Uuid,
    /// The session that it was issued in.
    pub sid: Uuid,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It has not the shape of one of our tokens.
    Malformed,
    /// Its key is unknown, or the signature is not made with that key.
    Signature,
    /// It was good once; the client should get a new one.
    Expired,
    /// The signature is good, but the claims are not those of an access token for this service at this time.
    Claims,
}

impl TokenError {
    /// The error's stable code.
    pub fn code(self) -> &'static str {
        match self {
            TokenError::Malformed => "token-malformed",
            TokenError::Signature => "token-signature",
            TokenError::Expired => "token-expired",
            TokenError::Claims => "token-claims",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TokenError::Malformed => "this is no access token of this service; sign in to get one",
            TokenError::Signature => "the access token's signature is not valid; sign in again",
            TokenError::Expired => "the access token has expired; refresh it or sign in again",
            TokenError::Claims => "the access token was not issued for this use; sign in again",
        })
    }
}

impl std::error::Error for TokenError {}

/// The header's only members; serde refuses a member that comes twice.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

/// The claims as they are in the token. Strings are owned on reading, because a token may escape characters.
#[derive(Serialize, Deserialize)]
struct Payload {
    iss: String,
    aud: String,
    sub: String,
    zoneinfo: String,
    iat: i64,
    exp: i64,
    jti: String,
    sid: String,
}

/// The token that says `claims`, signed with `key`.
pub fn sign(key: &Key, claims: &Claims) -> String {
    let header = Header { alg: ALGORITHM, typ: TYPE, kid: &key.kid };
    let payload = Payload {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: claims.sub.to_string(),
        zoneinfo: claims.zoneinfo.clone(),
        iat: claims.iat,
        exp: claims.exp,
        jti: claims.jti.to_string(),
        sid: claims.sid.to_string(),
    };
    let mut token = format!("{}.{}", encode(&header), encode(&payload));
    let mac = key.mac(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(mac, &mut token);
    token
}

/// The claims of a token that one of `keys` signed and that is good at `now_unix`, in seconds since 1970.
///
/// `exp` and an `iat` in the future have a leeway of 30 seconds. The first thing wrong, in the order shape,
/// signature, claims, expiry, is the error.
pub fn verify(keys: &[Key], token: &str, now_unix: i64) -> Result<Claims, TokenError> {
    if token.len() > MAX_BYTES {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);
    let header: Header = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
    if header.alg != ALGORITHM || header.typ != TYPE {
        return Err(TokenError::Malformed);
    }
    let key = keys.iter().find(|key| key.kid == header.kid).ok_or(TokenError::Signature)?;
    if !key.signed(signed.as_bytes(), &signature) {
        return Err(TokenError::Signature);
    }
    let payload: Payload = serde_json::from_slice(&payload).map_err(|_| TokenError::Claims)?;
    let claims = payload.claims().ok_or(TokenError::Claims)?;
    if claims.iat > now_unix.saturating_add(LEEWAY) {
        return Err(TokenError::Claims);
    }
    if now_unix >= claims.exp.saturating_add(LEEWAY) {
        return Err(TokenError::Expired);
    }
    Ok(claims)
}

impl Payload {
    fn claims(self) -> Option<Claims> {
        if self.iss != ISSUER || self.aud != AUDIENCE || self.exp <= self.iat || self.zoneinfo.is_empty() {
            return None;
        }
        let (sub, jti, sid) = (id(&self.sub)?, id(&self.jti)?, id(&self.sid)?);
        Some(Claims { sub, zoneinfo: self.zoneinfo, iat: self.iat, exp: self.exp, jti, sid })
    }
}

/// An id in the one spelling that we write: lower case with hyphens.
fn id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|id| id.hyphenated().to_string() == text)
}

/// JSON in base64url. Serialising plain strings and numbers does not fail; an empty part would verify nowhere.
fn encode(part: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).unwrap_or_default())
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}
