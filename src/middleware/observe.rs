//! One line of the log, one set of measurements and one span for each call, taken when its answer
//! is out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use http_body::Frame;
use http_body_util::BodyExt;
use metrics::{Label, gauge, histogram};
use opentelemetry::context::FutureExt;
use tonic::Code;
use tracing::Instrument;

use super::Call;
use crate::api::error::code_name;
use crate::telemetry::{CallSpan, Counted};

/// Tells the caller which span is its call's (W3C Trace Context, level 2).
const TRACE_RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// The layer.
pub async fn observe(Extension(call): Extension<Call>, request: Request, next: Next) -> Response {
    let span = tracing::info_span!("call", request_id = &*call.request_id, method = &*call.method.name);
    let traced = match call.method.routine {
        true => CallSpan::default(),
        false => CallSpan::start(request.headers(), &call.method.full_name),
    };
    let context = traced.context();
    let mut record = Record::start(call, traced);
    let received = Arc::clone(&record.received_bytes);
    let request = request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            count_bytes(&frame, &received);
            frame
        }))
    });
    let mut response = next.run(request).instrument(span).with_context(context).await;
    record.see(response.headers());
    if let Some(header) = record.traced.response_header() {
        response.headers_mut().insert(TRACE_RESPONSE, header);
    }
    // What passes by is written down at the end of the body, however that comes about.
    response.map(|body| {
        Body::new(body.map_frame(move |frame| {
            count_bytes(&frame, &record.sent_bytes);
            if let Some(trailers) = frame.trailers_ref() {
                record.see(trailers);
            }
            frame
        }))
    })
}

fn count_bytes(frame: &Frame<Bytes>, total: &AtomicU64) {
    if let Some(data) = frame.data_ref() {
        total.fetch_add(data.len() as u64, Ordering::Relaxed);
    }
}

/// One call under way; written down when dropped, however it ends.
struct Record {
    call: Call,
    traced: CallSpan,
    _in_flight: Counted,
    started: Instant,
    /// None until the status is out: a client that leaves before has cancelled the call.
    code: Option<Code>,
    /// As sent, before decompression.
    received_bytes: Arc<AtomicU64>,
    /// As sent, after compression.
    sent_bytes: AtomicU64,
}

impl Record {
    fn start(call: Call, traced: CallSpan) -> Self {
        let method = Arc::clone(&call.method.full_name);
        Self {
            _in_flight: Counted::new(gauge!("rpc_server_active_requests", "rpc_method" => method)),
            call,
            traced,
            started: Instant::now(),
            code: None,
            received_bytes: Arc::default(),
            sent_bytes: AtomicU64::default(),
        }
    }

    /// Takes the status from headers or trailers, if it is in them.
    fn see(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get("grpc-status") {
            self.code = Some(Code::from_bytes(status.as_bytes()));
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let seconds = self.started.elapsed().as_secs_f64();
        let code = self.code.unwrap_or(Code::Cancelled);
        let received = self.received_bytes.load(Ordering::Relaxed);
        let sent = self.sent_bytes.load(Ordering::Relaxed);
        let method = &self.call.method;
        // Names and labels are those of OpenTelemetry's semantic conventions, as Prometheus spells them.
        let name = Arc::clone(&method.full_name);
        histogram!("rpc_server_request_size_bytes", "rpc_method" => Arc::clone(&name))
            .record(received as f64);
        histogram!("rpc_server_response_size_bytes", "rpc_method" => Arc::clone(&name)).record(sent as f64);
        let mut labels = vec![
            Label::new("rpc_system_name", "grpc"),
            Label::new("rpc_method", name),
            Label::new("rpc_response_status_code", code_name(code)),
        ];
        if is_failure(code) {
            labels.push(Label::new("error_type", code_name(code)));
        }
        histogram!("rpc_server_call_duration_seconds", labels).record(seconds);
        self.traced.end(code_name(code), is_failure(code));
        let trace_id = self.traced.trace_id();

        /// One line at the given level.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    request_id = &*self.call.request_id,
                    trace_id = trace_id.as_deref(),
                    service = &*method.service,
                    method = &*method.name,
                    principal = self.call.principal(),
                    code = code_name(code),
                    milliseconds = (seconds * 1e6).round() / 1e3,
                    received_bytes = received,
                    sent_bytes = sent,
                    "call"
                )
            };
        }
        match code {
            Code::Internal | Code::Unknown | Code::DataLoss => line!(error),
            _ if method.routine => line!(debug),
            _ => line!(info),
        }
    }
}

/// Whether the server, and not the client, is to blame, as OpenTelemetry's conventions for gRPC see it.
const fn is_failure(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}
