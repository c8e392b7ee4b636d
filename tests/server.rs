//! What a client and an operator see of the server around the services.

mod test_server;

use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::analysis_service_server::{AnalysisService, AnalysisServiceServer};
use copydesk::api::v1::analyze_document_request::Source;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::store::{self, Store, StoreError, StoredDocument};
use futures_util::{Stream, StreamExt};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use test_server::{PATIENCE, TestServer, config, error_info};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// A store without documents, which can go away.
#[derive(Default)]
struct EmptyStore {
    away: AtomicBool,
}

#[async_trait]
impl Store for EmptyStore {
    async fn ingest(&self, documents: Vec<store::NewDocument>) -> Vec<Result<store::Ingested, StoreError>> {
        documents.iter().map(|_| Err(StoreError::Unavailable("empty".into()))).collect()
    }

    async fn get(&self, corpus: &str, id: &str, _: store::View) -> Result<StoredDocument, StoreError> {
        Err(StoreError::NotFound { corpus: corpus.into(), document_id: id.into() })
    }

    async fn list(
        &self,
        _: &str,
        _: &store::Filter,
        _: store::View,
        _: Option<store::Cursor>,
        _: usize,
    ) -> Result<store::Page, StoreError> {
        Ok(store::Page::default())
    }

    async fn delete(&self, corpus: &str, id: &str, _: &str) -> Result<(), StoreError> {
        Err(StoreError::NotFound { corpus: corpus.into(), document_id: id.into() })
    }

    async fn check(&self) -> Result<(), StoreError> {
        let away = self.away.load(Ordering::SeqCst);
        if away { Err(StoreError::Unavailable("away".into())) } else { Ok(()) }
    }

    fn usage(&self) -> store::Usage {
        store::Usage::default()
    }

    async fn close(&self) {}
}

/// A service that does what the document's name says.
struct Obedient;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl AnalysisService for Obedient {
    async fn analyze_document(
        &self,
        request: Request<v1::AnalyzeDocumentRequest>,
    ) -> Result<Response<v1::AnalyzeDocumentResponse>, Status> {
        match request.into_inner().source {
            Some(Source::Name(order)) if order == "panic" => panic!("a secret"),
            Some(Source::Name(order)) if order == "leak" => Err(Status::internal("a secret")),
            Some(Source::Name(order)) => {
                let milliseconds = order.strip_prefix("sleep ").and_then(|number| number.parse().ok());
                tokio::time::sleep(Duration::from_millis(milliseconds.unwrap_or(0))).await;
                Ok(Response::new(Default::default()))
            }
            _ => Ok(Response::new(Default::default())),
        }
    }

    async fn batch_analyze_documents(
        &self,
        _: Request<v1::BatchAnalyzeDocumentsRequest>,
    ) -> Result<Response<v1::BatchAnalyzeDocumentsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    type StreamAnalyzeDocumentsStream = Answers<v1::StreamAnalyzeDocumentsResponse>;

    /// Panics at the first message, and is silent until then.
    async fn stream_analyze_documents(
        &self,
        request: Request<Streaming<v1::StreamAnalyzeDocumentsRequest>>,
    ) -> Result<Response<Self::StreamAnalyzeDocumentsStream>, Status> {
        let answers = tokio_stream::StreamExt::map(request.into_inner(), |_| panic!("a secret"));
        Ok(Response::new(Box::pin(answers)))
    }

    async fn summarize_document(
        &self,
        _: Request<v1::SummarizeDocumentRequest>,
    ) -> Result<Response<v1::SummarizeDocumentResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn summarize_documents(
        &self,
        _: Request<v1::SummarizeDocumentsRequest>,
    ) -> Result<Response<v1::SummarizeDocumentsResponse>, Status> {
        Ok(Response::new(Default::default()))
    }

    async fn tag_document(
        &self,
        _: Request<v1::TagDocumentRequest>,
    ) -> Result<Response<v1::TagDocumentResponse>, Status> {
        Ok(Response::new(Default::default()))
    }
}

/// A server whose analysis does as it is told.
async fn obedient(flags: &[&str]) -> TestServer {
    let services = Routes::new(AnalysisServiceServer::new(Obedient));
    TestServer::start(config(flags), services, Arc::new(EmptyStore::default())).await
}

/// A server with the real services and no documents.
async fn real(flags: &[&str]) -> TestServer {
    TestServer::with_store(flags, Arc::new(EmptyStore::default())).await
}

