//! Where the time of a request goes: the host and the components in this process, one request after the other, with a
//! clock at every step of the host and every call of a guest into it.
//!
//! The clocks cost time too, about half a microsecond a call: what counts is which part is large.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use host::{App, AppOptions};
use serde::Serialize;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, filter};

use crate::clock::{Clock, Part};
use crate::data::{self, Data, READER};
use crate::process;
use crate::target::{self, bearer, send};
use crate::work::WORKS;

/// Requests before the clocks count, and those that count.
const WARM: u32 = 50;
const REQUESTS: u32 = 500;
const INTERNAL_TOKEN: &str = "bench";

/// A request to a component.
struct Case {
    component: &'static str,
    method: &'static str,
    path: &'static str,
}

/// What each component is asked beside the works of the tasks.
const CASES: &[Case] = &[
    Case { component: "status", method: "GET", path: "/readyz" },
    Case { component: "accounts", method: "GET", path: "/api/v1/accounts/me" },
    Case { component: "recurrence", method: "GET", path: "/api/v1/recurring-tasks" },
    Case { component: "reminders", method: "GET", path: "/api/v1/reminders" },
    Case { component: "notifications", method: "GET", path: "/api/v1/notifications" },
    Case { component: "audit", method: "GET", path: "/api/v1/audit" },
    Case { component: "relay", method: "POST", path: "/internal/relay/run" },
];

/// What one kind of request costs.
#[derive(Serialize)]
struct Explained {
    component: &'static str,
    request: String,
    /// Processor time of the thread that serves, in microseconds a request.
    cpu_us: f64,
    /// Page faults a request.
    page_faults: f64,
    /// Steps of the host, computing of the guest, calls into the host, and the rest.
    parts: Vec<Part>,
}

/// Explains every case.
///
/// # Errors
/// When the application does not start or answers with an error.
pub async fn run(root: &Path, data: &Data, json: bool) -> Result<()> {
    let clock = Clock::default();
    let ours = filter::filter_fn(|meta| {
        meta.is_span() && (meta.target().starts_with("host::triggers") || meta.name() == "wit-bindgen import")
    });
    tracing_subscriber::registry().with(clock.clone().with_filter(ours)).init();
    // A runtime inside another cannot be waited for on the same thread.
    let started = std::thread::scope(|scope| scope.spawn(|| start(root, &data.host(), &data.folder)).join());
    let (app, runtime) = started.map_err(|_| anyhow::anyhow!("the application panicked"))??;
    let account = "insert into account (id, email, email_key, password_hash, time_zone, created_at) \
                   values ($1, 'a@b.cd', 'a@b.cd', '', 'Europe/Berlin', '2026-01-01')";
    data.client.execute(account, &[&READER]).await?;
    let base = format!("http://{}", app.address());
    let mut all = Vec::new();
    for work in WORKS {
        let component = if work.name == "hello" { "status" } else { "tasks" };
        let ask = |number| Ok(target::request(&base, work, number)?.0);
        all.push(explain(component, format!("{} {}", work.method, work.path), &clock, ask)?);
    }
    for case in CASES {
        let ask = |_| ask(&base, case);
        all.push(explain(case.component, format!("{} {}", case.method, case.path), &clock, ask)?);
    }
    runtime.shutdown_background();
    if json {
        println!("{}", serde_json::to_string_pretty(&all)?);
    } else {
        all.iter().for_each(print);
    }
    Ok(())
}

/// The application on threads of its own, one of which serves.
fn start(root: &Path, db_host: &str, folder: &Path) -> Result<(App, tokio::runtime::Runtime)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut options = AppOptions::new(root.join("spin.toml"));
    options.listen.set_port(0);
    options.threads = 1;
    options.cache_dir = folder.join("state/cache");
    // Nothing but what is asked may run.
    options.without = ["ticker", "relay-wake"].map(String::from).into();
    let variables = [
        ("token_keys", data::TOKEN_KEYS.to_string()),
        ("db_password", data::PASSWORD.to_string()),
        ("db_host", db_host.to_string()),
        ("db_name", data::NAME.to_string()),
        ("internal_token", INTERNAL_TOKEN.to_string()),
        ("operator_token", String::new()),
        ("hint_channel", String::new()),
    ];
    options.variables = variables.map(|(name, value)| (name.to_string(), value)).into();
    let app = runtime.block_on(App::start(options))?;
    Ok((app, runtime))
}

fn ask(base: &str, case: &Case) -> Result<u16> {
    let headers = [("authorization", bearer(READER)?), ("dapr-api-token", INTERNAL_TOKEN.to_string())];
    let body = (case.method == "POST").then_some("");
    Ok(send(case.method, &format!("{base}{}", case.path), &headers, body)?.0)
}

fn explain(
    component: &'static str,
    request: String,
    clock: &Clock,
    ask: impl Fn(u32) -> Result<u16>,
) -> Result<Explained> {
    let times = |from: u32, count: u32| {
        (from..from + count).try_for_each(|number| match ask(number)? {
            200..300 => Ok(()),
            status => bail!("{request} answers {status}"),
        })
    };
    times(1, WARM)?;
    clock.clear();
    // The only thread that serves.
    let used = || process::thread("http-0").context("no thread serves HTTP");
    let before = used()?;
    times(1 + WARM, REQUESTS)?;
    let after = used()?;
    let cpu_us = (after.0 - before.0) * 1e6 / f64::from(REQUESTS);
    let mut parts = clock.parts(REQUESTS);
    let known: f64 = parts.iter().map(|part| part.us).sum();
    let rest = Part {
        name: "rest: sockets, HTTP, PostgreSQL's protocol".into(),
        count: 1.0,
        us: cpu_us - known,
        waited_us: 0.0,
    };
    parts.push(rest);
    parts.sort_by(|a, b| b.us.total_cmp(&a.us));
    Ok(Explained { component, request, cpu_us, page_faults: (after.1 - before.1) as f64 / f64::from(REQUESTS), parts })
}

fn print(explained: &Explained) {
    let Explained { component, request, cpu_us, page_faults, parts } = explained;
    println!("\n### {component}: {request}\n\n{cpu_us:.0} µs of CPU, {page_faults:.2} page faults\n");
    println!("| part | times | µs | waited µs |\n|---|---|---|---|");
    for part in parts {
        println!("| {} | {:.1} | {:.1} | {:.0} |", part.name, part.count, part.us, part.waited_us);
    }
}
