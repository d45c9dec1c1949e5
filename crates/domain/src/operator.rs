//! What an operator may ask for about events that a consumer has given up. The routes and the command read it alike.

use serde_json::Value;
use uuid::Uuid;

use crate::event::{CONSUMERS, UNREADABLE};
use crate::input::{self, FieldError, Input};

/// The most dead events that one statement lets be tried again.
pub const REDRIVEN_AT_ONCE: i64 = 1000;

/// The longest stream or type that is looked for, in characters.
const NAME: usize = 200;

/// The longest reason, in characters.
const REASON: usize = 500;

/// A fault's code and what is allowed.
type Fault = (&'static str, String);

/// Which dead events are listed; what is not given lets all pass.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Filter {
    /// One of [`CONSUMERS`].
    pub consumer: Option<String>,
    /// Such as `task/<id>`.
    pub stream: Option<String>,
    /// Such as `dev.spindle.task.created.v1`.
    pub kind: Option<String>,
}

/// Which of a consumer's dead events are tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// One.
    Event(Uuid),
    /// Those of a stream.
    Stream(String),
    /// Those of a type.
    Type(String),
    /// All.
    All,
}

impl Which {
    /// As `redrive.sql` takes it: id, stream, type, all.
    pub fn columns(self) -> (Option<Uuid>, Option<String>, Option<String>, bool) {
        match self {
            Which::Event(id) => (Some(id), None, None, false),
            Which::Stream(stream) => (None, Some(stream), None, false),
            Which::Type(kind) => (None, None, Some(kind), false),
            Which::All => (None, None, None, true),
        }
    }
}

/// A request to let a consumer try dead events again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// One of [`CONSUMERS`].
    pub consumer: String,
    /// Which of its events.
    pub which: Which,
}

/// A request to give up a dead event for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// One of [`CONSUMERS`].
    pub consumer: String,
    /// The event.
    pub id: Uuid,
    /// Why, in 1 to 500 characters, without blanks around it; kept for ever in the audit log.
    pub reason: String,
}

/// Reads the filters among a query's parameters.
///
/// # Errors
/// All faults, each with the parameter's name.
pub fn filter(parameters: &[(String, String)]) -> Result<Filter, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut read = |name: &str, parse: fn(&Value) -> Result<String, Fault>| {
        let (_, value) = parameters.iter().find(|(other, _)| other == name)?;
        let fault = |(code, detail)| FieldError { pointer: name.to_owned(), code, detail };
        parse(&Value::from(value.as_str())).map_err(|found| errors.push(fault(found))).ok()
    };
    let (consumer, stream, kind) = (read("consumer", consumer), read("stream", name), read("type", name));
    if errors.is_empty() { Ok(Filter { consumer, stream, kind }) } else { Err(errors) }
}

/// Reads a request to let dead events be tried again: `consumer`, and one of `id`, `stream`, `type` and `all`.
///
/// # Errors
/// All faults of the body.
pub fn redrive(body: &Value) -> Result<Redrive, Vec<FieldError>> {
    const FILTERS: [&str; 4] = ["id", "stream", "type", "all"];
    let mut input = Input::new(body, &["consumer", "id", "stream", "type", "all"])?;
    let consumer = input.require("consumer", consumer);
    let given: Vec<&str> = FILTERS.into_iter().filter(|name| input.has(name)).collect();
    let which = match given.split_first() {
        None => {
            input.fault("id", "required", "say which: an id, a stream, a type, or all");
            None
        }
        Some((first, others)) => {
            for other in others {
                input.fault(other, "unknown", "give only one of id, stream, type and all");
            }
            which(&mut input, first)
        }
    };
    input.finish()?;
    // what is missing is a fault by now; a type without a name matches nothing
    Ok(Redrive { consumer: consumer.unwrap_or_default(), which: which.unwrap_or(Which::Type(String::new())) })
}

fn which(input: &mut Input<'_>, field: &str) -> Option<Which> {
    match field {
        "id" => input.require("id", |value| id(value).map(Which::Event)),
        "stream" => input.require("stream", |value| name(value).map(Which::Stream)),
        "type" => input.require("type", |value| kind(value).map(Which::Type)),
        _ => input.require("all", |value| match value.as_bool() {
            Some(true) => Ok(Which::All),
            _ => Err(("type", "must be true, or not be there".to_owned())),
        }),
    }
}

/// Reads a request to give up a dead event: `consumer`, `id` and `reason`.
///
/// # Errors
/// All faults of the body.
pub fn skip(body: &Value) -> Result<Skip, Vec<FieldError>> {
    let mut input = Input::new(body, &["consumer", "id", "reason"])?;
    let consumer = input.require("consumer", consumer);
    let id = input.require("id", id);
    let reason = input.require("reason", reason);
    input.finish()?;
    Ok(Skip { consumer: consumer.unwrap_or_default(), id: id.unwrap_or_default(), reason: reason.unwrap_or_default() })
}

