//! `copydesk serve`

use clap::Args;

/// Serve gRPC until told to stop
#[derive(Args)]
pub struct Arguments {}
