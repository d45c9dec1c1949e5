//! Statements and rows. A statement is one .sql file; a row is a struct whose fields stand in the order of its columns.

use domain::page::Cursor;
use jiff::Timestamp;
use spin_sdk::pg4::{Connection, DbValue, ParameterValue};
use spin_sdk::wit::pg4::{Error, QueryError};

use uuid::Uuid;

use crate::Problem;

/// A connection to PostgreSQL, held until the request has been answered.
pub struct Db(Connection);

impl Db {
    /// Takes a connection.
    ///
    /// # Errors
    /// 503 when there is none.
    pub fn open(url: &str) -> Result<Self, Problem> {
        Connection::open(url).map(Self).map_err(|error| failed("connect", &error))
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// 503 or 500, with the cause for the log.
    pub fn rows<R: Row>(&self, sql: &str, parameters: &[ParameterValue]) -> Result<Vec<R>, Problem> {
        let set = self.0.query(sql, parameters).map_err(|error| failed(sql, &error))?;
        if set.rows.is_empty() {
            // Spin names the columns from the first row
            return Ok(Vec::new());
        }
        let names = set.columns.iter().map(|column| column.name.as_str());
        if !names.eq(R::COLUMNS.iter().copied()) {
            return Err(Problem::internal(format!("{}: columns are not {}", first_line(sql), R::COLUMNS.join(", "))));
        }
        let rows = set.rows.into_iter().map(|row| R::decode(&mut row.into_iter()));
        rows.collect::<Result<_, _>>()
            .map_err(|Mismatch(what)| Problem::internal(format!("{}: {what}", first_line(sql))))
    }

    /// All rows of a statement, for an answer as they are.
    ///
    /// # Errors
    /// 503 or 500, with the cause for the log.
    pub fn list(&self, sql: &str, parameters: &[ParameterValue]) -> Result<Listed, Problem> {
        let set = self.0.query(sql, parameters).map_err(|error| failed(sql, &error))?;
        Ok(Listed { columns: set.columns.into_iter().map(|column| column.name).collect(), rows: set.rows })
    }

    /// The only row of a statement, if it has one.
    ///
    /// # Errors
    /// 503 or 500, with the cause for the log.
    pub fn first<R: Row>(&self, sql: &str, parameters: &[ParameterValue]) -> Result<Option<R>, Problem> {
        self.rows(sql, parameters).map(|rows| rows.into_iter().next())
    }

    /// The row of a statement that always has one.
    ///
    /// # Errors
    /// 503 or 500, with the cause for the log.
    pub fn one<R: Row>(&self, sql: &str, parameters: &[ParameterValue]) -> Result<R, Problem> {
        self.first(sql, parameters)?.ok_or_else(|| Problem::internal(format!("{}: no row", first_line(sql))))
    }

    /// Runs a statement that answers nothing.
    ///
    /// # Errors
    /// 503 or 500, with the cause for the log.
    pub fn execute(&self, sql: &str, parameters: &[ParameterValue]) -> Result<(), Problem> {
        self.0.execute(sql, parameters).map(|_| ()).map_err(|error| failed(sql, &error))
    }
}

/// Rows for an answer.
pub struct Listed {
    columns: Vec<String>,
    rows: Vec<Vec<DbValue>>,
}

impl Listed {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Writes the first `count` rows as JSON objects with commas between.
    pub(crate) fn write(&self, count: usize, out: &mut Vec<u8>) {
        let names = json::Names::new(self.columns.iter().map(String::as_str));
        for (at, row) in self.rows.iter().take(count).enumerate() {
            out.extend_from_slice(if at == 0 { b"" } else { b"," });
            names.write(row, out);
        }
    }

    /// The key of a row, from its columns `created_at` and `id`.
    pub(crate) fn key(&self, row: usize) -> Option<Cursor> {
        let value = |name| {
            let column = self.columns.iter().position(|column| column == name)?;
            self.rows.get(row)?.get(column)
        };
        match (value("created_at")?, value("id")?) {
            (DbValue::Datetime(at), DbValue::Uuid(id)) => {
                Some(Cursor { at: Timestamp::take(DbValue::Datetime(*at)).ok()?, id: Uuid::try_parse(id).ok()? })
            }
            _ => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn new(columns: &[&str], rows: Vec<Vec<DbValue>>) -> Self {
        Self { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }
}

/// The statement's comment, which names it in the log.
fn first_line(sql: &str) -> &str {
    sql.lines().next().unwrap_or_default()
}

fn failed(sql: &str, error: &Error) -> Problem {
    let text = match error {
        Error::ConnectionFailed(text) => {
            return Problem::unavailable(format!("PostgreSQL cannot be reached: {text}"));
        }
        Error::QueryFailed(QueryError::DbError(error)) => &format!("{} {}", error.code, error.message),
        Error::QueryFailed(QueryError::Text(text)) | Error::Other(text) => text,
        Error::BadParameter(text) => &format!("a parameter cannot be sent: {text}"),
        Error::ValueConversionFailed(text) => &format!("a value cannot be received: {text}"),
    };
    Problem::internal(format!("{}: {text}", first_line(sql)))
}

/// A value that is not what the row expects.
pub struct Mismatch(String);

/// A row of a result.
pub trait Row: Sized {
    /// The names of the columns, in their order.
    const COLUMNS: &'static [&'static str];
    /// Takes the values in that order.
    ///
    /// # Errors
    /// The first value that does not fit.
    fn decode(values: &mut impl Iterator<Item = DbValue>) -> Result<Self, Mismatch>;
}

/// Takes the next value of a row.
///
/// # Errors
/// When it does not fit.
pub fn next<T: Column>(name: &str, values: &mut impl Iterator<Item = DbValue>) -> Result<T, Mismatch> {
    let value = values.next().unwrap_or(DbValue::DbNull);
    T::take(value).map_err(|_| Mismatch(format!("column {name} has a value of another type")))
}

/// Declares the struct of a row by its columns.
#[macro_export]
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$field_meta])* $vis $field: $kind),+ }
        impl $crate::db::Row for $name {
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            fn decode(
                values: &mut impl Iterator<Item = $crate::db::Value>,
            ) -> Result<Self, $crate::db::Mismatch> {
                Ok(Self { $($field: $crate::db::next(stringify!($field), values)?),+ })
            }
        }
    };
}

pub use spin_sdk::pg4::DbValue as Value;

pub use types::{Column, Parameter};

mod json;
mod types;

/// Makes the list of a statement's parameters.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::db::Parameter::parameter($value)),*] };
}
