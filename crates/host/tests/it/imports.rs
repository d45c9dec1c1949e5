//! What each built component imports, and how large it is. No component imports what it does not need.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use wasmparser::{Parser, Payload};

use crate::golden;
use crate::harness::root;

/// What Rust's std brings for wasm32-wasip2, by interface without its version.
const STD: [&str; 13] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// The step in which ceilings are given, in bytes.
const STEP: usize = 50 * 1000;

/// The built components: those of spin.toml, and what they depend on.
fn built() -> BTreeMap<String, PathBuf> {
    let manifest = fs::read_to_string(root().join("spin.toml")).expect("spin.toml");
    let mut found = BTreeMap::new();
    for line in manifest.lines() {
        let quoted = line.split('"').find(|part| part.ends_with(".wasm"));
        if let Some(path) = quoted {
            let path = root().join(path);
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
            found.insert(stem, path);
        }
    }
    found
}

/// The imports of the component itself, not of what is inside it.
fn imports(bytes: &[u8]) -> Vec<String> {
    let (mut found, mut depth) = (Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("a component") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                let names = section.into_iter().map(|import| import.expect("an import").name.name.to_owned());
                found.extend(names);
            }
            _ => {}
        }
    }
    found.sort();
    found
}

/// The interface without its version.
fn interface(import: &str) -> &str {
    import.split('@').next().unwrap_or(import)
}

fn all() -> BTreeMap<String, (Vec<String>, usize)> {
    let read = |path: &PathBuf| {
        fs::read(path).unwrap_or_else(|_| panic!("{} is not built: run cargo xtask build", path.display()))
    };
    built().into_iter().map(|(name, path)| (name, read(&path))).map(|(n, b)| (n, (imports(&b), b.len()))).collect()
}

/// The most that a component may have, in bytes: a guest that touches little is quick to make, to load and to reset.
const MOST: usize = 400_000;
/// The same for those that bring the zone database.
const MOST_WITH_ZONES: usize = 700_000;

#[test]
fn components_are_small() {
    for (name, (_, size)) in all() {
        let zones = ["accounts", "calendar", "tasks"].contains(&name.as_str());
        let most = if zones { MOST_WITH_ZONES } else { MOST };
        assert!(size <= most, "{name} has {size} bytes, more than {most}; see docs/performance.md, \"Size\"");
    }
}

#[test]
fn components_import_what_the_list_says() {
    let file = root().join("crates/host/tests/it/imports.txt");
    let stored = fs::read_to_string(&file).unwrap_or_default();
    let mut text = String::new();
    for (name, (imports, size)) in all() {
        let ceiling = match stored.lines().find_map(|line| line.strip_prefix(&format!("{name}, at most "))) {
            Some(words) if !golden::updating() => {
                let thousands = words.trim_end_matches(" KB").parse::<usize>().expect("a ceiling in KB");
                assert!(size <= thousands * 1000, "{name} has grown to {size} bytes, over its {thousands} KB");
                thousands
            }
            _ => size.div_ceil(STEP) * STEP / 1000,
        };
        writeln!(text, "{name}, at most {ceiling} KB").expect("a string");
        imports.iter().for_each(|import| writeln!(text, "    {import}").expect("a string"));
    }
    golden::check(&file, &text);
}

/// What no rewritten list may allow.
#[test]
fn no_component_imports_what_it_must_not() {
    let all = all();
    assert!(all.len() >= 11 && all.contains_key("calendar"), "{:?}", all.keys());
    let allowed: [(&str, &[&str]); 3] = [
        ("wasi:http/outgoing-handler", &["relay", "relay-wake", "ticker"]),
        ("fermyon:spin/redis", &["tasks", "recurrence", "reminders"]),
        (
            "spin:postgres/",
            &["accounts", "audit", "notifications", "recurrence", "relay", "reminders", "status", "tasks"],
        ),
    ];
    for (name, (imports, _)) in &all {
        for import in imports {
            let import = interface(import);
            assert_ne!(import, "fermyon:spin/http", "{name}: bounded sends go through wasi:http");
            assert!(!import.starts_with("wasi:sockets"), "{name} imports {import}");
            for (what, who) in allowed {
                let is_it = import == what || (what.ends_with('/') && import.starts_with(what));
                assert!(!is_it || who.contains(&name.as_str()), "{name} imports {import}");
            }
            let pure = name != "calendar" || STD.contains(&import);
            assert!(pure, "calendar imports {import}, which Rust's std does not bring");
        }
    }
}
