//! What an account may be.

use serde_json::Value;

use crate::input::{self, FieldError, Input};
use crate::zone;

/// A request to sign up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUp {
    /// Client-made id, so that the request is safe to repeat.
    pub id: Option<uuid::Uuid>,
    /// As typed, without blanks around it.
    pub email: String,
    /// 10 to 200 characters.
    pub password: String,
    /// IANA name; UTC if none was given.
    pub time_zone: String,
}

/// A request for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// Sign in.
    Password {
        /// As typed.
        email: String,
        /// As typed.
        password: String,
    },
    /// Go on with a session.
    Refresh {
        /// The token handed out last.
        refresh_token: String,
    },
}

/// The form of an address that is compared: lower case.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Reads a request to sign up.
///
/// # Errors
/// All faults of the body.
pub fn sign_up(body: &Value) -> Result<SignUp, Vec<FieldError>> {
    let mut input = Input::new(body, &["id", "email", "password", "time_zone"])?;
    let id = input.read("id", |value| input::uuid_v7(value).map(Some)).over(None, None);
    let email = input.require("email", email);
    let password = input.require("password", |value| password(value, 10));
    let time_zone = input.read("time_zone", time_zone).over("UTC".to_owned(), "UTC".to_owned());
    input.finish()?;
    Ok(SignUp { id, email: email.unwrap_or_default(), password: password.unwrap_or_default(), time_zone })
}

/// Reads a request for tokens.
///
/// # Errors
/// All faults of the body.
pub fn grant(body: &Value) -> Result<Grant, Vec<FieldError>> {
    let mut input = Input::new(body, &["email", "password", "refresh_token"])?;
    if input.has("refresh_token") {
        let token = input.require("refresh_token", |value| input::text(value, 1, 200));
        for other in ["email", "password"] {
            if input.has(other) {
                input.fault(other, "unknown", "give either a refresh_token, or an email and a password");
            }
        }
        input.finish()?;
        return Ok(Grant::Refresh { refresh_token: token.unwrap_or_default() });
    }
    let email = input.require("email", email);
    let password = input.require("password", |value| password(value, 1));
    input.finish()?;
    Ok(Grant::Password { email: email.unwrap_or_default(), password: password.unwrap_or_default() })
}

/// One `@` with something on both sides: only a mail to it can tell more.
fn email(value: &Value) -> Result<String, (&'static str, String)> {
    let email = input::text(value, 3, 254)?.trim().to_owned();
    let well_formed = email
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if !well_formed || email.chars().any(char::is_whitespace) {
        return Err(("format", "must be an e-mail address".to_owned()));
    }
    Ok(email)
}

fn password(value: &Value, min: usize) -> Result<String, (&'static str, String)> {
    input::text(value, min, 200)
}

fn time_zone(value: &Value) -> Result<String, (&'static str, String)> {
    let name = input::text(value, 1, 100)?;
    match zone::zone(&name) {
        Ok(_) => Ok(name),
        Err(_) => Err(("format", "must be an IANA time zone such as Europe/Berlin".to_owned())),
    }
}
