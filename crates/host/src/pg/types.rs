//! Values between guests and PostgreSQL, converted and refused as Spin 3.6.3 does it.
//!
//! Notable: a timestamptz column is announced as a datetime, but reading one fails always, even NULL; enums, json,
//! inet and most arrays arrive as `unsupported` bytes. Ranges are refused here, which Spin would carry.

use std::error::Error as StdError;
use std::str::FromStr as _;

use anyhow::{Context as _, anyhow, bail};
use bytes::{BufMut as _, BytesMut};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use rust_decimal::Decimal;
use tokio_postgres::{Column, Row};
use uuid::Uuid;

use crate::bindings::imports::spin::postgres::postgres::{
    Column as GuestColumn, DbDataType, DbValue, Interval, ParameterValue,
};

/// A parameter on its way to PostgreSQL.
pub type Parameter = Box<dyn ToSql + Send + Sync>;

/// The Rust value for `value`; which PostgreSQL type takes it is checked when it is bound.
pub fn parameter(value: ParameterValue) -> anyhow::Result<Parameter> {
    use ParameterValue as V;
    Ok(match value {
        V::Boolean(v) => Box::new(v),
        V::Int8(v) => Box::new(v),
        V::Int16(v) => Box::new(v),
        V::Int32(v) => Box::new(v),
        V::Int64(v) => Box::new(v),
        V::Floating32(v) => Box::new(v),
        V::Floating64(v) => Box::new(v),
        V::Str(v) => Box::new(v),
        V::Binary(v) => Box::new(v),
        V::Date((y, m, d)) => Box::new(date(y, m, d)?),
        V::Time((h, m, s, ns)) => Box::new(time(h, m, s, ns)?),
        V::Datetime((y, mo, d, h, m, s, ns)) => Box::new(NaiveDateTime::new(date(y, mo, d)?, time(h, m, s, ns)?)),
        V::Timestamp(v) => {
            let instant = DateTime::<Utc>::from_timestamp(v, 0);
            Box::new(instant.ok_or_else(|| anyhow!("invalid epoch timestamp {v}"))?)
        }
        V::Uuid(v) => Box::new(Uuid::parse_str(&v).with_context(|| format!("invalid UUID {v}"))?),
        V::Jsonb(v) => Box::new(serde_json::from_slice::<serde_json::Value>(&v).context("invalid JSON")?),
        V::Decimal(v) => Box::new(decimal(&v)?),
        V::ArrayInt32(v) => Box::new(v),
        V::ArrayInt64(v) => Box::new(v),
        V::ArrayDecimal(v) => Box::new(decimals(v)?),
        V::ArrayStr(v) => Box::new(v),
        V::Interval(v) => Box::new(PgInterval(v)),
        V::DbNull => Box::new(Null),
        V::RangeInt32(_) | V::RangeInt64(_) | V::RangeDecimal(_) => {
            bail!("this host carries no ranges: pass the two bounds and build the range in SQL")
        }
    })
}

fn date(year: i32, month: u8, day: u8) -> anyhow::Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .ok_or_else(|| anyhow!("invalid date y={year}, m={month}, d={day}"))
}

fn time(hour: u8, minute: u8, second: u8, nanos: u32) -> anyhow::Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanos)
        .ok_or_else(|| anyhow!("invalid time {hour}:{minute}:{second}:{nanos}"))
}

fn decimal(text: &str) -> anyhow::Result<Decimal> {
    Decimal::from_str(text).with_context(|| format!("invalid decimal {text}"))
}

fn decimals(texts: Vec<Option<String>>) -> anyhow::Result<Vec<Option<Decimal>>> {
    texts.into_iter().map(|text| text.as_deref().map(decimal).transpose()).collect()
}

/// Name and type of each column, as Spin announces them.
pub fn columns(columns: &[Column]) -> Vec<GuestColumn> {
    let describe = |column: &Column| GuestColumn { name: column.name().into(), data_type: data_type(column.type_()) };
    columns.iter().map(describe).collect()
}

fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(ty.name().into()),
    }
}

/// A row's values. Errors: a timestamptz column, a number that the carrier cannot hold.
pub fn row(row: &Row) -> anyhow::Result<Vec<DbValue>> {
    (0..row.len()).map(|at| value(row, at)).collect()
}

