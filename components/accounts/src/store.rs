//! One function a statement.

use domain::account::{SignUp, email_key};
use edge::{Call, Problem, clock, params, row};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

row! {
    /// An account.
    #[derive(Serialize)]
    pub struct AccountRow {
        id: Uuid,
        email: String,
        time_zone: String,
        created_at: Timestamp,
    }
}

row! {
    /// An account that was made, or found under the same id and address.
    pub struct CreatedRow {
        id: Uuid,
        email: String,
        password_hash: String,
        time_zone: String,
        created_at: Timestamp,
        created: bool,
    }
}

row! {
    /// An attempt to sign in.
    pub struct Attempt {
        attempts: i32,
        since: Timestamp,
        id: Option<Uuid>,
        password_hash: Option<String>,
        time_zone: Option<String>,
    }
}

row! {
    /// What became of a refresh token.
    pub struct Rotation {
        session_id: Uuid,
        user_id: Uuid,
        time_zone: String,
        rotated: bool,
    }
}

row! {
    struct Purged { purged: i64 }
}

pub fn create(call: &Call, id: Uuid, sign_up: &SignUp, hash: &str) -> Result<Option<CreatedRow>, Problem> {
    let (email, key) = (sign_up.email.as_str(), email_key(&sign_up.email));
    let parameters = params![id, email, key, hash, sign_up.time_zone.as_str(), call.now];
    call.db()?.first(include_str!("../sql/create.sql"), &parameters)
}

pub fn get(call: &Call) -> Result<Option<AccountRow>, Problem> {
    call.db()?.first(include_str!("../sql/get.sql"), &params![call.user()?.sub])
}

/// Counts the attempt; those before `window` ago are forgotten.
pub fn sign_in(call: &Call, email: &str, window: SignedDuration) -> Result<Attempt, Problem> {
    call.db()?.one(
        include_str!("../sql/sign_in.sql"),
        &params![email_key(email), call.now, clock::shifted(call.now, -window)],
    )
}

pub fn start_session(
    call: &Call,
    (id, user): (Uuid, Uuid),
    refresh_hash: Vec<u8>,
    expires: Timestamp,
    email: &str,
) -> Result<(), Problem> {
    let parameters = params![id, user, refresh_hash, call.now, expires, email_key(email)];
    call.db()?.execute(include_str!("../sql/start_session.sql"), &parameters)
}

/// Exchanges a refresh token; the one before it is taken for `grace` after the last exchange.
pub fn rotate(
    call: &Call,
    presented: Vec<u8>,
    next: Vec<u8>,
    grace: SignedDuration,
) -> Result<Option<Rotation>, Problem> {
    call.db()?
        .first(include_str!("../sql/rotate.sql"), &params![presented, next, call.now, clock::shifted(call.now, -grace)])
}

/// Deletes sessions that have ended and attempts from before `window` ago; answers how many.
pub fn purge(call: &Call, window: SignedDuration) -> Result<i64, Problem> {
    let parameters = params![call.now, clock::shifted(call.now, -window)];
    let row: Purged = call.db()?.one(include_str!("../sql/purge.sql"), &parameters)?;
    Ok(row.purged)
}
