//! Puts layers, services, health, reflection, the admin port and the drain together.

mod admin;
mod callers;
mod connections;
mod expiry;
mod health;
mod reload;
mod shutdown;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use http::header::{AUTHORIZATION, COOKIE};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tower::ServiceBuilder;
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;

pub use health::Readiness;
pub use reload::Source;
pub use shutdown::Shutdown;

use crate::access::{Need, Quota};
use crate::analyzer::Analyzer;
use crate::api::v1::analysis_service_server::AnalysisServiceServer;
use crate::api::v1::document_service_server::DocumentServiceServer;
use crate::api::v1::server_info_service_server::ServerInfoServiceServer;
use crate::api::v1::taxonomy_service_server::TaxonomyServiceServer;
use crate::api::{self, Desk, GuardedStore};
use crate::config::ServeConfig;
use crate::middleware::admission::Admission;
use crate::middleware::authenticate::{self, Authenticator};
use crate::middleware::unread::{READ_TIMEOUT, Unread};
use crate::middleware::{Methods, admission, call, deadline, drain, errors, observe, panics, quota, unread};
use crate::pool::EnginePool;
use crate::store::SharedStore;
use crate::telemetry::{self, StageMetrics};
use crate::topics::Catalogue;
use connections::Connections;
use health::Health;

/// How long the store may take to finish what it accepted.
const STORE_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often old measurements are folded away.
const METRICS_UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Why the server did not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot listen on {address} ({flag}): {source}")]
    Listen { flag: &'static str, address: SocketAddr, source: io::Error },
    #[error("a listener failed: {0}")]
    Listener(#[from] io::Error),
    #[error("cannot start the engine's threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// Certificates or keys; the message names the file.
    #[error("{0}")]
    Security(String),
    /// A bug in the build.
    #[error("the descriptors of the services are damaged: {0}")]
    Descriptors(String),
}

/// Ports that are open already, so that nobody can take them between the check and the use, and
/// tests can let the system choose.
#[derive(Debug)]
pub struct Listeners {
    pub rpc: TcpListener,
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// Opens the ports of a configuration.
    ///
    /// # Errors
    /// Names the flag and the address that cannot be had.
    pub async fn bind(config: &ServeConfig) -> Result<Self, ServerError> {
        let admin = match config.admin_listen {
            Some(address) => Some(listen("--admin-listen", address).await?),
            None => None,
        };
        Ok(Self { rpc: listen("--listen", config.listen).await?, admin })
    }
}

async fn listen(flag: &'static str, address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { flag, address, source })
}

/// The services of `copydesk.v1`, with their limits on messages.
///
/// # Errors
/// If the system gives no threads for the engine.
pub fn services(
    config: &ServeConfig,
    analyzer: Arc<Analyzer>,
    store: SharedStore,
    catalogue: watch::Receiver<Arc<Catalogue>>,
) -> Result<Routes, ServerError> {
    let desk = Arc::new(Desk {
        analyzer,
        pool: EnginePool::new(config.engine.threads, config.engine.max_wait)?,
        store: GuardedStore::new(store),
        limits: config.limits,
        catalogue,
        stopwatch: Arc::new(StageMetrics),
    });
    /// Sizes are limited and compression is spoken on every service alike.
    macro_rules! with_limits {
        ($server:expr) => {
            $server
                .max_decoding_message_size(config.limits.max_message_bytes)
                .accept_compressed(CompressionEncoding::Zstd)
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Zstd)
                .send_compressed(CompressionEncoding::Gzip)
        };
    }
    let mut routes = Routes::builder();
    routes
        .add_service(with_limits!(DocumentServiceServer::new(api::Documents(Arc::clone(&desk)))))
        .add_service(with_limits!(AnalysisServiceServer::new(api::Analysis(Arc::clone(&desk)))))
        .add_service(with_limits!(TaxonomyServiceServer::new(api::Taxonomies(Arc::clone(&desk)))))
        .add_service(with_limits!(ServerInfoServiceServer::new(api::ServerInfo(desk))));
    Ok(routes.routes())
}

