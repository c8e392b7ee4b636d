//! Makes every error look like ours: a status with `google.rpc.ErrorInfo`, whoever made it.
//!
//! The services' own errors come with details and pass through. What tonic answers by itself
//! (messages too large, malformed or in an unknown compression, unknown methods) comes without,
//! and partly under a code that clients do not expect.

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use http_body::Frame;
use http_body_util::BodyExt;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::Call;
use crate::api::error::ApiError;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// The layer.
pub async fn unify(Extension(call): Extension<Call>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.headers().contains_key(&STATUS) {
        rewrite(response.headers_mut(), &call);
        return response;
    }
    // The status comes after the messages, as trailers.
    response.map(|body| {
        Body::new(body.map_frame(move |mut frame| {
            if let Some(trailers) = frame.trailers_mut() {
                rewrite(trailers, &call);
            }
            frame
        }))
    })
}

/// The error as the whole response.
pub fn respond(error: ApiError) -> Response {
    Status::from(error).into_http()
}

/// The error as the end of a stream.
pub fn trailers(error: ApiError) -> Frame<Bytes> {
    let mut headers = HeaderMap::new();
    // Messages and details are encoded into visible ASCII, which always is a header's value.
    let _ = Status::from(error).add_header(&mut headers);
    Frame::trailers(headers)
}

fn rewrite(headers: &mut HeaderMap, call: &Call) {
    let Some(found) = Status::from_header_map(headers) else { return };
    let unified = match found.code() {
        Code::Ok => return,
        Code::Internal | Code::Unknown => internal(&found, call),
        _ if found.get_details_error_info().is_some() => return,
        _ => foreign(&found),
    };
    for name in [STATUS, MESSAGE, DETAILS] {
        headers.remove(name);
    }
    // Messages and details are encoded into visible ASCII, which always is a header's value.
    let _ = Status::from(unified).add_header(headers);
}

/// An INTERNAL or UNKNOWN error: a bug of ours, answered with the request id that finds it in
/// the log, or a message that tonic could not read, which is the client's doing.
fn internal(found: &Status, call: &Call) -> ApiError {
    if found.get_details_error_info().is_none() {
        if found.message().starts_with("h2 protocol error") {
            return ApiError::Cancelled;
        }
        if is_unreadable(found.message()) {
            return ApiError::MalformedMessage(found.message().to_owned());
        }
        tracing::error!(request_id = &*call.request_id, error = found.message(), "unnamed error");
    }
    ApiError::Internal { request_id: call.request_id.to_string() }
}

/// Whether these are tonic's words for a message that is not what it should be.
fn is_unreadable(message: &str) -> bool {
    const STARTS: [&str; 5] = [
        "failed to decode Protobuf message",
        "Error decompressing",
        "protocol error",
        "Unexpected EOF decoding stream",
        "Missing request message",
    ];
    STARTS.iter().any(|start| message.starts_with(start))
}

/// An error that tonic or a service of its family made.
fn foreign(found: &Status) -> ApiError {
    let message = found.message().to_owned();
    match found.code() {
        Code::OutOfRange | Code::ResourceExhausted => ApiError::MessageTooLarge(message),
        Code::Unimplemented if message.is_empty() => ApiError::UnknownMethod,
        Code::Unimplemented => ApiError::UnsupportedCompression(message),
        code => ApiError::Foreign { code, message },
    }
}
