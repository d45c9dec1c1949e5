//! Who calls: users with an access token, and the inside with its own token.

use domain::token::Claims;
use domain::{secret, token};

use crate::route::Access;
use crate::{Call, Problem, config};

/// Lets a call through to a route; its user, where the route is for users.
///
/// # Errors
/// 401, with a `type` that tells an expired token from a bad one.
pub(crate) fn admit(call: &Call, access: Access) -> Result<Option<Claims>, Problem> {
    match access {
        Access::Public => Ok(None),
        Access::User => user(call).map(Some),
        Access::Internal => internal(call).map(|()| None),
    }
}

fn user(call: &Call) -> Result<Claims, Problem> {
    let missing = || Problem::unauthorized("token-missing", "send `Authorization: Bearer` with an access token");
    let header = call.header("authorization").ok_or_else(missing)?;
    let (scheme, token) = header.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    token::verify(&keys()?, token.trim(), call.now.as_second())
        .map_err(|error| Problem::unauthorized(error.code(), "get a new access token at POST /api/v1/tokens"))
}

/// The keys of access tokens, of which the first signs.
///
/// # Errors
/// 500, with the cause in the log, when the variable `token_keys` has none.
pub fn keys() -> Result<Vec<token::Key>, Problem> {
    token::keys(&config::secret("token_keys")?)
        .map_err(|error| Problem::internal(format!("variable token_keys: {error:?}")))
}

/// The header is the one in which a Dapr sidecar sends its app token.
fn internal(call: &Call) -> Result<(), Problem> {
    let expected = config::secret("internal_token")?;
    let given = call.header("dapr-api-token").unwrap_or_default();
    if !secret::equal(given.as_bytes(), expected.as_bytes()) {
        return Err(Problem::unauthorized("internal-token", "this route is for the inside"));
    }
    Ok(())
}
