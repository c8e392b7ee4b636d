//! Ends streaming calls when the server or their connection goes away. They would not end by
//! themselves, and cut off in the middle they would leave the client in doubt about what was handled.
//!
//! The service sees the end of the client's messages, answers those it has read, and finishes;
//! then the client is told to open its stream elsewhere.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::Response;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Call, errors};
use crate::api::error::ApiError;

/// Cancelled when the streams of a connection are to end; in the extensions of its requests.
#[derive(Clone, Debug)]
pub struct WindUp(pub CancellationToken);

/// The layer.
pub async fn wind_up(
    Extension(WindUp(end)): Extension<WindUp>,
    Extension(call): Extension<Call>,
    request: Request,
    next: Next,
) -> Response {
    if !call.method.streaming {
        return next.run(request).await;
    }
    let was_cut = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&was_cut);
    let request = request.map(|body| {
        Body::new(UntilEnd { body: Some(body), end: Box::pin(end.cancelled_owned()), was_cut: cut })
    });
    next.run(request).await.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if frame.is_trailers() && was_cut.load(Ordering::Relaxed) {
                return errors::trailers(ApiError::Draining);
            }
            frame
        }))
    })
}

/// The client's messages, until the stream is to end.
struct UntilEnd {
    /// None after the end.
    body: Option<Body>,
    end: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether that came before the client was done.
    was_cut: Arc<AtomicBool>,
}

impl http_body::Body for UntilEnd {
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
        } else if self.end.as_mut().poll(context).is_ready() {
            self.was_cut.store(true, Ordering::Relaxed);
            self.body = None;
            return Poll::Ready(None);
        }
        polled
    }
}
