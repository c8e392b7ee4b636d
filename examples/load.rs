//! Calls at a rate that does not wait for answers, as many clients make them:
//!
//!     cargo run --release --example load -- http://localhost:50051 --rate 500 --seconds 60
//!
//! Prints one JSON object: how many calls were sent and how they ended, and how long those took
//! that were answered and those that were refused (UNAVAILABLE), in milliseconds. With `--documents` it
//! ingests so many instead ([`soak`]).

#[path = "load/soak.rs"]
mod soak;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::analyze_document_request::Source;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

#[derive(Parser)]
struct Arguments {
    server: String,

    /// Calls a second; without it, --in-flight calls at a time, each after the one before it
    #[arg(long)]
    rate: Option<f64>,

    #[arg(long, default_value_t = 1)]
    in_flight: usize,

    #[arg(long, default_value_t = 10.0)]
    seconds: f64,

    #[arg(long, default_value_t = 8)]
    connections: usize,

    /// Paragraphs of a document, of some 250 bytes each
    #[arg(long, default_value_t = 16)]
    paragraphs: usize,

    /// The deadline of each call in seconds
    #[arg(long, default_value_t = 10.0)]
    deadline: f64,

    /// Ingest so many documents of some 80 words by one stream instead, read some meanwhile, and
    /// compare the first calls with the last
    #[arg(long)]
    documents: Option<usize>,
}

/// How a call ended and how long that took.
type Ended = (Code, Duration);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments = Arguments::parse();
    let endpoint = Endpoint::from_shared(arguments.server.clone())?;
    if let Some(count) = arguments.documents {
        println!("{}", soak::run(&endpoint, count).await?);
        return Ok(());
    }
    let mut clients = Vec::new();
    for _ in 0..arguments.connections {
        clients.push(AnalysisServiceClient::new(endpoint.connect().await?));
    }
    let call = Arc::new(Call {
        content: content(arguments.paragraphs),
        deadline: Duration::from_secs_f64(arguments.deadline),
    });
    let (sender, mut ended) = mpsc::unbounded_channel();
    let until = Instant::now() + Duration::from_secs_f64(arguments.seconds);
    match arguments.rate {
        Some(rate) => {
            let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
            // The rate holds also where this process was held up.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut clients = clients.iter().cycle().cloned();
            while let (true, Some(client)) = (Instant::now() < until, clients.next()) {
                ticks.tick().await;
                let (call, sender) = (Arc::clone(&call), sender.clone());
                tokio::spawn(async move { sender.send(call.make(client).await) });
            }
        }
        None => {
            for client in clients.iter().cycle().take(arguments.in_flight) {
                let (client, call, sender) = (client.clone(), Arc::clone(&call), sender.clone());
                tokio::spawn(async move {
                    while Instant::now() < until {
                        let _ = sender.send(call.make(client.clone()).await);
                    }
                });
            }
        }
    }
    drop(sender);
    let mut all = Vec::new();
    while let Some(one) = ended.recv().await {
        all.push(one);
    }
    println!("{}", report(&all, arguments.seconds));
    Ok(())
}

/// What every call asks for.
struct Call {
    content: String,
    deadline: Duration,
}

impl Call {
    async fn make(&self, mut client: AnalysisServiceClient<Channel>) -> Ended {
        let content = Some(v1::document::Source::Content(self.content.clone()));
        let document = v1::Document { source: content, ..Default::default() };
        let source = Some(Source::Document(document));
        let mut request = Request::new(v1::AnalyzeDocumentRequest { source, ..Default::default() });
        request.set_timeout(self.deadline);
        let begun = Instant::now();
        let code = client.analyze_document(request).await.map_or_else(|status| status.code(), |_| Code::Ok);
        (code, begun.elapsed())
    }
}

fn content(paragraphs: usize) -> String {
    let paragraph = |number: usize| {
        format!(
            "Harbour master Olga Brandt said on Tuesday that {number} ships had come to Northwick in March, and \
             that the bridge to Saltholm would stay closed until Friday. “We cannot promise more,” she told the \
             council of Kaltby, which had asked for {number} million kroner.\n\n"
        )
    };
    (1..=paragraphs).map(paragraph).collect()
}

fn report(all: &[Ended], seconds: f64) -> serde_json::Value {
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for (code, _) in all {
        *codes.entry(format!("{code:?}")).or_default() += 1;
    }
    let of = |wanted: Code| {
        let mut took: Vec<f64> = (all.iter())
            .filter(|(code, _)| *code == wanted)
            .map(|(_, took)| (took.as_secs_f64() * 1e5).round() / 1e2)
            .collect();
        took.sort_by(f64::total_cmp);
        let at = |share: f64| took.get((took.len() as f64 * share) as usize).or(took.last()).copied();
        json!({"calls": took.len(), "p50": at(0.5), "p99": at(0.99), "most": took.last()})
    };
    let answered = codes.get("Ok").copied().unwrap_or(0);
    json!({
        "calls": all.len(),
        "codes": codes,
        "answered_per_second": (answered as f64 / seconds).round(),
        "answered": of(Code::Ok),
        "refused": of(Code::Unavailable),
    })
}