fn order(name: &str) -> v1::AnalyzeDocumentRequest {
    v1::AnalyzeDocumentRequest { source: Some(Source::Name(name.into())), ..Default::default() }
}

fn article(content: String) -> v1::AnalyzeDocumentRequest {
    let content = Some(v1::document::Source::Content(content));
    let document = v1::Document { source: content, ..Default::default() };
    v1::AnalyzeDocumentRequest { source: Some(Source::Document(document)), ..Default::default() }
}

async fn tell(channel: &Channel, name: &str) -> Result<Response<v1::AnalyzeDocumentResponse>, Status> {
    AnalysisServiceClient::new(channel.clone()).analyze_document(order(name)).await
}

async fn health(channel: &Channel, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.into() };
    HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner().status()
}

/// Waits until something holds.
async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it never came to pass");
}

#[tokio::test]
async fn health_is_known_for_the_whole_and_for_each_service() {
    let server = obedient(&[]).await;
    let channel = server.connect().await;
    for service in
        ["", "copydesk.v1.DocumentService", "copydesk.v1.AnalysisService", "copydesk.v1.ServerInfoService"]
    {
        assert_eq!(health(&channel, service).await, ServingStatus::Serving, "{service}");
    }
    let unknown = HealthCheckRequest { service: "copydesk.v1.Nonsense".into() };
    let error = HealthClient::new(channel).check(unknown).await.unwrap_err();
    assert_eq!((error.code(), error_info(&error).reason.as_str()), (Code::NotFound, "NOT_FOUND"));
}

#[tokio::test]
async fn only_what_needs_the_store_is_down_while_it_is_away() {
    let store = Arc::new(EmptyStore { away: true.into() });
    let services = Routes::new(AnalysisServiceServer::new(Obedient));
    let server = TestServer::start(config(&[]), services, store.clone()).await;
    let channel = server.connect().await;
    assert_eq!(health(&channel, "").await, ServingStatus::NotServing);
    assert_eq!(health(&channel, "copydesk.v1.DocumentService").await, ServingStatus::NotServing);
    assert_eq!(health(&channel, "copydesk.v1.AnalysisService").await, ServingStatus::Serving);
    assert_eq!(server.get("/readyz").await.unwrap().0, 503);
    assert_eq!(server.get("/healthz").await.unwrap().0, 200);

    store.away.store(false, Ordering::SeqCst);
    eventually(async || health(&channel, "").await == ServingStatus::Serving).await;
    assert_eq!(server.get("/readyz").await.unwrap().0, 200);
}

