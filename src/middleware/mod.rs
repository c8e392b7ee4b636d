//! What every call passes on its way to a service and back, one file a layer.
//!
//! Each layer is an async function for [`axum::middleware::from_fn`]; `server.rs` puts them in
//! their order and says why it is that one. No layer knows which RPC it serves.

pub mod admission;
pub mod authenticate;
pub mod call;
pub mod deadline;
pub mod drain;
pub mod errors;
pub mod observe;
pub mod panics;
pub mod quota;
mod streams;
pub mod unread;

pub use call::{Call, Method, Methods};
