//! `spin.toml` as it is written: what serde accepts. `check` makes a [`super::Manifest`] of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A string and where it stands.
pub(super) type Text = Spanned<String>;
/// Tables that belong to other tools; never looked into.
type Ignored = BTreeMap<String, toml::Table>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) spin_manifest_version: Spanned<i64>,
    pub(super) application: Application,
    #[serde(default)]
    pub(super) variables: BTreeMap<Text, Variable>,
    #[serde(default)]
    pub(super) trigger: Triggers,
    #[serde(default)]
    pub(super) component: BTreeMap<Text, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub(super) name: Text,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) authors: Vec<String>,
    #[serde(default)]
    pub(super) trigger: TriggerSettings,
    #[serde(default, rename = "tool")]
    pub(super) _tool: Ignored,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TriggerSettings {
    pub(super) http: HttpSettings,
    pub(super) redis: RedisSettings,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpSettings {
    pub(super) base: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedisSettings {
    pub(super) address: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    pub(super) default: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) secret: bool,
    #[serde(default)]
    pub(super) description: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Triggers {
    pub(super) http: Vec<HttpTrigger>,
    pub(super) redis: Vec<RedisTrigger>,
    pub(super) cron: Vec<CronTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpTrigger {
    pub(super) route: Spanned<Route>,
    pub(super) component: Text,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a route is a string such as \"/api/v1/tasks/...\" or { private = true }")]
pub(super) enum Route {
    Public(String),
    Private(PrivateRoute),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrivateRoute {
    pub(super) private: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RedisTrigger {
    pub(super) channel: Text,
    pub(super) component: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CronTrigger {
    pub(super) component: Text,
    pub(super) cron_expression: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub(super) source: Text,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) allowed_outbound_hosts: Vec<Text>,
    #[serde(default)]
    pub(super) files: Vec<FileMount>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<Text, Text>,
    #[serde(default)]
    pub(super) dependencies: BTreeMap<Text, Dependency>,
    #[serde(default)]
    pub(super) dependencies_inherit_configuration: bool,
    pub(super) build: Option<Build>,
    #[serde(default, rename = "tool")]
    pub(super) _tool: Ignored,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "{ source = \"folder\", destination = \"/\" } (patterns are not supported here)"
)]
pub(super) struct FileMount {
    pub(super) source: Text,
    pub(super) destination: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{ path = \"provider.wasm\" } (registries are not supported here)")]
pub(super) struct Dependency {
    pub(super) path: Text,
    pub(super) export: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub(super) command: Commands,
    pub(super) workdir: Option<String>,
    #[serde(default)]
    pub(super) watch: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a build command is a string or a list of strings")]
pub(super) enum Commands {
    One(String),
    Many(Vec<String>),
}