fn consumer(value: &Value) -> Result<String, Fault> {
    match value.as_str() {
        Some(name) if CONSUMERS.contains(&name) => Ok(name.to_owned()),
        Some(_) => Err(("format", format!("must be one of {}", CONSUMERS.join(", ")))),
        None => Err(("type", "must be a string".to_owned())),
    }
}

fn id(value: &Value) -> Result<Uuid, Fault> {
    let text = value.as_str().ok_or_else(|| ("type", "must be a string with a UUID".to_owned()))?;
    Uuid::try_parse(text).map_err(|_| ("format", "must be a UUID".to_owned()))
}

fn name(value: &Value) -> Result<String, Fault> {
    input::text(value, 1, NAME)
}

fn kind(value: &Value) -> Result<String, Fault> {
    match name(value)? {
        kind if kind == UNREADABLE => {
            Err(("format", "what is no event cannot be applied: skip it by its id".to_owned()))
        }
        kind => Ok(kind),
    }
}

fn reason(value: &Value) -> Result<String, Fault> {
    let reason = input::text(value, 1, REASON)?.trim().to_owned();
    if reason.is_empty() {
        return Err(("length", "must say why, in words".to_owned()));
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "0197a000-0000-7000-8000-000000000002";

    fn pointers<T>(read: Result<T, Vec<FieldError>>) -> Vec<(String, &'static str)> {
        let errors = read.err().unwrap_or_default();
        errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }

    #[test]
    fn one_filter_says_what_is_redriven() {
        let which = |filter: Value| {
            let mut body = json!({"consumer": "audit"});
            body.as_object_mut().unwrap().extend(filter.as_object().unwrap().clone());
            redrive(&body).map(|redrive| redrive.which)
        };
        assert_eq!(which(json!({"id": ID})), Ok(Which::Event(ID.parse().unwrap())));
        assert_eq!(which(json!({"stream": "task/x"})), Ok(Which::Stream("task/x".into())));
        assert_eq!(which(json!({"type": "x.v1"})), Ok(Which::Type("x.v1".into())));
        assert_eq!(which(json!({"all": true})), Ok(Which::All));
        for (filter, found) in [
            (json!({}), vec![("/id", "required")]),
            (json!({"all": false}), vec![("/all", "type")]),
            (json!({"all": null}), vec![("/all", "required")]),
            (json!({"id": "x"}), vec![("/id", "format")]),
            (json!({"stream": ""}), vec![("/stream", "length")]),
            (json!({"type": "unreadable"}), vec![("/type", "format")]),
            (json!({"stream": "s", "all": true}), vec![("/all", "unknown")]),
            (
                json!({"id": 1, "stream": "s", "type": "t"}),
                vec![("/stream", "unknown"), ("/type", "unknown"), ("/id", "type")],
            ),
        ] {
            let expected: Vec<_> = found.into_iter().map(|(field, code)| (field.to_owned(), code)).collect();
            assert_eq!(pointers(which(filter.clone())), expected, "{filter}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        let body = json!({"consumer": "nobody", "ids": [ID]});
        let expected = [("/ids", "unknown"), ("/consumer", "format"), ("/id", "required")];
        assert_eq!(pointers(redrive(&body)), expected.map(|(field, code)| (field.to_owned(), code)));
        let body = json!({"consumer": 7, "id": "x", "reason": "  ", "x": 1});
        let expected = [("/x", "unknown"), ("/consumer", "type"), ("/id", "format"), ("/reason", "length")];
        assert_eq!(pointers(skip(&body)), expected.map(|(field, code)| (field.to_owned(), code)));
        assert_eq!(pointers(skip(&json!([]))), [(String::new(), "type")]);
    }

    #[test]
    fn a_reason_has_up_to_500_characters() {
        let body = |reason: &str| json!({"consumer": "audit", "id": ID, "reason": reason});
        let read = |reason: &str| skip(&body(reason)).map(|skip| skip.reason);
        assert_eq!(read(" no use \n"), Ok("no use".to_owned()));
        assert!(read(&"ü".repeat(500)).is_ok());
        for bad in [String::new(), "ü".repeat(501), "a\0".to_owned()] {
            assert_eq!(pointers(skip(&body(&bad))).len(), 1, "{bad}");
        }
    }

    #[test]
    fn filters_are_read_from_a_query() {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(filter(&pairs(&[("limit", "5")])), Ok(Filter::default()));
        let read = filter(&pairs(&[("consumer", "audit"), ("type", "unreadable")])).unwrap();
        assert_eq!(
            (read.consumer.as_deref(), read.stream, read.kind.as_deref()),
            (Some("audit"), None, Some("unreadable"))
        );
        let bad = filter(&pairs(&[("consumer", "x"), ("stream", ""), ("type", "\0")]));
        let expected = [("consumer", "format"), ("stream", "length"), ("type", "format")];
        assert_eq!(pointers(bad), expected.map(|(field, code)| (field.to_owned(), code)));
    }
}
