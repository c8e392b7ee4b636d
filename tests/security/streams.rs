//! Streams whose callers lose their rights while they are open.

use std::time::Duration;

use copydesk::access::NewKey;
use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::stream_ingest_documents_response::Result as Outcome;
use serde_json::json;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

use super::authority::{Files, Issuer, claims, now};
use super::callers::{entry, server, with};
use super::test_server::{PATIENCE, TestServer, error_info};

/// A stream that ingests one document after another.
struct Ingest {
    requests: Sender<v1::StreamIngestDocumentsRequest>,
    answers: Streaming<v1::StreamIngestDocumentsResponse>,
}

impl Ingest {
    async fn open(server: &TestServer, credential: &str) -> Self {
        let (requests, sent) = channel(1);
        let mut client = DocumentServiceClient::new(server.connect().await);
        let call = with(credential, ReceiverStream::new(sent));
        Self { requests, answers: client.stream_ingest_documents(call).await.unwrap().into_inner() }
    }

    /// Sends one document more; the stream's end, where it does not take it.
    async fn send(&mut self) -> Result<(), Status> {
        let content = Some(v1::document::Source::Content("The bridge reopened on Tuesday.".into()));
        let document = v1::Document { source: content, ..Default::default() };
        let request = v1::IngestDocumentRequest {
            document: Some(document),
            parent: "corpora/news".into(),
            ..Default::default()
        };
        let request = v1::StreamIngestDocumentsRequest { request: Some(request), ..Default::default() };
        // Where the stream has ended, the answers say why.
        let _ = self.requests.send(request).await;
        let answer = timeout(PATIENCE, self.answers.message()).await.unwrap()?.unwrap();
        assert!(matches!(answer.result, Some(Outcome::Response(_))), "{answer:?}");
        Ok(())
    }

    /// Says nothing more, and waits for the end.
    async fn end(mut self) -> (Code, String) {
        let ended = timeout(PATIENCE, self.answers.message()).await.expect("it goes on").unwrap_err();
        (ended.code(), error_info(&ended).reason)
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let (files, issuer) = (Files::new(), Issuer::new());
    let server = server(&files, "", &issuer, &[]).await;
    let mut claims = claims("write");
    // Good for three seconds more, by what clocks may differ.
    claims["exp"] = json!(now() - 27);
    let mut stream = Ingest::open(&server, &issuer.sign(&json!({"alg": "EdDSA"}), &claims)).await;
    stream.send().await.unwrap();
    assert_eq!(stream.end().await, (Code::Unauthenticated, "TOKEN_EXPIRED".into()));
}

#[tokio::test]
async fn a_stream_ends_with_its_issuers_key() {
    let (files, issuer) = (Files::new(), Issuer::new());
    let server = server(&files, "", &issuer, &["--reload-interval=30ms"]).await;
    let mut stream = Ingest::open(&server, &issuer.token("write")).await;
    stream.send().await.unwrap();
    files.write("jwks.json", Issuer::new().jwks());
    assert_eq!(stream.end().await, (Code::Unauthenticated, "CREDENTIALS_INVALID".into()));
}

#[tokio::test]
async fn a_stream_ends_with_its_key_or_scope_and_not_with_others() {
    let (files, key, other) = (Files::new(), NewKey::random().unwrap(), NewKey::random().unwrap());
    let feed = |scopes: &[&str]| entry("feed", scopes, &key);
    let server = server(&files, &feed(&["write:news"]), &Issuer::new(), &["--reload-interval=30ms"]).await;
    let mut stream = Ingest::open(&server, key.secret()).await;
    stream.send().await.unwrap();
    let taken = async |principals: String| {
        let before = reloads(&server).await;
        files.write("principals.toml", principals);
        while reloads(&server).await == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // Others come and go, and more is granted.
    taken(feed(&["write:news", "read"]) + &entry("desk", &["read"], &other)).await;
    stream.send().await.unwrap();
    taken(feed(&["write", "read"])).await;
    stream.send().await.unwrap();
    // But what the stream began with must stay.
    taken(feed(&["write:sport", "read"])).await;
    assert_eq!(stream.end().await, (Code::PermissionDenied, "SCOPE_MISSING".into()));

    let stream = Ingest::open(&server, key.secret()).await;
    taken(entry("feed", &["write"], &other)).await;
    assert_eq!(stream.end().await, (Code::Unauthenticated, "CREDENTIALS_INVALID".into()));
}

/// How often principals were taken from a changed file.
async fn reloads(server: &TestServer) -> String {
    let (_, metrics) = server.get("/metrics").await.unwrap();
    let series = "copydesk_reloads_total{files=\"principals\",outcome=\"taken\"} ";
    metrics.lines().find_map(|line| line.strip_prefix(series)).unwrap_or("0").to_owned()
}
