//! The `copydesk` command.

use std::process::ExitCode;

use copydesk::cli::{self, Cli, Command};
use copydesk::config::{self, EXIT_USAGE};

// Engine threads allocate and free many small blocks at once. Huge pages (`no_thp` in Cargo.toml refuses
// them) would nearly double the memory for a time that differs little, either way.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli: Cli = config::parse_or_exit();
    let result = match cli.command {
        Command::Serve(arguments) => match arguments.validate() {
            Ok(config) => cli::serve::run(&config),
            Err(error) => {
                eprintln!("copydesk: {error}");
                std::process::exit(EXIT_USAGE);
            }
        },
        Command::Analyze(arguments) => cli::analyze::run(&arguments),
        Command::Key(arguments) => cli::key::run(&arguments),
        Command::Store(command) => cli::store::run(&command),
        Command::Evaluate(arguments) => cli::evaluate::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("copydesk: {error}");
        ExitCode::FAILURE
    })
}
