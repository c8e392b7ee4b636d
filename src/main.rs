//! The `copydesk` command.

use std::process::ExitCode;

use clap::Parser;
use copydesk::cli::{self, Cli, Command};

// Engine threads allocate and free many small blocks at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Serve(_) => Ok(ExitCode::SUCCESS),
        Command::Analyze(arguments) => cli::analyze::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("copydesk: {error}");
        ExitCode::FAILURE
    })
}
