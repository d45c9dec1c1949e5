//! The AsyncAPI description: that its references lead somewhere and that it names every type. Whether the relay and the
//! consumers do as it says is in `consumers`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use domain::event::{EVENT_SKIPPED, TYPES};
use serde_json::Value;

use super::schemas;
use crate::harness::root;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| yaml("schemas/asyncapi.yaml"));

/// The topic of each type.
static TOPICS: LazyLock<BTreeMap<&str, &str>> = LazyLock::new(|| {
    let topics = object(&DOCUMENT["channels"]).flat_map(|(_, channel)| {
        let address = channel["address"].as_str().expect("an address");
        object(&channel["messages"]).map(move |(kind, _)| (kind, address))
    });
    topics.collect()
});

fn yaml(file: &str) -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string(root().join(file)).expect(file)).expect("YAML")
}

fn object(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().expect("an object").iter().map(|(key, value)| (key.as_str(), value))
}

/// The topic of a type.
pub fn topic(kind: &str) -> Option<&'static str> {
    TOPICS.get(kind).copied()
}

/// Each consumer of a topic with the types that it applies.
pub fn receivers() -> BTreeMap<(String, String), BTreeSet<String>> {
    let receiving = object(&DOCUMENT["operations"]).filter(|(_, operation)| operation["action"] == "receive");
    let receiver = |(_, operation): (&str, &Value)| {
        let consumer = operation.pointer("/bindings/kafka/groupId/enum/0").and_then(Value::as_str).expect("a group");
        let topic = follow(&operation["channel"])["address"].as_str().expect("an address");
        ((consumer.to_owned(), topic.to_owned()), messages(operation))
    };
    receiving.map(receiver).collect()
}

/// The types of an operation.
fn messages(operation: &Value) -> BTreeSet<String> {
    let messages = operation["messages"].as_array().expect("messages").iter();
    messages.map(|message| follow(follow(message))["name"].as_str().expect("a name").to_owned()).collect()
}

/// What `{"$ref": "#/…"}` leads to.
fn follow(reference: &Value) -> &'static Value {
    let pointer = reference["$ref"].as_str().and_then(|text| text.strip_prefix('#')).expect("a reference inside");
    DOCUMENT.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere"))
}

/// Every reference in a value.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(object.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let found = references(&DOCUMENT);
    for reference in &found {
        match reference.strip_prefix('#') {
            Some(pointer) => assert!(DOCUMENT.pointer(pointer).is_some(), "{reference} leads nowhere"),
            None => assert!(schemas::read(&root().join("schemas").join(reference)).is_object()),
        }
    }
    assert!(found.len() > 5 * TYPES.len(), "only {} references", found.len());
}

#[test]
fn its_messages_are_the_types() {
    let types: BTreeSet<&str> = TYPES.into();
    let described = &DOCUMENT["components"]["messages"];
    assert_eq!(object(described).map(|(kind, _)| kind).collect::<BTreeSet<_>>(), types);
    for (kind, message) in object(described) {
        assert_eq!(message["name"], kind);
        assert_eq!(message["payload"]["schema"]["$ref"], format!("events/{kind}.json"));
    }
    assert_eq!(TOPICS.keys().copied().collect::<BTreeSet<_>>(), types);
    let mut placed = 0;
    for (name, channel) in object(&DOCUMENT["channels"]) {
        assert_eq!(channel["address"], name);
        assert_eq!(channel["bindings"]["kafka"]["topic"], name);
        for (kind, message) in object(&channel["messages"]) {
            assert_eq!(follow(message)["name"], kind);
            placed += 1;
        }
    }
    assert_eq!(placed, types.len(), "a type has one topic");
}

/// An operation names its channel and messages of that channel; what is sent is all of it.
#[test]
fn operations_belong_to_their_channel() {
    let mut sent = BTreeSet::new();
    for (name, operation) in object(&DOCUMENT["operations"]) {
        let channel = operation["channel"]["$ref"].as_str().expect("a channel");
        for message in references(&operation["messages"]) {
            assert!(message.starts_with(&format!("{channel}/messages/")), "{name}: {message}");
        }
        if operation["action"] == "send" {
            sent.extend(messages(operation));
        }
    }
    assert_eq!(sent, TYPES.map(str::to_owned).into());
}

/// The API shows events in the audit log.
#[test]
fn the_audit_log_has_the_same_types() {
    let api = yaml("schemas/openapi.yaml");
    let types = api.pointer("/components/schemas/AuditEntry/properties/type/enum").expect("the types of entries");
    // what an operator skips is told to the log alone
    let known: Vec<&str> = TYPES.into_iter().chain([EVENT_SKIPPED]).collect();
    assert_eq!(*types, serde_json::json!(known));
}
