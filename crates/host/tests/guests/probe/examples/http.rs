//! Does what the last segment of the path says, so that a test can reach every interface of the host.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::SinkExt as _;
use probe::memory;
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, Request, Response, ResponseOutparam};
use spin_sdk::pg4::{Connection, ParameterValue};
use spin_sdk::{http_component, redis, variables};

type Outcome = anyhow::Result<String>;

static CALLS: AtomicU32 = AtomicU32::new(0);

#[http_component]
async fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let path = request.path_with_query().unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let what = path.rsplit('/').next().unwrap_or_default().to_owned();
    let query = query.to_owned();
    let headers = request.headers().entries();
    let body = match request.into_body().await {
        Ok(body) => String::from_utf8_lossy(&body).into_owned(),
        Err(error) => return answer(out, 400, format!("body: {error:?}")).await,
    };
    match what.as_str() {
        "stream" => return stream(out).await,
        "late" => return late(out, &body).await,
        "then" => {
            answer(out, 200, "begun".into()).await;
            return script(&body).map(drop).unwrap();
        }
        "late-panic" => {
            answer(out, 200, "before".into()).await;
            std::thread::sleep(Duration::from_millis(20));
            panic!("told to panic late");
        }
        "silent" => return,
        _ => {}
    }
    match act(&what, &query, headers, body).await {
        Ok(text) => answer(out, 200, text).await,
        Err(error) => answer(out, 418, format!("{error:#}")).await,
    }
}

async fn act(what: &str, query: &str, headers: Vec<(String, Vec<u8>)>, body: String) -> Outcome {
    match what {
        "echo" => Ok(body),
        "size" => Ok(body.len().to_string()),
        "headers" => Ok(headers.iter().fold(String::new(), |mut all, (name, value)| {
            let _ = writeln!(all, "{name}: {}", String::from_utf8_lossy(value));
            all
        })),
        "count" => Ok(CALLS.fetch_add(1, Ordering::Relaxed).to_string()),
        "panic" => panic!("told to panic"),
        "spin" => memory::spin(),
        "look" => Ok(memory::look(query.parse()?)),
        "busy" => {
            let end = std::time::Instant::now() + Duration::from_millis(query.parse()?);
            while std::time::Instant::now() < end {
                CALLS.fetch_add(1, Ordering::Relaxed);
            }
            Ok("done".into())
        }
        "sleep" => {
            std::thread::sleep(Duration::from_millis(query.parse()?));
            Ok("slept".into())
        }
        "alloc" => {
            let memory = vec![1_u8; query.parse::<usize>()? << 20];
            Ok(memory.iter().filter(|byte| **byte == 1).count().to_string())
        }
        "now" => Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros().to_string()),
        "monotonic" => Ok(wasi::clocks::monotonic_clock::now().to_string()),
        "random" => Ok(format!("{:?}", wasi::random::random::get_random_bytes(16))),
        "read" => Ok(std::fs::read_to_string(query)?),
        "write" => Ok(format!("{:?}", std::fs::write(query, "x"))),
        "env" => Ok(std::env::var(query)?),
        "variable" => Ok(format!("{:?}", variables::get(query))),
        "log" => {
            println!("to stdout");
            eprint!("to stderr, no newline");
            Ok(String::new())
        }
        "publish" => {
            let connection = redis::Connection::open(&variables::get("redis_url")?)?;
            Ok(format!("{:?}", connection.publish(query, &body.into_bytes())))
        }
        "redis-get" => {
            let connection = redis::Connection::open(&variables::get("redis_url")?)?;
            Ok(format!("{:?}", connection.get(query)))
        }
        "redis-commands" => redis_commands(),
        "redis-open" => Ok(format!("{:?}", redis::Connection::open(query).map(drop))),
        "pg-open" => Ok(format!("{:?}", Connection::open(&body).map(drop))),
        "get" => fetch(Request::get(query).build()).await,
        "send-as" => fetch(Request::get(query).header("traceparent", body).build()).await,
        "post" => fetch(Request::post(query, body).build()).await,
        "sql" => script(&body),
        "typed" => typed(&body),
        _ => Ok("Hello".into()),
    }
}

/// Every command of the interface once; each line is what one or two of them said.
fn redis_commands() -> Outcome {
    let connection = redis::Connection::open(&variables::get("redis_url")?)?;
    let arguments = |texts: &[&str]| {
        texts.iter().map(|text| redis::RedisParameter::Binary(text.as_bytes().to_vec())).collect::<Vec<_>>()
    };
    let mut said = format!("{:?}\n{:?}\n", connection.set("k", &b"v".to_vec()), connection.get("k"));
    writeln!(said, "{:?}", connection.get("none"))?;
    writeln!(said, "{:?} {:?}", connection.incr("n"), connection.incr("k").is_err())?;
    writeln!(said, "{:?}", connection.sadd("s", &["a".into(), "b".into()]))?;
    writeln!(said, "{:?}", connection.srem("s", &["a".into()]))?;
    writeln!(said, "{:?}", connection.smembers("s"))?;
    writeln!(said, "{:?}", connection.execute("PING", &[]))?;
    writeln!(said, "{:?}", connection.execute("MGET", &arguments(&["k", "none"])))?;
    writeln!(said, "{:?}", connection.del(&["k".into(), "n".into(), "s".into()]))?;
    Ok(said)
}

