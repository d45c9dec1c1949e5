//! How our types cross to PostgreSQL and back. Instants cross as `timestamp` in UTC: Spin cannot carry `timestamptz`.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::Timestamp;
use serde_json::Value;
use spin_sdk::pg4::{DbValue, ParameterValue};
use uuid::Uuid;

/// A type that a column can have.
pub trait Column: Sized {
    /// Takes a value, or gives it back if it does not fit.
    ///
    /// # Errors
    /// The value.
    fn take(value: DbValue) -> Result<Self, DbValue>;
}

/// A type that a parameter can have.
pub trait Parameter {
    /// As the database takes it.
    fn parameter(self) -> ParameterValue;
}

macro_rules! plain {
    ($($kind:ty => $variant:ident),* $(,)?) => { $(
        impl Column for $kind {
            fn take(value: DbValue) -> Result<Self, DbValue> {
                match value {
                    DbValue::$variant(value) => Ok(value),
                    other => Err(other),
                }
            }
        }
        impl Parameter for $kind {
            fn parameter(self) -> ParameterValue {
                ParameterValue::$variant(self)
            }
        }
    )* };
}
plain!(bool => Boolean, f64 => Floating64, i32 => Int32, i64 => Int64, String => Str, Vec<u8> => Binary);

impl<T: Column> Column for Option<T> {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::DbNull => Ok(None),
            value => T::take(value).map(Some),
        }
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn parameter(self) -> ParameterValue {
        self.map_or(ParameterValue::DbNull, Parameter::parameter)
    }
}

impl Parameter for &str {
    fn parameter(self) -> ParameterValue {
        ParameterValue::Str(self.to_owned())
    }
}

impl Column for Uuid {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::Uuid(text) => Uuid::try_parse(&text).map_err(|_| DbValue::Uuid(text)),
            other => Err(other),
        }
    }
}

impl Parameter for Uuid {
    fn parameter(self) -> ParameterValue {
        ParameterValue::Uuid(self.to_string())
    }
}

impl Column for Date {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::Date((year, month, day)) => date(year, month, day).ok_or(value),
            other => Err(other),
        }
    }
}

impl Parameter for Date {
    fn parameter(self) -> ParameterValue {
        ParameterValue::Date((i32::from(self.year()), unsigned(self.month()), unsigned(self.day())))
    }
}

impl Column for DateTime {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::Datetime((year, month, day, hour, minute, second, nano)) => {
                let date = date(year, month, day);
                let time = signed(hour).zip(signed(minute)).zip(signed(second)).zip(i32::try_from(nano).ok());
                let parts = date.zip(time);
                let whole = parts.and_then(|(date, (((h, m), s), n))| jiff::civil::Time::new(h, m, s, n).ok().map(|t| date.to_datetime(t)));
                whole.ok_or(value)
            }
            other => Err(other),
        }
    }
}

impl Parameter for DateTime {
    fn parameter(self) -> ParameterValue {
        ParameterValue::Datetime((
            i32::from(self.year()),
            unsigned(self.month()),
            unsigned(self.day()),
            unsigned(self.hour()),
            unsigned(self.minute()),
            unsigned(self.second()),
            u32::try_from(self.subsec_nanosecond()).unwrap_or(0),
        ))
    }
}

impl Column for Timestamp {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        let local = DateTime::take(value)?;
        TimeZone::UTC.to_timestamp(local).map_err(|_| DbValue::Str(local.to_string()))
    }
}

impl Parameter for Timestamp {
    fn parameter(self) -> ParameterValue {
        TimeZone::UTC.to_datetime(self).parameter()
    }
}

impl Column for Value {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::Jsonb(bytes) => serde_json::from_slice(&bytes).map_err(|_| DbValue::Jsonb(bytes)),
            other => Err(other),
        }
    }
}

impl Parameter for &Value {
    fn parameter(self) -> ParameterValue {
        ParameterValue::Jsonb(self.to_string().into_bytes())
    }
}

impl Column for Vec<String> {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::ArrayStr(items) => Ok(items.into_iter().flatten().collect()),
            other => Err(other),
        }
    }
}

impl Parameter for Vec<String> {
    fn parameter(self) -> ParameterValue {
        ParameterValue::ArrayStr(self.into_iter().map(Some).collect())
    }
}

impl Column for Vec<i32> {
    fn take(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::ArrayInt32(items) => Ok(items.into_iter().flatten().collect()),
            other => Err(other),
        }
    }
}

impl Parameter for Vec<i32> {
    fn parameter(self) -> ParameterValue {
        ParameterValue::ArrayInt32(self.into_iter().map(Some).collect())
    }
}

fn date(year: i32, month: u8, day: u8) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, signed(month)?, signed(day)?).ok()
}

fn signed(part: u8) -> Option<i8> {
    i8::try_from(part).ok()
}

fn unsigned(part: i8) -> u8 {
    u8::try_from(part).unwrap_or(0)
}
