//! Signing up, and looking at one's account.

use domain::account;
use edge::{Call, Problem, Reply, clock};

use crate::password;
use crate::store::{self, AccountRow};

pub fn sign_up(call: &Call) -> Result<Reply, Problem> {
    let sign_up = account::sign_up(&call.json()?)?;
    let id = sign_up.id.unwrap_or_else(|| clock::new_id(call.now));
    let hash = password::hash(&sign_up.password)?;
    let taken = || Problem::conflict("email-taken", "this address has an account; sign in at POST /api/v1/tokens");
    let row = store::create(call, id, &sign_up, &hash)?.ok_or_else(taken)?;
    // the same request again, its first answer lost, knows the password
    if !row.created && !password::fits(&sign_up.password, Some(&row.password_hash)) {
        return Err(taken());
    }
    let status = if row.created { 201 } else { 200 };
    let account = AccountRow { id: row.id, email: row.email, time_zone: row.time_zone, created_at: row.created_at };
    Ok(Reply::json(status, &account))
}

pub fn me(call: &Call) -> Result<Reply, Problem> {
    call.query(&[])?;
    let row = store::get(call)?;
    Ok(Reply::json(200, &row.ok_or_else(|| Problem::not_found("account"))?))
}
