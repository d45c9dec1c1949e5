//! Frozen examples: what was published once can be read for ever.

use std::collections::BTreeSet;

use domain::event::{Event, TYPES};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::schemas;

/// Each example with the name of its file: `<type>.json` or `<type>.<what>.json`.
fn examples() -> Vec<(String, Value)> {
    let folder = schemas::folder().join("examples");
    let read = |name: String| {
        let example = schemas::read(&folder.join(format!("{name}.json")));
        (name, example)
    };
    schemas::names(&folder).into_iter().map(read).collect()
}

#[test]
fn every_example_parses_and_is_as_its_schema_says() {
    for (name, example) in examples() {
        let event = Event::parse(example.to_string().as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(name == event.kind || name.starts_with(&format!("{}.", event.kind)), "{name} is of {}", event.kind);
        schemas::check(&example).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for kind in TYPES {
        assert!(examples().iter().any(|(name, _)| name == kind), "{kind} has no example");
    }
}

/// What a producer has promised once, no later schema may take back.
#[test]
fn every_field_of_an_example_is_required() {
    for (name, example) in examples() {
        for place in ["", "/data"] {
            let fields = example.pointer(place).and_then(Value::as_object).expect("an object");
            for field in fields.keys().filter(|field| *field != "traceparent") {
                let mut less = example.clone();
                less.pointer_mut(place).and_then(Value::as_object_mut).expect("an object").remove(field);
                assert!(field == "type" || !schemas::allows(&less), "{name}: {place}/{field} is not required");
            }
        }
    }
}

/// An example may be added, with its line in SHA256SUMS; none may change.
#[test]
fn no_example_has_changed() {
    let folder = schemas::folder().join("examples");
    let line = |name: String| {
        let file = format!("{name}.json");
        let bytes = std::fs::read(folder.join(&file)).expect("an example");
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digest}  {file}")
    };
    let found: BTreeSet<String> = schemas::names(&folder).into_iter().map(line).collect();
    let stored = std::fs::read_to_string(folder.join("SHA256SUMS")).expect("SHA256SUMS");
    assert_eq!(found, stored.lines().map(str::to_owned).collect(), "see schemas/events/README.md");
}
