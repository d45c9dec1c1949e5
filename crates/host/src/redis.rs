//! `fermyon:spin/redis@2.0.0`: in-process channels, or a Redis server.

use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanBuilder, SpanKind};
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo as _, RedisError, Value};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wasmtime::component::Resource;

use crate::bindings::imports::fermyon::spin::redis::{Error, Host, HostConnection, RedisParameter, RedisResult};
use crate::instance::Instance;
use crate::runtime::{Work, WorkGuard};
use crate::telemetry::Span;

/// A message on its way through an in-process channel.
pub struct Message {
    /// Where it was published.
    pub channel: String,
    /// What was published.
    pub payload: Vec<u8>,
    _work: WorkGuard,
}

/// Where publications go.
pub enum Bus {
    /// To the triggers of this process, whatever address is named.
    Local(UnboundedSender<Message>),
    /// To the server that the guest names.
    Server,
}

impl Bus {
    /// In-process channels and their other end.
    pub fn local() -> (Self, UnboundedReceiver<Message>) {
        let (sender, receiver) = unbounded_channel();
        (Bus::Local(sender), receiver)
    }
}

/// A guest's connection.
pub enum Connection {
    /// To the channels of this process.
    Local(UnboundedSender<Message>),
    /// To a server.
    Server(Box<MultiplexedConnection>),
}

impl Connection {
    async fn publish(&mut self, channel: String, payload: Vec<u8>, work: &Work) -> Result<(), Error> {
        match self {
            Connection::Local(queue) => {
                // Without a trigger nobody listens, which is no error for a publisher.
                let _ = queue.send(Message { channel, payload, _work: work.begin() });
                Ok(())
            }
            Connection::Server(server) => {
                let command = redis::cmd("PUBLISH").arg(channel).arg(payload).to_owned();
                command.query_async::<()>(server.as_mut()).await.map_err(other)
            }
        }
    }

    async fn query<T: FromRedisValue>(&mut self, command: &redis::Cmd) -> Result<T, Error> {
        match self {
            Connection::Local(_) => Err(Error::Other(
                "the in-process channels only publish: start the host with a Redis URL for other commands".into(),
            )),
            Connection::Server(server) => command.query_async(server.as_mut()).await.map_err(other),
        }
    }
}

fn other(error: RedisError) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedReturnType => Error::TypeError,
        _ => Error::Other(error.to_string()),
    }
}

impl Instance {
    async fn open_redis(&mut self, address: &str) -> Result<Connection, Error> {
        let info = address.into_connection_info().map_err(|_| Error::InvalidAddress)?;
        let (scheme, host, port) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => ("redis", host, *port),
            ConnectionAddr::TcpTls { host, port, .. } => ("rediss", host, *port),
            _ => return Err(Error::InvalidAddress),
        };
        if !self.component.allowed.allows(scheme, host, port) {
            let id = &self.component.id;
            tracing::error!("{id} may not connect to {scheme}://{host}:{port}: add it to allowed_outbound_hosts");
            return Err(Error::InvalidAddress);
        }
        match &self.runtime.bus {
            Bus::Local(queue) => Ok(Connection::Local(queue.clone())),
            Bus::Server => {
                let client = redis::Client::open(info).map_err(|_| Error::InvalidAddress)?;
                let server = client.get_multiplexed_async_connection().await.map_err(other)?;
                Ok(Connection::Server(Box::new(server)))
            }
        }
    }

    async fn redis<T: FromRedisValue>(
        &mut self,
        connection: &Resource<Connection>,
        name: &'static str,
        command: &redis::Cmd,
    ) -> wasmtime::Result<Result<T, Error>> {
        let span = self.redis_span(name);
        let result = self.table.get_mut(connection)?.query(command).await;
        Ok(result.inspect_err(|error| failed(&span, error)))
    }

    /// Its name says what is done; keys and values are left out.
    fn redis_span(&self, name: &'static str) -> Span {
        self.scope.child(|| {
            let system = KeyValue::new("db.system.name", "redis");
            SpanBuilder::from_name(name).with_kind(SpanKind::Client).with_attributes([system])
        })
    }
}

