//! A document whose ingest was answered is there after the process has ended, however it ended.

#[path = "postgres_server/mod.rs"]
mod postgres_server;
mod process;

use std::collections::BTreeMap;
use std::time::Duration;

use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::stream_ingest_documents_response::Result as Outcome;
use postgres_server::Database;
use process::Process;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// Names of documents by the ids of the requests that made them.
type Acknowledged = BTreeMap<String, String>;

/// A request that names no document, so that only its own id keeps it from being done twice.
fn request(request_id: &str) -> v1::IngestDocumentRequest {
    let text =
        format!("Port Larsen, Friday. The council met about matter {request_id}, and nothing was decided.");
    let content = Some(v1::document::Source::Content(text));
    let document = v1::Document { source: content, ..Default::default() };
    v1::IngestDocumentRequest {
        request_id: request_id.to_owned(),
        document: Some(document),
        ..Default::default()
    }
}

/// Sends requests on one stream and notes what is answered. `each` sees how many answers there
/// were after every one of them.
async fn feed(
    client: &mut DocumentServiceClient<Channel>,
    ids: &[String],
    acknowledged: &mut Acknowledged,
    mut each: impl FnMut(usize),
) -> Result<(), Status> {
    let requests: Vec<_> = (ids.iter())
        .map(|id| v1::StreamIngestDocumentsRequest { correlation_id: id.clone(), request: Some(request(id)) })
        .collect();
    let mut answers = client.stream_ingest_documents(tokio_stream::iter(requests)).await?.into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await? {
        let Some(Outcome::Response(response)) = answer.result else { panic!("refused: {:?}", answer.result) };
        let name = response.document.expect("an answer has the document").name;
        let known = acknowledged.insert(answer.correlation_id, name.clone());
        assert!(known.is_none_or(|known| known == name), "a repeated request made another document");
        count += 1;
        each(count);
    }
    Ok(())
}

async fn connect(process: &Process) -> DocumentServiceClient<Channel> {
    DocumentServiceClient::connect(process.uri()).await.unwrap()
}

/// The names of all documents.
async fn listed(client: &mut DocumentServiceClient<Channel>) -> Vec<String> {
    let mut names = Vec::new();
    let mut request = v1::ListDocumentsRequest { page_size: 1000, ..Default::default() };
    loop {
        let page = client.list_documents(request.clone()).await.unwrap().into_inner();
        names.extend(page.documents.into_iter().map(|document| document.name));
        if page.next_page_token.is_empty() {
            names.sort();
            return names;
        }
        request.page_token = page.next_page_token;
    }
}

fn ids(round: usize) -> Vec<String> {
    (0..250).map(|number| format!("{round}-{number}")).collect()
}

const KILLS: usize = 20;

// Several threads, since waiting for the process blocks one.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_a_kill_and_is_kept_once_in_a_file() {
    what_was_answered_outlives_a_kill_and_is_kept_once("copydesk.db").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_a_kill_and_is_kept_once_in_postgres() {
    let Some(database) = Database::shared().await else { return };
    what_was_answered_outlives_a_kill_and_is_kept_once(&database.url).await;
}

async fn what_was_answered_outlives_a_kill_and_is_kept_once(store: &str) {
    let directory = tempfile::tempdir().unwrap();
    let store = format!("--store={store}");
    let mut acknowledged = Acknowledged::new();
    for round in 0..KILLS {
        let mut process = Process::start_in(directory.path(), &[&store]);
        let mut client = connect(&process).await;
        let names = listed(&mut client).await;
        for name in acknowledged.values() {
            assert!(names.binary_search(name).is_ok(), "{name} was answered and is not there");
        }
        // Anywhere in the first half of the stream.
        let answers = 1 + round * 37 % 120;
        let ids = ids(round);
        let cut_off = feed(&mut client, &ids, &mut acknowledged, |count| {
            if count == answers {
                // Somewhere in what the server does next.
                std::thread::sleep(Duration::from_micros(700 * (round % 6) as u64));
                process.kill();
            }
        });
        cut_off.await.unwrap_err();
    }

    // Clients repeat what they have no answer to, and more.
    let mut process = Process::start_in(directory.path(), &[&store]);
    let mut client = connect(&process).await;
    for round in 0..KILLS {
        feed(&mut client, &ids(round), &mut acknowledged, |_| ()).await.unwrap();
    }
    let mut names: Vec<_> = acknowledged.into_values().collect();
    names.sort();
    assert_eq!(names.len(), KILLS * ids(0).len());
    assert_eq!(listed(&mut client).await, names);
    process.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_drain_is_there_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::new();
    let mut process = Process::start_in(directory.path(), &[]);
    let mut client = connect(&process).await;
    let ids = ids(0);
    let drained = feed(&mut client, &ids, &mut acknowledged, |count| {
        if count == 50 {
            process.terminate();
        }
    });
    assert_eq!(drained.await.unwrap_err().code(), Code::Unavailable);
    assert!(process.child.wait().unwrap().success());

    let process = Process::start_in(directory.path(), &[]);
    let mut names: Vec<_> = acknowledged.into_values().collect();
    names.sort();
    assert_eq!(listed(&mut connect(&process).await).await, names);
}
