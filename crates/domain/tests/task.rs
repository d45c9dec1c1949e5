//! What clients may say of a task, and what becomes of it.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test says so by panicking")]

use domain::input::{FieldError, Input, integer, text};
use domain::task::{self, Due, REMINDERS_MAX, SeriesChange, TAGS_MAX, Task, series_change};
use serde_json::{Value, json};

fn faults(result: Result<impl std::fmt::Debug, Vec<FieldError>>) -> Vec<(String, &'static str)> {
    result.expect_err("a fault").into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

fn created(body: Value) -> Task {
    task::create(&body).expect("a task").1
}

fn standup() -> Task {
    created(json!({
        "title": " Weekly standup ", "description": "", "priority": "P1", "tags": ["work", "meetings", "work"],
        "recurrence_rule": "weekly", "due_date": "2026-02-10T10:00:00.9+01:00", "reminder_minutes": [5, 30, 5],
        "time_zone": "Europe/Berlin",
    }))
}

#[test]
fn a_task_is_read_in_one_spelling() {
    let task = standup();
    assert_eq!(task.title, "Weekly standup");
    assert_eq!(task.description, None);
    assert_eq!(task.priority, Some(1));
    assert_eq!(task.tags, ["meetings", "work"]);
    assert_eq!(task.rule.as_deref(), Some("FREQ=WEEKLY"));
    assert_eq!(task.due, Some(Due::At("2026-02-10T09:00:00Z".parse().unwrap())));
    assert_eq!(task.reminder_minutes, [30, 5]);
    assert_eq!(created(json!({"title": "x", "reminder_minutes": 30})).reminder_minutes, [30]);
}

#[test]
fn every_fault_is_named() {
    let body = json!({
        "title": "", "description": 7, "priority": "P5", "tags": [1], "recurrence_rule": "FREQ=SOMETIMES",
        "due_date": "tomorrow", "reminder_minutes": [-1], "time_zone": "Mars/Phobos", "id": "x", "colour": "red",
    });
    let mut named: Vec<_> = faults(task::create(&body)).into_iter().map(|(pointer, _)| pointer).collect();
    named.sort();
    let all = [
        "/colour",
        "/description",
        "/due_date",
        "/id",
        "/priority",
        "/recurrence_rule",
        "/reminder_minutes",
        "/tags",
        "/time_zone",
        "/title",
    ];
    assert_eq!(named, all);
}

#[test]
fn each_fault_has_its_code() {
    let cases = [
        (json!([]), "", "type"),
        (json!({}), "/title", "required"),
        (json!({"title": null}), "/title", "required"),
        (json!({"title": "  "}), "/title", "length"),
        (json!({"title": "x".repeat(501)}), "/title", "length"),
        (json!({"title": "a\u{0}b"}), "/title", "format"),
        (json!({"title": "x", "priority": 1}), "/priority", "type"),
        (json!({"title": "x", "tags": "work"}), "/tags", "type"),
        (json!({"title": "x", "tags": [" "]}), "/tags", "length"),
        (json!({"title": "x", "tags": vec!["t"; TAGS_MAX + 1]}), "/tags", "length"),
        (json!({"title": "x", "due_date": 7}), "/due_date", "type"),
        (json!({"title": "x", "due_date": "2026-02-30"}), "/due_date", "format"),
        (json!({"title": "x", "due_date": "2026-02-10T09:00:00"}), "/due_date", "format"),
        (json!({"title": "x", "due_date": "1969-12-31"}), "/due_date", "format"),
        (json!({"title": "x", "due_date": "9999-01-01"}), "/due_date", "format"),
        (json!({"title": "x", "time_zone": 1}), "/time_zone", "type"),
        (json!({"title": "x", "recurrence_rule": 1}), "/recurrence_rule", "type"),
        (json!({"title": "x", "recurrence_rule": "daily"}), "/due_date", "required"),
        (json!({"title": "x", "reminder_minutes": "30"}), "/reminder_minutes", "type"),
        (json!({"title": "x", "reminder_minutes": [0.5]}), "/reminder_minutes", "type"),
        (json!({"title": "x", "reminder_minutes": [525_601]}), "/reminder_minutes", "range"),
        (json!({"title": "x", "reminder_minutes": vec![1; REMINDERS_MAX + 1]}), "/reminder_minutes", "length"),
        (json!({"title": "x", "id": 7}), "/id", "type"),
        (json!({"title": "x", "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8"}), "/id", "format"),
        (json!({"title": "x", "a/b~c": 1}), "/a~1b~0c", "unknown"),
    ];
    for (body, pointer, code) in cases {
        assert_eq!(faults(task::create(&body)), [(pointer.to_owned(), code)], "{body}");
    }
}

#[test]
fn a_patch_keeps_what_it_does_not_name() {
    let before = standup();
    assert_eq!(task::patch(&before, &json!({})).as_ref(), Ok(&before));
    let after = task::patch(&before, &json!({"title": "Standup", "priority": null, "tags": null})).unwrap();
    assert_eq!((after.title.as_str(), after.priority, after.tags.len()), ("Standup", None, 0));
    assert_eq!(before.changes(&after), ["title", "priority", "tags"]);
    assert_eq!(after.due, before.due);
    assert_eq!(faults(task::patch(&before, &json!({"title": null}))), [("/title".to_owned(), "required")]);
    assert_eq!(faults(task::patch(&before, &json!({"due_date": null}))), [("/due_date".to_owned(), "required")]);
    assert_eq!(faults(task::patch(&before, &json!({"id": "x"}))), [("/id".to_owned(), "unknown")]);
}

#[test]
fn only_what_changes_the_calendar_changes_the_series() {
    let task = standup();
    let patched = |body: Value| task::patch(&task, &body).unwrap();
    let cases = [
        (json!({"title": "other"}), SeriesChange::Keep),
        (json!({"due_date": "2026-02-11T09:00:00Z"}), SeriesChange::Keep),
        (json!({"recurrence_rule": null}), SeriesChange::End),
        (json!({"recurrence_rule": null, "due_date": null}), SeriesChange::End),
        (json!({"recurrence_rule": "daily"}), SeriesChange::Start),
        (json!({"time_zone": "UTC"}), SeriesChange::Start),
        (json!({"due_date": "2026-02-11"}), SeriesChange::Start),
    ];
    for (body, change) in cases {
        assert_eq!(series_change(&task, &patched(body.clone())), change, "{body}");
    }
    let single = created(json!({"title": "x", "due_date": "2026-02-11"}));
    assert_eq!(series_change(&single, &task), SeriesChange::Start);
    assert_eq!(series_change(&single, &created(json!({"title": "y"}))), SeriesChange::Keep);
}

#[test]
fn a_due_date_has_its_place_in_a_zone() {
    let task = standup();
    let (name, zone) = task.zone("America/New_York");
    assert_eq!(name, "Europe/Berlin");
    assert_eq!(task.due.unwrap().local(&zone).to_string(), "2026-02-10T10:00:00");
    let day = created(json!({"title": "x", "due_date": "2026-02-10"}));
    let (name, zone) = day.zone("America/New_York");
    assert_eq!(name, "America/New_York");
    assert_eq!(day.due.unwrap().local(&zone).to_string(), "2026-02-10T00:00:00");
    assert_eq!(day.due.unwrap().instant(&zone).to_string(), "2026-02-10T14:00:00Z");
    assert_eq!(day.zone("Nowhere/At_All").0, "UTC");
}

#[test]
fn numbers_and_text_have_bounds() {
    assert_eq!(integer(&json!(3), 1, 3), Ok(3));
    assert_eq!(integer(&json!(4), 1, 3).map_err(|fault| fault.0), Err("range"));
    assert_eq!(integer(&json!(1e300), 1, 3).map_err(|fault| fault.0), Err("type"));
    assert_eq!(text(&json!("a\tb\nc"), 1, 5), Ok("a\tb\nc".to_owned()));
    assert_eq!(text(&json!("a\u{7}"), 1, 5).map_err(|fault| fault.0), Err("format"));
    // characters count, not bytes
    assert!(text(&json!("ééééé"), 1, 5).is_ok());
}

#[test]
fn a_fault_keeps_long_names_short() {
    let body = json!({"x".repeat(1000): 1});
    let errors = Input::new(&body, &["title"]).expect("an object").finish().expect_err("a fault");
    assert!(errors[0].pointer.len() <= 101);
}

#[test]
fn a_patch_of_words_needs_no_look_at_the_task() {
    let words = |body: Value| domain::task::words(&body).map(|words| words.map(|words| (words.fields, words.values)));
    let (fields, values) = words(json!({"title": " New ", "tags": ["b", "a"]})).unwrap().unwrap();
    assert_eq!(
        (fields.as_slice(), values.tags.as_slice()),
        (&["tags", "title"].map(String::from)[..], &["a", "b"].map(String::from)[..])
    );
    let stored = Task { title: "Old".to_owned(), ..Task::default() };
    for body in [json!({"title": "New"}), json!({"description": ""}), json!({"priority": null, "description": "d"})] {
        let (fields, values) = words(body.clone()).unwrap().unwrap();
        let whole = domain::task::patch(&stored, &body).unwrap();
        assert_eq!(
            stored.changes(&whole),
            stored.changes(&Task {
                title: if fields.contains(&"title".to_owned()) { values.title } else { stored.title.clone() },
                ..values
            }),
            "{body}"
        );
    }
    for other in [json!({}), json!({"title": "a", "due_date": null}), json!({"reminder_minutes": []}), json!([])] {
        assert!(words(other.clone()).is_ok_and(|words| words.is_none()), "{other}");
    }
    assert!(words(json!({"title": null})).is_err() && words(json!({"priority": "P9"})).is_err());
}
