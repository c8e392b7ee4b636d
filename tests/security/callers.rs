//! Who is known: keys, tokens and everything that only looks like one.

use std::time::Duration;

use copydesk::access::NewKey;
use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::server_info_service_client::ServerInfoServiceClient;
use ring::hmac;
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::authority::{AUDIENCE, Files, ISSUER, Issuer, claims, encode, now};
use super::process::copydesk;
use super::test_server::{TestServer, error_info};

/// A request with credentials.
pub fn with<T>(credential: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {credential}").parse().unwrap());
    request
}

/// A server that knows the principals of a file, if there are any, and whom the issuer signed tokens
/// for.
pub async fn server(files: &Files, principals: &str, issuer: &Issuer, flags: &[&str]) -> TestServer {
    files.write("principals.toml", principals);
    files.write("jwks.json", issuer.jwks());
    let both = [("--jwt-keys", "jwks.json"), ("--principals", "principals.toml")];
    let named = files.flags(if principals.is_empty() { &both[..1] } else { &both });
    let rules = [format!("--jwt-issuer={ISSUER}"), format!("--jwt-audience={AUDIENCE}")];
    let flags: Vec<&str> =
        named.iter().chain(&rules).map(String::as_str).chain(flags.iter().copied()).collect();
    TestServer::whole(&flags).await
}

/// An entry of the file of principals.
pub fn entry(name: &str, scopes: &[&str], key: &NewKey) -> String {
    format!("[[principals]]\nname = {name:?}\nscopes = {scopes:?}\nkey_sha256 = [{:?}]\n", key.sha256())
}

async fn info(channel: &Channel, request: Request<v1::GetServerInfoRequest>) -> Result<(), Status> {
    ServerInfoServiceClient::new(channel.clone()).get_server_info(request).await.map(drop)
}

fn ask() -> v1::GetServerInfoRequest {
    v1::GetServerInfoRequest {}
}

