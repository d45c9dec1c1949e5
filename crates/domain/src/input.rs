//! Reading what a client sent, field by field: every fault is collected, each with a JSON pointer (RFC 6901), so that
//! a person sees all of them at once.

use serde_json::{Map, Value};

/// One fault in what a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where: a JSON pointer into the body, or the name of a query parameter.
    pub pointer: String,
    /// What, stable for programs: `required`, `type`, `length`, `range`, `format`, `unknown`, …
    pub code: &'static str,
    /// What is allowed, for a person.
    pub detail: String,
}

impl FieldError {
    /// A fault at a field of the body's top level.
    pub fn at(field: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: format!("/{field}"), code, detail: detail.into() }
    }
}

/// A field as RFC 7396 tells them apart: not there, there as null, there with a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Given<T> {
    /// The field is not in the body.
    Absent,
    /// The field is null: back to its default.
    Null,
    /// The field has a value.
    Value(T),
}

impl<T> Given<T> {
    /// The value to store: the present one if absent, the default if null.
    pub fn over(self, present: T, default: T) -> T {
        match self {
            Given::Absent => present,
            Given::Null => default,
            Given::Value(value) => value,
        }
    }
}

/// The body of a request while its fields are read.
pub struct Input<'a> {
    fields: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<'a> Input<'a> {
    /// Takes a body that must be an object with no other fields than the `known` ones.
    ///
    /// # Errors
    /// One fault when the body is no object.
    pub fn new(body: &'a Value, known: &[&str]) -> Result<Self, Vec<FieldError>> {
        let Value::Object(fields) = body else {
            let detail = "the body must be a JSON object".to_owned();
            return Err(vec![FieldError { pointer: String::new(), code: "type", detail }]);
        };
        let errors = fields
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| FieldError {
                pointer: format!("/{}", escape(name)),
                code: "unknown",
                detail: format!("no such field; the fields are {}", known.join(", ")),
            })
            .collect();
        Ok(Self { fields, errors })
    }

    /// Adds a fault.
    pub fn fault(&mut self, field: &str, code: &'static str, detail: impl Into<String>) {
        self.errors.push(FieldError::at(field, code, detail));
    }

    /// Whether a fault has been noted at this field.
    pub fn faulty(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.pointer.strip_prefix('/') == Some(field))
    }

    /// Whether a field is in the body, null or not.
    pub fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Reads a field with `parse`, which answers the fault's code and what is allowed.
    pub fn read<T>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&Value) -> Result<T, (&'static str, String)>,
    ) -> Given<T> {
        match self.fields.get(field) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(value) => match parse(value) {
                Ok(value) => Given::Value(value),
                Err((code, detail)) => {
                    self.fault(field, code, detail);
                    Given::Absent
                }
            },
        }
    }

    /// Reads a field that must be there and not null; a fault is noted if it is not.
    pub fn require<T>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&Value) -> Result<T, (&'static str, String)>,
    ) -> Option<T> {
        if matches!(self.fields.get(field), None | Some(Value::Null)) {
            self.fault(field, "required", "this field is required");
            return None;
        }
        match self.read(field, parse) {
            Given::Value(value) => Some(value),
            Given::Absent | Given::Null => None,
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All faults found, if any.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}

/// Text of `min..=max` characters without control characters other than line breaks and tabs; NUL above all, which
/// PostgreSQL cannot store.
///
/// # Errors
/// `type`, `length` or `format`, with what is allowed.
pub fn text(value: &Value, min: usize, max: usize) -> Result<String, (&'static str, String)> {
    let Some(text) = value.as_str() else {
        return Err(("type", "must be a string".to_owned()));
    };
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(("format", "must not contain control characters".to_owned()));
    }
    let length = text.chars().count();
    if length < min || length > max {
        return Err(("length", format!("must have {min} to {max} characters, has {length}")));
    }
    Ok(text.to_owned())
}

/// A whole number within `min..=max`.
///
/// # Errors
/// `type` or `range`, with what is allowed.
pub fn integer(value: &Value, min: i64, max: i64) -> Result<i64, (&'static str, String)> {
    let Some(number) = value.as_i64() else {
        return Err(("type", format!("must be a whole number from {min} to {max}")));
    };
    if number < min || number > max {
        return Err(("range", format!("must be from {min} to {max}")));
    }
    Ok(number)
}

/// A client-made id: a UUID of version 7 (RFC 9562, section 5.7).
///
/// # Errors
/// `type` or `format`, with what is allowed.
pub fn uuid_v7(value: &Value) -> Result<uuid::Uuid, (&'static str, String)> {
    let Some(text) = value.as_str() else {
        return Err(("type", "must be a string with a UUID of version 7".to_owned()));
    };
    uuid::Uuid::try_parse(text)
        .ok()
        .filter(|id| id.get_version_num() == 7)
        .ok_or_else(|| ("format", "must be a UUID of version 7".to_owned()))
}

/// Escapes a name for use in a JSON pointer (RFC 6901, section 3).
fn escape(name: &str) -> String {
    let name: String = name.chars().take(100).collect();
    name.replace('~', "~0").replace('/', "~1")
}
