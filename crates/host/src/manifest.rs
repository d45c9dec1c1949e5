//! `spin.toml`, manifest version 2: the part of it that this host runs.
//!
//! Anything else in the file is an error that names the line, the key and what is allowed there, so
//! that no setting is silently without effect. Paths are relative to the manifest's folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::variables::Template;

mod check;
mod dependency;
mod schema;
mod source;
#[cfg(test)]
mod tests;

pub use dependency::DependencyName;

/// An application as `spin.toml` describes it, checked.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// The file it was read from.
    pub path: PathBuf,
    /// The folder of the file; the paths below already start with it.
    pub folder: PathBuf,
    /// `[application]`
    pub application: Application,
    /// `[application.trigger.http] base`, a prefix of every public route; `/` when absent.
    pub http_base: String,
    /// `[application.trigger.redis] address`; always present when there is a Redis trigger.
    pub redis_address: Option<Template>,
    /// `[variables]` by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]` in the order of the file.
    pub http_triggers: Vec<HttpTrigger>,
    /// `[[trigger.redis]]` in the order of the file.
    pub redis_triggers: Vec<RedisTrigger>,
    /// `[[trigger.cron]]` in the order of the file.
    pub cron_triggers: Vec<CronTrigger>,
    /// `[component.<id>]` by id. Every trigger's component is among them.
    pub components: BTreeMap<String, Component>,
}

/// `[application]`: what the application is called.
#[derive(Clone, Debug, Serialize)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Its version, empty when absent.
    pub version: String,
    /// One line about it, empty when absent.
    pub description: String,
    /// Who made it.
    pub authors: Vec<String>,
}

/// An entry of `[variables]`.
#[derive(Clone, Debug, Serialize)]
pub struct Variable {
    /// The value when nobody gives one; `None` means that the variable is required.
    pub default: Option<String>,
    /// Whether the value must not be shown. Spin itself ignores this.
    pub secret: bool,
    /// What it is for, empty when absent.
    pub description: String,
}

/// `[[trigger.http]]`
#[derive(Clone, Debug, Serialize)]
pub struct HttpTrigger {
    /// The public route as written, such as `/api/v1/tasks/...`; `None` for `{ private = true }`,
    /// which only other components reach.
    pub route: Option<String>,
    /// The id of the component that answers.
    pub component: String,
}

/// `[[trigger.redis]]`
#[derive(Clone, Debug, Serialize)]
pub struct RedisTrigger {
    /// The channel to subscribe to, taken literally (no patterns).
    pub channel: Template,
    /// The id of the component that handles the messages.
    pub component: String,
}

/// `[[trigger.cron]]`
#[derive(Clone, Debug, Serialize)]
pub struct CronTrigger {
    /// Six or seven fields, seconds first, UTC.
    pub cron_expression: String,
    /// The id of the component to wake.
    pub component: String,
}

/// `[component.<id>]`
#[derive(Clone, Debug, Serialize)]
pub struct Component {
    /// The WebAssembly component's file.
    pub source: PathBuf,
    /// One line about it, empty when absent.
    pub description: String,
    /// Where it may connect to. Entries without a placeholder are known to be well formed.
    pub allowed_outbound_hosts: Vec<Template>,
    /// Host files that the guest may read.
    pub files: Vec<FileMount>,
    /// Its environment, literal.
    pub environment: BTreeMap<String, String>,
    /// What it may read as variables.
    pub variables: BTreeMap<String, Template>,
    /// Components to plug into its imports.
    pub dependencies: BTreeMap<DependencyName, Dependency>,
    /// Whether the dependencies may use Spin's interfaces with this component's rights.
    pub dependencies_inherit_configuration: bool,
    /// How it is built, if the manifest says so.
    pub build: Option<Build>,
}

/// An entry of `files`: `{ source = "web/dist", destination = "/" }`.
#[derive(Clone, Debug, Serialize)]
pub struct FileMount {
    /// A file or folder of the host.
    pub source: PathBuf,
    /// The absolute path at which the guest sees it.
    pub destination: String,
}

/// A value of `[component.<id>.dependencies]`.
#[derive(Clone, Debug, Serialize)]
pub struct Dependency {
    /// The providing component's file.
    pub path: PathBuf,
    /// The provider's export to use; the name of the import when absent.
    pub export: Option<String>,
}

/// `[component.<id>.build]`; this host reads it, the build tool runs it.
#[derive(Clone, Debug, Serialize)]
pub struct Build {
    /// Shell commands, to be run one after the other.
    pub command: Vec<String>,
    /// The folder to run them in.
    pub workdir: PathBuf,
    /// Patterns of the source files, relative to `workdir`.
    pub watch: Vec<String>,
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// Errors show the line and say what is allowed; faults between parts of the file (a trigger
    /// without its component, a route given twice) are reported all at once.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}: is this the right folder?", path.display()))?;
        Self::parse(path, &text)
    }

    /// Like [`Manifest::load`], with the file's text at hand; `path` is used for messages and for
    /// its folder.
    pub fn parse(path: &Path, text: &str) -> anyhow::Result<Self> {
        let source = source::Source::new(path, text);
        let document: schema::Document = toml::from_str(text).map_err(|error| source.parse_error(&error))?;
        check::check(path, document).map_err(|problems| source.problems(problems))
    }

    /// The component `id`, or an error that lists the ids there are.
    pub fn component(&self, id: &str) -> anyhow::Result<&Component> {
        self.components.get(id).with_context(|| {
            let known: Vec<_> = self.components.keys().map(String::as_str).collect();
            format!("no component `{id}` in {}; there are: {}", self.path.display(), known.join(", "))
        })
    }
}
