//! `copydesk key`: a new API key, and what the server's file of principals has of it.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;

use crate::access::{NewKey, Principals};

/// Flags of `copydesk key`.
#[derive(Args, Clone, Debug)]
pub struct Arguments {
    /// Who gets the key: 1 to 128 letters, digits and -._@/
    name: String,

    /// What they may do: analyze, read, write, or one of them in one corpus, as read:news
    #[arg(required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
}

/// Prints the key to stdout, and to stderr the entry with its hash.
///
/// # Errors
/// If the name or a scope is none, or the system has no random numbers.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let key = NewKey::random().map_err(|_| "the system gives no random numbers")?;
    let entry = format!(
        "[[principals]]\nname = {:?}\nscopes = {:?}\nkey_sha256 = [{:?}]\n",
        arguments.name,
        arguments.scopes,
        key.sha256()
    );
    Principals::parse(&entry)?;
    eprint!("{entry}");
    println!("{}", key.secret());
    Ok(ExitCode::SUCCESS)
}
