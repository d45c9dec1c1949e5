//! Application variables: where their values come from, and what a component sees of them.
//!
//! A value given on the command line wins over the environment (`SPIN_VARIABLE_<NAME IN
//! CAPITALS>`), which wins over the manifest's default. All values are taken once, at the start.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

mod template;
#[cfg(test)]
mod tests;

pub(crate) use template::is_lower_word;
pub use template::{Template, is_variable_name};

use crate::manifest::{Manifest, Variable};

/// The values of all application variables, and through them those of every component.
#[derive(Clone, Debug)]
pub struct Variables {
    values: BTreeMap<String, String>,
    by_component: BTreeMap<String, BTreeMap<String, String>>,
}

impl Variables {
    /// Gives every variable of the manifest its value: from `overrides`, else from `env`, else its
    /// default.
    ///
    /// `env` is asked for names such as `SPIN_VARIABLE_DB_HOST`; pass `|name| std::env::var(name).ok()`.
    /// Errors: an override that names no variable; required variables without a value (all of them
    /// at once).
    pub fn new(
        manifest: &Manifest,
        overrides: &BTreeMap<String, String>,
        env: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        refuse_unknown(manifest, overrides)?;
        let value = |name: &String, variable: &Variable| {
            overrides.get(name).cloned().or_else(|| env(&env_name(name))).or_else(|| variable.default.clone())
        };
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in &manifest.variables {
            match value(name, variable) {
                Some(text) => drop(values.insert(name.clone(), text)),
                None => missing.push(format!("  {name}: set {}", env_name(name))),
            }
        }
        if !missing.is_empty() {
            bail!("required variables of {} have no value:\n{}", manifest.path.display(), missing.join("\n"));
        }
        let mut variables = Self { values, by_component: BTreeMap::new() };
        variables.fill_components(manifest)?;
        Ok(variables)
    }

    /// What the guest of component `id` may read: name and text, templates filled in. Empty for an
    /// unknown id.
    pub fn component_variables(&self, id: &str) -> BTreeMap<String, String> {
        self.by_component.get(id).cloned().unwrap_or_default()
    }

    /// Fills in a template. Errors when it names a variable that the manifest does not declare.
    pub fn expand(&self, template: &Template) -> anyhow::Result<String> {
        template
            .render(|name| self.values.get(name).map(String::as_str))
            .map_err(|name| anyhow::anyhow!("`{template}` uses variable `{name}`, which [variables] does not declare"))
    }

    fn fill_components(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        for (id, component) in &manifest.components {
            let mut own = BTreeMap::new();
            for (name, template) in &component.variables {
                let text = self.expand(template).with_context(|| format!("variable `{name}` of component `{id}`"))?;
                own.insert(name.clone(), text);
            }
            self.by_component.insert(id.clone(), own);
        }
        Ok(())
    }
}

/// The environment variable that sets application variable `name`, as Spin names it.
pub fn env_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

fn refuse_unknown(manifest: &Manifest, overrides: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let unknown: Vec<_> = overrides.keys().filter(|name| !manifest.variables.contains_key(*name)).cloned().collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let declared: Vec<_> = manifest.variables.keys().cloned().collect();
    bail!("no such variable: {}; {} declares: {}", unknown.join(", "), manifest.path.display(), declared.join(", "))
}
