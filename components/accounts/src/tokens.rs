//! Tokens: an access token of five minutes, and a refresh token that is exchanged for the next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::account::{self, Grant};
use domain::token::{self, Claims};
use edge::{Call, Problem, Reply, auth, clock};
use jiff::SignedDuration;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{password, store};

/// How long an access token is good, in seconds.
const ACCESS: i64 = 300;
/// How long a session lasts.
const SESSION: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long the refresh token before the last is still taken, for a client whose answer was lost.
const GRACE: SignedDuration = SignedDuration::from_secs(60);
/// How many attempts to sign in an address has within [`WINDOW`].
const ATTEMPTS: i32 = 10;
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

pub fn grant(call: &Call) -> Result<Reply, Problem> {
    match account::grant(&call.json()?)? {
        Grant::Password { email, password } => sign_in(call, &email, &password),
        Grant::Refresh { refresh_token } => refresh(call, &refresh_token),
    }
}

/// Deletes what has ended, a part at a time.
pub fn tick(call: &Call) -> Result<Reply, Problem> {
    Ok(Reply::json(200, &json!({"purged": store::purge(call, WINDOW)?})))
}

fn sign_in(call: &Call, email: &str, password: &str) -> Result<Reply, Problem> {
    let attempt = store::sign_in(call, email, WINDOW)?;
    if attempt.attempts > ATTEMPTS {
        // rounded up: who waits as long as is said must get in
        let wait = clock::shifted(attempt.since, WINDOW).duration_since(call.now);
        let wait = (wait.as_secs() + i64::from(wait.subsec_nanos() > 0)).max(1);
        let detail = format!("{ATTEMPTS} attempts were made for this address; try again in {wait} seconds");
        let mut problem = Problem::new(429, "too-many-attempts", "Too many attempts to sign in", detail);
        problem.headers.push(("retry-after", wait.to_string()));
        return Err(problem);
    }
    let wrong = || Problem::unauthorized("credentials", "the address or the password is not right");
    if !password::fits(password, attempt.password_hash.as_deref()) {
        return Err(wrong());
    }
    let user = attempt.id.ok_or_else(wrong)?;
    let session = clock::new_id(call.now);
    let refresh = new_refresh_token();
    store::start_session(call, (session, user), digest(&refresh), clock::shifted(call.now, SESSION), email)?;
    answer(call, user, session, attempt.time_zone.unwrap_or_default(), &refresh)
}

fn refresh(call: &Call, presented: &str) -> Result<Reply, Problem> {
    let refresh = new_refresh_token();
    let rotation = store::rotate(call, digest(presented), digest(&refresh), GRACE)?;
    let ended = || Problem::unauthorized("session-ended", "sign in again with email and password");
    let rotation = rotation.filter(|rotation| rotation.rotated).ok_or_else(ended)?;
    answer(call, rotation.user_id, rotation.session_id, rotation.time_zone, &refresh)
}

fn answer(call: &Call, user: Uuid, session: Uuid, time_zone: String, refresh: &str) -> Result<Reply, Problem> {
    let keys = auth::keys()?;
    let key = keys.first().ok_or_else(|| Problem::internal("variable token_keys has no key"))?;
    let iat = call.now.as_second();
    let jti = clock::new_id(call.now);
    let claims = Claims { sub: user, zoneinfo: time_zone, iat, exp: iat + ACCESS, jti, sid: session };
    let body = json!({
        "access_token": token::sign(key, &claims),
        "token_type": "Bearer",
        "expires_in": ACCESS,
        "refresh_token": refresh,
    });
    Ok(Reply::json(200, &body).header("cache-control", "no-store".to_owned()))
}

fn new_refresh_token() -> String {
    URL_SAFE_NO_PAD.encode(clock::random(32))
}

/// Tokens are stored as their digest only.
fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
