//! Who calls: users with an access token, the inside and operators with a token of their own.

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
        Access::Operator => operator(call).map(|()| None),
    }
}

fn user(call: &Call) -> Result<Claims, Problem> {
    let token = bearer(call, "send `Authorization: Bearer` with an access token")?;
    token::verify(&keys()?, &token, call.now.as_second())
        .map_err(|error| Problem::unauthorized(error.code(), "get a new access token at POST /api/v1/tokens"))
}

/// The token of the header `authorization` (RFC 6750, section 2.1); `advice` is for who sends none.
fn bearer(call: &Call, advice: &str) -> Result<String, Problem> {
    let header = call.header("authorization").unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim().to_owned()),
        _ => Err(Problem::unauthorized("token-missing", advice)),
    }
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

/// A token that does not end and belongs to nobody: who has it looks after the service.
fn operator(call: &Call) -> Result<(), Problem> {
    let expected = config::secret("operator_token")?;
    let given = bearer(call, "send `Authorization: Bearer` with the operator's token")?;
    if !secret::equal(given.as_bytes(), expected.as_bytes()) {
        return Err(Problem::unauthorized("operator-token", "this route is for who looks after the service"));
    }
    Ok(())
}
