//! Composes the guests in `tests/guests`, which are built here first.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use wac_graph::types::{Interface, ItemKind};

use super::*;

const IMPORT: &str = "spindle:calendar/rules@1.0.0";

/// The folder with `provider.wasm` and `consumer.wasm`.
fn guests() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let executable = std::env::current_exe().unwrap();
        let target = executable.ancestors().nth(3).unwrap().join("guests");
        for guest in ["provider", "consumer"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(guest);
            let built = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--locked", "--release", "--target", "wasm32-wasip2", "--target-dir"])
                .arg(&target)
                .current_dir(folder)
                .status()
                .unwrap();
            assert!(built.success(), "{guest} does not build");
        }
        target.join("wasm32-wasip2/release")
    })
}

/// Composes a manifest whose component `consumer` has this dependencies table.
fn composed(dependencies: &str) -> anyhow::Result<Vec<u8>> {
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"x\"\n\
         [component.consumer]\nsource = \"consumer.wasm\"\n{dependencies}"
    );
    compose(&Manifest::parse(&guests().join("spin.toml"), &text)?, "consumer")
}

fn with_key(key: &str) -> anyhow::Result<Vec<u8>> {
    composed(&format!("[component.consumer.dependencies]\n\"{key}\" = {{ path = \"provider.wasm\" }}\n"))
}

fn fault(result: anyhow::Result<Vec<u8>>) -> String {
    format!("{:#}", result.unwrap_err()).replace(&format!("{}/", guests().display()), "")
}

/// The names that the component imports and exports.
fn outside(bytes: Vec<u8>) -> (Vec<String>, Vec<String>) {
    let mut graph = CompositionGraph::new();
    let world = Package::from_bytes("x", None, bytes, graph.types_mut()).unwrap().ty();
    let world = &graph.types()[world];
    (world.imports.keys().cloned().collect(), world.exports.keys().cloned().collect())
}

/// A component that passes on what it imports: as `spindle:calendar/rules`, an empty interface or the provider's own.
fn passing_on(import: &str, provide: bool) -> Vec<u8> {
    let mut composer = Composer { graph: CompositionGraph::new() };
    let empty = Interface { id: None, uses: Default::default(), exports: Default::default() };
    let empty = composer.graph.types_mut().add_interface(empty);
    let imported = composer.graph.import(import, ItemKind::Instance(empty)).unwrap();
    if provide {
        let provider = composer.place("provider", read(&guests().join("provider.wasm")).unwrap()).unwrap();
        composer.export_all(provider).unwrap();
    } else {
        composer.graph.export(imported, IMPORT).unwrap();
    }
    composer.graph.encode(EncodeOptions::default()).unwrap()
}

#[test]
fn without_dependencies_the_file_is_taken_as_it_is() {
    let bytes = composed("").unwrap();
    assert_eq!(bytes, std::fs::read(guests().join("consumer.wasm")).unwrap());
    assert!(outside(bytes).0.contains(&IMPORT.to_owned()));
}

#[test]
fn the_provider_fills_the_import_under_every_form_of_its_name() {
    let (alone, exports) = outside(composed("").unwrap());
    assert!(exports.contains(&"after-next".to_owned()));
    for key in ["spindle:calendar/rules", IMPORT, "spindle:calendar", "spindle:calendar@1.0.0"] {
        let (imports, composed_exports) = outside(with_key(key).unwrap());
        assert!(!imports.contains(&IMPORT.to_owned()), "{key}: {imports:?}");
        assert!(alone.iter().filter(|import| *import != IMPORT).all(|import| imports.contains(import)), "{imports:?}");
        assert_eq!(composed_exports, exports, "{key}");
    }
}

#[test]
fn an_export_can_be_named() {
    let table = |export: &str| {
        let key = "\"spindle:calendar/rules\"";
        format!("[component.consumer.dependencies]\n{key} = {{ path = \"provider.wasm\", export = \"{export}\" }}\n")
    };
    assert!(!outside(composed(&table(IMPORT)).unwrap()).0.contains(&IMPORT.to_owned()));
    let error = fault(composed(&table("spindle:calendar/other")));
    assert!(error.contains("doesn't export 'spindle:calendar/other' to satisfy import"), "{error}");
}

#[test]
fn a_dependency_that_matches_nothing_is_an_error() {
    for key in ["spindle:calendar/rules@1.0.1", "spindle:calendar/other", "spindle:other", "rules"] {
        let error = fault(with_key(key));
        let expected = format!("dependency '{key}' doesn't match any imports of component 'consumer'; it imports: ");
        assert!(error.contains(&expected) && error.contains(IMPORT), "{error}");
    }
}

#[test]
fn a_provider_without_the_export_is_an_error() {
    let dependency = "[component.consumer.dependencies]\n\"spindle:calendar\" = { path = \"consumer.wasm\" }\n";
    let expected = format!(
        "cannot compose component `consumer`: dependency 'spindle:calendar' doesn't export '{IMPORT}' \
         to satisfy import '{IMPORT}'; it exports: after-next"
    );
    assert_eq!(fault(composed(dependency)), expected);
}

#[test]
fn a_provider_of_another_type_is_an_error() {
    std::fs::write(guests().join("other_type.wasm"), passing_on("some:thing/here", false)).unwrap();
    let dependency = "[component.consumer.dependencies]\n\"spindle:calendar\" = { path = \"other_type.wasm\" }\n";
    let error = fault(composed(dependency));
    assert!(error.contains(&format!("exports '{IMPORT}', but not as import '{IMPORT}' needs it: ")), "{error}");
}

#[test]
fn files_that_are_no_components_are_errors() {
    std::fs::write(guests().join("text.wasm"), "no component").unwrap();
    let from =
        |file: &str| format!("[component.consumer.dependencies]\n\"spindle:calendar\" = {{ path = \"{file}\" }}\n");
    let error = fault(composed(&from("text.wasm")));
    assert!(error.contains("dependency 'spindle:calendar' from text.wasm: "), "{error}");
    assert!(error.contains("not a binary-encoded WebAssembly component"), "{error}");
    let error = fault(composed(&from("nowhere.wasm")));
    assert!(error.contains("cannot read the component nowhere.wasm: build it first"), "{error}");
}

#[test]
fn spins_interfaces_are_for_dependencies_that_inherit() {
    let bytes = passing_on("fermyon:spin/variables@2.0.0", true);
    std::fs::write(guests().join("of_spin.wasm"), bytes).unwrap();
    let dependency = "[component.consumer.dependencies]\n\"spindle:calendar\" = { path = \"of_spin.wasm\" }\n";
    let error = fault(composed(dependency));
    assert!(error.contains("imports 'fermyon:spin/variables@2.0.0', which Spin denies to dependencies"), "{error}");
    let (imports, _) = outside(composed(&format!("dependencies_inherit_configuration = true\n{dependency}")).unwrap());
    assert!(imports.contains(&"fermyon:spin/variables@2.0.0".to_owned()) && !imports.contains(&IMPORT.to_owned()));
}

#[test]
fn one_package_comes_from_one_dependency() {
    let dependencies = "[component.consumer.dependencies]\n\
        \"spindle:calendar/rules@1.0.0\" = { path = \"provider.wasm\" }\n\
        \"spindle:calendar/rules@2.0.0\" = { path = \"provider.wasm\" }\n";
    assert!(composed(dependencies).is_err());
}
