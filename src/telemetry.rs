//! Logs, metrics and traces: where they go and how they look.

mod store;
mod traces;

use std::io::IsTerminal;
use std::str::FromStr;
use std::sync::OnceLock;

use clap::ValueEnum;
use metrics::{Gauge, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

pub use self::store::{ObservedStore, record_usage};
pub use self::traces::{CallSpan, TraceConfig, Traces, measured, start_traces};
use crate::analyzer::Stopwatch;

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    pub filter: LogFilter,
    pub format: LogFormat,
}

/// How lines of the log look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere
    Auto,
    /// For people
    Text,
    /// One object a line, for machines
    Json,
}

/// Directives for `tracing_subscriber::EnvFilter`, known to parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogFilter {
    type Err = tracing_subscriber::filter::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EnvFilter::builder().parse(text)?;
        Ok(Self(text.to_owned()))
    }
}

/// Sends the log to stderr from now on, panics included. The first call in a process counts.
pub fn start_log(config: &LogConfig) {
    let json = match config.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // The HTML parser quotes what it reads, and complains of pages as if they were the server's.
    let filter = EnvFilter::new(format!("{},html5ever=off", config.filter.as_str()));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = if json {
        log.json().flatten_event(true).with_span_list(false).with_current_span(false).try_init()
    } else {
        log.try_init()
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Says where a panic struck and not what it said, which may hold a document's text.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    tracing::error!(location, thread = thread.name().unwrap_or_default(), "panic");
}

/// Upper bounds of buckets: seconds of a whole call.
const CALL_SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Seconds of a piece of a call.
const STAGE_SECONDS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];
/// Bytes of a message.
const MESSAGE_BYTES: [f64; 8] =
    [256.0, 1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0];

/// The process's metrics; the first call starts them.
pub fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(start_metrics).clone()
}

fn start_metrics() -> PrometheusHandle {
    let bucketed = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Prefix("rpc_server_call_duration".into()), &CALL_SECONDS)
        .and_then(|it| it.set_buckets_for_metric(Matcher::Suffix("_size_bytes".into()), &MESSAGE_BYTES))
        .and_then(|it| it.set_buckets_for_metric(Matcher::Prefix("copydesk_".into()), &STAGE_SECONDS));
    // Only an empty list of buckets is refused.
    let recorder = bucketed.unwrap_or_default().build_recorder();
    let handle = recorder.handle();
    // Fails where the process that embeds the server has a recorder of its own, which then counts.
    let _ = metrics::set_global_recorder(recorder);
    describe_metrics();
    gauge!("copydesk_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    handle
}

fn describe_metrics() {
    describe_gauge!("copydesk_build_info", "Always 1; the label says which version this is");
    describe_histogram!("rpc_server_call_duration_seconds", "How long calls took, by method and status");
    describe_gauge!("rpc_server_active_requests", "Calls in flight, by method");
    describe_histogram!("rpc_server_request_size_bytes", "Bytes received in a call, as sent");
    describe_histogram!("rpc_server_response_size_bytes", "Bytes sent in a call, as sent");
    describe_counter!(
        "copydesk_calls_shed_total",
        "Calls refused because the server was full, by what was full"
    );
    describe_counter!("copydesk_panics_total", "Calls that met a bug");
    describe_counter!(
        "copydesk_spans_total",
        "Spans of traces, by whether they were sent or lost on the way; not those dropped before for want of room"
    );
    describe_gauge!("copydesk_connections", "Open connections");
    describe_counter!("copydesk_connections_refused_total", "Connections closed at once, over the limit");
    describe_counter!("copydesk_tls_handshake_failures_total", "Connections whose TLS handshake failed");
    describe_gauge!(
        "copydesk_tls_certificate_expiry_timestamp_seconds",
        "When the first of the certificates that are served expires, in seconds since 1970"
    );
    describe_counter!(
        "copydesk_quota_refusals_total",
        "Calls refused because their caller's quota was used up"
    );
    describe_counter!("copydesk_reloads_total", "Changed files that were taken or refused while running");
    describe_gauge!("copydesk_engine_queue_depth", "Documents that wait for a thread of the engine");
    describe_gauge!("copydesk_engine_busy_threads", "Threads of the engine at work");
    describe_histogram!("copydesk_engine_queue_wait_seconds", "How long documents waited for a thread");
    describe_counter!(
        "copydesk_engine_stopped_total",
        "Documents that nobody waited for any more, by reason"
    );
    describe_histogram!("copydesk_store_seconds", "How long the store took, by operation and outcome");
    describe_gauge!("copydesk_store_queue_bytes", "Bytes of documents that wait for the store's writer");
    describe_gauge!("copydesk_store_connections", "Connections to the database for reading, by state");
    describe_gauge!("copydesk_store_waiting", "Reads that wait for a connection to the database");
    describe_histogram!("copydesk_engine_stage_seconds", "How long each stage of the engine took");
}

/// Records how long the engine's stages take, in metrics and traces.
#[derive(Clone, Copy, Debug, Default)]
pub struct StageMetrics;

impl Stopwatch for StageMetrics {
    fn stage(&self, stage: &'static str, seconds: f64) {
        histogram!("copydesk_engine_stage_seconds", "stage" => stage).record(seconds);
        measured("engine", stage, seconds);
    }
}

/// One in a gauge for as long as it lives.
pub struct Counted(Gauge);

impl Counted {
    pub fn new(gauge: Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
