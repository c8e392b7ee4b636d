//! What changes while the server runs: the taxonomies of the user's own, read anew at SIGHUP.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::analyzer::Analyzer;
use crate::config::taxonomies;
use crate::topics::Catalogue;

/// Follows SIGHUP: reads the files again, and puts what they say in the place of what they said.
/// Where one of them is wrong nothing changes, and the log says why. Calls in flight keep what
/// they began with.
///
/// # Errors
/// If the system does not deliver signals.
pub fn on_hangup(
    paths: Vec<PathBuf>,
    analyzer: Arc<Analyzer>,
    catalogue: watch::Sender<Arc<Catalogue>>,
) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let paths = Arc::new(paths);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let (paths, analyzer) = (Arc::clone(&paths), Arc::clone(&analyzer));
            let reading = move || taxonomies::read_all(&paths, &analyzer).map_err(|error| error.to_string());
            let read = tokio::task::spawn_blocking(reading).await;
            match read.unwrap_or_else(|panic| Err(panic.to_string())) {
                Ok(read) => {
                    tracing::info!(taxonomies = read.own().len(), "the taxonomies were read again");
                    catalogue.send_replace(Arc::new(read));
                }
                Err(error) => {
                    tracing::error!(error, "the taxonomies stay as they were: their files are wrong");
                }
            }
        }
    });
    Ok(())
}
