//! The schemas of events, compiled once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domain::event::TYPES;
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::{Value, json};

use crate::harness::root;

/// A type's schema.
struct Schema {
    /// What consumers rely on.
    open: Validator,
    /// The same, and nothing that no schema describes: what our own producers keep to.
    closed: Validator,
}

static SCHEMAS: LazyLock<BTreeMap<&str, Schema>> = LazyLock::new(|| TYPES.map(|kind| (kind, compile(kind))).into());

/// Where the schemas are.
pub fn folder() -> PathBuf {
    root().join("schemas/events")
}

/// A JSON file.
pub fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the JSON files of a folder, without `.json`.
pub fn names(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    files.filter_map(|file| file.to_str()?.strip_suffix(".json").map(str::to_owned)).collect()
}

/// Whether a consumer that knows the schema of its type may get such an event.
pub fn allows(event: &Value) -> bool {
    SCHEMAS[event["type"].as_str().expect("a type")].open.is_valid(event)
}

/// Checks an event of our own: as its schema says, nothing that no schema describes, and parts that belong together.
///
/// # Errors
/// The event, its schema, and what is wrong.
pub fn check(event: &Value) -> Result<(), String> {
    let kind = event["type"].as_str().unwrap_or_default();
    let Some(schema) = SCHEMAS.get(kind) else { return Err(format!("{event:#}\nhas a type that has no schema")) };
    let errors = schema.closed.iter_errors(event).map(|error| format!("\n  {}: {error}", error.instance_path()));
    let mut errors: String = errors.collect();
    if errors.is_empty() && !is_coherent(event) {
        errors.push_str("\n  subject and sequence are not those of the data");
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(format!("{event:#}\nis not as schemas/events/{kind}.json says:{errors}"))
    }
}

/// Whether the subject is the thing that the data are about, and the sequence its version where they have one.
fn is_coherent(event: &Value) -> bool {
    let (subject, data) = (event["subject"].as_str().unwrap_or_default(), &event["data"]);
    let Some((thing, id)) = subject.split_once('/') else { return false };
    let sequence: Option<i64> = event["sequence"].as_str().and_then(|digits| digits.parse().ok());
    data[format!("{thing}_id")] == id && data.get("version").is_none_or(|version| version.as_i64() == sequence)
}

fn compile(kind: &str) -> Schema {
    let schema = read(&folder().join(format!("{kind}.json")));
    let mut closed = schema.clone();
    close(&mut closed);
    let options = jsonschema::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_base_uri(format!("schemas:///{kind}.json"))
        .with_retriever(Folder);
    let build = |schema| options.build(schema).unwrap_or_else(|error| panic!("{kind}.json: {error}"));
    Schema { open: build(&schema), closed: build(&closed) }
}

/// Closes the objects of a schema. Those of files that it refers to stay open, since it adds to them.
fn close(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    schema.insert("unevaluatedProperties".to_owned(), json!(false));
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(|all| all.values_mut()).for_each(close);
    schema.get_mut("items").into_iter().for_each(close);
}

/// Finds the files that schemas refer to.
struct Folder;

impl Retrieve for Folder {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let file = folder().join(uri.path().as_str().trim_start_matches('/'));
        Ok(serde_json::from_slice(&std::fs::read(file)?)?)
    }
}

/// An event of each type.
fn samples() -> Vec<Value> {
    TYPES.iter().map(|kind| read(&folder().join(format!("examples/{kind}.json")))).collect()
}

#[test]
fn every_type_has_its_schema() {
    let types = TYPES.map(str::to_owned).into();
    let files: BTreeSet<String> = names(&folder()).into_iter().filter(|name| name.starts_with("dev.")).collect();
    assert_eq!(files, types);
    for name in names(&folder()) {
        let schema = read(&folder().join(format!("{name}.json")));
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    assert_eq!(SCHEMAS.len(), TYPES.len());
}

/// Consumers ignore what they do not know; our producers send nothing that is not described.
#[test]
fn a_field_that_no_schema_describes_is_found() {
    for event in samples() {
        assert_eq!(check(&event), Ok(()));
        for place in ["", "/data"] {
            let mut more = event.clone();
            more.pointer_mut(place).expect("an object")["unheard"] = json!(1);
            assert!(allows(&more), "{more:#}");
            let error = check(&more).expect_err("a field more");
            assert!(error.contains("unheard") && error.contains("is not as schemas/events/dev."), "{error}");
        }
    }
}

/// Objects within shared schemas would stay open, and what is in them would not be checked.
#[test]
fn shared_schemas_hold_no_objects() {
    for name in names(&folder()).into_iter().filter(|name| !name.starts_with("dev.")) {
        let schema = read(&folder().join(format!("{name}.json")));
        let properties = schema["properties"].as_object().expect("properties");
        let objects = properties.iter().filter(|(_, field)| field.to_string().contains("\"object\""));
        let objects: Vec<_> = objects.map(|(field, _)| field.as_str()).collect();
        let expected: &[&str] = if name == "envelope" { &["data"] } else { &[] };
        assert_eq!(objects, expected, "{name}.json: describe objects in the schemas of the types");
    }
}

#[test]
fn parts_that_do_not_belong_together_are_found() {
    for event in samples() {
        let (mut subject, mut sequence) = (event.clone(), event.clone());
        let other = subject["subject"].as_str().expect("a subject").replace('7', "8");
        subject["subject"] = json!(other);
        sequence["sequence"] = json!("77");
        assert!(check(&subject).is_err(), "{subject:#}");
        assert_eq!(check(&sequence).is_err(), event["data"]["version"].is_number(), "{sequence:#}");
    }
}
