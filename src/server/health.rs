//! Whether calls should be sent here, as `grpc.health.v1` and the admin port say it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use crate::api::v1::{
    analysis_service_server, document_service_server, server_info_service_server, taxonomy_service_server,
};
use crate::store::SharedStore;

/// How often the store is asked whether it is there.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// A store that takes longer to answer is away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Services that work, or partly work, without the store; the empty name, which stands for the
/// whole server, is not among them.
const WITHOUT_STORE: [&str; 3] = [
    analysis_service_server::SERVICE_NAME,
    server_info_service_server::SERVICE_NAME,
    taxonomy_service_server::SERVICE_NAME,
];
/// The whole server first.
const WITH_STORE: [&str; 2] = ["", document_service_server::SERVICE_NAME];

/// Whether calls should be sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    Serving,
    StoreAway,
    Draining,
}

/// Keeps watch over the store, and tells the world.
pub struct Health {
    readiness: watch::Receiver<Readiness>,
    draining: CancellationToken,
    watching: JoinHandle<()>,
}

struct Watch {
    /// The names that are known, as far as they need the store and as far as they do not.
    with_store: &'static [&'static str],
    without_store: &'static [&'static str],
    store: SharedStore,
    reporter: HealthReporter,
    readiness: watch::Sender<Readiness>,
}

impl Health {
    /// Asks the store once, so that the first answer is true already, and then every few seconds.
    /// Without `detail` only the whole server has a status.
    pub async fn start(store: SharedStore, detail: bool) -> (Self, HealthServer<impl HealthRpc>) {
        let (reporter, service) = health_reporter();
        let (sender, readiness) = watch::channel(Readiness::StoreAway);
        let (with_store, without_store): (&[_], &[_]) =
            if detail { (&WITH_STORE, &WITHOUT_STORE) } else { (&WITH_STORE[..1], &[]) };
        let mut watch = Watch { with_store, without_store, store, reporter, readiness: sender };
        watch.check().await;
        let draining = CancellationToken::new();
        let stopped = draining.clone();
        let watching = tokio::spawn(async move {
            stopped.run_until_cancelled(watch.check_forever()).await;
            watch.report(Readiness::Draining).await;
        });
        (Self { readiness, draining, watching }, service)
    }

    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.readiness.clone()
    }

    /// Says that the server is going away; when this returns, everyone who asks is told.
    pub async fn drain(self) {
        self.draining.cancel();
        // Nothing in there panics.
        let _ = self.watching.await;
    }
}

impl Watch {
    async fn check_forever(&mut self) {
        let mut ticks = interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        loop {
            ticks.tick().await;
            self.check().await;
        }
    }

    async fn check(&mut self) {
        let answer = match timeout(CHECK_TIMEOUT, self.store.check()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {CHECK_TIMEOUT:?}")),
        };
        let was_there = *self.readiness.borrow() == Readiness::Serving;
        match &answer {
            Ok(()) if !was_there => tracing::info!("the store is there"),
            Err(error) if was_there => tracing::error!(error, "the store is away"),
            _ => {}
        }
        self.report(if answer.is_ok() { Readiness::Serving } else { Readiness::StoreAway }).await;
    }

    async fn report(&mut self, readiness: Readiness) {
        let status = |serving| if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for &service in self.with_store {
            self.reporter.set_service_status(service, status(readiness == Readiness::Serving)).await;
        }
        for &service in self.without_store {
            self.reporter.set_service_status(service, status(readiness != Readiness::Draining)).await;
        }
        self.readiness.send_replace(readiness);
    }
}
