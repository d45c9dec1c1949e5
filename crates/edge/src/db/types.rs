//! How our types cross to PostgreSQL and back. Instants cross as `timestamp` in UTC: Spin cannot carry `timestamptz`.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
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
                let whole = parts.and_then(|(date, (((h, m), s), n))| {
                    jiff::civil::Time::new(h, m, s, n).ok().map(|t| date.to_datetime(t))
                });
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
        Offset::UTC.to_timestamp(local).map_err(|_| DbValue::Str(local.to_string()))
    }
}

impl Parameter for Timestamp {
    fn parameter(self) -> ParameterValue {
        Offset::UTC.to_datetime(self).parameter()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a value becomes in PostgreSQL when it goes there and comes back.
    fn back(parameter: ParameterValue) -> DbValue {
        match parameter {
            ParameterValue::Boolean(value) => DbValue::Boolean(value),
            ParameterValue::Int32(value) => DbValue::Int32(value),
            ParameterValue::Int64(value) => DbValue::Int64(value),
            ParameterValue::Floating64(value) => DbValue::Floating64(value),
            ParameterValue::Str(value) => DbValue::Str(value),
            ParameterValue::Binary(value) => DbValue::Binary(value),
            ParameterValue::Uuid(value) => DbValue::Uuid(value),
            ParameterValue::Date(value) => DbValue::Date(value),
            ParameterValue::Datetime(value) => DbValue::Datetime(value),
            ParameterValue::Jsonb(value) => DbValue::Jsonb(value),
            ParameterValue::ArrayStr(value) => DbValue::ArrayStr(value),
            ParameterValue::ArrayInt32(value) => DbValue::ArrayInt32(value),
            ParameterValue::DbNull => DbValue::DbNull,
            other => panic!("{other:?} is no parameter of ours"),
        }
    }

    fn survives<T: Parameter + Column + Clone + PartialEq + std::fmt::Debug>(value: T) {
        let taken = T::take(back(value.clone().parameter())).map_err(|value| format!("{value:?}"));
        assert_eq!(taken, Ok(value.clone()));
        let some =
            <Option<T> as Column>::take(back(Some(value.clone()).parameter())).map_err(|value| format!("{value:?}"));
        assert_eq!(some, Ok(Some(value)));
        assert!(matches!(<Option<T> as Column>::take(DbValue::DbNull), Ok(None)));
        assert!(T::take(DbValue::DbNull).is_err());
    }

    #[test]
    fn every_type_survives_the_way_there_and_back() {
        survives(true);
        survives(-7_i32);
        survives(i64::MIN);
        survives(0.5_f64);
        survives("text".to_owned());
        survives(vec![0_u8, 255]);
        survives(Uuid::from_u128(7));
        survives(Date::constant(2028, 2, 29));
        survives(DateTime::constant(1999, 12, 31, 23, 59, 59, 999_999_000));
        survives(Timestamp::from_microsecond(1_770_000_000_000_001).unwrap());
        survives(vec!["a".to_owned(), String::new()]);
        survives(vec![0_i32, 30]);
        let json = serde_json::json!({"a": [1, null]});
        assert!(<Value as Column>::take(back((&json).parameter())).is_ok_and(|value| value == json));
        assert!(matches!("x".parameter(), ParameterValue::Str(text) if text == "x"));
    }

    #[test]
    fn a_value_that_does_not_fit_is_given_back() {
        assert!(Uuid::take(DbValue::Uuid("x".into())).is_err());
        assert!(Date::take(DbValue::Date((2026, 2, 30))).is_err());
        assert!(Date::take(DbValue::Date((40_000, 1, 1))).is_err());
        assert!(DateTime::take(DbValue::Datetime((2026, 1, 1, 24, 0, 0, 0))).is_err());
        assert!(<Value as Column>::take(DbValue::Jsonb(b"{".to_vec())).is_err());
        for wrong in [|| DbValue::Boolean(true), || DbValue::Str(String::new())] {
            assert!(Date::take(wrong()).is_err());
            assert!(Timestamp::take(wrong()).is_err());
            assert!(Vec::<String>::take(wrong()).is_err());
            assert!(Vec::<i32>::take(wrong()).is_err());
            assert!(<Value as Column>::take(wrong()).is_err());
            assert!(Uuid::take(wrong()).is_err());
        }
    }
}
