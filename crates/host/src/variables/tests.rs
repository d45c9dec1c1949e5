//! Templates and where values come from.

use std::path::Path;

use super::*;

const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "x"
[variables]
db_host = { default = "from-default" }
db_password = { required = true, secret = true }
api_key = { required = true }
[component.tasks]
source = "tasks.wasm"
variables = { url = "pg://tasks:{{ db_password }}@{{db_host}}/x", key = "{{ api_key }}{{ api_key }}" }
[component.web]
source = "web.wasm"
"#;

fn manifest() -> Manifest {
    Manifest::parse(Path::new("spin.toml"), MANIFEST).unwrap()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An environment that answers `from-env` for these names.
fn env(names: &'static [&'static str]) -> impl Fn(&str) -> Option<String> {
    |name| names.contains(&name).then(|| "from-env".to_owned())
}

fn value(variables: &Variables, name: &str) -> String {
    variables.expand(&Template::parse(&format!("{{{{ {name} }}}}")).unwrap()).unwrap()
}

#[test]
fn an_override_wins_over_the_environment_and_that_over_the_default() {
    let all = env(&["SPIN_VARIABLE_DB_HOST", "SPIN_VARIABLE_DB_PASSWORD", "SPIN_VARIABLE_API_KEY"]);
    let variables = Variables::new(&manifest(), &map(&[("api_key", "given")]), all).unwrap();
    assert_eq!(value(&variables, "api_key"), "given");
    assert_eq!(value(&variables, "db_host"), "from-env");
    let given = map(&[("api_key", "k"), ("db_password", "")]);
    let variables = Variables::new(&manifest(), &given, |_| None).unwrap();
    assert_eq!(value(&variables, "db_host"), "from-default");
    assert_eq!(value(&variables, "db_password"), "", "an empty value is a value");
}

#[test]
fn a_component_sees_its_own_variables_only() {
    let given = map(&[("api_key", "k"), ("db_password", "p")]);
    let variables = Variables::new(&manifest(), &given, |_| None).unwrap();
    let expected = map(&[("url", "pg://tasks:p@from-default/x"), ("key", "kk")]);
    assert_eq!(variables.component_variables("tasks"), expected);
    assert!(variables.component_variables("web").is_empty());
    assert!(variables.component_variables("nobody").is_empty());
}

#[test]
fn all_missing_variables_are_listed_with_the_name_to_set() {
    let error = Variables::new(&manifest(), &BTreeMap::new(), |_| None).unwrap_err().to_string();
    let expected = "required variables of spin.toml have no value:\n  \
        api_key: set SPIN_VARIABLE_API_KEY\n  db_password: set SPIN_VARIABLE_DB_PASSWORD";
    assert_eq!(error, expected);
}

#[test]
fn an_override_must_be_declared() {
    let error = Variables::new(&manifest(), &map(&[("db_hots", "x")]), |_| None).unwrap_err().to_string();
    assert_eq!(error, "no such variable: db_hots; spin.toml declares: api_key, db_host, db_password");
}

#[test]
fn templates_parse_and_render() {
    let filled = |name: &str| Some(if name == "a" { "1" } else { "2" });
    let table = [
        ("", Ok("")),
        ("plain } { }}", Ok("plain } { }}")),
        ("{{ a }}", Ok("1")),
        ("{{a}}{{  b2  }}", Ok("12")),
        ("x-{{ a }}-{{ b }}-y", Ok("x-1-2-y")),
        ("{{ a }", Err("`{{` without `}}`")),
        ("{{ a }} {{ b", Err("`{{` without `}}`")),
        ("{{ }}", Err("`` in {{ }} is no variable name")),
        ("{{ A }}", Err("`A` in")),
        ("{{ a.b }}", Err("`a.b` in")),
        ("{{ {{ a }}", Err("`{{ a` in")),
    ];
    for (source, expected) in table {
        match (Template::parse(source), expected) {
            (Ok(template), Ok(expected)) => {
                assert_eq!(template.render(filled), Ok(expected.to_owned()), "{source}");
                assert_eq!(template.source(), source);
            }
            (Err(fault), Err(expected)) => {
                assert!(fault.starts_with(expected), "{source}: {fault}")
            }
            (other, _) => panic!("{source}: {other:?}"),
        }
    }
    assert!(Template::parse("x").unwrap().is_literal() && !Template::parse("{{ a }}").unwrap().is_literal());
    assert_eq!(Template::parse("{{ a }}{{ c }}").unwrap().render(|name| Some("1").filter(|_| name == "a")), Err("c"));
}

#[test]
fn variable_names_are_lower_snake_case() {
    for name in ["a", "ab_cd", "a1_b2"] {
        assert!(is_variable_name(name), "{name}");
    }
    for name in ["", "A", "a-b", "a__b", "_a", "a_", "1a", "a_1", "a.b", "ä"] {
        assert!(!is_variable_name(name), "{name}");
    }
    assert_eq!(env_name("db_host"), "SPIN_VARIABLE_DB_HOST");
}
