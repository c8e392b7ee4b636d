//! `copydesk analyze --server`: the same output as without a server, whatever happens to it.

mod process;
mod test_server;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use copydesk::analyzer::Analyzer;
use copydesk::server;
use copydesk::store::sqlite::{SqliteOptions, SqliteStore};
use process::{Process, copydesk};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, ServerTlsConfig};
use tonic::{Request, Status};

const PAGE: &str = "<html><head><title>Ferry resumes</title></head><body><article><h1>Ferry resumes</h1>\
     <p>By Anna Lindqvist</p><p>The ferry between Northwick and Saltholm resumed on Monday, 3 May 2021, \
     mayor Olga Brandt said. “We waited for a year,” she said.</p></article></body></html>";

fn line(number: usize) -> String {
    let text = format!(
        "Harbour {number} reopened on Tuesday. Mayor Olga Brandt said that {number} ships had come to Northwick."
    );
    let record = serde_json::json!({"id": number, "content": text, "title": format!("Harbour {number}"),
                                    "publish_time": "2021-05-03"});
    format!("{record}\n")
}

fn analyze(arguments: &[&str]) -> Command {
    let mut command = copydesk();
    command.arg("analyze").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Standard output, standard error and exit status of a run over some input.
fn output(arguments: &[&str], input: &str) -> (String, String, Option<i32>) {
    let mut child = analyze(arguments).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writing = thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let _ = writing.join().unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
        output.status.code(),
    )
}

#[test]
fn a_server_answers_as_the_engine_does_here() {
    let server = Process::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("page.html");
    std::fs::write(&page, PAGE).unwrap();
    let page = page.to_str().unwrap();
    let mut lines: String = (0..100).map(line).collect();
    lines.insert_str(0, "{\"id\": 1\n");
    for arguments in [
        &["--format=jsonl", "--input=jsonl"][..],
        &["--format=jsonl", "--offset-encoding=utf16", "--features=entities,summary", "--sentences=1"],
        &["--format=jsonl", "--extraction=none", "--min-confidence=0.5", page, "-"],
        &["--format=text", page, "missing.txt", "-"],
    ] {
        let here = output(arguments, &lines);
        let there = output(&[arguments, &["--server", &server.uri()]].concat(), &lines);
        assert_eq!(here.2, Some(1), "{}", here.1);
        assert_eq!(here, there, "{arguments:?}");
    }
}

#[test]
fn a_run_that_is_complete_is_no_call_that_was_broken_off() {
    let mut server = Process::start(&[]);
    let lines: String = (0..100).map(line).collect();
    for input in [lines.as_str(), ""] {
        let run = output(&["--format=jsonl", "--input=jsonl", "--server", &server.uri()], input);
        assert_eq!(run.2, Some(0), "{}", run.1);
        let call = loop {
            let call = server.log_until("call");
            if call["method"] == "StreamAnalyzeDocuments" {
                break call;
            }
        };
        assert_eq!(call["code"], "OK");
    }
}

#[test]
fn a_server_without_features_answers_as_the_engine_does_here() {
    let server = Process::start(&[]);
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("page.html");
    std::fs::write(&page, PAGE).unwrap();
    let foreign =
        "{\"content\": \"Die Brücke über den Hafen wurde am Dienstag wieder für Autos geöffnet.\"}\n";
    for format in ["--format=jsonl", "--format=text"] {
        let arguments = [format, "--features=none", page.to_str().unwrap(), "-"];
        let here = output(&arguments, foreign);
        assert_eq!(here.2, Some(0), "{}", here.1);
        assert_eq!(here, output(&[&arguments[..], &["--server", &server.uri()]].concat(), foreign));
    }
}

