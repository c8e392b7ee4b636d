//! When the server should go away: once to drain, twice to end at once.

use tokio_util::sync::CancellationToken;

/// Tells the server to go away. Clones tell the same server.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    now: CancellationToken,
}

impl Shutdown {
    /// Follows SIGTERM and SIGINT (Ctrl-C): the first asks for a drain, the second ends it.
    ///
    /// # Errors
    /// If the system does not deliver signals.
    pub fn on_signals() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::default();
        let signalled = shutdown.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                signalled.signal();
            }
        });
        Ok(shutdown)
    }

    /// Asks for a drain; the second time, for an end at once.
    pub fn signal(&self) {
        if self.requested.is_cancelled() {
            self.now.cancel();
        }
        self.requested.cancel();
    }

    /// Waits for the first signal.
    pub async fn requested(&self) {
        self.requested.cancelled().await;
    }

    /// Waits for `future`, but not beyond a second signal.
    pub(super) async fn unless_now<F: Future>(&self, future: F) -> Option<F::Output> {
        self.now.run_until_cancelled(future).await
    }
}
