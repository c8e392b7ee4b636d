//! Lets in as many calls as the server has room for; the rest is told to come back later. How long
//! those that are in may wait for the engine is the engine's affair ([`crate::pool`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Call, errors};
use crate::api::error::ApiError;
use crate::config::AdmissionConfig;

/// How many calls are let in; one for the whole server, shared by all connections.
#[derive(Clone, Debug)]
pub struct Admission {
    unary: Arc<Semaphore>,
    /// Streams stay open for hours and mostly wait for their clients, so they take no places from
    /// unary calls.
    streams: Arc<Semaphore>,
}

impl Admission {
    pub fn new(limits: &AdmissionConfig) -> Self {
        Self {
            unary: Arc::new(Semaphore::new(limits.max_in_flight)),
            streams: Arc::new(Semaphore::new(limits.max_open_streams)),
        }
    }

    fn enter(&self, streaming: bool) -> Option<OwnedSemaphorePermit> {
        let places = if streaming { &self.streams } else { &self.unary };
        Arc::clone(places).try_acquire_owned().ok()
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
    let Some(permit) = admission.enter(streaming) else {
        let full = if streaming { "streams" } else { "calls" };
        counter!("copydesk_calls_shed_total", "full" => full).increment(1);
        return errors::respond(ApiError::Overloaded);
    };
    let response = next.run(request).await;
    if streaming {
        // It counts until the last of its messages is sent.
        return response.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _held = &permit;
                frame
            }))
        });
    }
    // A unary call's work is done; how slowly the client reads the answer is its own affair.
    response
}