fn failed(span: &Span, error: &Error) {
    let kind = match error {
        Error::InvalidAddress => "invalid_address",
        Error::TooManyConnections => "too_many_connections",
        Error::TypeError => "type_error",
        Error::Other(_) => "other",
    };
    span.fail(|| kind.to_owned());
}

impl Host for Instance {}

impl HostConnection for Instance {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let span = self.redis_span("spin_outbound_redis.open");
        Ok(match self.open_redis(&address).await.inspect_err(|error| failed(&span, error)) {
            Ok(connection) => Ok(self.table.push(connection)?),
            Err(error) => Err(error),
        })
    }

    async fn publish(
        &mut self,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.trace.effect(|| format!("redis publish {channel}"));
        let (runtime, span) = (Arc::clone(&self.runtime), self.redis_span("spin_outbound_redis.publish"));
        let published = self.table.get_mut(&connection)?.publish(channel, payload, &runtime.work).await;
        Ok(published.inspect_err(|error| failed(&span, error)))
    }

    async fn get(&mut self, c: Resource<Connection>, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        self.redis(&c, "spin_outbound_redis.get", redis::cmd("GET").arg(key)).await
    }

    async fn set(
        &mut self,
        c: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        self.redis(&c, "spin_outbound_redis.set", redis::cmd("SET").arg(key).arg(value)).await
    }

    async fn incr(&mut self, c: Resource<Connection>, key: String) -> wasmtime::Result<Result<i64, Error>> {
        self.redis(&c, "spin_outbound_redis.incr", redis::cmd("INCR").arg(key)).await
    }

    async fn del(&mut self, c: Resource<Connection>, keys: Vec<String>) -> wasmtime::Result<Result<u32, Error>> {
        self.redis(&c, "spin_outbound_redis.del", redis::cmd("DEL").arg(keys)).await
    }

    async fn sadd(
        &mut self,
        c: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        self.redis(&c, "spin_outbound_redis.sadd", redis::cmd("SADD").arg(key).arg(values)).await
    }

    async fn smembers(&mut self, c: Resource<Connection>, key: String) -> wasmtime::Result<Result<Vec<String>, Error>> {
        self.redis(&c, "spin_outbound_redis.smembers", redis::cmd("SMEMBERS").arg(key)).await
    }

    async fn srem(
        &mut self,
        c: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        self.redis(&c, "spin_outbound_redis.srem", redis::cmd("SREM").arg(key).arg(values)).await
    }

    async fn execute(
        &mut self,
        c: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> wasmtime::Result<Result<Vec<RedisResult>, Error>> {
        let mut wire = redis::cmd(&command);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => wire.arg(number),
                RedisParameter::Binary(bytes) => wire.arg(bytes),
            };
        }
        let value: Result<Value, Error> = self.redis(&c, "spin_outbound_redis.execute", &wire).await?;
        Ok(value.map(|value| {
            let mut flat = Vec::new();
            flatten(value, &mut flat);
            flat
        }))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        drop(self.table.delete(connection)?);
        Ok(())
    }
}

/// Nested replies become one flat list, as on Spin.
fn flatten(value: Value, flat: &mut Vec<RedisResult>) {
    match value {
        Value::Nil => flat.push(RedisResult::Nil),
        Value::Int(number) => flat.push(RedisResult::Int64(number)),
        Value::Boolean(yes) => flat.push(RedisResult::Int64(yes.into())),
        Value::BulkString(bytes) => flat.push(RedisResult::Binary(bytes)),
        Value::Okay => flat.push(RedisResult::Status("OK".into())),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => flat.push(RedisResult::Status(text)),
        Value::Double(number) => flat.push(RedisResult::Status(number.to_string())),
        Value::Array(values) | Value::Set(values) => values.into_iter().for_each(|value| flatten(value, flat)),
        Value::Map(pairs) => pairs.into_iter().for_each(|(key, value)| {
            flatten(key, flat);
            flatten(value, flat);
        }),
        Value::Attribute { data, .. } => flatten(*data, flat),
        other => flat.push(RedisResult::Status(format!("{other:?}"))),
    }
}
