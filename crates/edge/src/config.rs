//! Variables of the component, as `spin.toml` lists them.

use crate::Problem;

/// The value of a variable.
///
/// # Errors
/// 500, with the variable's name in the log, when it is not set.
pub fn get(name: &str) -> Result<String, Problem> {
    spin_sdk::variables::get(name)
        .map_err(|error| Problem::internal(format!("variable {name} is not set: {error}; see spin.toml")))
}

/// The value of a variable that must not be empty.
///
/// # Errors
/// 500, with the variable's name in the log, when it is not set or empty.
pub fn secret(name: &str) -> Result<String, Problem> {
    get(name).and_then(|value| match value.is_empty() {
        true => Err(Problem::internal(format!("variable {name} is empty; this route refuses to run without it"))),
        false => Ok(value),
    })
}
