//! Traces: what a call spent its time on, sent to an OpenTelemetry collector over OTLP.
//!
//! A call is one span, a child of its caller's span where the caller names one (W3C Trace
//! Context). Below it are the stages of the engine and what the store did, written down when they
//! are over: neither of them knows of traces. Of a stream there is the call's span alone; its
//! documents, of which there may be millions, would make a trace that no collector takes.
//!
//! Spans wait for the exporter in a bounded queue. Where it is full, as when the collector is
//! away, they are dropped; no call waits for it.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, Uri};
use metrics::counter;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter};

/// How long the collector may take to accept a batch of spans.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the last spans may take at the end of the process.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Set once, where traces are wanted.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// Where traces go.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceConfig {
    /// None: nowhere.
    pub endpoint: Option<Uri>,
    /// The share of calls that are traced, of those whose caller does not decide. 0 to 1.
    pub ratio: f64,
}

/// The exporter of traces.
pub struct Traces(Option<SdkTracerProvider>);

/// Traces calls from now on. The first call in a process counts.
///
/// # Errors
/// If the endpoint is none that spans could be sent to. Whether anyone is there shows later.
///
/// # Panics
/// Outside of a tokio runtime, which carries the exporter's connection.
pub fn start_traces(config: &TraceConfig) -> Result<Traces, ExporterBuildError> {
    let Some(endpoint) = &config.endpoint else { return Ok(Traces(None)) };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint.to_string())
        .with_timeout(EXPORT_TIMEOUT)
        .build()?;
    let resource = Resource::builder()
        .with_service_name("copydesk")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Reporting { exporter, is_failing: AtomicBool::new(false) })
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.ratio))))
        .with_resource(resource)
        .build();
    // Fails where the process traces already.
    let _ = TRACER.set(provider.tracer("copydesk"));
    Ok(Traces(Some(provider)))
}

impl Traces {
    /// Sends what is left, as far as it goes within two seconds.
    pub async fn flush(self) {
        let Some(provider) = self.0 else { return };
        let flushing = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        if !matches!(flushing.await, Ok(Ok(()))) {
            tracing::warn!("the last spans could not be sent");
        }
    }
}

/// The span of one call, which ends with [`CallSpan::end`]; by default one that nobody sees.
#[derive(Default)]
pub struct CallSpan(Context);

impl CallSpan {
    /// Begins a span under the one that the caller names; `method` is a method's full name.
    pub fn start(headers: &HeaderMap, method: &str) -> Self {
        let Some(tracer) = TRACER.get() else { return Self(Context::new()) };
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
        let builder =
            SpanBuilder::from_name(method.to_owned()).with_kind(SpanKind::Server).with_attributes([
                KeyValue::new("rpc.system.name", "grpc"),
                KeyValue::new("rpc.method", method.to_owned()),
            ]);
        let span = tracer.build_with_context(builder, &parent);
        Self(parent.with_span(span))
    }

    /// What [`measured`] finds its parent in.
    pub fn context(&self) -> Context {
        self.0.clone()
    }

    /// The trace's id in hexadecimal digits, where the call is traced.
    pub fn trace_id(&self) -> Option<String> {
        let span = self.0.span().span_context().clone();
        span.is_sampled().then(|| span.trace_id().to_string())
    }

    /// The span for the caller, as a W3C `traceresponse`.
    pub fn response_header(&self) -> Option<HeaderValue> {
        let span = self.0.span().span_context().clone();
        let flags = span.trace_flags().to_u8();
        let value = format!("00-{}-{}-{flags:02x}", span.trace_id(), span.span_id());
        span.is_valid().then(|| HeaderValue::from_str(&value).ok()).flatten()
    }

    /// Ends the span with the call's status.
    pub fn end(&self, code: &'static str, is_failure: bool) {
        let span = self.0.span();
        span.set_attribute(KeyValue::new("rpc.response.status_code", code));
        if is_failure {
            span.set_attribute(KeyValue::new("error.type", code));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Writes down something that has just ended and took so many seconds, as a part of the call in
/// whose context this runs. `room` is the part of the house that did it.
pub fn measured(room: &'static str, work: &'static str, seconds: f64) {
    let Some(tracer) = TRACER.get() else { return };
    let parent = Context::current();
    if !parent.span().span_context().is_sampled() {
        return;
    }
    let end = SystemTime::now();
    let start = end.checked_sub(Duration::from_secs_f64(seconds)).unwrap_or(end);
    let builder = SpanBuilder::from_name(format!("{room} {work}")).with_start_time(start);
    tracer.build_with_context(builder, &parent).end_with_timestamp(end);
}

/// Headers as OpenTelemetry reads them.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

/// Says in the log when the collector is away and when it is back, once each.
struct Reporting<E> {
    exporter: E,
    is_failing: AtomicBool,
}

impl<E> fmt::Debug for Reporting<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporting")
    }
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let result = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_failing => tracing::warn!(%error, "traces cannot be sent and are dropped"),
            Ok(()) if was_failing => tracing::info!("traces are sent again"),
            _ => {}
        }
        let outcome = if result.is_ok() { "sent" } else { "lost" };
        counter!("copydesk_spans_total", "outcome" => outcome).increment(count);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
