//! A client of the HTTP API.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use wasmtime_wasi_http::io::TokioIo;

/// How long an answer may take before the client gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer: its status, and its body if that is JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

/// Sends one request on a connection of its own.
pub async fn send(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
    tokio::time::timeout(PATIENCE, exchange(port, method, path, headers, body)).await.context("no answer")?
}

async fn exchange(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
    let address: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut request = http::Request::builder().method(method).uri(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = sender.send_request(request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Answer { status: head.status.as_u16(), json: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Person {
    port: u16,
    email: String,
    password: String,
    token: String,
}

impl Person {
    /// Signs up and in.
    pub async fn new(port: u16, name: &str) -> Result<Person> {
        let (email, password) = (format!("{name}@example.org"), format!("the long password of {name}"));
        let account = json!({"email": email, "password": password, "time_zone": "Europe/Berlin"}).to_string();
        let answer = send(port, "POST", "/api/v1/accounts", &[], &account).await?;
        anyhow::ensure!(answer.status == 201, "{answer:?}");
        let mut person = Person { port, email, password, token: String::new() };
        person.sign_in().await?;
        Ok(person)
    }

    /// Gets a new access token; one lasts five minutes.
    pub async fn sign_in(&mut self) -> Result<()> {
        let body = json!({"email": self.email, "password": self.password}).to_string();
        let answer = send(self.port, "POST", "/api/v1/tokens", &[], &body).await?;
        anyhow::ensure!(answer.status == 200, "{answer:?}");
        self.token = answer.json["access_token"].as_str().context("no token")?.to_owned();
        Ok(())
    }

    /// The header `authorization`.
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bearer = self.bearer();
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        send(self.port, method, path, &headers, &body).await
    }

    /// Makes a task.
    pub async fn make(&self, task: Value) -> Result<Value> {
        let answer = self.call("POST", "/api/v1/tasks", &task).await?;
        anyhow::ensure!(answer.status == 201, "{answer:?}");
        Ok(answer.json)
    }
}
