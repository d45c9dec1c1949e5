//! Every file in `tests/manifests` against what it must give: `.json` when it loads, `.err` when it must not.
//!
//! `UPDATE_GOLDEN=1` rewrites the expected files; read the difference before it is kept.

use std::path::{Path, PathBuf};

use super::{DependencyName, Manifest};

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests")
}

/// What the file gives, without the folder's name, and the extension of the file that holds the expectation.
fn outcome(path: &Path) -> (String, &'static str) {
    let folder = format!("{}/", golden_folder().display());
    let (text, extension) = match Manifest::load(path) {
        Ok(mut manifest) => {
            manifest.folder = PathBuf::new();
            (serde_json::to_string_pretty(&manifest).unwrap(), "json")
        }
        Err(error) => (format!("{error:#}"), "err"),
    };
    (format!("{}\n", text.replace(&folder, "").trim_end()), extension)
}

#[test]
fn manifests_give_what_is_expected() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut seen = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(golden_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        seen += 1;
        let (text, extension) = outcome(&path);
        let golden = path.with_extension(extension);
        if update {
            std::fs::write(&golden, &text).unwrap();
        }
        if std::fs::read_to_string(&golden).unwrap_or_default() != text {
            wrong.push(format!("{} differs; it is now:\n{text}", golden.display()));
        }
        let other = path.with_extension(if extension == "err" { "json" } else { "err" });
        assert!(!other.exists(), "{} has two expectations", path.display());
    }
    assert!(seen >= 20, "only {seen} manifests found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_are_relative_to_the_manifest() {
    let text = "spin_manifest_version = 2\n[application]\nname = \"x\"\n[component.a]\nsource = \"a.wasm\"\n";
    let manifest = Manifest::parse(Path::new("some/where/spin.toml"), text).unwrap();
    assert_eq!(manifest.folder, Path::new("some/where"));
    assert_eq!(manifest.components["a"].source, Path::new("some/where/a.wasm"));
    let bare = Manifest::parse(Path::new("spin.toml"), text).unwrap();
    assert_eq!(bare.components["a"].source, Path::new("a.wasm"));
}

#[test]
fn a_missing_file_is_named() {
    let error = Manifest::load(Path::new("no/such/spin.toml")).unwrap_err();
    assert!(format!("{error:#}").starts_with("cannot read the manifest no/such/spin.toml"), "{error:#}");
}

#[test]
fn an_unknown_component_is_answered_with_the_known_ones() {
    let manifest = Manifest::load(&golden_folder().join("tasks.toml")).unwrap();
    let error = manifest.component("taks").unwrap_err().to_string();
    assert!(error.ends_with("there are: recurrence, relay-wake, tasks, ticker"), "{error}");
}

#[test]
fn dependency_names_match_imports_as_on_spin() {
    let table = [
        ("foo:bar/baz@0.1.0", "foo:bar/baz@0.1.0", true),
        ("foo:bar/baz", "foo:bar/baz@0.1.0", true),
        ("foo:bar/baz", "foo:bar/baz", true),
        ("foo:bar", "foo:bar/baz@0.1.0", true),
        ("foo:bar@0.1.0", "foo:bar/baz@0.1.0", true),
        ("foo-bar", "foo-bar", true),
        ("foo:bar/baz@0.1.0", "foo:bar/baz", false),
        ("foo:bar/baz@0.1.1", "foo:bar/baz@0.1.0", false),
        ("foo:bar/baz", "foo:bar/bub@0.1.0", false),
        ("foo:bar", "foo:bub/bib", false),
        ("foo:bar@0.1.0", "foo:bar/baz", false),
        ("foo:bar/baz", "foo:bar/baz-bub", false),
        ("foo:bar/baz", "foo-bar", false),
    ];
    for (name, import, expected) in table {
        assert_eq!(DependencyName::parse(name).unwrap().matches(import), expected, "{name} and {import}");
    }
}
