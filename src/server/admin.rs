//! The port for operators: metrics, and whether to restart or to route.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tonic_health::pb::health_server::{Health as HealthRpc, HealthServer, SERVICE_NAME};

use super::Readiness;
use crate::store::SharedStore;
use crate::telemetry;

/// Media type of the Prometheus text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/metrics`, `/healthz` and `/readyz` over HTTP/1, and `grpc.health.v1` over HTTP/2: probes that
/// come here find a place however many connections clients have open. Without `detail` `/readyz` does
/// not say why not.
pub fn routes<H: HealthRpc>(
    metrics: PrometheusHandle,
    readiness: watch::Receiver<Readiness>,
    detail: bool,
    health: HealthServer<H>,
    store: SharedStore,
) -> Router {
    let page = async move || {
        telemetry::record_usage(store.usage());
        ([(CONTENT_TYPE, METRICS_TYPE)], metrics.render())
    };
    Router::new()
        .route_service(&format!("/{SERVICE_NAME}/{{*method}}"), health)
        .route("/metrics", get(page))
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(async move || ready(*readiness.borrow(), detail)))
}

fn ready(readiness: Readiness, detail: bool) -> (StatusCode, &'static str) {
    match readiness {
        Readiness::Serving => (StatusCode::OK, "ready\n"),
        _ if !detail => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        Readiness::StoreAway => (StatusCode::SERVICE_UNAVAILABLE, "the store is away\n"),
        Readiness::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    }
}
