//! Reading JSON from outside: as `serde_json` does, but a name that comes twice in the outer object is an error, which
//! readers otherwise settle each in its own way (RFC 8259, section 4).

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Reads a JSON text.
///
/// # Errors
/// What is wrong and where, for a person.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if value.is_object() {
        serde_json::from_slice::<Names>(bytes).map_err(|error| error.to_string())?;
    }
    Ok(value)
}

/// The names of an object, each once.
struct Names;

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Names)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Names, M::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            if !seen.insert(name) {
                return Err(M::Error::custom("a field comes twice"));
            }
        }
        Ok(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn takes_what_is_json() {
        for text in ["{}", "[1, {\"a\": 1, \"b\": {\"a\": 2}}]", "null", "{\"a\": 1, \"b\": 1, \"A\": 1}"] {
            assert_eq!(parse(text.as_bytes()).map(|value| value.to_string().is_empty()), Ok(false), "{text}");
        }
    }

    #[test]
    fn refuses_a_name_that_comes_twice_however_it_is_spelt() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"b":2,"\u0061":1}"#] {
            assert!(parse(text.as_bytes()).is_err_and(|error| error.starts_with("a field comes twice")), "{text}");
        }
        assert!(parse(b"{").is_err());
    }
}
