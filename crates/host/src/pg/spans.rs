//! What a trace tells of a statement: what it is for, and why it failed. Never its text or an error's, which might hold
//! values.

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};

use crate::bindings::imports::spin::postgres::postgres::{Error, QueryError};
use crate::telemetry::{Scope, Span};

/// Begins the span of a call on `spin:postgres`.
pub fn begin(scope: &Scope, name: &'static str, sql: Option<&str>) -> Span {
    scope.child(|| {
        let mut attributes = vec![KeyValue::new("db.system.name", "postgresql")];
        attributes.extend(sql.map(|sql| KeyValue::new("db.query.summary", summary(sql).to_owned())));
        SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_attributes(attributes)
    })
}

/// Ends it, and tells why it failed, if it did.
pub fn end<T>(span: Span, result: &Result<T, Error>) {
    if let Err(error) = result {
        span.fail(|| kind(error).to_owned());
    }
}

/// The comment at a statement's head, whose writer is a developer, else its first word.
fn summary(sql: &str) -> &str {
    let line = sql.trim_start().lines().next().unwrap_or_default();
    match line.strip_prefix("--") {
        Some(comment) => comment.trim(),
        None => line.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default(),
    }
}

/// The SQLSTATE, or the error's name.
fn kind(error: &Error) -> &str {
    match error {
        Error::QueryFailed(QueryError::DbError(error)) => &error.code,
        Error::QueryFailed(QueryError::Text(_)) => "query_failed",
        Error::ConnectionFailed(_) => "connection_failed",
        Error::BadParameter(_) => "bad_parameter",
        Error::ValueConversionFailed(_) => "value_conversion_failed",
        Error::Other(_) => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_known_by_its_comment_and_never_by_its_values() {
        assert_eq!(summary("-- One task. No row: gone.\n-- $1 user uuid\nselect 1"), "One task. No row: gone.");
        assert_eq!(summary("\n  Select 'secret'"), "Select");
        assert_eq!(summary("insert into a values ('secret')"), "insert");
        assert_eq!(summary("(select 'secret')"), "");
        assert_eq!(summary("'secret'"), "");
        assert_eq!(summary(""), "");
    }
}
