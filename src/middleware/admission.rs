//! Lets in as many calls as the server can work on; a few more wait a moment, the rest is told
//! to come back later. An early refusal costs less than a late answer that nobody waits for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{Call, errors};
use crate::api::error::ApiError;
use crate::config::AdmissionConfig;

/// How many calls are let in; one for the whole server, shared by all connections.
#[derive(Clone, Debug)]
pub struct Admission {
    unary: Arc<Semaphore>,
    /// Places in the queue for a permit of `unary`.
    waiting: Arc<Semaphore>,
    max_wait: Duration,
    /// Streams stay open for hours and mostly wait for their clients, so they neither take places
    /// from unary calls nor queue.
    streams: Arc<Semaphore>,
}

impl Admission {
    pub fn new(limits: &AdmissionConfig) -> Self {
        Self {
            unary: Arc::new(Semaphore::new(limits.max_in_flight)),
            waiting: Arc::new(Semaphore::new(limits.max_waiting)),
            max_wait: limits.max_wait,
            streams: Arc::new(Semaphore::new(limits.max_open_streams)),
        }
    }

    async fn enter(&self, streaming: bool) -> Option<OwnedSemaphorePermit> {
        if streaming {
            return Arc::clone(&self.streams).try_acquire_owned().ok();
        }
        if let Ok(permit) = Arc::clone(&self.unary).try_acquire_owned() {
            return Some(permit);
        }
        let _place = self.waiting.try_acquire().ok()?;
        timeout(self.max_wait, Arc::clone(&self.unary).acquire_owned()).await.ok()?.ok()
    }
}

/// The layer.
pub async fn admit(
    State(admission): State<Admission>,
    Extension(call): Extension<Call>,
    request: Request,
    next: Next,
) -> Response {
    let streaming = call.method.streaming;
    let Some(permit) = admission.enter(streaming).await else {
        let full = if streaming { "streams" } else { "calls" };
        counter!("copydesk_calls_shed_total", "full" => full).increment(1);
        return errors::respond(ApiError::Overloaded);
    };
    let response = next.run(request).await;
    if streaming {
        return response.map(|body| Body::new(Admitted { body, _permit: permit }));
    }
    // A unary call's work is done; how slowly the client reads the answer is its own affair.
    response
}

/// The messages of a streaming call, which counts until the last of them is sent.
struct Admitted {
    body: Body,
    _permit: OwnedSemaphorePermit,
}

impl http_body::Body for Admitted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
