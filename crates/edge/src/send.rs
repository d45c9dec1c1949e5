//! Calls to others over HTTP, with bounded time. Redirects are not followed.

use wasi::http::outgoing_handler;
use wasi::http::types::{
    Fields, FutureIncomingResponse, IncomingBody, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
};

use crate::{body, config};

/// The longest time to connect, in nanoseconds.
const CONNECT: u64 = 3_000_000_000;
/// The longest time that a tick may take, in seconds.
const TICK: u64 = 60;
/// The most bytes of an answer that are looked at.
const ANSWER_LIMIT: usize = 64 * 1024;

/// Posts to a URL `http://host[:port]/path` and answers the status.
///
/// `first_byte_seconds` bounds the wait for the answer.
///
/// # Errors
/// What went wrong, for the log.
pub fn post(url: &str, headers: &[(&str, &str)], bytes: &[u8], first_byte_seconds: u64) -> Result<u16, String> {
    start(url, headers, bytes, first_byte_seconds)?.status()
}

/// A request on its way; several can be at once.
pub struct Sending {
    url: String,
    answer: FutureIncomingResponse,
}

/// Posts as [`post`] does, without waiting for the answer.
///
/// # Errors
/// What went wrong, for the log.
pub fn start(url: &str, headers: &[(&str, &str)], bytes: &[u8], first_byte_seconds: u64) -> Result<Sending, String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url} is no http URL"))?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut fields: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    fields.push(("content-length".to_owned(), bytes.len().to_string().into_bytes()));
    let fields = Fields::from_list(&fields).map_err(|error| format!("headers: {error:?}"))?;
    let request = OutgoingRequest::new(fields);
    request.set_method(&Method::Post).map_err(|()| "method".to_owned())?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme".to_owned())?;
    request.set_authority(Some(authority)).map_err(|()| format!("authority {authority}"))?;
    request.set_path_with_query(Some(path)).map_err(|()| format!("path {path}"))?;
    let body = request.body().map_err(|()| "body".to_owned())?;
    let answer =
        outgoing_handler::handle(request, Some(options(first_byte_seconds))).map_err(|e| format!("{url}: {e:?}"))?;
    if !bytes.is_empty() {
        let stream = body.write().map_err(|()| "body".to_owned())?;
        body::write(&stream, bytes).map_err(|error| format!("{url}: {error:?}"))?;
        drop(stream);
    }
    OutgoingBody::finish(body, None).map_err(|error| format!("{url}: {error:?}"))?;
    Ok(Sending { url: url.to_owned(), answer })
}

impl Sending {
    /// Waits for the answer's status.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub fn status(self) -> Result<u16, String> {
        let Self { url, answer } = self;
        answer.subscribe().block();
        let response = answer.get().ok_or("no answer")?.map_err(|()| "answer taken".to_owned())?;
        let response = response.map_err(|error| format!("{url}: {error:?}"))?;
        let status = response.status();
        if let Ok(body) = response.consume() {
            // read to the end, so that the other side is not cut off in its work
            if let Ok(stream) = body.stream() {
                let _rest = body::drain(&stream, ANSWER_LIMIT);
            }
            IncomingBody::finish(body);
        }
        Ok(status)
    }
}

fn options(first_byte_seconds: u64) -> RequestOptions {
    let options = RequestOptions::new();
    let nanos = first_byte_seconds.saturating_mul(1_000_000_000);
    let set = [
        options.set_connect_timeout(Some(CONNECT)),
        options.set_first_byte_timeout(Some(nanos)),
        options.set_between_bytes_timeout(Some(nanos)),
    ];
    if set.iter().any(Result::is_err) {
        eprintln!("the host does not support timeouts of outgoing requests");
    }
    options
}

/// Calls an internal route of this application over plain HTTP, at the address in the variable `internal_base`. What
/// goes wrong is logged: a tick or a wake-up is only a hint, and another comes.
pub fn tick(path: &str) {
    let variable = |name| config::secret(name).map_err(|problem| problem.cause.unwrap_or_default());
    let call = || {
        let (base, token) = (variable("internal_base")?, variable("internal_token")?);
        post(&format!("{base}{path}"), &[("dapr-api-token", &token)], b"", TICK)
    };
    match call() {
        Ok(200) => {}
        Ok(status) => eprintln!("{path} answered {status}"),
        Err(error) => eprintln!("{path} cannot be called: {error}"),
    }
}
