//! What the tests have seen: each route with each status, kept in a file for the check at the end of a run.

use std::io::Write as _;
use std::sync::Mutex;

use host::testbed::TestBed;

use crate::harness::{Answer, root};
use crate::statements;

static FILE: Mutex<()> = Mutex::new(());

/// Notes one answer: `METHOD path status`, with ids in the path left out.
pub fn note(method: &str, path: &str, answer: &Answer) {
    if answer.status == 404 && answer.body.is_empty() {
        return; // the host knows no component for it
    }
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

/// Notes, once it is dropped, which statements an application has executed: `component file`. One that is in no file
/// is noted by its first line.
pub struct Statements(TestBed);

impl Statements {
    /// For the application that runs on this bed.
    pub fn of(bed: &TestBed) -> Self {
        Self(bed.clone())
    }
}

impl Drop for Statements {
    fn drop(&mut self) {
        let files = statements::all(&root());
        let lines = self.0.statements().into_keys().map(|(component, sql)| {
            let file = files.iter().find(|file| file.text == sql && file.senders.contains(&component));
            let first = sql.lines().next().unwrap_or_default();
            let name = file.map_or_else(|| format!("? {first}"), |file| file.name.clone());
            format!("{component} {name}\n")
        });
        append("statements.txt", &lines.collect::<String>());
    }
}
