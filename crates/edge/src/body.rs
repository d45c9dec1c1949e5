//! Bytes in and out.

use wasi::http::types::{Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::Problem;

/// Reads the body of a request, up to `limit` bytes.
pub fn read(request: &IncomingRequest, limit: usize) -> Result<Vec<u8>, Problem> {
    let broken = || Problem::malformed("the body cannot be read");
    let body = request.consume().map_err(|()| broken())?;
    let stream = body.stream().map_err(|()| broken())?;
    let bytes = drain(&stream, limit).map_err(|_| broken())?;
    drop(stream);
    IncomingBody::finish(body);
    bytes.ok_or_else(|| Problem::too_large(limit))
}

/// All that comes, or `None` if it is more than `limit` bytes.
pub fn drain(stream: &InputStream, limit: usize) -> Result<Option<Vec<u8>>, StreamError> {
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(64 * 1024) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(Some(bytes)),
            Err(error) => return Err(error),
        }
        if bytes.len() > limit {
            return Ok(None);
        }
    }
}

/// Writes all of `bytes`.
pub fn write(stream: &OutputStream, bytes: &[u8]) -> Result<(), StreamError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = stream.check_write()?;
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
        stream.write(now)?;
        rest = later;
    }
    stream.blocking_flush()
}

/// Sends a response with its length and ends it, so that work after it does not hold it up.
pub fn respond(out: ResponseOutparam, status: u16, headers: &[(&'static str, String)], bytes: &[u8]) {
    let mut fields: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    if status != 204 {
        fields.push(("content-length".to_owned(), bytes.len().to_string().into_bytes()));
    }
    let fields = Fields::from_list(&fields).unwrap_or_else(|_| Fields::new());
    let response = OutgoingResponse::new(fields);
    if response.set_status_code(status).is_err() {
        eprintln!("status {status} cannot be sent");
    }
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    let Ok(body) = body else { return };
    if !bytes.is_empty() {
        let Ok(stream) = body.write() else { return };
        // a client that has gone away is no fault of ours
        let _gone = write(&stream, bytes);
        drop(stream);
    }
    let _gone = OutgoingBody::finish(body, None);
}

/// The parameters of a query string, percent-decoded (WHATWG form encoding: `+` is a blank).
pub fn query(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Problem> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decode(name).zip(decode(value));
        let (name, value) = decoded.ok_or_else(|| Problem::malformed("the query is not percent-encoded UTF-8"))?;
        if !known.contains(&name.as_str()) {
            let name: String = name.chars().take(100).collect();
            let detail = match known {
                [] => "this path takes no parameters".to_owned(),
                known => format!("no such parameter; the parameters are {}", known.join(", ")),
            };
            return Err(Problem::invalid_parameter(&name, detail));
        }
        if found.iter().any(|(other, _)| *other == name) {
            return Err(Problem::invalid_parameter(&name, "must be given once at most"));
        }
        found.push((name, value));
    }
    Ok(found)
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_query() {
        let pairs = query("limit=5&cursor=a%2Bb+c", &["limit", "cursor"]).unwrap();
        assert_eq!(pairs, [("limit".into(), "5".into()), ("cursor".into(), "a+b c".into())]);
        assert!(query("", &[]).unwrap().is_empty());
    }

    #[test]
    fn refuses_a_bad_query() {
        for (text, status) in [("x=1", 422), ("limit=1&limit=2", 422), ("limit=%", 400), ("limit=%zz", 400), ("limit=%ff", 400)] {
            assert_eq!(query(text, &["limit"]).unwrap_err().status, status, "{text}");
        }
    }
}
