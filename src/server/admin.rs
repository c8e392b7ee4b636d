//! The port for operators: metrics, and whether to restart or to route.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;

use super::Readiness;

/// Media type of the Prometheus text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/metrics`, `/healthz` and `/readyz`, which without `detail` does not say why not.
pub fn routes(metrics: PrometheusHandle, readiness: watch::Receiver<Readiness>, detail: bool) -> Router {
    Router::new()
        .route("/metrics", get(async move || ([(CONTENT_TYPE, METRICS_TYPE)], metrics.render())))
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
