//! Turns the document into a [`Manifest`]: what serde cannot see, such as a trigger whose component does not exist.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;

use super::schema::{self, Text};
use super::source::Problem;
use super::{Application, CronTrigger, HttpTrigger, Manifest, RedisTrigger, Variable};
use crate::routes::Pattern;
use crate::variables::{Template, is_variable_name};

mod component;

/// Checks the whole document; `Err` holds every fault found.
pub(super) fn check(path: &Path, document: schema::Document) -> Result<Manifest, Vec<Problem>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut checker = Checker {
        folder,
        variables: document.variables.keys().map(|name| name.get_ref().clone()).collect(),
        components: document.component.keys().map(|id| id.get_ref().clone()).collect(),
        problems: Vec::new(),
    };
    let manifest = checker.manifest(path, document);
    if checker.problems.is_empty() { Ok(manifest) } else { Err(checker.problems) }
}

struct Checker<'a> {
    folder: &'a Path,
    variables: BTreeSet<String>,
    components: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    fn manifest(&mut self, path: &Path, document: schema::Document) -> Manifest {
        let version = &document.spin_manifest_version;
        if *version.get_ref() != 2 {
            self.fault(version.span(), format!("manifest version {} is not supported: write 2", version.get_ref()));
        }
        self.redis_needs_address(&document);
        self.only_http_chains(&document);
        let schema::Application { name, version, description, authors, trigger, .. } = document.application;
        self.not_empty(&name);
        let http_base = trigger.http.base.map_or("/".to_owned(), |base| self.base(base));
        Manifest {
            path: path.to_owned(),
            folder: self.folder.to_owned(),
            application: Application { name: name.into_inner(), version, description, authors },
            redis_address: trigger.redis.address.map(|address| self.template(&address)),
            variables: document.variables.into_iter().map(|(name, variable)| self.variable(name, variable)).collect(),
            http_triggers: self.http_triggers(document.trigger.http, &http_base),
            redis_triggers: document.trigger.redis.into_iter().map(|trigger| self.redis_trigger(trigger)).collect(),
            cron_triggers: document.trigger.cron.into_iter().map(|trigger| self.cron_trigger(trigger)).collect(),
            components: document.component.into_iter().map(|(id, raw)| self.component(id, raw)).collect(),
            http_base,
        }
    }

    fn redis_needs_address(&mut self, document: &schema::Document) {
        if document.application.trigger.redis.address.is_some() {
            return;
        }
        if let Some(trigger) = document.trigger.redis.first() {
            let message = "a Redis trigger needs [application.trigger.redis] address = \"redis://host:6379\"";
            self.fault(trigger.channel.span(), message.to_owned());
        }
    }

    /// Spin refuses to start a Redis or cron trigger whose component chains by a literal entry.
    fn only_http_chains(&mut self, document: &schema::Document) {
        let redis = document.trigger.redis.iter().map(|trigger| &trigger.component);
        let others: Vec<&Text> = redis.chain(document.trigger.cron.iter().map(|trigger| &trigger.component)).collect();
        for id in others {
            let entries = document.component.get(id).map(|component| component.allowed_outbound_hosts.as_slice());
            for entry in entries.unwrap_or_default().iter().filter(|entry| entry.get_ref().contains(".spin.internal")) {
                let message = "only components with an HTTP trigger alone can chain to others: \
                    use a {{ variable }} that holds the application's own address";
                self.fault(entry.span(), message.to_owned());
            }
        }
    }

    fn base(&mut self, base: Text) -> String {
        if !base.get_ref().starts_with('/') {
            self.fault(base.span(), "a base starts with `/`".to_owned());
        }
        base.into_inner()
    }

    fn variable(&mut self, name: Text, raw: schema::Variable) -> (String, Variable) {
        self.variable_name(&name);
        if raw.required == raw.default.is_some() {
            let message = "a variable has either `default = \"...\"` or `required = true`";
            self.fault(name.span(), message.to_owned());
        }
        let schema::Variable { default, secret, description, .. } = raw;
        (name.into_inner(), Variable { default, secret, description })
    }

    fn http_triggers(&mut self, raw: Vec<schema::HttpTrigger>, base: &str) -> Vec<HttpTrigger> {
        let mut seen: Vec<(Pattern, String)> = Vec::new();
        let mut triggers = Vec::new();
        for trigger in raw {
            let component = self.reference(trigger.component);
            let span = trigger.route.span();
            let route = match trigger.route.into_inner() {
                schema::Route::Public(route) => Some(route),
                schema::Route::Private(raw) if raw.private => None,
                schema::Route::Private(_) => {
                    self.fault(span.clone(), "write { private = true } or a path".to_owned());
                    None
                }
            };
            if let Some(route) = &route {
                self.route(span, base, route, &component, &mut seen);
            }
            triggers.push(HttpTrigger { route, component });
        }
        triggers
    }

    fn route(&mut self, at: Range<usize>, base: &str, route: &str, of: &str, seen: &mut Vec<(Pattern, String)>) {
        let pattern = match Pattern::based(base, route) {
            Ok(pattern) => pattern,
            Err(message) => return self.fault(at, message),
        };
        if let Some((_, other)) = seen.iter().find(|(other, _)| other.same_paths(&pattern)) {
            self.fault(at, format!("`{other}` has a route for the same paths already: keep one of them"));
        }
        seen.push((pattern, of.to_owned()));
    }

    fn redis_trigger(&mut self, raw: schema::RedisTrigger) -> RedisTrigger {
        RedisTrigger { channel: self.template(&raw.channel), component: self.reference(raw.component) }
    }

    fn cron_trigger(&mut self, raw: schema::CronTrigger) -> CronTrigger {
        let fields = raw.cron_expression.get_ref().split_whitespace().count();
        if !(6..=7).contains(&fields) {
            let message = format!("a cron expression has 6 or 7 fields, seconds first; this one has {fields}");
            self.fault(raw.cron_expression.span(), message);
        }
        CronTrigger { cron_expression: raw.cron_expression.into_inner(), component: self.reference(raw.component) }
    }

    fn reference(&mut self, id: Text) -> String {
        if !self.components.contains(id.get_ref()) {
            self.fault(id.span(), self.no_component(id.get_ref()));
        }
        id.into_inner()
    }

    fn no_component(&self, id: &str) -> String {
        let known: Vec<_> = self.components.iter().map(String::as_str).collect();
        format!("no [component.{id}]; there are: {}", known.join(", "))
    }

    fn template(&mut self, text: &Text) -> Template {
        self.parsed(text).unwrap_or_else(|| Template::literal(text.get_ref()))
    }

    /// `None` when the text is no template, which is then a fault.
    fn parsed(&mut self, text: &Text) -> Option<Template> {
        let template = match Template::parse(text.get_ref()) {
            Ok(template) => template,
            Err(message) => {
                self.fault(text.span(), message);
                return None;
            }
        };
        for name in template.variables().filter(|name| !self.variables.contains(*name)) {
            let known: Vec<_> = self.variables.iter().map(String::as_str).collect();
            let message = format!("no variable `{name}` in [variables]; there are: {}", known.join(", "));
            self.problems.push(Problem { span: text.span(), message });
        }
        Some(template)
    }

    fn variable_name(&mut self, name: &Text) {
        if !is_variable_name(name.get_ref()) {
            let message = format!(
                "`{}` is no variable name: write lower_snake_case, each word starting with a letter",
                name.get_ref()
            );
            self.fault(name.span(), message);
        }
    }

    fn not_empty(&mut self, text: &Text) {
        if text.get_ref().is_empty() {
            self.fault(text.span(), "this must not be empty".to_owned());
        }
    }

    fn fault(&mut self, span: Range<usize>, message: String) {
        self.problems.push(Problem { span, message });
    }
}
