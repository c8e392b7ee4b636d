//! Accepts connections and speaks HTTP/2 on them, until they are drained.
//!
//! tonic's own server would add a shell that answers outside of our layers, drains without a
//! bound and gives all connections the same age.

use std::hash::{BuildHasher, RandomState};
use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics::{counter, gauge};
use tokio::io::{AsyncReadExt, join};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::config::ConnectionConfig;
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
    /// Serves `routes` on all that connects.
    pub fn accept(listener: TcpListener, routes: Router, config: ConnectionConfig) -> Self {
        let draining = CancellationToken::new();
        let acceptor = Acceptor {
            places: Arc::new(Semaphore::new(config.max_connections)),
            connection: Connection {
                http: http(&config),
                routes,
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
                Ok((stream, _)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(place) => {
                        self.open.spawn(self.connection.clone().serve(stream, place));
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
    /// None: any.
    max_age: Option<Duration>,
    /// How long calls may go on beyond it before their streams are wound up.
    grace: Duration,
    /// How long a client may take to begin, and to take what it is still owed at the end.
    reply_timeout: Duration,
    draining: CancellationToken,
}

impl Connection {
    async fn serve(self, mut stream: TcpStream, _place: OwnedSemaphorePermit) {
        let _open = Counted::new(gauge!("copydesk_connections"));
        if self.is_greeted(&mut stream).await {
            self.speak(stream).await;
        }
    }

    /// Waits for the preface. A client that says nothing, or something else, has no call to lose,
    /// neither to the timeout nor to a drain.
    async fn is_greeted(&self, stream: &mut TcpStream) -> bool {
        let mut greeting = [0; PREFACE.len()];
        let read = timeout(self.reply_timeout, stream.read_exact(&mut greeting));
        matches!(self.draining.run_until_cancelled(read).await, Some(Ok(Ok(_)))) && greeting == *PREFACE
    }

    /// Speaks HTTP/2 after the preface, until the client leaves, or the drain or the connection's
    /// age is over.
    async fn speak(&self, stream: TcpStream) {
        // Small answers must not wait for more to send; if it fails, the stream is broken anyway.
        let _ = stream.set_nodelay(true);
        let (read, write) = stream.into_split();
        let stream = join(Cursor::new(PREFACE).chain(read), write);
        let wind_up = WindUp(self.draining.child_token());
        let service = TowerToHyperService::new(Extension(wind_up.clone()).layer(self.routes.clone()));
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
