//! What callers are known by, from the files of the configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ServerError;
use super::reload::{Source, read_file};
use crate::access::{Principals, Tokens};
use crate::config::SecurityConfig;
use crate::middleware::authenticate::Authenticator;

/// Everything that the configuration names, and whatever it is exchanged for later.
///
/// # Errors
/// If a file is wrong now; the message names it.
pub fn authenticator(config: &SecurityConfig) -> Result<Authenticator, ServerError> {
    let check = config.reload_interval;
    let principals = match &config.principals {
        Some(path) => Some(follow("principals", path, check, |bytes| {
            let text = std::str::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
            Principals::parse(text).map_err(|error| error.to_string())
        })?),
        None => None,
    };
    let tokens = match config.tokens.clone() {
        Some((path, rules)) => Some(follow("token keys", &path, check, move |bytes| {
            Tokens::parse(bytes, &rules).map_err(|error| error.to_string())
        })?),
        None => None,
    };
    let mutual_tls = config.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
    Ok(Authenticator { principals, tokens, mutual_tls })
}

fn follow<T: Send + Sync + 'static>(
    name: &'static str,
    path: &Path,
    check: Duration,
    parse: impl Fn(&[u8]) -> Result<T, String> + Send + Sync + 'static,
) -> Result<watch::Receiver<Arc<T>>, ServerError> {
    let file: PathBuf = path.to_owned();
    let read = move || {
        let bytes = read_file(&file).map_err(|error| error.to_string())?;
        parse(&bytes).map_err(|error| format!("{}: {error}", file.display()))
    };
    let source = Source { name, files: vec![path.to_owned()], read: Box::new(read) };
    source.follow(Some(check)).map_err(ServerError::Security)
}