#[tokio::test]
async fn reflection_lists_the_services_in_both_versions_and_can_be_switched_off() {
    macro_rules! listed {
        ($version:ident, $server:expr) => {{
            use pb::server_reflection_request::MessageRequest;
            use pb::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version as pb;
            let list = MessageRequest::ListServices(String::new());
            let request = pb::ServerReflectionRequest { message_request: Some(list), ..Default::default() };
            let mut client =
                pb::server_reflection_client::ServerReflectionClient::new($server.connect().await);
            match client.server_reflection_info(tokio_stream::once(request)).await {
                Err(refused) => Err(refused),
                Ok(answers) => {
                    match answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap() {
                        MessageResponse::ListServicesResponse(list) => {
                            Ok(list.service.into_iter().map(|service| service.name).collect::<Vec<_>>())
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        }};
    }
    let server = obedient(&[]).await;
    for services in [listed!(v1, server).unwrap(), listed!(v1alpha, server).unwrap()] {
        for service in ["copydesk.v1.DocumentService", "copydesk.v1.AnalysisService", "grpc.health.v1.Health"]
        {
            assert!(services.iter().any(|name| name == service), "{service} in {services:?}");
        }
    }
    let server = obedient(&["--reflection=false"]).await;
    let refused = listed!(v1, server).unwrap_err();
    assert_eq!(
        (refused.code(), error_info(&refused).reason.as_str()),
        (Code::Unimplemented, "UNKNOWN_METHOD")
    );
}

#[tokio::test]
async fn a_drain_says_so_first_and_lets_calls_in_flight_finish() {
    let server = obedient(&["--drain-delay=300ms"]).await;
    let channel = server.connect().await;
    let mut watch =
        HealthClient::new(channel.clone()).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    let busy = channel.clone();
    let call = tokio::spawn(async move { tell(&busy, "sleep 800").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();

    let started = Instant::now();
    server.shutdown.signal();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(started.elapsed() < Duration::from_millis(250));
    // Until load balancers have turned away, calls are served still.
    assert_eq!(server.get("/readyz").await.unwrap().0, 503);
    assert_eq!(health(&channel, "copydesk.v1.AnalysisService").await, ServingStatus::NotServing);
    tell(&channel, "sleep 0").await.unwrap();

    call.await.unwrap().unwrap();
    let ended = watch.message().await.expect_err("a watch does not hold up the drain");
    assert_eq!((ended.code(), error_info(&ended).reason.as_str()), (Code::Unavailable, "DRAINING"));
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "a silent connection is closed");
    let address = server.address;
    server.ended().await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_drain_ends_open_streams_after_the_answers_they_are_owed() {
    let server = real(&[]).await;
    let (requests, sent) = tokio::sync::mpsc::channel(1);
    let mut client = AnalysisServiceClient::new(server.connect().await);
    let requests_stream = tokio_stream::wrappers::ReceiverStream::new(sent);
    let mut answers = client.stream_analyze_documents(requests_stream).await.unwrap().into_inner();
    let request = v1::StreamAnalyzeDocumentsRequest {
        request: Some(article("A short text.".into())),
        ..Default::default()
    };
    requests.send(request).await.unwrap();
    answers.message().await.unwrap().unwrap();

    server.shutdown.signal();
    let ended = answers.message().await.unwrap_err();
    assert_eq!((ended.code(), error_info(&ended).reason.as_str()), (Code::Unavailable, "DRAINING"));
    assert!(ended.get_details_retry_info().is_some());
    server.ended().await;
}

#[tokio::test]
async fn streams_that_are_not_ours_hold_up_no_drain_either() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    let server = obedient(&["--drain-timeout=1h", "--default-deadline=500ms"]).await;
    let channel = server.connect().await;
    let mut reflection = ServerReflectionClient::new(channel.clone());
    let mut described =
        reflection.server_reflection_info(tokio_stream::pending()).await.unwrap().into_inner();
    // A watch that has not even said what it watches.
    let mut sender = raw_client(&server).await;
    let watch = raw_request(&server, "grpc.health.v1.Health/Watch").body(silence()).unwrap();
    let watch = tokio::spawn(sender.send_request(watch));
    tell(&channel, "sleep 0").await.unwrap();

    server.shutdown.signal();
    let ended = described.message().await.unwrap_err();
    assert_eq!((ended.code(), error_info(&ended).reason.as_str()), (Code::Unavailable, "DRAINING"));
    server.ended().await;
    assert!(watch.await.unwrap().unwrap().headers().contains_key("grpc-status"));
}

#[tokio::test]
async fn a_drain_ends_in_its_bound_whatever_clients_do() {
    let server = obedient(&["--drain-timeout=300ms"]).await;
    let channel = server.connect().await;
    let call = tokio::spawn(async move { tell(&channel, "sleep 9000").await });
    // Says hello and then neither closes nor answers.
    let mut deaf = TcpStream::connect(server.address).await.unwrap();
    deaf.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let started = Instant::now();
    server.shutdown.signal();
    server.ended().await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn a_second_signal_ends_the_server_at_once() {
    let server = obedient(&["--drain-delay=1h"]).await;
    let channel = server.connect().await;
    let call = tokio::spawn(async move { tell(&channel, "sleep 9000").await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.shutdown.signal();
    server.shutdown.signal();
    let started = Instant::now();
    server.ended().await;
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert!(call.await.unwrap().is_err());
}

#[tokio::test]
async fn an_old_connection_takes_no_new_call_and_finishes_those_in_flight() {
    let server = obedient(&["--max-connection-age=200ms", "--max-connection-age-grace=10s"]).await;
    let mut client = bare_client(&server).await;
    let in_flight = tokio::spawn({
        let mut client = client.clone();
        async move { client.analyze_document(order("sleep 800")).await }
    });
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(client.analyze_document(order("sleep 0")).await.is_err());
    in_flight.await.unwrap().unwrap();

    // A client that opens another connection when it is told to does not notice.
    let channel = server.connect().await;
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        // A call that meets the very moment of the end is sent again, as the retry policy asks for.
        if tell(&channel, "sleep 5").await.is_err() {
            tell(&channel, "sleep 5").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_stream_on_an_old_connection_is_wound_up_after_the_grace() {
    let server = real(&["--max-connection-age=100ms", "--max-connection-age-grace=200ms"]).await;
    let started = Instant::now();
    let channel = server.connect().await;
    let mut client = AnalysisServiceClient::new(channel.clone());
    let mut answers = client.stream_analyze_documents(tokio_stream::pending()).await.unwrap().into_inner();
    let mut watch =
        HealthClient::new(channel).watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    for ended in [answers.message().await.unwrap_err(), watch.message().await.unwrap_err()] {
        assert_eq!((ended.code(), error_info(&ended).reason.as_str()), (Code::Unavailable, "DRAINING"));
        assert!(ended.get_details_retry_info().is_some());
    }
    assert!((250..5000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_client_that_ignores_all_of_it_is_cut_off() {
    let flags =
        ["--max-connection-age=100ms", "--max-connection-age-grace=100ms", "--keepalive-timeout=300ms"];
    let server = obedient(&flags).await;
    let mut deaf = TcpStream::connect(server.address).await.unwrap();
    deaf.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    timeout(Duration::from_secs(5), deaf.read_to_end(&mut said)).await.expect("kept").unwrap();
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once_and_probes_still_find_a_place() {
    let server = obedient(&["--max-connections=1"]).await;
    let channel = server.connect().await;
    tell(&channel, "sleep 0").await.unwrap();
    let mut refused = TcpStream::connect(server.address).await.unwrap();
    let closed = timeout(PATIENCE, refused.read(&mut [0])).await.expect("left waiting");
    assert!(matches!(closed, Ok(0) | Err(_)));

    let admin = Endpoint::from_shared(format!("http://{}", server.admin)).unwrap().connect().await.unwrap();
    assert_eq!(health(&admin, "").await, ServingStatus::Serving);
    assert_eq!(health(&admin, "copydesk.v1.AnalysisService").await, ServingStatus::Serving);
    let (_, page) = server.get("/metrics").await.unwrap();
    assert!(page.contains("copydesk_connections_refused_total"), "{page}");

    drop(channel);
    eventually(async || {
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let Ok(channel) = endpoint.connect().await else { return false };
        tell(&channel, "sleep 0").await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn a_full_server_refuses_at_once_and_stays_healthy() {
    let server = obedient(&["--max-in-flight=2"]).await;
    let channel = server.connect().await;
    for _ in 0..2 {
        let busy = channel.clone();
        tokio::spawn(async move { tell(&busy, "sleep 1000").await });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let started = Instant::now();
    let refused = tell(&server.connect().await, "sleep 0").await.unwrap_err();
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
    assert_eq!((refused.code(), error_info(&refused).reason.as_str()), (Code::Unavailable, "OVERLOADED"));
    assert!(refused.get_details_retry_info().unwrap().retry_delay.is_some());
    assert_eq!(health(&channel, "").await, ServingStatus::Serving);
    eventually(async || tell(&channel, "sleep 0").await.is_ok()).await;
}

#[tokio::test]
async fn answers_that_nobody_reads_take_no_more_memory_than_they_may() {
    let flags = ["--max-unread-bytes=1MiB", "--max-message-bytes=1MiB", "--max-content-bytes=512KiB"];
    let server = real(&flags).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let large = || article("The bridge to Northwick reopened on Tuesday. ".repeat(4000));
    let mut unread = Vec::new();
    let refused = loop {
        let mut message = vec![0; 5];
        message.extend(prost::Message::encode_to_vec(&large()));
        let length = (message.len() as u32 - 5).to_be_bytes();
        message[1..5].copy_from_slice(&length);
        let request = raw_request(&server, "copydesk.v1.AnalysisService/AnalyzeDocument");
        let body = http_body_util::Full::new(bytes::Bytes::from(message));
        sender.ready().await.unwrap();
        let answer = sender.send_request(request.body(body).unwrap()).await.unwrap();
        if let Some(status) = answer.headers().get("grpc-status") {
            break status.clone();
        }
        unread.push(answer);
        assert!(unread.len() < 100, "all of them were kept");
    };
    assert_eq!(refused, "14");
    assert!(!unread.is_empty());
    let channel = server.connect().await;
    let full = AnalysisServiceClient::new(channel.clone()).analyze_document(large()).await.unwrap_err();
    assert_eq!((full.code(), error_info(&full).reason.as_str()), (Code::Unavailable, "OVERLOADED"));
    drop((unread, sender));
    eventually(async || AnalysisServiceClient::new(channel.clone()).analyze_document(large()).await.is_ok())
        .await;
}

/// More calls than one thread of the engine can take, until they are stopped.
async fn flood(server: &TestServer) -> AbortOnDropHandle<()> {
    let channel = server.connect().await;
    let flood = async move {
        let large = article("The bridge to Northwick reopened on Tuesday. ".repeat(1000));
        let mut calls = JoinSet::new();
        loop {
            while calls.len() < 30 {
                let (mut client, large) = (AnalysisServiceClient::new(channel.clone()), large.clone());
                calls.spawn(async move { client.analyze_document(large).await });
            }
            calls.join_next().await;
        }
    };
    AbortOnDropHandle::new(tokio::spawn(flood))
}

#[tokio::test(flavor = "multi_thread")]
async fn more_work_than_the_engine_can_do_is_refused_and_holds_up_no_reads() {
    let server = real(&["--engine-threads=1", "--max-wait=5ms"]).await;
    let channel = server.connect().await;
    let flood = flood(&server).await;
    let small = article("The bridge to Northwick reopened on Tuesday.".into());
    let analyze = async || AnalysisServiceClient::new(channel.clone()).analyze_document(small.clone()).await;
    eventually(async || analyze().await.is_err_and(|refused| error_info(&refused).reason == "OVERLOADED"))
        .await;
    for _ in 0..20 {
        let missing =
            v1::GetDocumentRequest { name: "corpora/news/documents/x".into(), ..Default::default() };
        let answer = DocumentServiceClient::new(channel.clone()).get_document(missing).await;
        assert_eq!(answer.unwrap_err().code(), Code::NotFound);
    }
    drop(flood);
    eventually(async || analyze().await.is_ok()).await;
}

#[tokio::test]
async fn a_call_over_the_default_deadline_is_ended() {
    let server = obedient(&["--default-deadline=50ms"]).await;
    let late = tell(&server.connect().await, "sleep 9000").await.unwrap_err();
    assert_eq!(
        (late.code(), error_info(&late).reason.as_str()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
}

/// A client that knows nothing of gRPC, and so may do what others do not.
async fn raw_client<B>(server: &TestServer) -> SendRequest<B>
where
    B: http_body::Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let stream = TcpStream::connect(server.address).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    sender
}

fn raw_request(server: &TestServer, method: &str) -> http::request::Builder {
    let request = http::Request::post(format!("http://{}/{method}", server.address));
    request.header("content-type", "application/grpc").header("te", "trailers")
}

/// A body of which nothing comes.
fn silence() -> Body {
    Body::from_stream(tokio_stream::pending::<Result<Bytes, Infallible>>())
}

#[tokio::test]
async fn a_request_that_does_not_come_keeps_its_place_no_longer_than_the_default_deadline() {
    let server = obedient(&["--default-deadline=200ms", "--max-in-flight=1"]).await;
    let mut sender = raw_client(&server).await;
    let empty_message = Bytes::from_static(&[0; 5]);
    let begun = || {
        let first = tokio_stream::once(Ok::<_, Infallible>(empty_message.clone()));
        Body::from_stream(first.chain(tokio_stream::pending()))
    };
    // A client may wait for as long as it likes, but not with its own request.
    for timeout_header in [None, Some("1H")] {
        for (method, body) in [
            ("copydesk.v1.AnalysisService/AnalyzeDocument", silence()),
            ("copydesk.v1.AnalysisService/AnalyzeDocument", begun()),
            ("grpc.health.v1.Health/Check", silence()),
        ] {
            let mut request = raw_request(&server, method);
            if let Some(header) = timeout_header {
                request = request.header("grpc-timeout", header);
            }
            let answer = timeout(PATIENCE, sender.send_request(request.body(body).unwrap()));
            let answer = answer.await.expect("it keeps its place").unwrap();
            let late = Status::from_header_map(answer.headers()).unwrap();
            let told = (late.code(), error_info(&late).reason);
            assert_eq!(told, (Code::DeadlineExceeded, "REQUEST_TOO_SLOW".into()), "{method}");
            assert!(late.message().contains("200ms"), "{late:?}");
        }
    }
    // One that has come may take longer, if its client says so.
    let mut patient = Request::new(order("sleep 400"));
    patient.set_timeout(PATIENCE);
    AnalysisServiceClient::new(server.connect().await).analyze_document(patient).await.unwrap();
}

/// A client that leaves deadlines to the server; tonic's would end the call by itself.
async fn bare_client(
    server: &TestServer,
) -> AnalysisServiceClient<
    impl tonic::client::GrpcService<
        tonic::body::Body,
        ResponseBody = hyper::body::Incoming,
        Error = hyper::Error,
        Future: Send,
    > + Clone
    + use<>,
> {
    let sender = raw_client(server).await;
    let service = tower::service_fn(move |request| sender.clone().send_request(request));
    AnalysisServiceClient::with_origin(service, format!("http://{}", server.address).parse().unwrap())
}

#[tokio::test]
async fn the_clients_deadline_is_kept_for_unary_and_streaming_calls() {
    let server = obedient(&[]).await;
    let mut client = bare_client(&server).await;
    let mut request = Request::new(order("sleep 9000"));
    request.set_timeout(Duration::from_millis(50));
    let late = client.analyze_document(request).await.unwrap_err();
    assert_eq!(
        (late.code(), error_info(&late).reason.as_str()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );

    let mut request = Request::new(tokio_stream::pending());
    request.set_timeout(Duration::from_millis(50));
    let mut answers = client.stream_analyze_documents(request).await.unwrap().into_inner();
    let late = answers.message().await.unwrap_err();
    assert_eq!(
        (late.code(), error_info(&late).reason.as_str()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );

    let mut request = Request::new(order("sleep 0"));
    request.metadata_mut().insert("grpc-timeout", "soon".parse().unwrap());
    let refused = client.analyze_document(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), error_info(&refused).reason.as_str()),
        (Code::InvalidArgument, "INVALID_TIMEOUT")
    );
}

#[tokio::test]
async fn a_bug_is_answered_with_the_request_id_and_without_insides() {
    let server = obedient(&[]).await;
    let channel = server.connect().await;
    let mut client = AnalysisServiceClient::new(channel.clone());
    let mut errors = Vec::new();
    for name in ["panic", "leak"] {
        let mut request = Request::new(order(name));
        request.metadata_mut().insert("x-request-id", "find-me".parse().unwrap());
        errors.push(client.analyze_document(request).await.unwrap_err());
    }
    let mut request = Request::new(tokio_stream::once(v1::StreamAnalyzeDocumentsRequest::default()));
    request.metadata_mut().insert("x-request-id", "find-me".parse().unwrap());
    let mut answers = client.stream_analyze_documents(request).await.unwrap().into_inner();
    errors.push(answers.message().await.unwrap_err());

    for error in errors {
        assert_eq!((error.code(), error_info(&error).reason.as_str()), (Code::Internal, "INTERNAL"));
        assert_eq!(error.get_details_request_info().unwrap().request_id, "find-me");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    tell(&channel, "sleep 0").await.unwrap();
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_before_and_after_decompression() {
    let server = real(&["--max-message-bytes=512KiB", "--max-content-bytes=32KiB"]).await;
    let bomb = || article("a".repeat(8 << 20));
    for encoding in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)] {
        let client = AnalysisServiceClient::new(server.connect().await);
        let mut client = match encoding {
            Some(encoding) => client.send_compressed(encoding),
            None => client,
        };
        let refused = client.analyze_document(bomb()).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{encoding:?}: {refused:?}");
        assert_eq!(error_info(&refused).reason, "MESSAGE_TOO_LARGE");
        let small = article("A short text.".into());
        client.analyze_document(small).await.unwrap();
    }
}

#[tokio::test]
async fn answers_are_compressed_for_clients_that_accept_it() {
    let server = real(&[]).await;
    for encoding in [CompressionEncoding::Gzip, CompressionEncoding::Zstd] {
        let mut client = AnalysisServiceClient::new(server.connect().await).accept_compressed(encoding);
        let answer = client.analyze_document(article("A short text.".into())).await.unwrap();
        let used = answer.metadata().get("grpc-encoding").and_then(|value| value.to_str().ok());
        assert_eq!(used, Some(encoding.to_string().as_str()));
    }
}

#[tokio::test]
async fn what_tonic_answers_by_itself_carries_a_reason_too() {
    let server = real(&[]).await;
    let mut grpc = tonic::client::Grpc::new(server.connect().await);
    let mut call = async |path: &'static str, message: HealthCheckRequest, encoding: Option<&'static str>| {
        grpc.ready().await.unwrap();
        let mut request = Request::new(message);
        if let Some(encoding) = encoding {
            request.metadata_mut().insert("grpc-encoding", encoding.parse().unwrap());
        }
        let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
        let error = grpc.unary(request, path.parse().unwrap(), codec).await.unwrap_err();
        (error.code(), error_info(&error).reason)
    };
    // A string where a document is expected, which is no document.
    let malformed = HealthCheckRequest { service: "zzz".into() };
    let analyze = "/copydesk.v1.AnalysisService/AnalyzeDocument";
    assert_eq!(
        call(analyze, malformed.clone(), None).await,
        (Code::InvalidArgument, "MALFORMED_MESSAGE".into())
    );
    assert_eq!(
        call(analyze, malformed.clone(), Some("snappy")).await,
        (Code::Unimplemented, "UNSUPPORTED_COMPRESSION".into())
    );
    for path in ["/copydesk.v1.AnalysisService/Nonsense", "/nonsense"] {
        assert_eq!(call(path, malformed.clone(), None).await, (Code::Unimplemented, "UNKNOWN_METHOD".into()));
    }
}

#[tokio::test]
async fn a_request_id_comes_back_and_a_missing_or_insane_one_is_made() {
    let server = obedient(&[]).await;
    let channel = server.connect().await;
    let answered = async |sent: Option<&str>| {
        let mut request = Request::new(order("sleep 0"));
        if let Some(id) = sent {
            request.metadata_mut().insert("x-request-id", id.parse().unwrap());
        }
        let answer = AnalysisServiceClient::new(channel.clone()).analyze_document(request).await.unwrap();
        answer.metadata().get("x-request-id").unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(answered(Some("feed-7/3")).await, "feed-7/3");
    let long = "x".repeat(129);
    for sent in [None, Some("two words"), Some(long.as_str())] {
        assert_eq!(answered(sent).await.parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
    }
}

#[tokio::test]
async fn metrics_count_calls_by_method_and_code_and_no_made_up_names() {
    let server = obedient(&[]).await;
    let channel = server.connect().await;
    tell(&channel, "sleep 0").await.unwrap();
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckRequest>::default();
    let path = "/made.up/Name".parse().unwrap();
    grpc.unary(Request::new(HealthCheckRequest::default()), path, codec).await.unwrap_err();

    // As the semantic conventions of OpenTelemetry have it.
    let analyzed = "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",\
                    rpc_method=\"copydesk.v1.AnalysisService/AnalyzeDocument\",\
                    rpc_response_status_code=\"OK\"}";
    let unknown = "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",rpc_method=\"_OTHER\",\
                   rpc_response_status_code=\"UNIMPLEMENTED\",error_type=\"UNIMPLEMENTED\"}";
    eventually(async || {
        let (status, page) = server.get("/metrics").await.unwrap();
        assert_eq!(status, 200);
        assert!(!page.contains("made"), "{page}");
        [analyzed, unknown, "copydesk_build_info{", "rpc_server_active_requests{"]
            .iter()
            .all(|line| page.contains(line))
    })
    .await;
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_as_cancelled() {
    let server = obedient(&[]).await;
    let channel = server.connect().await;
    let gone = timeout(Duration::from_millis(50), tell(&channel, "sleep 9000")).await;
    assert!(gone.is_err());
    eventually(async || {
        let (_, page) = server.get("/metrics").await.unwrap();
        page.lines().any(|line| {
            line.starts_with("rpc_server_call_duration") && line.contains("status_code=\"CANCELLED\"")
        })
    })
    .await;
}

#[tokio::test]
async fn a_stranger_who_does_not_speak_http2_is_shown_the_door() {
    let server = obedient(&[]).await;
    let mut stranger = TcpStream::connect(server.address).await.unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\nHost: copydesk\r\n\r\n").await.unwrap();
    let closed = timeout(PATIENCE, stranger.read(&mut [0])).await.expect("left hanging");
    // Closed with or without a reset.
    assert!(matches!(closed, Ok(0) | Err(_)));
    tell(&server.connect().await, "sleep 0").await.unwrap();
}
