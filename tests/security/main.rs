//! What the port for gRPC keeps out, over real sockets: strangers to TLS, bad credentials, and callers
//! beyond their scopes, corpora and quotas.

mod authority;
mod callers;
#[path = "../process/mod.rs"]
mod process;
mod quotas;
mod reload;
mod scopes;
mod streams;
#[path = "../test_server/mod.rs"]
mod test_server;
mod tls;