#[tokio::test]
async fn a_call_without_a_good_credential_is_unauthenticated() {
    let (files, issuer, stranger) = (Files::new(), Issuer::new(), Issuer::new());
    let key = NewKey::random().unwrap();
    let server = server(&files, &entry("newsroom", &["read"], &key), &issuer, &[]).await;
    let channel = server.connect().await;
    info(&channel, with(key.secret(), ask())).await.unwrap();
    info(&channel, with(&issuer.token("read"), ask())).await.unwrap();

    let refused = info(&channel, Request::new(ask())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(error_info(&refused).reason, "CREDENTIALS_MISSING");
    let mut twice = with(key.secret(), ask());
    twice.metadata_mut().append("authorization", "Bearer other".parse().unwrap());
    assert_eq!(info(&channel, twice).await.unwrap_err().code(), Code::Unauthenticated);

    let header = json!({"alg": "EdDSA", "kid": "one"});
    let changed = |field: &str, value: Value| {
        let mut claims = claims("read");
        claims[field] = value;
        issuer.sign(&header, &claims)
    };
    let without = |field: &str| {
        let mut claims = claims("read");
        claims.as_object_mut().unwrap().remove(field);
        issuer.sign(&header, &claims)
    };
    let unsigned =
        |header: Value| format!("{}.{}.", encode(header.to_string()), encode(claims("read").to_string()));
    // Signed with the public key as if it were a secret.
    let confused = {
        let header = json!({"alg": "HS256", "kid": "one"});
        let message = unsigned(header).trim_end_matches('.').to_owned();
        let secret = hmac::Key::new(hmac::HMAC_SHA256, issuer.public_key());
        format!("{message}.{}", encode(hmac::sign(&secret, message.as_bytes())))
    };
    let good = issuer.token("read");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let tampered =
        format!("{}.{}.{signature}", signed.split_once('.').unwrap().0, encode(claims("write").to_string()));
    for (what, credential, reason) in [
        ("expired", changed("exp", json!(now() - 100)), "TOKEN_EXPIRED"),
        ("not valid yet", changed("nbf", json!(now() + 100)), "CREDENTIALS_INVALID"),
        ("another audience", changed("aud", json!("other")), "CREDENTIALS_INVALID"),
        ("other audiences", changed("aud", json!(["other", "more"])), "CREDENTIALS_INVALID"),
        ("another issuer", changed("iss", json!("https://other")), "CREDENTIALS_INVALID"),
        ("an expiry that is no number", changed("exp", json!("never")), "CREDENTIALS_INVALID"),
        ("a start that is no number", changed("nbf", json!("now")), "CREDENTIALS_INVALID"),
        ("a subject with a line break", changed("sub", json!("a\nb")), "CREDENTIALS_INVALID"),
        ("no expiry", without("exp"), "CREDENTIALS_INVALID"),
        ("no audience", without("aud"), "CREDENTIALS_INVALID"),
        ("no issuer", without("iss"), "CREDENTIALS_INVALID"),
        ("no subject", without("sub"), "CREDENTIALS_INVALID"),
        ("forged", stranger.token("read"), "CREDENTIALS_INVALID"),
        ("changed after it was signed", tampered, "CREDENTIALS_INVALID"),
        ("not signed", unsigned(json!({"alg": "none", "kid": "one"})), "CREDENTIALS_INVALID"),
        (
            "not signed, differently spelt",
            unsigned(json!({"alg": "nOnE", "kid": "one"})),
            "CREDENTIALS_INVALID",
        ),
        ("signed with the public key", confused, "CREDENTIALS_INVALID"),
        (
            "another algorithm's name",
            issuer.sign(&json!({"alg": "ES256"}), &claims("read")),
            "CREDENTIALS_INVALID",
        ),
        (
            "an unknown key",
            issuer.sign(&json!({"alg": "EdDSA", "kid": "two"}), &claims("read")),
            "CREDENTIALS_INVALID",
        ),
        (
            "a demand that is not understood",
            issuer.sign(&json!({"alg": "EdDSA", "kid": "one", "crit": ["x"], "x": 1}), &claims("read")),
            "CREDENTIALS_INVALID",
        ),
        ("nobody's key", NewKey::random().unwrap().secret().to_owned(), "CREDENTIALS_INVALID"),
        ("the hash of a key", key.sha256(), "CREDENTIALS_INVALID"),
        ("nothing", String::new(), "CREDENTIALS_INVALID"),
        ("dots", "..".to_owned(), "CREDENTIALS_INVALID"),
    ] {
        let refused = info(&channel, with(&credential, ask())).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{what}: {refused}");
        assert_eq!(error_info(&refused).reason, reason, "{what}");
        assert!(
            credential.len() < 5 || !format!("{refused:?}").contains(&credential),
            "{what} is told again"
        );
    }
    // Within what clocks may differ.
    info(&channel, with(&changed("exp", json!(now() - 10)), ask())).await.unwrap();
    info(&channel, with(&changed("aud", json!(["other", AUDIENCE])), ask())).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_good_is_refused_when_it_has_expired() {
    let (files, issuer) = (Files::new(), Issuer::new());
    let server = server(&files, "", &issuer, &[]).await;
    let channel = server.connect().await;
    let mut claims = claims("read");
    // Good for three seconds more, by what clocks may differ.
    claims["exp"] = json!(now() - 27);
    let token = issuer.sign(&json!({"alg": "EdDSA"}), &claims);
    let mut calls = 0;
    let refused = loop {
        match info(&channel, with(&token, ask())).await {
            Ok(()) => calls += 1,
            Err(refused) => break refused,
        }
        assert!(now() < claims["exp"].as_u64().unwrap() + 30 + 5, "it is still good");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(error_info(&refused).reason, "TOKEN_EXPIRED");
    assert!(calls > 1, "it was never good");
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    let refused = info(&channel, with(&forged, ask())).await.unwrap_err();
    assert_eq!(error_info(&refused).reason, "CREDENTIALS_INVALID");
}

#[tokio::test]
async fn health_is_open_and_the_rest_is_not_even_named_to_strangers() {
    let files = Files::new();
    let server = server(&files, "", &Issuer::new(), &[]).await;
    let channel = server.connect().await;
    HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
    for path in
        ["/copydesk.v1.DocumentService/Nonsense", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"]
    {
        let mut client = tonic::client::Grpc::new(channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<v1::GetServerInfoRequest, v1::GetServerInfoResponse>::default();
        let refused = client.unary(Request::new(ask()), path.parse().unwrap(), codec).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn health_says_no_more_than_it_must_where_that_is_wanted() {
    let server = TestServer::whole(&["--health-detail=false"]).await;
    let mut health = HealthClient::new(server.connect().await);
    health.check(HealthCheckRequest::default()).await.unwrap();
    let request = HealthCheckRequest { service: "copydesk.v1.DocumentService".into() };
    assert_eq!(health.check(request).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_reader_that_writes_is_refused() {
    let (files, key) = (Files::new(), NewKey::random().unwrap());
    let server = server(&files, &entry("reader", &["read", "analyze"], &key), &Issuer::new(), &[]).await;
    let mut documents = DocumentServiceClient::new(server.connect().await);
    let delete =
        v1::DeleteDocumentRequest { name: "corpora/default/documents/a".into(), ..Default::default() };
    let refused = documents.delete_document(with(key.secret(), delete)).await.unwrap_err();
    assert_eq!(
        (refused.code(), error_info(&refused).reason.as_str()),
        (Code::PermissionDenied, "SCOPE_MISSING")
    );
    assert!(refused.message().contains("write"));
    let stream = tokio_stream::once(v1::StreamIngestDocumentsRequest::default());
    let refused = documents.stream_ingest_documents(with(key.secret(), stream)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.get_details_retry_info().is_none());
}

#[test]
fn a_key_is_made_with_its_entry_for_the_server() {
    let output = copydesk().args(["key", "newsroom", "analyze", "read:news"]).output().unwrap();
    assert!(output.status.success());
    let (key, entry) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let principals = copydesk::access::Principals::parse(&entry).unwrap();
    assert_eq!(&*principals.by_key(key.trim_end()).unwrap().name, "newsroom");
    assert!(!entry.contains(key.trim_end()));
    let output = copydesk().args(["key", "newsroom", "everything"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("scope \"everything\""));
}
