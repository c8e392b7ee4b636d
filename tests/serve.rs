//! `copydesk serve` as a process: what an operator types, sees and gets as an exit status.

mod process;

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::analyze_document_request::Source;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::taxonomy_service_client::TaxonomyServiceClient;
use process::{Process, copydesk, serve};
use serde_json::Value;
use tonic::Request;

#[test]
fn help_succeeds_and_reads_like_documentation() {
    let output = serve(&["--help"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for part in ["Addresses:", "Limits:", "Shutdown:", "[env: COPYDESK_LISTEN=]", "[default: 10s]"] {
        assert!(help.contains(part), "{part} in {help}");
    }
}

#[test]
fn a_bad_value_names_itself_and_exits_with_64() {
    for (flags, environment, name) in [
        (&["--max-batch=none"][..], &[][..], "--max-batch"),
        (&["--max-content-bytes=1GB"], &[], "--max-content-bytes"),
        (&["--max-content-bytes=8MiB"], &[], "--max-content-bytes"),
        (&["--no-such-flag"], &[], "--no-such-flag"),
        (&["--max-summary-documents=0"], &[], "--max-summary-documents"),
        (&[], &[("COPYDESK_DRAIN_TIMEOUT", "soon")], "--drain-timeout"),
    ] {
        let output = serve(flags, environment);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{flags:?}: {message}");
        assert!(message.contains(name), "{name} in {message}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = serve(&["--listen", &address, "--admin-listen=off"], &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains(&address) && message.contains("--listen"), "{message}");
}

// Several threads, since waiting for the process blocks one and the client must say goodbye.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_one_line_of_the_log_without_the_documents_text() {
    let mut process = Process::start(&["--log=trace"]);
    // Read meanwhile: a server whose log nobody takes stands still.
    let mut log = String::from_utf8(process.log.buffer().to_vec()).unwrap();
    let mut pipe = File::from(process.log.get_ref().as_fd().try_clone_to_owned().unwrap());
    let reading = std::thread::spawn(move || pipe.read_to_string(&mut log).map(|_| log));
    let mut client = AnalysisServiceClient::connect(process.uri()).await.unwrap();
    let content = Some(v1::document::Source::Content("<p>The minister said nothing on Tuesday.".into()));
    let document = v1::Document { source: content, mime_type: "text/html".into(), ..Default::default() };
    let mut documents = DocumentServiceClient::connect(process.uri()).await.unwrap();
    let ingest = v1::IngestDocumentRequest { document: Some(document.clone()), ..Default::default() };
    documents.ingest_document(ingest.clone()).await.unwrap();
    let refused = v1::IngestDocumentRequest { parent: "corpora/The minister".into(), ..ingest };
    documents.ingest_document(refused).await.unwrap_err();
    let mut request = Request::new(v1::AnalyzeDocumentRequest {
        source: Some(Source::Document(document)),
        ..Default::default()
    });
    request.metadata_mut().insert("x-request-id", "feed-7".parse().unwrap());
    request.metadata_mut().insert("authorization", "Bearer hush".parse().unwrap());
    client.analyze_document(request).await.unwrap();
    drop((client, documents));
    process.terminate();
    assert!(process.child.wait().unwrap().success());

    let log = reading.join().unwrap().unwrap();
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let calls: Vec<Value> = events.filter(|event| event["message"] == "call").collect();
    assert_eq!(calls.len(), 3, "{log}");
    // A line is written when the answer is out, so the client's next call may be before it.
    assert!(calls.iter().any(|call| call["code"] == "INVALID_ARGUMENT"), "{log}");
    let call = calls.iter().find(|call| call["request_id"] == "feed-7").unwrap();
    assert_eq!(call["method"], "AnalyzeDocument");
    assert_eq!(call["code"], "OK");
    for size in ["milliseconds", "received_bytes", "sent_bytes"] {
        assert!(call[size].as_f64().unwrap() > 0.0, "{log}");
    }
    assert!(!log.contains("hush"));
    assert!(!log.contains("minister"));
}

#[test]
fn a_signal_drains_and_a_second_one_does_not_wait() {
    let mut process = Process::start(&["--drain-delay=1h"]);
    process.terminate();
    process.log_until("draining");
    let started = Instant::now();
    process.terminate();
    assert!(process.child.wait().unwrap().success());
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn while_the_server_starts_a_hangup_does_not_end_it_and_a_signal_does() {
    // A database that takes connections and says nothing holds the server up before it reads its models.
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("postgres://desk@{}/desk", database.local_addr().unwrap());
    let mut child = copydesk()
        .args(["serve", "--listen=127.0.0.1:0", "--admin-listen=off", "--store", &store])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let connection = database.accept().unwrap();
    let signal = |name: &str| {
        let kill = Command::new("kill").args([name, &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        std::thread::sleep(Duration::from_millis(300));
    };
    signal("-HUP");
    signal("-TERM");
    let ended = child.try_wait().unwrap();
    // It may have ended already.
    let _ = child.kill();
    child.wait().unwrap();
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}");
    drop(connection);
}

const DESK: &str =
    "id = \"desk\"\nname = \"Desk\"\n\n[[topics]]\nid = \"ships\"\nname = \"Ships\"\nkeywords = [\"ship\"]\n";

#[test]
fn a_taxonomy_that_is_wrong_is_named_with_its_line_and_nothing_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.toml");
    std::fs::write(&path, DESK.replace("keywords", "keyword")).unwrap();
    let store = directory.path().join("copydesk.db");
    let flags =
        ["--listen=127.0.0.1:0", "--admin-listen=off", "--log=off", "--store", store.to_str().unwrap()];
    let output = serve(&flags, &[("COPYDESK_TAXONOMIES", path.to_str().unwrap())]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("desk.toml, line 7: \"keyword\" is no key of a topic"), "{message}");
    let missing = directory.path().join("missing.toml");
    let output = serve(&[&flags[..], &["--taxonomies", missing.to_str().unwrap()]].concat(), &[]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("missing.toml: No such file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn taxonomies_are_read_again_at_sighup_and_wrong_ones_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("desk.toml");
    std::fs::write(&path, DESK).unwrap();
    let mut process = Process::start_in(directory.path(), &["--log-format=json", "--taxonomies=desk.toml"]);
    let mut client = TaxonomyServiceClient::connect(process.uri()).await.unwrap();
    let mut topics = async || {
        let request = v1::GetTaxonomyRequest { taxonomy: "desk".into() };
        client.get_taxonomy(request).await.unwrap().into_inner().topics.len()
    };
    assert_eq!(topics().await, 1);

    let more = format!("{DESK}[[topics]]\nid = \"ports\"\nname = \"Ports\"\ndescription = \"Harbours.\"\n");
    std::fs::write(&path, &more).unwrap();
    process.hang_up();
    process.log_until("the taxonomies were read again");
    assert_eq!(topics().await, 2);

    std::fs::write(&path, more.replace("name = \"Ports\"", "parent = \"seas\"")).unwrap();
    process.hang_up();
    let refused = process.log_until("the taxonomies stay as they were: their files are wrong");
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("desk.toml, line 10: there is no topic \"seas\""), "{error}");
    assert!(error.contains("the topic \"ports\" has no name"), "{error}");
    assert_eq!(topics().await, 2);
}
