//! Ends streams when the server or their connection goes away; the client is told to open them elsewhere.

use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::Response;
use tokio_util::sync::CancellationToken;

use super::{Call, streams};
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
    let end = async move {
        end.cancelled_owned().await;
        ApiError::Draining
    };
    streams::run_until(end, request, next).await
}
