//! Rules between files: what every component has elsewhere.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::Finding;
use crate::build;

/// Each component has a row in the table of README.md, and a place in spin.toml.
pub fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let names = build::names(root)?;
    match fs::read_to_string(root.join("README.md")) {
        Ok(readme) => findings.extend(without_row(&readme, &names)),
        Err(error) => findings.push(Finding::new("README.md", 1, format!("cannot be read ({error}): write it"))),
    }
    match fs::read_to_string(root.join("spin.toml")) {
        Ok(manifest) => findings.extend(without_place(&manifest, &names)),
        Err(error) => findings.push(Finding::new("spin.toml", 1, format!("cannot be read ({error}): write it"))),
    }
    Ok(findings)
}

/// The components that are in no table's first column.
fn without_row(readme: &str, names: &[String]) -> Vec<Finding> {
    let first_cell = |line: &str| {
        let cell = line.trim().strip_prefix('|')?.split('|').next()?;
        Some(cell.trim().trim_start_matches('[').split(']').next()?.trim_matches(['`', '*', ' ']).to_string())
    };
    let rows: Vec<String> = readme.lines().filter_map(first_cell).collect();
    let missing = names.iter().filter(|name| !rows.contains(name));
    missing.map(|name| Finding::new("README.md", 1, format!("the table of components has no row `{name}`"))).collect()
}

/// The components that spin.toml neither declares nor composes into another.
fn without_place(manifest: &str, names: &[String]) -> Vec<Finding> {
    let there = |name: &&String| {
        let header = format!("[component.{name}]");
        let module = format!("/{}.wasm\"", name.replace('-', "_"));
        let composed = |line: &str| line.contains("path") && line.contains(&module);
        manifest.lines().map(str::trim).any(|line| line == header || (!line.starts_with('#') && composed(line)))
    };
    let missing = names.iter().filter(|name| !there(name));
    let words = |name: &String| format!("no [component.{name}], and no component depends on its module");
    missing.map(|name| Finding::new("spin.toml", 1, words(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    fn names() -> Vec<String> {
        ["tasks", "relay-wake", "calendar"].map(String::from).to_vec()
    }

    #[test]
    fn every_component_has_a_row() {
        let readme = "| component | does |\n|---|---|\n| `tasks` | x |\n| [relay-wake](a) | calendar |\ncalendar\n";
        let found = words(&without_row(readme, &names()));
        assert_eq!(found, ["README.md:1: the table of components has no row `calendar`"]);
    }

    #[test]
    fn every_component_is_in_the_manifest() {
        let manifest = "[component.tasks]\nsource = \"x/relay_wake.wasm\"\n\
            \"a:b/c\" = { path = \"target/calendar.wasm\" }\n# [component.relay-wake]\n";
        let found = words(&without_place(manifest, &names()));
        assert_eq!(found, ["spin.toml:1: no [component.relay-wake], and no component depends on its module"]);
    }

    #[test]
    fn a_missing_file_is_said_clearly() {
        let root = std::env::temp_dir().join(format!("spindle-tidy-{}", std::process::id()));
        fs::create_dir_all(root.join("components/tasks")).unwrap();
        fs::write(root.join("components/tasks/Cargo.toml"), "").unwrap();
        let found = words(&check(&root).unwrap());
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("README.md:1: cannot be read"), "{found:?}");
    }
}
