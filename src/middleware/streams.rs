//! Ends streams in the middle. They would not end by themselves, and cut off they would leave the client
//! in doubt about what was handled.
//!
//! The service sees the end of the client's messages, answers those it has read, and finishes;
//! then the client is told why.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http_body::Frame;
use http_body_util::BodyExt;

use super::errors;
use crate::api::error::ApiError;

/// Runs a stream, which takes no more messages once `end` says why not.
pub async fn run_until(
    end: impl Future<Output = ApiError> + Send + 'static,
    request: Request,
    next: Next,
) -> Response {
    let reason = Arc::new(OnceLock::new());
    let told = Arc::clone(&reason);
    let end = async move {
        // It ends once.
        let _ = reason.set(end.await);
        None
    };
    next.run(request.map(|body| body_until(end, body))).await.map(|body| {
        Body::new(body.map_frame(move |frame| match told.get() {
            Some(reason) if frame.is_trailers() => errors::trailers(ApiError::clone(reason)),
            _ => frame,
        }))
    })
}

/// A body that ends when `end` does, if not before, with the frame that this gives.
pub fn body_until(end: impl Future<Output = Option<Frame<Bytes>>> + Send + 'static, body: Body) -> Body {
    Body::new(Until { body: Some(body), end: Box::pin(end) })
}

struct Until<E> {
    /// None after the end.
    body: Option<Body>,
    end: Pin<Box<E>>,
}

impl<E: Future<Output = Option<Frame<Bytes>>>> http_body::Body for Until<E> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) {
            self.body = None;
        } else if let Poll::Ready(last) = self.end.as_mut().poll(context) {
            self.body = None;
            return Poll::Ready(last.map(Ok));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(http_body::Body::is_end_stream)
    }
}
