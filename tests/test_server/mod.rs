//! A server over real sockets, for every integration test.

#![allow(dead_code, reason = "every test binary uses its own part")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clap::Parser;
use copydesk::analyzer::Analyzer;
use copydesk::config::{ServeArgs, ServeConfig, taxonomies};
use copydesk::server::{self, Listeners, ServerError, Shutdown};
use copydesk::store::SharedStore;
use copydesk::store::sqlite::{SqliteOptions, SqliteStore};
use http::HeaderMap;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic_types::{ErrorInfo, StatusExt};

/// Longer than anything that works takes, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
}

/// The configuration that flags of `copydesk serve` make.
pub fn config(flags: &[&str]) -> ServeConfig {
    let arguments = ["copydesk", "--log=off"].into_iter().chain(flags.iter().copied());
    Cli::parse_from(arguments).serve.validate().unwrap()
}

/// A server that runs until it is told not to.
pub struct TestServer {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub shutdown: Shutdown,
    running: JoinHandle<Result<(), ServerError>>,
    /// Where its store is, if it has one of its own.
    directory: Option<TempDir>,
}

impl TestServer {
    /// The whole service, with an empty store of its own.
    pub async fn whole(flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("copydesk.db");
        let store = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).await.unwrap());
        let mut server = Self::with_store(flags, store).await;
        server.directory = Some(directory);
        server
    }

    /// The real services on a store.
    pub async fn with_store(flags: &[&str], store: SharedStore) -> Self {
        static ANALYZER: OnceLock<Arc<Analyzer>> = OnceLock::new();
        let analyzer = ANALYZER.get_or_init(|| Arc::new(Analyzer::load().unwrap()));
        let config = config(flags);
        let read = taxonomies::read_all(&config.taxonomies, analyzer).unwrap();
        let (_, catalogue) = watch::channel(Arc::new(read));
        let services =
            server::services(&config, Arc::clone(analyzer), Arc::clone(&store), catalogue).unwrap();
        Self::start(config, services, store).await
    }

    /// Serves `services` on ports that the system chooses.
    pub async fn start(config: ServeConfig, services: Routes, store: SharedStore) -> Self {
        let rpc = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let admin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, admin_address) = (rpc.local_addr().unwrap(), admin.local_addr().unwrap());
        let shutdown = Shutdown::default();
        let until = shutdown.clone();
        let running = tokio::spawn(async move {
            server::run(&config, Listeners { rpc, admin: Some(admin) }, services, store, until).await
        });
        let server = Self { address, admin: admin_address, shutdown, running, directory: None };
        while server.get("/readyz").await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server
    }

    /// A new connection.
    pub async fn connect(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// Status and body of a page of the admin port; none where nobody answers.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.admin).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        Some((status, body.to_owned()))
    }

    /// Waits until the server has ended by itself, as after `shutdown.signal()`.
    pub async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.running).await.expect("the server hangs").unwrap().unwrap();
    }
}

/// Some clients take no more than 8 KiB of headers, and lose the error with them.
const MOST_ERROR_BYTES: usize = 4 << 10;

/// The `ErrorInfo` that every error carries, none of which is too large for its client.
pub fn error_info(status: &Status) -> ErrorInfo {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    assert!(bytes <= MOST_ERROR_BYTES, "{bytes} bytes");
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(info.domain, "copydesk");
    info
}
