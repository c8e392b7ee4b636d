//! Ends streams when the server or their connection goes away; the client is told to open them elsewhere.

use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::Response;
use tokio_util::sync::CancellationToken;

use super::{Call, errors, streams};
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
    let draining = async move {
        end.cancelled_owned().await;
        ApiError::Draining
    };
    if call.method.client_streaming {
        return streams::run_until(draining, request, next).await;
    }
    // The client says nothing more that could end, so its answers do.
    let draining = async move { Some(errors::trailers(draining.await)) };
    next.run(request).await.map(|body| streams::body_until(draining, body))
}
