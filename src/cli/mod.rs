//! The command line: one file a command.

pub mod analyze;
pub mod evaluate;
mod input;
pub mod key;
mod parallel;
mod remote;
pub mod serve;
pub mod store;

use clap::{Parser, Subcommand};

use crate::config::ServeArgs;

/// Cleans, reads, summarises, tags and stores news articles.
///
/// copydesk takes articles as they come off the web and hands back the article itself, the
/// people, organisations and places in it, a summary and its topics: over gRPC as a service, or
/// here on the command line.
#[derive(Parser)]
#[command(name = "copydesk", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve gRPC until told to stop
    Serve(Box<ServeArgs>),
    /// Analyse files or standard input, here or on a server
    Analyze(analyze::Arguments),
    /// Make a key for a client of a server: the key goes to stdout, what the server's file of
    /// principals needs of it to stderr
    Key(key::Arguments),
    /// Work on stores
    #[command(subcommand)]
    Store(store::Command),
    /// Tell how well the engine does on documents whose right answers are known
    Evaluate(evaluate::Arguments),
}
