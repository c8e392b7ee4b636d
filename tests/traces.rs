//! What an OpenTelemetry collector is told of calls.

mod process;

use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use process::Process;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// A collector that is there, and its address.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServiceServer::new(collector.clone());
        let serving = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let scopes = requests.iter().flat_map(|it| &it.resource_spans).flat_map(|it| &it.scope_spans);
        scopes.flat_map(|it| it.spans.clone()).collect()
    }
}

fn ingest() -> v1::IngestDocumentRequest {
    let text = "The minister said nothing on Tuesday. The harbour bridge in Northwick reopened.";
    let source = Some(v1::document::Source::Content(text.into()));
    let document = Some(v1::Document { source, ..Default::default() });
    v1::IngestDocumentRequest { document, ..Default::default() }
}

/// Ingests a document in a trace of the client's, and gives back the `traceresponse`.
async fn call(process: &Process, trace_parent: Option<&str>) -> Option<String> {
    let mut client = DocumentServiceClient::connect(process.uri()).await.unwrap();
    let mut request = Request::new(ingest());
    if let Some(parent) = trace_parent {
        request.metadata_mut().insert("traceparent", parent.parse().unwrap());
    }
    let answer = client.ingest_document(request).await.unwrap();
    answer.metadata().get("traceresponse").map(|value| value.to_str().unwrap().to_owned())
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_span_in_its_callers_trace_with_what_it_did_below_it() {
    let (collector, address) = Collector::start().await;
    let mut process = Process::start(&["--otlp-endpoint", &address, "--trace-ratio=0"]);
    let answered = call(&process, Some(&format!("00-{TRACE}-b7ad6b7169203331-01"))).await.unwrap();
    assert!(answered.starts_with(&format!("00-{TRACE}-")) && answered.ends_with("-01"), "{answered}");
    // Neither the caller nor chance wants these.
    call(&process, Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")).await;
    call(&process, None).await;
    // What is not sent yet is sent when the server goes.
    process.terminate();
    assert!(process.child.wait().unwrap().success());

    let spans = collector.spans();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE), "{spans:#?}");
    let root = spans.iter().find(|span| hex(&span.parent_span_id) == "b7ad6b7169203331").unwrap();
    assert_eq!(root.name, "copydesk.v1.DocumentService/IngestDocument");
    assert!(answered.contains(&hex(&root.span_id)));
    let status = root.attributes.iter().find(|it| it.key == "rpc.response.status_code").unwrap();
    assert!(format!("{status:?}").contains("OK"), "{status:?}");
    for part in ["engine queue", "engine extract", "engine entities", "engine topics", "store ingest"] {
        let span = spans.iter().find(|span| span.name == part).unwrap_or_else(|| panic!("no {part}"));
        assert_eq!(span.parent_span_id, root.span_id, "{part}");
        assert!(span.start_time_unix_nano >= root.start_time_unix_nano - 1_000_000, "{part}");
        assert!(span.end_time_unix_nano <= root.end_time_unix_nano, "{part}");
    }
    let mut log = String::new();
    process.log.read_to_string(&mut log).unwrap();
    assert_eq!(log.matches(&format!("\"trace_id\":\"{TRACE}\"")).count(), 1, "{log}");
    assert!(!format!("{spans:?}").contains("minister"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_up_nothing_and_is_named_once() {
    // Nobody listens on a port that was just given back.
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let endpoint = format!("http://{address}");
    let mut process = Process::start(&["--otlp-endpoint", &endpoint, "--trace-ratio=1"]);
    let started = Instant::now();
    for _ in 0..50 {
        assert!(call(&process, None).await.is_some());
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    process.terminate();
    assert!(process.child.wait().unwrap().success());
    let mut log = String::new();
    process.log.read_to_string(&mut log).unwrap();
    assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
}
