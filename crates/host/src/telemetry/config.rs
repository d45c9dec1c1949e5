//! What the environment says of telemetry: the variables of OpenTelemetry, as Spin reads them.
//!
//! Those of the SDK (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…`,
//! `OTEL_METRIC_EXPORT_INTERVAL`, `OTEL_EXPORTER_OTLP_HEADERS`) it reads itself.

use std::time::Duration;

use anyhow::{Context as _, bail};
use http::Uri;

/// The only protocol that is spoken.
const PROTOCOL: &str = "http/protobuf";

/// The samplers that the SDK knows; it would take any other for the first one.
const SAMPLERS: [&str; 6] = [
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
    "always_on",
    "always_off",
    "traceidratio",
];

/// Where the signals go; none of them by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Where spans go.
    pub traces: Option<Target>,
    /// Where metrics go.
    pub metrics: Option<Target>,
}

/// A collector's address for one signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The whole URL, with its path.
    pub endpoint: String,
    /// The longest that a send may take, with all its retries.
    pub timeout: Duration,
}

impl Config {
    /// Reads the variables that `variable` has. An empty one counts as not set.
    ///
    /// Errors name the variable that is wrong, or asks for what is not there.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| !value.eq_ignore_ascii_case("false"));
        if disabled {
            return Ok(Config::default());
        }
        let signal = |name: &str, path: &str| target(&variable, name, path);
        let config = Config { traces: signal("TRACES", "/v1/traces")?, metrics: signal("METRICS", "/v1/metrics")? };
        if config.traces.is_some() {
            sampler(&variable)?;
        }
        Ok(config)
    }
}

/// Where `signal` goes, by the variable of its own or else by the one for all.
fn target(variable: &impl Fn(&str) -> Option<String>, signal: &str, path: &str) -> anyhow::Result<Option<Target>> {
    let either = |what: &str| {
        let own = format!("OTEL_EXPORTER_OTLP_{signal}_{what}");
        let all = format!("OTEL_EXPORTER_OTLP_{what}");
        variable(&own).map(|value| (own, value)).or_else(|| variable(&all).map(|value| (all, value)))
    };
    let Some((name, endpoint)) = either("ENDPOINT") else { return Ok(None) };
    // the one for all is a base, to which each signal adds its path (OTLP Exporter, "Endpoint URLs for OTLP/HTTP")
    let endpoint = match name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
        true => format!("{}{path}", endpoint.trim_end_matches('/')),
        false => endpoint,
    };
    let uri: Uri = endpoint.parse().with_context(|| format!("{name} is no URL: {endpoint}"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() {
        bail!("{name} must be an http:// or https:// URL, not {endpoint}");
    }
    match either("PROTOCOL") {
        Some((name, protocol)) if protocol != PROTOCOL => bail!(
            "{name} is {protocol}: this host speaks {PROTOCOL} only; set it to that, or leave it out, and name the \
             collector's HTTP port (4318, where gRPC has 4317)"
        ),
        _ => {}
    }
    let timeout = match either("TIMEOUT") {
        Some((name, millis)) => {
            millis.parse().with_context(|| format!("{name} is no number of milliseconds: {millis}"))?
        }
        None => 10_000,
    };
    Ok(Some(Target { endpoint, timeout: Duration::from_millis(timeout) }))
}

fn sampler(variable: &impl Fn(&str) -> Option<String>) -> anyhow::Result<()> {
    let Some(sampler) = variable("OTEL_TRACES_SAMPLER") else { return Ok(()) };
    if !SAMPLERS.contains(&sampler.as_str()) {
        bail!("OTEL_TRACES_SAMPLER is {sampler}; known are {}", SAMPLERS.join(", "));
    }
    let ratio = variable("OTEL_TRACES_SAMPLER_ARG").and_then(|ratio| ratio.parse::<f64>().ok());
    if sampler.ends_with("traceidratio") && !ratio.is_some_and(|ratio| (0.0..=1.0).contains(&ratio)) {
        bail!("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1 for the sampler {sampler}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let find =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Config::read(find)
    }

    fn endpoints(variables: &[(&str, &str)]) -> (Option<String>, Option<String>) {
        let config = read(variables).unwrap();
        (config.traces.map(|target| target.endpoint), config.metrics.map(|target| target.endpoint))
    }

    #[test]
    fn it_is_off_unless_an_endpoint_is_named() {
        assert_eq!(endpoints(&[]), (None, None));
        assert_eq!(endpoints(&[("OTEL_SERVICE_NAME", "x"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), (None, None));
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        let both = (Some("http://c:4318/v1/traces".to_owned()), Some("http://c:4318/v1/metrics".to_owned()));
        assert_eq!(endpoints(&[base]), both);
        for (disabled, off) in [("true", true), ("1", true), ("false", false), ("", false)] {
            assert_eq!(endpoints(&[base, ("OTEL_SDK_DISABLED", disabled)]) == (None, None), off, "{disabled}");
        }
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://t/in");
        assert_eq!(endpoints(&[own]), (Some("https://t/in".to_owned()), None));
        assert_eq!(endpoints(&[base, own]), (Some("https://t/in".to_owned()), both.1));
    }

    #[test]
    fn times_are_milliseconds() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        let timeout = |variables: &[(&str, &str)]| read(variables).unwrap().traces.unwrap().timeout.as_millis();
        assert_eq!(timeout(&[base]), 10_000);
        assert_eq!(timeout(&[base, ("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]), 300);
        let own = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "200");
        assert_eq!(timeout(&[base, own, ("OTEL_EXPORTER_OTLP_TIMEOUT", "300")]), 200);
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        for (name, value, word) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf only"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json", "http/protobuf only"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector:4317", "http://"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://c/", "http://"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "not a url", "no URL"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "milliseconds"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote", "traceidratio"),
        ] {
            let error = format!("{:#}", read(&[base, (name, value)]).unwrap_err());
            assert!(error.contains(name) && error.contains(word), "{error}");
        }
        assert!(read(&[base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]).is_ok());
        let ratio = ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
        assert!(read(&[base, ratio, ("OTEL_TRACES_SAMPLER_ARG", "0.1")]).is_ok());
        for argument in ["", "2", "x"] {
            let error = read(&[base, ratio, ("OTEL_TRACES_SAMPLER_ARG", argument)]).unwrap_err().to_string();
            assert!(error.contains("OTEL_TRACES_SAMPLER_ARG"), "{error}");
        }
    }
}
