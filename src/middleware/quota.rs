//! Counts calls against their caller's quota. Each call counts as one document; what a batch or a
//! stream has more of them is counted where it is read.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::errors;
use crate::access::{Caller, Quota};
use crate::api::charge;

/// The layer. Calls without a caller are not counted: health checks.
pub async fn count(State(quota): State<Option<Arc<Quota>>>, mut request: Request, next: Next) -> Response {
    if let (Some(quota), Some(caller)) = (quota, request.extensions_mut().get_mut::<Caller>()) {
        caller.allowance = Some(quota.of(&caller.identity.name));
        if let Err(refused) = charge(caller) {
            return errors::respond(refused);
        }
    }
    next.run(request).await
}
