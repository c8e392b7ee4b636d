//! PostgreSQL stops under load and comes back: the server says so, waits, and goes on by itself.

#[path = "postgres_server/mod.rs"]
mod postgres_server;
mod process;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use postgres_server::Server;
use process::Process;
use tokio::time::sleep;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// How long the database is away.
const OUTAGE: Duration = Duration::from_secs(10);
/// How soon everything works again.
const RECOVERY: Duration = Duration::from_secs(5);

/// Ingests until it is told to stop; gives the names that were answered and how many calls were
/// refused.
async fn load(channel: Channel, client: usize, stop: Arc<AtomicBool>) -> (Vec<String>, usize) {
    let mut documents = DocumentServiceClient::new(channel);
    let (mut names, mut refused) = (Vec::new(), 0);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let text =
            format!("Port Larsen, Friday. The council met about matter {client}-{number}, and adjourned.");
        let content = Some(v1::document::Source::Content(text));
        let request = v1::IngestDocumentRequest {
            request_id: format!("{client}-{number}"),
            document: Some(v1::Document { source: content, ..Default::default() }),
            ..Default::default()
        };
        match documents.ingest_document(request).await {
            Ok(answer) => names.push(answer.into_inner().document.expect("an answer has the document").name),
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status:?}");
                assert!(status.get_details_retry_info().is_some(), "{status:?}");
                refused += 1;
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    (names, refused)
}

async fn is_serving(health: &mut HealthClient<Channel>) -> bool {
    let answer = health.check(HealthCheckRequest::default()).await.unwrap().into_inner();
    answer.status() == ServingStatus::Serving
}

/// Waits until the health service says so, and tells for how long.
async fn wait_until(health: &mut HealthClient<Channel>, serving: bool) -> Duration {
    let begun = Instant::now();
    while is_serving(health).await != serving {
        assert!(begun.elapsed() < Duration::from_secs(30), "health hangs");
        sleep(Duration::from_millis(50)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_outlives_its_database_and_loses_nothing() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let database = server.database().await;
    let directory = tempfile::tempdir().unwrap();
    let process = Process::start_in(
        directory.path(),
        &[&format!("--store={}", database.url), "--log=off,copydesk::server=info"],
    );
    let channel = Channel::from_shared(process.uri()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel.clone());
    assert!(is_serving(&mut health).await);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..8).map(|client| tokio::spawn(load(channel.clone(), client, Arc::clone(&stop)))).collect();
    sleep(Duration::from_secs(1)).await;

    let begun = Instant::now();
    server.down();
    wait_until(&mut health, false).await;
    sleep(OUTAGE.saturating_sub(begun.elapsed())).await;
    server.up();
    let recovered = wait_until(&mut health, true).await;
    assert!(recovered < RECOVERY, "{recovered:?}");
    sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);

    let mut documents = DocumentServiceClient::new(channel);
    for client in clients {
        let (names, refused) = client.await.unwrap();
        assert!(refused > 0, "nobody noticed");
        for name in names {
            let request = v1::GetDocumentRequest { name, ..Default::default() };
            documents.get_document(request).await.unwrap();
        }
    }
}
