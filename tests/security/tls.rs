//! TLS and mutual TLS: who gets as far as a call.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use copydesk::api::v1::GetServerInfoRequest;
use copydesk::api::v1::server_info_service_client::ServerInfoServiceClient;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::Channel;

use super::authority::{Authority, Files, connect};
use super::test_server::{PATIENCE, TestServer, error_info};

/// A server with TLS and these flags besides.
async fn server(files: &Files, authority: &Authority, flags: &[&str]) -> TestServer {
    files.write_pair(&authority.certify("localhost"));
    let tls = files.flags(&[("--tls-cert", "tls.crt"), ("--tls-key", "tls.key")]);
    let flags: Vec<&str> = tls.iter().map(String::as_str).chain(flags.iter().copied()).collect();
    TestServer::whole(&flags).await
}

async fn call(channel: &Channel) -> Result<(), Status> {
    ServerInfoServiceClient::new(channel.clone()).get_server_info(GetServerInfoRequest {}).await.map(drop)
}

#[tokio::test]
async fn clients_that_trust_the_authority_are_served_and_others_turn_away() {
    let (files, authority) = (Files::new(), Authority::new());
    let server = server(&files, &authority, &[]).await;
    let channel = connect(server.address, authority.client(None)).await.unwrap();
    call(&channel).await.unwrap();
    assert!(connect(server.address, Authority::new().client(None)).await.is_err(), "another authority");
    let mut other = authority.client(None);
    other.alpn_protocols = vec![b"http/1.1".to_vec()];
    assert!(connect(server.address, other).await.is_err(), "another protocol");
    let plain = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await;
    if let Ok(plain) = plain {
        assert!(call(&plain).await.is_err(), "no TLS");
    }
    let (_, metrics) = server.get("/metrics").await.unwrap();
    assert!(metrics.contains("copydesk_tls_handshake_failures_total"), "{metrics}");
    // The first of January 4096, as the certificate says.
    assert!(metrics.contains("copydesk_tls_certificate_expiry_timestamp_seconds 67090118400\n"), "{metrics}");
}

#[tokio::test]
async fn with_mutual_tls_a_client_needs_a_certificate_of_the_right_authority() {
    let (files, authority, clients) = (Files::new(), Authority::new(), Authority::new());
    files.write("clients.pem", clients.pem());
    let flag = format!("--tls-client-ca={}", files.path("clients.pem").display());
    let server = server(&files, &authority, &[&flag]).await;
    let good = clients.certify("newsroom.example.com");
    let channel = connect(server.address, authority.client(Some(&good))).await.unwrap();
    call(&channel).await.unwrap();
    let wrong = [None, Some(authority.certify("newsroom.example.com"))];
    for own in &wrong {
        assert!(is_turned_away(server.address, &authority, own.as_ref()).await);
    }
}

/// With TLS 1.3 a client may think it is connected before the server has seen its certificate.
async fn is_turned_away(
    address: SocketAddr,
    authority: &Authority,
    own: Option<&super::authority::Certified>,
) -> bool {
    match connect(address, authority.client(own)).await {
        Ok(channel) => call(&channel).await.is_err(),
        Err(_) => true,
    }
}

#[tokio::test]
async fn a_certificate_is_a_credential_where_an_entry_names_it() {
    let (files, authority) = (Files::new(), Authority::new());
    let uri = "spiffe://example.com/archive";
    files.write("clients.pem", authority.pem());
    files.write(
        "principals.toml",
        format!("[[principals]]\nname = \"archive\"\nscopes = [\"read\"]\ncertificates = [\"{uri}\"]\n"),
    );
    let more = files.flags(&[("--tls-client-ca", "clients.pem"), ("--principals", "principals.toml")]);
    let flags: Vec<&str> = more.iter().map(String::as_str).collect();
    let server = server(&files, &authority, &flags).await;
    let (known, unknown) = (authority.certify(uri), authority.certify("spiffe://example.com/other"));
    let channel = connect(server.address, authority.client(Some(&known))).await.unwrap();
    call(&channel).await.unwrap();
    let channel = connect(server.address, authority.client(Some(&unknown))).await.unwrap();
    let refused = call(&channel).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    assert_eq!(error_info(&refused).reason, "CREDENTIALS_MISSING");
}

#[tokio::test]
async fn handshakes_that_never_end_cost_a_place_for_a_while_and_hold_up_no_drain() {
    let (files, authority) = (Files::new(), Authority::new());
    let flags = ["--max-connections=4", "--keepalive-timeout=500ms", "--drain-timeout=60s"];
    let server = server(&files, &authority, &flags).await;
    let stall = async || {
        let mut stalled = TcpStream::connect(server.address).await.unwrap();
        // The head of a record whose body never comes.
        stalled.write_all(&[0x16, 3, 1, 2, 0]).await.unwrap();
        stalled
    };
    let mut stalled = Vec::new();
    for _ in 0..4 {
        stalled.push(stall().await);
    }
    let served = async {
        // Until there is a place again, a connection waits or is turned away.
        loop {
            if let Ok(channel) = connect(server.address, authority.client(None)).await {
                return call(&channel).await;
            }
        }
    };
    timeout(PATIENCE, served).await.unwrap().unwrap();
    stalled.push(stall().await);
    let started = Instant::now();
    server.shutdown.signal();
    server.ended().await;
    assert!(started.elapsed() < Duration::from_secs(30));
}
