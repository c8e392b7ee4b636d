//! Turns a panic into an answer: INTERNAL, without insides. Without it the client would see a
//! broken stream.
//!
//! A panic may strike while the answer is made or, for a streaming call, while it is sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use http_body::Frame;
use metrics::counter;

use super::errors;
use crate::api::error::ApiError;

/// The layer.
pub async fn catch(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response.map(|body| Body::new(Caught { body: Some(body) })),
        Err(_) => errors::respond(panicked()),
    }
}

/// The request id is filled in further out, where it is known.
fn panicked() -> ApiError {
    counter!("copydesk_panics_total").increment(1);
    ApiError::Internal { request_id: String::new() }
}

/// A body that ends with INTERNAL where polling it panics.
struct Caught {
    /// None after a panic.
    body: Option<Body>,
}

impl http_body::Body for Caught {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        match catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(context))) {
            Ok(polled) => polled,
            Err(_) => {
                self.body = None;
                Poll::Ready(Some(Ok(errors::trailers(panicked()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}
