//! Bounds the memory of unary answers that their clients do not read.
//!
//! Such an answer costs its client nothing and would stay until the connection ends. Streams are
//! bounded by themselves: they make the next answers when the last ones have been read.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http_body::Frame;
use http_body_util::BodyExt;
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::{Call, errors};
use crate::api::error::ApiError;

/// What is handed to a connection at once; it keeps no more of an answer than that and what the
/// client has asked for.
const PIECE_BYTES: usize = 16 << 10;

/// How long a client may take to read an answer; long enough for 4 MiB over half a megabit.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The memory for answers that are being read; one for the whole server.
#[derive(Clone, Debug)]
pub struct Unread {
    /// One permit for each KiB.
    space: Arc<Semaphore>,
    timeout: Duration,
}

impl Unread {
    /// `max_bytes` of answers may wait for their clients, each of them for `timeout`.
    pub fn new(max_bytes: usize, timeout: Duration) -> Self {
        Self { space: Arc::new(Semaphore::new(max_bytes / 1024)), timeout }
    }

    fn hold(&self, rest: Bytes, trailers: Option<HeaderMap>) -> Option<Unsent> {
        let kib = u32::try_from(rest.len().div_ceil(1024)).ok()?;
        let space = Arc::clone(&self.space).try_acquire_many_owned(kib).ok()?;
        let held = Arc::new(Mutex::new(Some(Held { rest, trailers, _space: space })));
        let (forgotten, timeout) = (Arc::clone(&held), self.timeout);
        let forget = tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            forgotten.lock().unwrap_or_else(PoisonError::into_inner).take();
        });
        Some(Unsent { held, ended: false, _forget: AbortOnDropHandle::new(forget) })
    }
}

/// The layer.
pub async fn bound(
    State(unread): State<Unread>,
    Extension(call): Extension<Call>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    if call.method.streaming {
        return response;
    }
    let (parts, body) = response.into_parts();
    // All of it is there already: a unary answer is one message.
    let Ok(collected) = body.collect().await else {
        return errors::respond(ApiError::internal(&"an answer broke"));
    };
    let trailers = collected.trailers().cloned();
    let bytes = collected.to_bytes();
    if bytes.is_empty() && trailers.is_none() {
        return Response::from_parts(parts, Body::empty());
    }
    match unread.hold(bytes, trailers) {
        Some(unsent) => Response::from_parts(parts, Body::new(unsent)),
        None => {
            counter!("copydesk_calls_shed_total", "full" => "answers").increment(1);
            errors::respond(ApiError::Overloaded)
        }
    }
}

/// An answer on its way to a client.
struct Unsent {
    /// None when all of it is sent, or the client has taken too long.
    held: Arc<Mutex<Option<Held>>>,
    ended: bool,
    /// Empties `held` when the time is up.
    _forget: AbortOnDropHandle<()>,
}

struct Held {
    rest: Bytes,
    trailers: Option<HeaderMap>,
    _space: OwnedSemaphorePermit,
}

impl http_body::Body for Unsent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = match held.as_mut() {
            Some(Held { rest, .. }) if !rest.is_empty() => {
                let piece = rest.len().min(PIECE_BYTES);
                return Poll::Ready(Some(Ok(Frame::data(rest.split_to(piece)))));
            }
            Some(Held { trailers, .. }) => trailers.take().map(Frame::trailers),
            None => Some(errors::trailers(ApiError::DeadlineExceeded)),
        };
        held.take();
        drop(held);
        self.ended = true;
        Poll::Ready(frame.map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailers() -> Option<HeaderMap> {
        Some(HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), "0".parse().unwrap())]))
    }

    #[tokio::test]
    async fn an_answer_arrives_whole_and_its_space_is_free_again() {
        let unread = Unread::new(64 << 10, READ_TIMEOUT);
        let text: Vec<u8> = (0..60_000_u32).map(|number| number as u8).collect();
        let answer = unread.hold(text.clone().into(), trailers()).unwrap();
        assert!(unread.hold(vec![0; 8 << 10].into(), trailers()).is_none());
        let collected = answer.collect().await.unwrap();
        assert_eq!(collected.trailers(), trailers().as_ref());
        assert_eq!(collected.to_bytes(), text);
        assert!(unread.hold(text.into(), trailers()).is_some());
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_forgotten_after_a_while() {
        let unread = Unread::new(64 << 10, Duration::from_millis(20));
        let mut answer = unread.hold(vec![0; 60_000].into(), trailers()).unwrap();
        let first = answer.frame().await.unwrap().unwrap();
        assert_eq!(first.data_ref().unwrap().len(), PIECE_BYTES);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(unread.hold(vec![0; 60_000].into(), trailers()).is_some());
        let end = answer.frame().await.unwrap().unwrap();
        assert_eq!(end.trailers_ref().unwrap()["grpc-status"], "4");
        assert!(answer.frame().await.is_none());
    }
}
