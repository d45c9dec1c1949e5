//! Runs the SQL of its messages; `panic`, `fail`, `chain` and `wait` do what they say.

use bytes::Bytes;
use spin_sdk::http::{Request, Response};
use spin_sdk::pg4::{Connection, ParameterValue};
use spin_sdk::{redis_component, variables};

#[redis_component]
async fn on_message(message: Bytes) -> anyhow::Result<()> {
    let text = String::from_utf8(message.to_vec())?;
    let connection = Connection::open(&variables::get("db_url")?)?;
    let record = |what: String| connection.execute("insert into seen (what) values ($1)", &[ParameterValue::Str(what)]);
    match text.as_str() {
        "panic" => panic!("told to panic"),
        "fail" => anyhow::bail!("told to fail"),
        "chain" => {
            let answer: Result<Response, _> = spin_sdk::http::send(Request::get("http://other.spin.internal/")).await;
            record(format!("chained: {}", answer.is_ok()))?;
        }
        "wait" => {
            record("wait begins".into())?;
            std::thread::sleep(std::time::Duration::from_millis(200));
            record("wait ends".into())?;
        }
        _ => drop(record(format!("message {text}"))?),
    }
    Ok(())
}
