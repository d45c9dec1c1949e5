//! The roles that the components connect as.

use anyhow::{Context, Result, bail};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// The components' roles, as in `migrations/roles.sql` and in the grants of the migrations.
pub const ROLES: [&str; 8] = [
    "spindle_tasks",
    "spindle_recurrence",
    "spindle_reminders",
    "spindle_notifications",
    "spindle_audit",
    "spindle_relay",
    "spindle_accounts",
    "spindle_status",
];

const SCRIPT: &str = include_str!("../../../../migrations/roles.sql");

/// What one pod's pool opens at most on Spin.
const CONNECTIONS: u32 = 64;

/// Makes the components' roles, or sets their password and limits again. Roles belong to the whole cluster.
///
/// # Errors
/// When the connection's role may not create roles.
pub async fn roles(client: &Client, password: &str) -> Result<()> {
    roles_with_limit(client, password, CONNECTIONS).await
}

/// [`roles`] with another connection limit a role: 64 times the pods of the largest deployment.
///
/// # Errors
/// As [`roles`].
pub async fn roles_with_limit(client: &Client, password: &str, connections: u32) -> Result<()> {
    if password.is_empty() || password.contains('\0') {
        bail!("the roles' password is empty: set the variable db_password");
    }
    let sql = script(password, connections);
    // Roles are rows that every database of the cluster shares, and no lock of one database orders their writers.
    for _ in 0..20 {
        match client.batch_execute(&sql).await {
            Err(error) if met_another(&error) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
            other => return other.context("cannot make the roles: the owner's role needs CREATEROLE"),
        }
    }
    bail!("others keep changing the roles: try again")
}

fn met_another(error: &tokio_postgres::Error) -> bool {
    let Some(db) = error.as_db_error() else { return false };
    *db.code() == SqlState::UNIQUE_VIOLATION
        || *db.code() == SqlState::DUPLICATE_OBJECT
        || db.message().contains("concurrently updated")
}

/// The script with psql's two variables filled in.
fn script(password: &str, connections: u32) -> String {
    // The password goes in last, since it may hold anything.
    SCRIPT.replace(":connection_limit", &connections.to_string()).replace(":'password'", &literal(password))
}

/// An SQL string, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_the_list_name_the_same_roles() {
        for role in ROLES {
            assert!(SCRIPT.contains(&format!("'{role}'")), "{role} is not made");
            assert!(SCRIPT.contains(&format!("alter role {role} login")), "{role} gets no password");
        }
        assert_eq!(SCRIPT.matches("alter role spindle_").count(), ROLES.len());
    }

    #[test]
    fn a_password_is_quoted() {
        assert_eq!(literal(r"a'b\c"), r"E'a''b\\c'");
        let sql = script("x :connection_limit", 7);
        assert!(sql.contains("limit 7 password E'x :connection_limit';"), "{sql}");
    }
}
