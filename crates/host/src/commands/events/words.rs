//! The same for people: tables, and what to do next.

use domain::event::UNREADABLE;
use serde_json::Value;

use crate::commands::terminal::{bold, green, table, yellow};

/// A table of the outbox, one of the consumers, and whether something is stuck.
pub fn lag(lag: &Value) {
    let outbox = rows(&lag["outbox"], &["topic", "waiting", "oldest", "most_attempts", "leased"]);
    match outbox.len() {
        1 => println!("nothing waits in the outbox"),
        _ => table(&outbox).iter().for_each(|line| println!("{line}")),
    }
    println!();
    let consumers = rows(&lag["consumers"], &["consumer", "waiting", "oldest", "dead", "gaps_healed", "healed_at"]);
    table(&consumers).iter().for_each(|line| println!("{line}"));
    println!();
    let failing = items(&lag["outbox"]).any(|topic| topic["most_attempts"] != 0);
    let dead: i64 = items(&lag["consumers"]).filter_map(|each| each["dead"].as_i64()).sum();
    if failing {
        println!("{} the relay cannot hand events over and goes on trying: its log says why", yellow("→"));
    }
    if dead > 0 {
        println!("{} {dead} dead: `spindle events dead` lists them", yellow("→"));
    }
    if !failing && dead == 0 {
        println!("{} nothing is stuck; what waits is tried by itself", green("→"));
    }
}

/// A table of dead events, with the place and the error of each below it.
pub fn dead(events: &Value) {
    if items(events).next().is_none() {
        println!("{} no event that fits is dead: nothing to do", green("→"));
        return;
    }
    let rows = rows(events, &["consumer", "id", "type", "attempts", "received_at"]);
    let mut lines = table(&rows).into_iter();
    println!("{}", lines.next().unwrap_or_default());
    for (line, event) in lines.zip(items(events)) {
        println!("{line}");
        println!("    {} of {}: {}", text(event, "sequence"), text(event, "stream"), text(event, "error"));
    }
    println!("→ `spindle events show ID` says more of one");
    println!("→ is the cause gone? `spindle events redrive --consumer C --id ID` lets it be tried again");
    println!("→ can it never be applied? `spindle events skip --consumer C --id ID --reason \"…\"` gives it up");
}

/// The fields of each item, below their names.
fn rows(list: &Value, fields: &[&str]) -> Vec<Vec<String>> {
    let cell = |item: &Value, field: &str| if field == "oldest" { age(item) } else { text(item, field) };
    let heads = fields.iter().map(|field| field.replace('_', " ")).collect();
    let items = items(list).map(|item| fields.iter().map(|field| cell(item, field)).collect());
    std::iter::once(heads).chain(items).collect()
}

/// One event: what it is, where it is, and how it stands with its consumers.
pub fn show(event: &Value) {
    let id = text(event, "id");
    println!("{} {}", bold(&id), text(event, "type"));
    if event["type"].is_null() {
        println!("    nothing else is known of it any more");
    } else {
        let place = format!("{} of {}", text(event, "sequence"), text(event, "stream"));
        println!("    {place}, user {}, {}", text(event, "user_id"), text(event, "time"));
        println!("    data {}", plain(&event["data"].to_string()));
    }
    let (waiting, handed) = (&event["outbox"], &event["archive"]);
    if waiting.is_object() {
        let next = if waiting["attempts"] == 0 { "the relay's next run takes it" } else { "the relay's log says why" };
        println!("in the outbox for {}, {} tries: {next}", text(waiting, "topic"), text(waiting, "attempts"));
    }
    if handed.is_object() {
        println!("handed over to {} at {}", text(handed, "topic"), text(handed, "handed_at"));
    }
    for each in items(&event["consumers"]) {
        let (consumer, state) = (text(each, "consumer"), text(each, "state"));
        println!("{} {state}{}", bold(&format!("{consumer}:")), standing(each, &state));
        advice(event, &consumer, &state).iter().for_each(|line| println!("    → {line}"));
    }
}

/// What there is to say of a state.
fn standing(each: &Value, state: &str) -> String {
    let error = if each["error"].is_string() { format!(": {}", text(each, "error")) } else { String::new() };
    match state {
        "dead" => format!(", {} tries since {}{error}", text(each, "attempts"), text(each, "received_at")),
        "waiting" => {
            let (tries, next) = (text(each, "attempts"), text(each, "not_before"));
            format!(", {tries} tries since {}, the next after {next}{error}", text(each, "received_at"))
        }
        "skipped" => format!(" at {}: {}", text(each, "done_at"), text(each, "reason")),
        "done" => format!(" at {}", text(each, "done_at")),
        _ => String::new(),
    }
}

/// What to do about an event in a state.
fn advice(event: &Value, consumer: &str, state: &str) -> Vec<String> {
    let id = text(event, "id");
    let redrive = || format!("is the cause gone? `spindle events redrive --consumer {consumer} --id {id}`");
    let skip = || {
        let command = format!("spindle events skip --consumer {consumer} --id {id} --reason \"…\"");
        format!("can it never be applied? `{command}`")
    };
    match state {
        "dead" if event["type"] == UNREADABLE => vec![skip()],
        "dead" => vec![redrive(), skip()],
        "waiting" => vec!["it is tried by itself, once no dead event of its stream is before it".to_string()],
        "absent" if event["archive"].is_object() => {
            vec!["if it was lost, the relay's tick brings it a minute after it was handed over".to_string()]
        }
        _ => Vec::new(),
    }
}

/// How many are tried again, or would be.
pub fn redrive(done: &Value) {
    let (count, consumer) = (text(done, "redriven"), text(done, "consumer"));
    if done["redriven"] == 0 {
        println!(
            "nothing to do: no dead event of {consumer} fits; `spindle events dead --consumer {consumer}` lists them, \
             and what is no event (`unreadable`) can only be skipped"
        );
    } else if done["dry_run"] == true {
        println!("{count} of {consumer} would be tried again: run it without --dry-run");
    } else {
        println!(
            "{} {count} of {consumer} are tried again at its next tick; `spindle events lag` shows how they fare",
            green("redriven:")
        );
    }
}

/// Whether it was given up.
pub fn skip(done: &Value) {
    let (id, consumer) = (text(done, "id"), text(done, "consumer"));
    if done["skipped"] == true {
        let told = "unless it was no event, its user's audit log tells of it";
        println!("{} {consumer} will never apply {id}; {told}", green("skipped:"));
    } else {
        println!("nothing to do: {id} is not dead for {consumer}; `spindle events show {id}` says where it is");
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// A field as it is written; `-` for nothing.
fn text(of: &Value, field: &str) -> String {
    match &of[field] {
        Value::Null => "-".to_string(),
        Value::String(text) => plain(text),
        other => other.to_string(),
    }
}

/// Without what could steer a terminal: some of it comes from outside.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// The age of the oldest, in the largest unit that fits.
fn age(of: &Value) -> String {
    let seconds = of["oldest_seconds"].as_f64().unwrap_or_default().max(0.0) as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_age_is_in_the_largest_unit_that_fits() {
        let ages = [0.2, 59.9, 60.0, 7199.0, 86_400.0].map(|seconds| age(&json!({"oldest_seconds": seconds})));
        assert_eq!(ages, ["0 s", "59 s", "1 min", "1 h", "1 d"]);
    }
}
