//! Answers every request with a word, as the SDK's own example does.

use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_component;

#[http_component]
fn hello(_request: Request) -> impl IntoResponse {
    Response::builder().status(200).header("content-type", "text/plain").body("ok\n").build()
}
