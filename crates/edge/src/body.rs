//! Bytes in and out.

use std::mem::ManuallyDrop;

use wasi::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasi::io::streams::{InputStream, OutputStream, StreamError};

use crate::Problem;

/// Reads the body of a request, up to `limit` bytes. The body and its stream go with the instance.
pub fn read(request: &IncomingRequest, limit: usize) -> Result<Vec<u8>, Problem> {
    let broken = || Problem::malformed("the body cannot be read");
    let body = ManuallyDrop::new(request.consume().map_err(|()| broken())?);
    let stream = ManuallyDrop::new(body.stream().map_err(|()| broken())?);
    let bytes = drain(&stream, limit).map_err(|_| broken())?;
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

/// Writes all of `bytes`. Finishing the body sends what is still in the stream, so there is no flush: it would wait for
/// the reader.
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
    Ok(())
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
    if status != 200 && response.set_status_code(status).is_err() {
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