/// Serves until `shutdown` and everything in flight is finished or its time is up.
///
/// # Errors
/// If the server cannot start; what happens to single connections is only logged.
pub async fn run(
    config: &ServeConfig,
    listeners: Listeners,
    services: Routes,
    store: SharedStore,
    shutdown: Shutdown,
) -> Result<(), ServerError> {
    let metrics = telemetry::metrics();
    let tls = match config.security.tls.clone() {
        Some(files) => Some(tls::follow(files, config.security.reload_interval)?),
        None => None,
    };
    let authenticator = callers::authenticator(&config.security)?;
    let upkeep = tokio::spawn({
        let metrics = metrics.clone();
        async move {
            loop {
                tokio::time::sleep(METRICS_UPKEEP_INTERVAL).await;
                metrics.run_upkeep();
            }
        }
    });
    let (health, health_service) = Health::start(Arc::clone(&store), config.health_detail).await;
    let admin = listeners.admin.map(|listener| {
        let readiness = health.readiness();
        let store = Arc::clone(&store);
        let routes = admin::routes(metrics, readiness, config.health_detail, health_service.clone(), store);
        tokio::spawn(axum::serve(listener, routes).into_future())
    });
    let wants_credentials = authenticator.wants_credentials();
    let routes = stack(config, services, health_service, authenticator)?;
    let address = listeners.rpc.local_addr()?;
    if !address.ip().is_loopback() {
        if tls.is_none() {
            tracing::warn!(%address, "listening beyond this machine without TLS");
        }
        if !wants_credentials {
            tracing::warn!(%address, "listening beyond this machine without credentials");
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(%address, store = %config.store, tls = tls.is_some(), version, "serving");
    let connections = Connections::accept(listeners.rpc, routes, tls, config.connections);

    shutdown.requested().await;
    tracing::info!(delay = ?config.drain.delay, timeout = ?config.drain.timeout, "draining");
    // Load balancers learn first that this server is going away, and have time to act on it.
    health.drain().await;
    shutdown.unless_now(tokio::time::sleep(config.drain.delay)).await;
    // Then no connection is accepted, streams are wound up, and clients are told to take their
    // next call elsewhere.
    let draining = connections.drain();
    let drained = shutdown.unless_now(draining.finished(config.drain.timeout)).await;
    if drained != Some(true) {
        tracing::warn!("calls were cut off: the drain took too long, or a second signal came");
    }
    if tokio::time::timeout(STORE_CLOSE_TIMEOUT, store.close()).await.is_err() {
        tracing::warn!("the store did not close in time");
    }
    if let Some(admin) = admin {
        admin.abort();
    }
    upkeep.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Everything that a call passes, from the outside to the service.
fn stack<H: HealthRpc>(
    config: &ServeConfig,
    services: Routes,
    health: HealthServer<H>,
    authenticator: Authenticator,
) -> Result<Router, ServerError> {
    let damaged = |error: &dyn std::fmt::Display| ServerError::Descriptors(error.to_string());
    let methods = Methods::default()
        .with(api::FILE_DESCRIPTOR_SET, false, api::need)
        // Whoever watches over servers has no key.
        .and_then(|it| it.with(tonic_health::pb::FILE_DESCRIPTOR_SET, true, |_| Need::Nothing))
        .and_then(|it| it.with(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET, true, |_| Need::Name))
        .and_then(|it| it.with(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET, true, |_| Need::Name))
        .map_err(|error| damaged(&error))?;

    let unread = Unread::new(config.admission.max_unread_bytes, READ_TIMEOUT);
    // Around our own services alone: a server that is full is still healthy.
    let limits = ServiceBuilder::new()
        .layer(from_fn_with_state(unread, unread::bound))
        // Inside of it, so that a client that reads slowly takes no place from others; and last, so that
        // nothing is refused here that would have failed anyway.
        .layer(from_fn_with_state(Admission::new(&config.admission), admission::admit));
    let mut routes = Routes::from(services.into_axum_router().route_layer(limits)).add_service(health);
    if config.reflection {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
                // So that clients can show the details of errors.
                .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        routes = routes
            .add_service(builder().build_v1().map_err(|error| damaged(&error))?)
            .add_service(builder().build_v1alpha().map_err(|error| damaged(&error))?);
    }

    let quota = config.security.quota.map(|quota| Arc::new(Quota::new(quota.per_second, quota.burst)));
    // Around everything, unknown methods too.
    let layers = ServiceBuilder::new()
        // First, so that no layer can write a secret into the log.
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION, COOKIE]))
        // Before the log and the metrics, which need the request id and the method.
        .layer(from_fn_with_state(Arc::new(methods), call::identify))
        // Around all that can answer, so that no answer goes unseen.
        .layer(from_fn(observe::observe))
        // Around all that can fail, so that every error looks the same.
        .layer(from_fn(errors::unify))
        // Inside of it, so that a panic becomes such an error.
        .layer(from_fn(panics::catch))
        // Before anything is done for a caller; inside of the log, which tells who called.
        .layer(from_fn_with_state(Arc::new(authenticator), authenticate::authenticate))
        // By caller, so after it is known who that is; before one caller's calls fill the queue.
        .layer(from_fn_with_state(quota, quota::count))
        // Streams alone; outside of what may end them for another reason.
        .layer(from_fn(drain::wind_up))
        .layer(from_fn_with_state(config.limits.default_deadline, deadline::keep));
    Ok(routes.into_axum_router().layer(layers))
}
