//! Rules of Dapr's resources, each of which cost events when it was broken.

use super::{Finding, Source};

/// Checks one file of `dapr/`.
pub fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut line = 1;
    for document in source.text.split("\n---\n") {
        findings.extend(resiliency(document).map(|words| Finding::new(&source.path, line, words)));
        findings.extend(kafka_input(document).into_iter().map(|words| Finding::new(&source.path, line, words)));
        line += document.lines().count() + 1;
    }
    findings
}

/// Its retries end, and then the event is dropped; and every answer but 200 counts as a failure.
fn resiliency(document: &str) -> Option<String> {
    let inbound = document.lines().any(|line| line.trim() == "inbound:");
    (document.contains("\nkind: Resiliency") && inbound)
        .then(|| "no resiliency policy may target what comes in: it drops events after its retries".to_owned())
}

/// The defaults lose an event that was answered 500, and those from before a group's first start.
fn kafka_input(document: &str) -> Vec<String> {
    if !document.contains("type: bindings.kafka") || value(document, "direction") != Some("input") {
        return Vec::new();
    }
    let wanted = [("consumeRetryEnabled", "\"true\""), ("initialOffset", "oldest")];
    let missing = wanted.iter().filter(|(name, wanted)| value(document, name) != Some(wanted));
    missing
        .map(|(name, wanted)| format!("an input binding of Kafka needs {name} {wanted}, or it loses events"))
        .collect()
}

/// The value of one entry of a component's metadata.
fn value<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("- name: {name}\n"))?;
    rest.lines().next()?.trim().strip_prefix("value: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> usize {
        check(&Source { path: "dapr/x.yaml".to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn ours_are_right_and_each_mistake_is_found() {
        let input = include_str!("../../../../dapr/binding/in.yaml");
        assert_eq!(findings(input), 0);
        assert_eq!(findings(&input.replacen("\"true\"", "\"false\"", 1)), 1);
        assert_eq!(findings(&input.replacen("- name: consumeRetryEnabled", "- name: other", 1)), 1);
        assert_eq!(findings(&input.replace("value: oldest", "value: newest")), 4);
        let policy = include_str!("../../../../dapr/common/resiliency.yaml");
        assert_eq!(findings(policy), 0);
        assert_eq!(findings(&policy.replacen("outbound:", "inbound:", 1)), 1);
    }
}