#[test]
fn a_server_tags_with_a_taxonomy_that_it_has_as_the_file_is() {
    const TAXONOMY: &str = "examples/taxonomies/battery-desk.toml";
    const ARTICLE: &str = "examples/articles/lithium-merger.html";
    let root = env!("CARGO_MANIFEST_DIR");
    let directory = tempfile::tempdir().unwrap();
    let changed = directory.path().join("battery-desk.toml");
    let text = std::fs::read_to_string(format!("{root}/{TAXONOMY}")).unwrap();
    std::fs::write(&changed, text.replace("2026-11", "2026-10")).unwrap();

    let (file, article) = (format!("{root}/{TAXONOMY}"), format!("{root}/{ARTICLE}"));
    let arguments = ["--format=jsonl", "--features=topics", "--taxonomy", &file, &article];
    let here = output(&arguments, "");
    let there = |server: &Process| output(&[&arguments[..], &["--server", &server.uri()]].concat(), "");
    assert!(here.0.contains("Raw materials"), "{}", here.1);
    assert_eq!(here, there(&Process::start(&["--taxonomies", &file])));
    for (flags, problem) in [
        (&["--taxonomies", changed.to_str().unwrap()][..], "in the version"),
        (&[], "no taxonomy \"battery-desk\""),
    ] {
        let refused = there(&Process::start(flags));
        assert_eq!((refused.0.as_str(), refused.2), ("", Some(1)));
        assert!(refused.1.contains(problem) && refused.1.contains("--taxonomies"), "{}", refused.1);
    }
}

/// A run that reads what the test writes.
fn start(server: &str) -> Child {
    analyze(&["--format=jsonl", "--input=jsonl", "--server", server]).stdin(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_server_that_dies_and_comes_back_loses_and_doubles_nothing() {
    let lines: Vec<String> = (0..600).map(line).collect();
    let here = output(&["--format=jsonl", "--input=jsonl"], &lines.concat()).0;

    // A port of our own, which the second server takes over.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let listen = format!("--listen={port}");
    let mut server = Process::start_in(directory.path(), &[&listen]);
    let mut run = start(&server.uri());
    let mut stdin = run.stdin.take().unwrap();
    let mut answers = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);

    stdin.write_all(lines[..300].concat().as_bytes()).unwrap();
    // Its output is buffered, so the first lines are there when many documents are answered.
    let mut there = vec![answers.next().unwrap()];
    server.kill();
    let rest = lines[300..].concat();
    let writing = thread::spawn(move || stdin.write_all(rest.as_bytes()));
    let mut server = Process::start_in(directory.path(), &[&listen]);
    // And once more, politely.
    there.push(answers.next().unwrap());
    server.terminate();
    server.child.wait().unwrap();
    let _server = Process::start_in(directory.path(), &[&listen]);
    there.extend(answers);
    writing.join().unwrap().unwrap();
    assert!(run.wait().unwrap().success());
    assert_eq!(there.join("\n") + "\n", here);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut run = start(&format!("https://{port}"));
    // Refused at once: there is no such file.
    let missing = output(&["--server", "https://localhost:1", "--ca=missing.pem"], "");
    assert!(missing.1.contains("missing.pem"), "{}", missing.1);
    run.kill().unwrap();
    run.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_tls_is_trusted_by_its_authority_and_shown_the_token() {
    let directory = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let authority = directory.path().join("ca.pem");
    std::fs::write(&authority, cert.pem()).unwrap();
    let store = SqliteStore::open(&directory.path().join("copydesk.db"), SqliteOptions::default()).await;
    let (config, analyzer) = (test_server::config(&[]), Arc::new(Analyzer::load().unwrap()));
    let (_, catalogue) = tokio::sync::watch::channel(Arc::default());
    let services = server::services(&config, analyzer, Arc::new(store.unwrap()), catalogue).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let check = |request: Request<()>| match request.metadata().get("authorization") {
        Some(token) if token == "Bearer hush" => Ok(request),
        _ => Err(Status::unauthenticated("who are you?")),
    };
    let serving = tonic::transport::Server::builder()
        .tls_config(
            ServerTlsConfig::new().identity(Identity::from_pem(cert.pem(), signing_key.serialize_pem())),
        )
        .unwrap()
        .layer(tonic::service::InterceptorLayer::new(check))
        .add_routes(services)
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(serving);

    let ca = authority.to_str().unwrap().to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let trusted = ["--format=jsonl", "--input=jsonl", "--server", &uri, "--ca", &ca];
        let let_in = output(&[&trusted[..], &["--token=hush"]].concat(), &line(1));
        (let_in, output(&trusted, &line(1)))
    });
    let (let_in, refused) = run.await.unwrap();
    assert_eq!(let_in.2, Some(0), "{}", let_in.1);
    assert!(let_in.0.contains("Olga Brandt"));
    assert_eq!(refused.2, Some(1));
    assert!(refused.1.contains("Unauthenticated") && refused.1.contains("who are you?"), "{}", refused.1);
}
