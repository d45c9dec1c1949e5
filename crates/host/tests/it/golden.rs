//! Files that hold what a test found the last time somebody looked.

use std::fs;
use std::path::Path;

/// Whether goldens are rewritten instead of compared.
pub fn updating() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1")
}

/// Compares with the file, or rewrites it under `UPDATE_GOLDEN=1`.
pub fn check(path: &Path, found: &str) {
    if updating() {
        fs::write(path, found).expect("a golden file can be written");
        return;
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    if stored == found {
        return;
    }
    let (file, lines) = (path.display(), stored.lines().count().max(found.lines().count()));
    let line = |text: &str, at: usize| text.lines().nth(at).unwrap_or("(the end)").to_owned();
    let first = (0..lines).find(|at| line(&stored, *at) != line(found, *at)).unwrap_or(lines);
    panic!(
        "{file}:{} is not what is found:\n- {}\n+ {}\n\
        if that is right, run this test with UPDATE_GOLDEN=1: it rewrites the file",
        first + 1,
        line(&stored, first),
        line(found, first)
    );
}
