//! The native reference: what Rust without Wasm makes of the same work. axum on tokio, a pool of PostgreSQL
//! connections, the statements of `components/tasks/sql`, the rules of `domain`: the same answers, byte for byte.
//!
//! `reference ADDRESS`, with DATABASE_URL and TOKEN_KEYS in the environment.
#![allow(clippy::disallowed_methods, reason = "it is no guest: time and ids are the machine's")]

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use domain::page::Cursor;
use domain::task::{self, Due};
use domain::token::{self, Claims, Key};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

/// As many as serve the other targets.
const CONNECTIONS: usize = 16;

struct App {
    pool: Pool,
    keys: Vec<Key>,
}

type Shared = State<Arc<App>>;
type Answer = Result<Response, StatusCode>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address: SocketAddr = std::env::args().nth(1).context("usage: reference ADDRESS")?.parse()?;
    let config = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?.parse()?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_config(config, NoTls, recycling)).max_size(CONNECTIONS).build()?;
    let keys = std::env::var("TOKEN_KEYS").context("TOKEN_KEYS is not set")?;
    let keys = token::keys(&keys).map_err(|error| anyhow::anyhow!("{error}"))?;
    let app = Router::new()
        .route("/healthz", get(|| async { ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n") }))
        .route("/api/v1/tasks", get(list).post(create))
        .route("/api/v1/tasks/{id}", get(read))
        .route("/api/v1/tasks/{id}/complete", post(complete))
        .with_state(Arc::new(App { pool, keys }));
    let listener = tokio::net::TcpListener::bind(address).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |socket| drop(socket.set_nodelay(true)));
    Ok(axum::serve(listener, app).await?)
}

impl App {
    fn user(&self, headers: &HeaderMap) -> Result<Claims, StatusCode> {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(StatusCode::UNAUTHORIZED)?;
        token::verify(&self.keys, token, Timestamp::now().as_second()).map_err(|_| StatusCode::UNAUTHORIZED)
    }

    async fn rows(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, StatusCode> {
        let client = self.pool.get().await.map_err(failed)?;
        let statement = client.prepare_cached(sql).await.map_err(failed)?;
        client.query(&statement, parameters).await.map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn read(State(app): Shared, Path(id): Path<Uuid>, headers: HeaderMap) -> Answer {
    let user = app.user(&headers)?;
    let sql = include_str!("../../../../components/tasks/sql/get.sql");
    let rows = app.rows(sql, &[&user.sub, &id]).await?;
    Ok(json(StatusCode::OK, rows.first().ok_or(StatusCode::NOT_FOUND)?.get(0)))
}

async fn complete(State(app): Shared, Path(id): Path<Uuid>, headers: HeaderMap) -> Answer {
    let user = app.user(&headers)?;
    let sql = include_str!("../../../../components/tasks/sql/complete.sql");
    let rows = app.rows(sql, &[&user.sub, &id, &now(), &Uuid::now_v7(), &None::<String>]).await?;
    Ok(json(StatusCode::OK, rows.first().ok_or(StatusCode::NOT_FOUND)?.get(0)))
}

async fn list(State(app): Shared, RawQuery(query): RawQuery, headers: HeaderMap) -> Answer {
    let user = app.user(&headers)?;
    let limit = query.as_deref().and_then(|query| query.strip_prefix("limit="));
    let limit: usize = limit.unwrap_or("50").parse().map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    let sql = include_str!("../../../../components/tasks/sql/list.sql");
    let last = utc(Timestamp::from_second(253_370_764_800).map_err(failed)?);
    let rows = app.rows(sql, &[&user.sub, &last, &Uuid::max(), &(limit as i64 + 1)]).await?;
    let shown = rows.get(..limit).unwrap_or(&rows);
    let next = shown.last().filter(|_| rows.len() > limit).map(|row| {
        let at = TimeZone::UTC.to_timestamp(row.get("created_at")).unwrap_or_default();
        Cursor { at, id: row.get("id") }.encode()
    });
    let page = Page { items: shown.iter().map(Item::from).collect(), next };
    Ok(json(StatusCode::OK, serde_json::to_string(&page).map_err(failed)?))
}

#[derive(Serialize)]
struct Page<'a> {
    items: Vec<Item<'a>>,
    next: Option<String>,
}

/// A row of the list, borrowed from what PostgreSQL sent.
#[derive(Serialize)]
struct Item<'a> {
    id: Uuid,
    title: &'a str,
    description: Option<&'a str>,
    priority: Option<&'a str>,
    tags: Vec<&'a str>,
    due_date: Option<&'a str>,
    time_zone: Option<&'a str>,
    recurrence_rule: Option<&'a str>,
    reminder_minutes: Vec<i32>,
    series_id: Option<Uuid>,
    occurrence: Option<&'a str>,
    status: &'a str,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    completed_at: Option<Instant>,
}

impl<'a> From<&'a Row> for Item<'a> {
    fn from(row: &'a Row) -> Self {
        Item {
            id: row.get(0),
            title: row.get(1),
            description: row.get(2),
            priority: row.get(3),
            tags: row.get(4),
            due_date: row.get(5),
            time_zone: row.get(6),
            recurrence_rule: row.get(7),
            reminder_minutes: row.get(8),
            series_id: row.get(9),
            occurrence: row.get(10),
            status: row.get(11),
            version: row.get(12),
            created_at: Instant(row.get(13)),
            updated_at: Instant(row.get(14)),
            completed_at: row.get::<_, Option<DateTime>>(15).map(Instant),
        }
    }
}

/// An instant in UTC, written with microseconds.
struct Instant(DateTime);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.6}Z", self.0))
    }
}

async fn create(State(app): Shared, headers: HeaderMap, body: Bytes) -> Answer {
    let user = app.user(&headers)?;
    let body = domain::json::parse(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let (id, task) = task::create(&body).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
    let id = id.unwrap_or_else(Uuid::now_v7);
    let (_, zone) = task.zone(&user.zoneinfo);
    let due_on = match task.due {
        Some(Due::Day(day)) => Some(day),
        _ => None,
    };
    let due_at = task.due.map(|due| utc(due.instant(&zone)));
    let sql = include_str!("../../../../components/tasks/sql/create.sql");
    let parameters: [&(dyn ToSql + Sync); 13] = [
        &user.sub,
        &id,
        &task.title,
        &task.description,
        &task.priority,
        &task.tags,
        &due_on,
        &due_at,
        &task.time_zone,
        &task.reminder_minutes,
        &now(),
        &Uuid::now_v7(),
        &None::<String>,
    ];
    let rows = app.rows(sql, &parameters).await?;
    let row = rows.first().ok_or(StatusCode::CONFLICT)?;
    let status = if row.get(1) { StatusCode::CREATED } else { StatusCode::OK };
    Ok(([(header::LOCATION, format!("/api/v1/tasks/{id}"))], json(status, row.get(0))).into_response())
}

fn now() -> DateTime {
    utc(Timestamp::now())
}

/// As the statements take an instant: without a zone, in UTC.
fn utc(at: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(at)
}
