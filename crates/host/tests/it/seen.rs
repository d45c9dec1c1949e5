//! What the tests have seen: each route with each status, kept in a file for the check at the end of a run.

use std::io::Write as _;
use std::sync::Mutex;

use crate::harness::{Answer, root};

static FILE: Mutex<()> = Mutex::new(());

/// Notes one answer: `METHOD path status`, with ids in the path left out.
pub fn note(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    let segments = path.split('/').map(|segment| if is_id(segment) { "{id}" } else { segment });
    let line = format!("{method} {} {}\n", segments.collect::<Vec<_>>().join("/"), answer.status);
    append("routes.txt", &line);
}

/// Adds a line to a file of `target/seen`.
pub fn append(file: &str, line: &str) {
    let _turn = FILE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = root().join("target/seen");
    std::fs::create_dir_all(&folder).expect("target/seen");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join(file));
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("target/seen can be written");
}

fn is_id(segment: &str) -> bool {
    segment.len() == 36 && segment.bytes().filter(|byte| *byte == b'-').count() == 4
}
