//! Ends a call when its time is up: the client's `grpc-timeout`, or a default for unary calls. A request
//! of one message must have come by that default, whatever the client says.

use std::convert::Infallible;
use std::future::pending;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout_at};

use super::{Call, errors, streams};
use crate::api::Deadline;
use crate::api::error::ApiError;

/// The layer: `default` is what a unary call may take where the client says nothing, and a request of one
/// message in any case. A streaming call may take as long as it likes, where the client says nothing.
pub async fn keep(
    State(default): State<Duration>,
    Extension(call): Extension<Call>,
    mut request: Request,
    next: Next,
) -> Response {
    let allowed = match allowed_by_client(request.headers()) {
        Ok(None) if call.method.streaming => None,
        Ok(allowed) => Some(allowed.unwrap_or(default)),
        Err(refused) => return errors::respond(refused),
    };
    // A deadline beyond the end of time is none.
    let begun = Instant::now();
    let deadline = allowed.and_then(|allowed| begun.checked_add(allowed));
    if let Some(deadline) = deadline {
        request.extensions_mut().insert(Deadline(deadline));
    }
    let answer = async {
        match call.method.client_streaming {
            true => next.run(request).await,
            false => run_unless_too_slow(begun, default, request, next).await,
        }
    };
    let Some(deadline) = deadline else { return answer.await };
    match timeout_at(deadline.into(), answer).await {
        Err(_) => errors::respond(ApiError::DeadlineExceeded),
        Ok(response) if call.method.streaming => {
            let end = async move {
                sleep_until(deadline.into()).await;
                Some(errors::trailers(ApiError::DeadlineExceeded))
            };
            response.map(|body| streams::body_until(end, body))
        }
        Ok(response) => response,
    }
}

/// Runs a call whose request must have come, to its end, within `limit` from its beginning, which is the
/// deadline's, too, so that of two equal limits this one is named. A client may wait an hour for
/// an answer, but hold no place for an hour by asking nothing.
async fn run_unless_too_slow(begun: Instant, limit: Duration, request: Request, next: Next) -> Response {
    // Dropped with the request's body, as when all of it is read.
    let (unread, read) = oneshot::channel::<Infallible>();
    let request = request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &unread;
            frame
        }))
    });
    let too_slow = async {
        let came = match begun.checked_add(limit) {
            Some(end) => timeout_at(end.into(), read).await.is_ok(),
            None => true,
        };
        if came {
            pending().await
        }
    };
    tokio::select! {
        response = next.run(request) => response,
        () = too_slow => errors::respond(ApiError::RequestTooSlow(limit)),
    }
}

fn allowed_by_client(headers: &HeaderMap) -> Result<Option<Duration>, ApiError> {
    let Some(header) = headers.get("grpc-timeout") else { return Ok(None) };
    parse_timeout(header).map(Some).ok_or(ApiError::InvalidTimeout)
}

/// At most eight digits and a unit, as `250m` for milliseconds.
fn parse_timeout(header: &HeaderValue) -> Option<Duration> {
    let (number, unit) = header.to_str().ok()?.split_at_checked(header.len().checked_sub(1)?)?;
    if number.len() > 8 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 60 * 60)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        let read = |text: &'static str| parse_timeout(&HeaderValue::from_static(text));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("2S"), Some(Duration::from_secs(2)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        for bad in ["", "S", "5", "-1S", "1.5S", "999999999S", "1s"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
