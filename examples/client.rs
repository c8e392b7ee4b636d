//! Streams files to copydesk and prints a line for each as it is stored.
//!
//!     cargo run --release --example client -- http://localhost:50051 examples/articles/*

use std::error::Error;
use std::path::Path;

use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::stream_ingest_documents_response::Result as Ingested;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().ok_or("usage: client http://HOST:PORT FILE...")?;
    let requests: Vec<_> = arguments.map(|path| request(&path)).collect::<Result<_, _>>()?;

    let mut client = DocumentServiceClient::connect(server).await?;
    let mut answers = client.stream_ingest_documents(tokio_stream::iter(requests)).await?.into_inner();
    while let Some(answer) = answers.message().await? {
        match answer.result {
            Some(Ingested::Response(response)) => {
                let document = response.document.unwrap_or_default();
                println!("{}: {} {:?}", answer.correlation_id, document.name, document.title);
            }
            Some(Ingested::Error(error)) => println!("{}: {}", answer.correlation_id, error.message),
            None => println!("{}: no answer", answer.correlation_id),
        }
    }
    Ok(())
}

/// A file as a request. Its name is the document's id and, with the content, makes a retry safe.
fn request(path: &str) -> Result<v1::StreamIngestDocumentsRequest, Box<dyn Error>> {
    let html = path.ends_with(".html") || path.ends_with(".htm");
    let document = v1::Document {
        mime_type: if html { "text/html" } else { "text/plain" }.to_owned(),
        source: Some(v1::document::Source::RawContent(std::fs::read(path)?)),
        ..Default::default()
    };
    let stem = Path::new(path).file_stem().ok_or("a file without a name")?;
    let request = v1::IngestDocumentRequest {
        document: Some(document),
        document_id: stem.to_string_lossy().into_owned(),
        ..Default::default()
    };
    Ok(v1::StreamIngestDocumentsRequest { correlation_id: path.to_owned(), request: Some(request) })
}