async fn fetch(request: Request) -> Outcome {
    let response: Result<Response, _> = spin_sdk::http::send(request).await;
    Ok(match response {
        Ok(response) => format!("{} {}", response.status(), String::from_utf8_lossy(response.body())),
        Err(error) => format!("error: {error:?}"),
    })
}

/// Each line is `? query`, `! statement to execute`, `panic`, `open` (a new connection), `sleep`, `spin`, or `stain`
/// and `look` as in `memory`.
fn script(lines: &str) -> Outcome {
    let url = variables::get("db_url")?;
    let mut connection = Connection::open(&url)?;
    let mut said = String::new();
    for line in lines.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("?", sql) => match connection.query(sql, &[]) {
                Ok(set) => writeln!(said, "{:?}", set.rows)?,
                Err(error) => writeln!(said, "{error:?}")?,
            },
            ("!", sql) => writeln!(said, "{:?}", connection.execute(sql, &[]))?,
            ("panic", _) => panic!("told to panic"),
            ("open", _) => connection = Connection::open(&url)?,
            ("sleep", ms) => std::thread::sleep(Duration::from_millis(ms.parse()?)),
            ("spin", _) => memory::spin(),
            ("stain", mib) => writeln!(said, "{}", memory::stain(mib.parse()?))?,
            ("look", mib) => writeln!(said, "{}", memory::look(mib.parse()?))?,
            _ => anyhow::bail!("what is {line}?"),
        }
    }
    Ok(said)
}

/// First line SQL, then a line `type:text` for each parameter. Says columns and rows.
fn typed(lines: &str) -> Outcome {
    let mut lines = lines.lines();
    let sql = lines.next().unwrap_or_default();
    let values = lines.map(parameter).collect::<anyhow::Result<Vec<_>>>()?;
    let connection = Connection::open(&variables::get("db_url")?)?;
    Ok(match connection.query(sql, &values) {
        Ok(set) => format!("{:?} {:?}", set.columns, set.rows),
        Err(error) => format!("{error:?}"),
    })
}

fn parameter(line: &str) -> anyhow::Result<ParameterValue> {
    let (kind, text) = line.split_once(':').unwrap_or((line, ""));
    let texts = || text.split(',').map(|item| (item != "null").then(|| item.to_owned()));
    Ok(match kind {
        "null" => ParameterValue::DbNull,
        "bool" => ParameterValue::Boolean(text.parse()?),
        "int2" => ParameterValue::Int16(text.parse()?),
        "int4" => ParameterValue::Int32(text.parse()?),
        "int8" => ParameterValue::Int64(text.parse()?),
        "float8" => ParameterValue::Floating64(text.parse()?),
        "str" => ParameterValue::Str(text.into()),
        "bytes" => ParameterValue::Binary(text.into()),
        "uuid" => ParameterValue::Uuid(text.into()),
        "jsonb" => ParameterValue::Jsonb(text.into()),
        "decimal" => ParameterValue::Decimal(text.into()),
        "strs" => ParameterValue::ArrayStr(texts().collect()),
        "decimals" => ParameterValue::ArrayDecimal(texts().collect()),
        "datetime" => ParameterValue::Datetime((2026, 2, 28, 23, 59, 59, 1_000)),
        "date" => ParameterValue::Date((2026, 2, 28)),
        "time" => ParameterValue::Time((23, 59, 59, 1_000)),
        "timestamp" => ParameterValue::Timestamp(text.parse()?),
        "interval" => ParameterValue::Interval(spin_sdk::pg4::Interval { micros: 1_500_000, days: 2, months: -3 }),
        "range" => ParameterValue::RangeInt32((None, None)),
        _ => anyhow::bail!("what is {kind}?"),
    })
}

async fn answer(out: ResponseOutparam, status: u16, text: String) {
    let headers = Fields::from_list(&[("x-probe".to_owned(), b"yes".to_vec())]).unwrap();
    let response = OutgoingResponse::new(headers);
    response.set_status_code(status).unwrap();
    let mut body = response.take_body();
    out.set(response);
    let _ = body.send(text.into_bytes()).await;
}

async fn stream(out: ResponseOutparam) {
    let response = OutgoingResponse::new(Fields::new());
    let mut body = response.take_body();
    out.set(response);
    for part in ["one ", "two ", "three"] {
        if body.send(part.as_bytes().to_vec()).await.is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(150));
    }
}

async fn late(out: ResponseOutparam, sql: &str) {
    answer(out, 200, "early".into()).await;
    std::thread::sleep(Duration::from_millis(150));
    let connection = Connection::open(&variables::get("db_url").unwrap()).unwrap();
    connection.execute(sql, &[]).unwrap();
}
