//! Accepts connections and speaks HTTP/2 on them, by TLS or without, until they are drained.
//!
//! tonic's own server would add a shell that answers outside of our layers, drains without a
//! bound and gives all connections the same age.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Cursor};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics::{counter, gauge};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tower::Layer;

use super::tls;
use crate::config::ConnectionConfig;
use crate::middleware::authenticate::Peer;
use crate::middleware::drain::WindUp;
use crate::telemetry::Counted;

/// What every HTTP/2 client says first (RFC 9113, section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// After a failure to accept, as for want of file descriptors, others must go first.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The open connections of a listener.
pub struct Connections {
    draining: CancellationToken,
    accepting: JoinHandle<JoinSet<()>>,
}

impl Connections {
    /// Serves `routes` on all that connects, where `tls` is given by TLS as it is configured at that
    /// moment.
    pub fn accept(
        listener: TcpListener,
        routes: Router,
        tls: Option<watch::Receiver<Arc<ServerConfig>>>,
        config: ConnectionConfig,
    ) -> Self {
        let draining = CancellationToken::new();
        let acceptor = Acceptor {
            places: Arc::new(Semaphore::new(config.max_connections)),
            connection: Connection {
                http: http(&config),
                routes,
                tls,
                max_age: config.max_age,
                grace: config.max_age_grace,
                reply_timeout: config.keepalive_timeout,
                draining: draining.clone(),
            },
            open: JoinSet::new(),
        };
        Self { draining, accepting: tokio::spawn(acceptor.run(listener)) }
    }

    /// Accepts no more, and tells all clients to take their next call elsewhere (GOAWAY).
    pub fn drain(self) -> Draining {
        self.draining.cancel();
        Draining { accepting: self.accepting }
    }
}

/// Connections whose last calls are finishing.
pub struct Draining {
    accepting: JoinHandle<JoinSet<()>>,
}

impl Draining {
    /// Waits for the calls in flight, at most for `bound`; says whether all of them finished.
    /// Those that did not are cut off.
    pub async fn finished(self, bound: Duration) -> bool {
        let Ok(mut open) = self.accepting.await else { return false };
        let all_finished = async { while open.join_next().await.is_some() {} };
        let finished = timeout(bound, all_finished).await.is_ok();
        if !finished {
            tracing::warn!(connections = open.len(), "the drain's time is up");
        }
        finished
    }
}

fn http(config: &ConnectionConfig) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(config.max_streams)
        .max_header_list_size(config.max_header_bytes)
        .keep_alive_interval(config.keepalive_interval)
        .keep_alive_timeout(config.keepalive_timeout);
    http
}

struct Acceptor {
    places: Arc<Semaphore>,
    connection: Connection,
    open: JoinSet<()>,
}

impl Acceptor {
    /// Runs until the drain begins, and hands over what is open then.
    async fn run(mut self, listener: TcpListener) -> JoinSet<()> {
        let draining = self.connection.draining.clone();
        draining.run_until_cancelled(self.accept_forever(listener)).await;
        self.open
    }

    async fn accept_forever(&mut self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, address)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => {
                        self.open.spawn(self.connection.clone().serve(stream, address.ip(), place));
                    }
                    // Closed rather than left waiting, so that the client tries another replica.
                    Err(_) => counter!("copydesk_connections_refused_total").increment(1),
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            // Forgets those that ended.
            while self.open.try_join_next().is_some() {}
        }
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Connection {
    http: http2::Builder<TokioExecutor>,
    routes: Router,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    /// None: any.
    max_age: Option<Duration>,
    /// How long calls may go on beyond it before their streams are wound up.
    grace: Duration,
    /// How long a client may take to begin, the handshake of TLS and the preface together, and to take
    /// what it is still owed at the end.
    reply_timeout: Duration,
    draining: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream, address: IpAddr, _place: OwnedSemaphorePermit) {
        let _open = Counted::new(gauge!("copydesk_connections"));
        // Small answers must not wait for more to send; if it fails, the stream is broken anyway.
        let _ = stream.set_nodelay(true);
        let until = Instant::now() + self.reply_timeout;
        let mut peer = Peer { address, certificate: Arc::default() };
        let Some(tls) = &self.tls else { return self.greet_and_speak(stream, peer, until).await };
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
        match self.beginning(until, acceptor.accept(stream)).await {
            Ok(stream) => {
                peer.certificate = tls::names(stream.get_ref().1);
                self.greet_and_speak(stream, peer, until).await;
            }
            Err(error) => {
                counter!("copydesk_tls_handshake_failures_total").increment(1);
                tracing::debug!(%error, "a handshake failed");
            }
        }
    }

    /// Waits for the client to begin. One that takes its time has no call to lose, neither to the
    /// timeout nor to a drain.
    async fn beginning<T>(
        &self,
        until: Instant,
        begun: impl Future<Output = io::Result<T>>,
    ) -> io::Result<T> {
        match self.draining.run_until_cancelled(timeout_at(until, begun)).await {
            Some(Ok(begun)) => begun,
            Some(Err(_)) => Err(io::ErrorKind::TimedOut.into()),
            None => Err(io::Error::other("the server is going away")),
        }
    }

    /// Waits for the preface, and goes on if it is one.
    async fn greet_and_speak<S>(&self, mut stream: S, peer: Peer, until: Instant)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let mut greeting = [0; PREFACE.len()];
        let greeted = self.beginning(until, stream.read_exact(&mut greeting)).await;
        if greeted.is_ok() && greeting == *PREFACE {
            self.speak(stream, peer).await;
        }
    }

    /// Speaks HTTP/2 after the preface, until the client leaves, or the drain or the connection's
    /// age is over.
    async fn speak<S: AsyncRead + AsyncWrite + Send + Unpin>(&self, stream: S, peer: Peer) {
        let (read, write) = split(stream);
        let stream = join(Cursor::new(PREFACE).chain(read), write);
        let wind_up = WindUp(self.draining.child_token());
        let extensions = (Extension(peer), Extension(wind_up.clone()));
        let service = TowerToHyperService::new(extensions.layer(self.routes.clone()));
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = &mut connection => Some(ended),
            () = self.draining.cancelled() => {
                connection.as_mut().graceful_shutdown();
                Some(connection.await)
            }
            () = self.old() => {
                connection.as_mut().graceful_shutdown();
                match timeout(self.grace, &mut connection).await {
                    Ok(ended) => Some(ended),
                    Err(_) => {
                        wind_up.0.cancel();
                        timeout(self.reply_timeout, connection).await.ok()
                    }
                }
            }
        };
        match ended {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(%error, "a connection broke"),
            None => tracing::debug!("a connection was cut off: its age and grace are over"),
        }
    }

    /// Waits until the connection is old, a tenth sooner or later than others.
    async fn old(&self) {
        match self.max_age {
            Some(age) => tokio::time::sleep(age.mul_f64(0.9 + 0.2 * chance())).await,
            None => std::future::pending().await,
        }
    }
}

/// A number from 0 to 1, another one each time.
fn chance() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}
