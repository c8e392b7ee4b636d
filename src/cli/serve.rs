//! `copydesk serve`: the service until it is told to stop.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::analyzer::Analyzer;
use crate::config::{ServeConfig, taxonomies};
use crate::server::{self, Listeners, Shutdown, Source};
use crate::store::SharedStore;
use crate::telemetry::{self, ObservedStore};

/// Serves until a signal, and drains.
///
/// # Errors
/// If the models are damaged, a taxonomy's file is wrong, a port is taken or the store cannot be opened; the message says
/// which and what to do.
pub fn run(config: &ServeConfig) -> Result<ExitCode, Box<dyn Error>> {
    telemetry::start_log(&config.log);
    allow_open_files(config.connections.max_connections);
    let threads = io_threads(config.io_threads);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let shutdown = Shutdown::on_signals()?;
        // From here on SIGHUP does not end the process; what it asks for is read for the first time below.
        let _hangup = signal(SignalKind::hangup())?;
        let traces = telemetry::start_traces(&config.traces)?;
        // The ports first: a second server on the same port must not touch the first one's store.
        let listeners = Listeners::bind(config).await?;
        // A database may take its time, and longer than the operator's patience.
        let store = tokio::select! {
            store = super::store::open(&config.store, &config.postgres) => store?,
            () = shutdown.requested() => return Ok(ExitCode::SUCCESS),
        };
        let store: SharedStore = Arc::new(ObservedStore(store));
        let analyzer = Arc::new(Analyzer::load()?);
        let (paths, engine) = (config.taxonomies.clone(), Arc::clone(&analyzer));
        let taxonomies = Source {
            name: "taxonomies",
            files: Vec::new(),
            read: Box::new(move || taxonomies::read_all(&paths, &engine).map_err(|error| error.to_string())),
        };
        let current = taxonomies.follow(None)?;
        let services = server::services(config, analyzer, Arc::clone(&store), current)?;
        server::run(config, listeners, services, store, shutdown).await?;
        traces.flush().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// A thread that has enough to do is seldom put to sleep and woken, which costs more than its work on a
/// call, so there are fewer than cores.
fn io_threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)),
        threads => threads,
    }
}

/// Asks for as many open files as the system lets a process have: every connection is one.
fn allow_open_files(connections: usize) {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files > connections as u64 => {}
        Ok(files) => {
            tracing::warn!(files, connections, "the system allows fewer open files than --max-connections");
        }
        Err(error) => tracing::warn!(%error, "cannot ask the system for more open files"),
    }
}
