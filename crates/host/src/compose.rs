//! Plugs a component's dependencies into its imports, as Spin does when it loads an application.
//!
//! Spin shuts a dependency off from its own interfaces unless `dependencies_inherit_configuration` is set; here such a
//! dependency is refused. Neither confines what it does through WASI: it shares the rights of the component it is
//! plugged into.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use wac_graph::types::{Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

use crate::manifest::{Component, Dependency, DependencyName, Manifest};

#[cfg(test)]
mod tests;

/// The bytes of component `id` with its dependencies inside; without dependencies, the bytes of its file.
///
/// Errors: a file that cannot be read or is no component; a dependency that matches no import, lacks the export, or has
/// another type; two dependencies from one package.
pub fn compose(manifest: &Manifest, id: &str) -> anyhow::Result<Vec<u8>> {
    let component = manifest.component(id)?;
    let bytes = read(&component.source)?;
    if component.dependencies.is_empty() {
        return Ok(bytes);
    }
    let mut composer = Composer { graph: CompositionGraph::new() };
    composer.compose(id, component, bytes).with_context(|| format!("cannot compose component `{id}`"))
}

struct Composer {
    graph: CompositionGraph,
}

/// A component within the graph.
#[derive(Clone, Copy)]
struct Placed {
    world: WorldId,
    instance: NodeId,
}

impl Composer {
    fn compose(&mut self, id: &str, component: &Component, bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
        let root = self.place(id, bytes)?;
        let imports: Vec<String> = self.graph.types()[root.world].imports.keys().cloned().collect();
        for (name, dependency) in &component.dependencies {
            let wanted: Vec<_> = imports.iter().filter(|import| name.matches(import)).collect();
            ensure!(
                !wanted.is_empty(),
                "dependency '{name}' doesn't match any imports of component '{id}'; it imports: {}",
                imports.join(", ")
            );
            let provider = self.place_dependency(name, dependency, component.dependencies_inherit_configuration)?;
            for import in wanted {
                self.plug(root, import, provider, name, dependency.export.as_deref().unwrap_or(import))?;
            }
        }
        self.export_all(root)?;
        self.graph.encode(EncodeOptions::default()).context("the composed component is not valid")
    }

    fn place(&mut self, name: &str, bytes: Vec<u8>) -> anyhow::Result<Placed> {
        let package = Package::from_bytes(name, None, bytes, self.graph.types_mut())?;
        let world = package.ty();
        let package = self.graph.register_package(package)?;
        Ok(Placed { world, instance: self.graph.instantiate(package) })
    }

    fn place_dependency(&mut self, name: &DependencyName, from: &Dependency, inherit: bool) -> anyhow::Result<Placed> {
        let placed = self
            .place(&name.package, read(&from.path)?)
            .with_context(|| format!("dependency '{name}' from {}", from.path.display()))?;
        let imports = self.graph.types()[placed.world].imports.keys();
        let of_spin = |import: &&String| import.starts_with("fermyon:spin/") || import.starts_with("spin:");
        if let Some(import) = imports.into_iter().find(of_spin).filter(|_| !inherit) {
            bail!(
                "dependency '{name}' imports '{import}', which Spin denies to dependencies: \
                do without, or set dependencies_inherit_configuration = true"
            );
        }
        Ok(placed)
    }

    fn plug(
        &mut self,
        root: Placed,
        import: &str,
        provider: Placed,
        name: &DependencyName,
        export: &str,
    ) -> anyhow::Result<()> {
        let types = self.graph.types();
        let exports = &types[provider.world].exports;
        let (Some(offered), Some(wanted)) = (exports.get(export), types[root.world].imports.get(import)) else {
            let exports: Vec<_> = exports.keys().map(String::as_str).collect();
            let exports = exports.join(", ");
            bail!("dependency '{name}' doesn't export '{export}' to satisfy import '{import}'; it exports: {exports}");
        };
        SubtypeChecker::new(&mut Default::default()).is_subtype(*offered, types, *wanted, types).with_context(
            || format!("dependency '{name}' exports '{export}', but not as import '{import}' needs it"),
        )?;
        let export = self.graph.alias_instance_export(provider.instance, export)?;
        self.graph.set_instantiation_argument(root.instance, import, export)?;
        Ok(())
    }

    fn export_all(&mut self, root: Placed) -> anyhow::Result<()> {
        let names: Vec<String> = self.graph.types()[root.world].exports.keys().cloned().collect();
        for name in names {
            let export = self.graph.alias_instance_export(root.instance, &name)?;
            self.graph.export(export, &name)?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path)
        .with_context(|| format!("cannot read the component {}: build it first (cargo xtask build)", path.display()))
}
