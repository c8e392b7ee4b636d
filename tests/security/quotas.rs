//! How often callers may call.

use std::time::{Duration, Instant};

use copydesk::access::NewKey;
use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::analyze_document_request::Source;
use copydesk::api::v1::server_info_service_client::ServerInfoServiceClient;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::authority::{Files, Issuer};
use super::callers::{entry, server, with};
use super::test_server::{TestServer, error_info};

fn article() -> v1::AnalyzeDocumentRequest {
    let content = Some(v1::document::Source::Content("A short text.".into()));
    let document = v1::Document { source: content, ..Default::default() };
    v1::AnalyzeDocumentRequest {
        source: Some(Source::Document(document)),
        features: vec![v1::Feature::Sentences as i32],
        ..Default::default()
    }
}

#[tokio::test]
async fn whoever_calls_too_often_is_told_when_to_come_back_and_disturbs_nobody() {
    let (files, keys) = (Files::new(), [NewKey::random().unwrap(), NewKey::random().unwrap()]);
    let principals = entry("greedy", &["analyze"], &keys[0]) + &entry("modest", &["analyze"], &keys[1]);
    let flags = ["--quota=1", "--quota-burst=3"];
    let server = server(&files, &principals, &Issuer::new(), &flags).await;
    let channel = server.connect().await;
    let info = async |key: &NewKey| -> Result<(), Status> {
        let mut client = ServerInfoServiceClient::new(channel.clone());
        client.get_server_info(with(key.secret(), v1::GetServerInfoRequest {})).await.map(drop)
    };
    for _ in 0..3 {
        info(&keys[0]).await.unwrap();
    }
    let refused = info(&keys[0]).await.unwrap_err();
    assert_eq!(
        (refused.code(), error_info(&refused).reason.as_str()),
        (Code::ResourceExhausted, "QUOTA_EXCEEDED")
    );
    let wait = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    assert_eq!(refused.get_details_quota_failure().unwrap().violations[0].subject, "greedy");
    info(&keys[1]).await.unwrap();
    HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
    tokio::time::sleep(wait).await;
    info(&keys[0]).await.unwrap();
    let (_, metrics) = server.get("/metrics").await.unwrap();
    assert!(metrics.contains("copydesk_quota_refusals_total"), "{metrics}");
}

#[tokio::test]
async fn a_batch_counts_as_many_as_it_has_and_a_stream_is_slowed_down() {
    // Nobody needs a credential here: quotas hold for addresses.
    let server = TestServer::whole(&["--quota=20", "--quota-burst=5"]).await;
    let mut client = AnalysisServiceClient::new(server.connect().await);
    let batch = |size| v1::BatchAnalyzeDocumentsRequest { requests: vec![article(); size] };
    client.batch_analyze_documents(batch(5)).await.unwrap();
    let refused = client.batch_analyze_documents(batch(2)).await.unwrap_err();
    assert_eq!(error_info(&refused).reason, "QUOTA_EXCEEDED");

    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    let one = v1::StreamAnalyzeDocumentsRequest { request: Some(article()), ..Default::default() };
    let requests = tokio_stream::iter(vec![one; 25]);
    let mut answers = client.stream_analyze_documents(requests).await.unwrap().into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        assert!(matches!(answer.result, Some(v1::stream_analyze_documents_response::Result::Analysis(_))));
        count += 1;
    }
    assert_eq!(count, 25);
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_batch_larger_than_the_burst_is_let_in_when_it_was_told_to_come_back() {
    let server = TestServer::whole(&["--quota=10", "--quota-burst=5"]).await;
    let mut client = AnalysisServiceClient::new(server.connect().await);
    for size in [6, 6, 5] {
        let mut refusals = 0;
        let batch = || v1::BatchAnalyzeDocumentsRequest { requests: vec![article(); size] };
        while let Err(refused) = client.batch_analyze_documents(batch()).await {
            assert_eq!(error_info(&refused).reason, "QUOTA_EXCEEDED");
            refusals += 1;
            // Once for the call, which may find nothing left at all, and once for its documents.
            assert!(refusals <= 2, "a batch of {size}: {refused}");
            tokio::time::sleep(refused.get_details_retry_info().unwrap().retry_delay.unwrap()).await;
        }
    }
}

#[tokio::test]
async fn a_streams_first_document_counts_with_its_call() {
    let server = TestServer::whole(&["--quota=1", "--quota-burst=5"]).await;
    let mut client = AnalysisServiceClient::new(server.connect().await);
    let one = v1::StreamAnalyzeDocumentsRequest { request: Some(article()), ..Default::default() };
    let mut opened = 0;
    let refused = loop {
        match client.stream_analyze_documents(tokio_stream::once(one.clone())).await {
            Ok(answers) => assert!(answers.into_inner().message().await.unwrap().is_some()),
            Err(refused) => break refused,
        }
        opened += 1;
    };
    assert!(opened >= 5, "{opened}");
    assert_eq!(error_info(&refused).reason, "QUOTA_EXCEEDED");
}