fn value(row: &Row, at: usize) -> anyhow::Result<DbValue> {
    let ty = row.columns().get(at).context("a row has the columns of its statement")?.type_();
    let value = match *ty {
        Type::BOOL => get(row, at)?.map(DbValue::Boolean),
        Type::BYTEA => get(row, at)?.map(DbValue::Binary),
        Type::INT2 => get(row, at)?.map(DbValue::Int16),
        Type::INT4 => get(row, at)?.map(DbValue::Int32),
        Type::INT8 => get(row, at)?.map(DbValue::Int64),
        Type::FLOAT4 => get(row, at)?.map(DbValue::Floating32),
        Type::FLOAT8 => get(row, at)?.map(DbValue::Floating64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => get(row, at)?.map(DbValue::Str),
        // A naive value cannot be read from a timestamptz: the error here is Spin's.
        Type::TIMESTAMP | Type::TIMESTAMPTZ => get(row, at)?.map(from_datetime),
        Type::DATE => get(row, at)?.map(|v: NaiveDate| DbValue::Date(from_date(v))),
        Type::TIME => get(row, at)?.map(|v: NaiveTime| DbValue::Time(from_time(v))),
        Type::UUID => get(row, at)?.map(|v: Uuid| DbValue::Uuid(v.to_string())),
        Type::JSONB => get(row, at)?.map(|v: serde_json::Value| DbValue::Jsonb(v.to_string().into_bytes())),
        Type::NUMERIC => get(row, at)?.map(|v: Decimal| DbValue::Decimal(v.to_string())),
        Type::INT4_ARRAY => get(row, at)?.map(DbValue::ArrayInt32),
        Type::INT8_ARRAY => get(row, at)?.map(DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => get(row, at)?.map(from_decimals),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => get(row, at)?.map(DbValue::ArrayStr),
        Type::INTERVAL => get(row, at)?.map(|PgInterval(v)| DbValue::Interval(v)),
        _ => get(row, at)?.map(|Raw(v)| DbValue::Unsupported(v)),
    };
    Ok(value.unwrap_or(DbValue::DbNull))
}

fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> anyhow::Result<Option<T>> {
    Ok(row.try_get(at)?)
}

fn from_decimals(values: Vec<Option<Decimal>>) -> DbValue {
    DbValue::ArrayDecimal(values.into_iter().map(|value| value.map(|v| v.to_string())).collect())
}

#[allow(clippy::cast_possible_truncation, reason = "months, days, hours, minutes and seconds fit")]
fn from_date(v: NaiveDate) -> (i32, u8, u8) {
    (v.year(), v.month() as u8, v.day() as u8)
}

#[allow(clippy::cast_possible_truncation, reason = "hours, minutes and seconds fit")]
fn from_time(v: NaiveTime) -> (u8, u8, u8, u32) {
    (v.hour() as u8, v.minute() as u8, v.second() as u8, v.nanosecond())
}

fn from_datetime(v: NaiveDateTime) -> DbValue {
    let (year, month, day) = from_date(v.date());
    let (hour, minute, second, nanos) = from_time(v.time());
    DbValue::Datetime((year, month, day, hour, minute, second, nanos))
}

/// Bytes that `value` takes in the host's memory, roughly: to bound a result.
pub fn size(value: &DbValue) -> usize {
    let texts = |v: &[Option<String>]| v.iter().flatten().map(|text| text.len() + 24).sum();
    size_of::<DbValue>()
        + match value {
            DbValue::Str(v) | DbValue::Uuid(v) | DbValue::Decimal(v) => v.len(),
            DbValue::Binary(v) | DbValue::Jsonb(v) | DbValue::Unsupported(v) => v.len(),
            DbValue::ArrayInt32(v) => v.len() * size_of::<Option<i32>>(),
            DbValue::ArrayInt64(v) => v.len() * size_of::<Option<i64>>(),
            DbValue::ArrayDecimal(v) | DbValue::ArrayStr(v) => texts(v),
            _ => 0,
        }
}

type SqlResult<T> = Result<T, Box<dyn StdError + Sync + Send>>;

/// NULL of any type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> SqlResult<IsNull> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value of a type without a carrier, as PostgreSQL sent it.
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> SqlResult<Self> {
        Ok(Raw(raw.into()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// An interval on the wire: microseconds, days, months, big-endian (PostgreSQL's `interval_send`).
#[derive(Debug)]
struct PgInterval(Interval);

impl<'a> FromSql<'a> for PgInterval {
    fn from_sql(_: &Type, raw: &'a [u8]) -> SqlResult<Self> {
        let (micros, rest) = raw.split_first_chunk().ok_or("an interval has 16 bytes")?;
        let (days, rest) = rest.split_first_chunk().ok_or("an interval has 16 bytes")?;
        let (months, _) = rest.split_first_chunk().ok_or("an interval has 16 bytes")?;
        let micros = i64::from_be_bytes(*micros);
        let (days, months) = (i32::from_be_bytes(*days), i32::from_be_bytes(*months));
        Ok(PgInterval(Interval { micros, days, months }))
    }

    accepts!(INTERVAL);
}

impl ToSql for PgInterval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> SqlResult<IsNull> {
        out.put_i64(self.0.micros);
        out.put_i32(self.0.days);
        out.put_i32(self.0.months);
        Ok(IsNull::No)
    }

    accepts!(INTERVAL);
    to_sql_checked!();
}
