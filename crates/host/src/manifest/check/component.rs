//! `[component.<id>]` and what is below it.

use std::collections::BTreeMap;

use super::Checker;
use crate::manifest::schema::{self, Text};
use crate::manifest::{Build, Component, Dependency, DependencyName, FileMount};
use crate::outbound_hosts::{AllowedHosts, Chaining};
use crate::variables::{Template, is_lower_word};

impl Checker<'_> {
    pub(super) fn component(&mut self, id: Text, raw: schema::Component) -> (String, Component) {
        if !id.get_ref().split('-').all(is_lower_word) {
            let message = format!(
                "`{}` is no component id: write lower-case words joined by `-`, each starting with a letter",
                id.get_ref()
            );
            self.fault(id.span(), message);
        }
        self.not_empty(&raw.source);
        let source = self.folder.join(raw.source.get_ref());
        let component = Component {
            source,
            description: raw.description,
            allowed_outbound_hosts: raw.allowed_outbound_hosts.iter().map(|entry| self.host(entry)).collect(),
            files: raw.files.into_iter().map(|mount| self.file(mount)).collect(),
            environment: raw.environment,
            variables: raw.variables.into_iter().map(|entry| self.component_variable(entry)).collect(),
            dependencies: self.dependencies(raw.dependencies),
            dependencies_inherit_configuration: raw.dependencies_inherit_configuration,
            build: raw.build.map(|build| self.build(build)),
        };
        (id.into_inner(), component)
    }

    fn component_variable(&mut self, (name, value): (Text, Text)) -> (String, Template) {
        self.variable_name(&name);
        let template = self.template(&value);
        (name.into_inner(), template)
    }

    /// Entries with placeholders are judged when their values are known.
    fn host(&mut self, entry: &Text) -> Template {
        let template = match self.parsed(entry) {
            Some(template) if template.is_literal() => template,
            other => return other.unwrap_or_else(|| Template::literal(entry.get_ref())),
        };
        match AllowedHosts::parse(std::slice::from_ref(entry.get_ref())).map(|hosts| hosts.chaining()) {
            Err(error) => self.fault(entry.span(), error.to_string()),
            Ok(Chaining::Only(ids)) => {
                if let Some(id) = ids.iter().find(|id| !self.components.contains(*id)) {
                    self.fault(entry.span(), self.no_component(id));
                }
            }
            Ok(Chaining::None | Chaining::All) => {}
        }
        template
    }

    fn file(&mut self, raw: schema::FileMount) -> FileMount {
        self.not_empty(&raw.source);
        if !raw.destination.get_ref().starts_with('/') {
            self.fault(raw.destination.span(), "the guest's path starts with `/`".to_owned());
        }
        FileMount { source: self.folder.join(raw.source.get_ref()), destination: raw.destination.into_inner() }
    }

    fn dependencies(&mut self, raw: BTreeMap<Text, schema::Dependency>) -> BTreeMap<DependencyName, Dependency> {
        let mut dependencies: BTreeMap<DependencyName, Dependency> = BTreeMap::new();
        for (key, dependency) in raw {
            let name = match DependencyName::parse(key.get_ref()) {
                Ok(name) => name,
                Err(message) => {
                    self.fault(key.span(), message);
                    continue;
                }
            };
            if let Some(other) = dependencies.keys().find(|other| other.overlaps(&name)) {
                self.fault(key.span(), format!("`{name}` and `{other}` could fill the same import: keep one"));
            }
            if let Some(export) = dependency.export.as_ref().filter(|_| name.interface.is_none()) {
                let message = "`export` needs an interface in the dependency's name, like \"spindle:calendar/rules\"";
                self.fault(export.span(), message.to_owned());
            }
            let path = self.folder.join(dependency.path.get_ref());
            dependencies.insert(name, Dependency { path, export: dependency.export.map(Text::into_inner) });
        }
        dependencies
    }

    fn build(&self, raw: schema::Build) -> Build {
        let command = match raw.command {
            schema::Commands::One(command) => vec![command],
            schema::Commands::Many(commands) => commands,
        };
        Build { command, workdir: self.folder.join(raw.workdir.unwrap_or_default()), watch: raw.watch }
    }
}
