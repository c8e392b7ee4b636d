//! The contract `copydesk.v1`: generated types, validation, conversion, the RPCs, and the one
//! place where an error becomes a status.

/// Messages, clients and servers as generated from `proto/`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("copydesk.v1");
    include!(concat!(env!("OUT_DIR"), "/copydesk.v1.serde.rs"));
}

/// The protos as reflection serves them.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/copydesk.v1.fds"));
