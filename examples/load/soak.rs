//! Many made-up documents through one stream, and others read meanwhile: does it get slower?

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use copydesk::api::v1;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::stream_ingest_documents_response::Result as Outcome;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint};

/// Documents that are sent and not answered yet.
const UNDER_WAY: usize = 32;

/// Calls at the beginning, and as many at the end, that are compared.
const COMPARED: usize = 10_000;

/// Between the answer to one read and the next.
const PAUSE: Duration = Duration::from_millis(2);

/// Ingests `count` documents and reads some of them, one after another, as long as that takes. Gives how
/// long the first and the last calls took, in milliseconds.
pub async fn run(endpoint: &Endpoint, count: usize) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let begun = Instant::now();
    let (writer, reader) = (endpoint.connect().await?, endpoint.connect().await?);
    // Documents are answered in their order.
    let answered = Arc::new(AtomicUsize::new(0));
    let reading = tokio::spawn(read(DocumentServiceClient::new(reader), Arc::clone(&answered), count));
    let ingests = ingest(DocumentServiceClient::new(writer), &answered, count).await?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({
        "documents": count,
        "documents_per_second": (count as f64 / seconds).round(),
        "ingest": report(&ingests),
        "get": report(&reading.await??),
    }))
}

async fn ingest(
    mut client: DocumentServiceClient<Channel>,
    answered: &AtomicUsize,
    count: usize,
) -> Result<Vec<Duration>, Box<dyn Error + Send + Sync>> {
    let places = Arc::new(Semaphore::new(UNDER_WAY));
    let (sender, requests) = mpsc::channel(UNDER_WAY);
    let (sent, mut sent_at) = mpsc::unbounded_channel();
    let feeding = Arc::clone(&places);
    tokio::spawn(async move {
        for number in 0..count {
            let request = request(number);
            // Nobody closes it, and a stream that has ended takes no more.
            let Ok(place) = feeding.acquire().await else { return };
            place.forget();
            if sent.send(Instant::now()).is_err() || sender.send(request).await.is_err() {
                return;
            }
        }
    });
    let mut answers = client.stream_ingest_documents(ReceiverStream::new(requests)).await?.into_inner();
    let mut took = Vec::with_capacity(count);
    while let Some(answer) = answers.message().await? {
        let Some(Outcome::Response(response)) = answer.result else {
            return Err(format!("refused: {:?}", answer.result).into());
        };
        if answer.correlation_id != took.len().to_string()
            || response.outcome != v1::IngestOutcome::Created as i32
        {
            return Err(format!("document {}: {response:?}", answer.correlation_id).into());
        }
        let sent_at = sent_at.recv().await.ok_or("an answer without a request")?;
        took.push(sent_at.elapsed());
        answered.store(took.len(), Ordering::Release);
        places.add_permits(1);
    }
    if took.len() == count { Ok(took) } else { Err(format!("{} of {count} answered", took.len()).into()) }
}

/// Reads documents that were answered, any of them, until all `count` are.
async fn read(
    mut client: DocumentServiceClient<Channel>,
    answered: Arc<AtomicUsize>,
    count: usize,
) -> Result<Vec<Duration>, Box<dyn Error + Send + Sync>> {
    let mut random = Random(1);
    let mut took = Vec::new();
    loop {
        tokio::time::sleep(PAUSE).await;
        match answered.load(Ordering::Acquire) {
            0 => continue,
            all if all == count => return Ok(took),
            some => {
                let id = document_id(random.below(some));
                let name = format!("corpora/default/documents/{id}");
                let begun = Instant::now();
                let request = v1::GetDocumentRequest { name: name.clone(), ..Default::default() };
                let found = client.get_document(request).await?.into_inner().document;
                took.push(begun.elapsed());
                if found.as_ref().is_none_or(|document| document.name != name) {
                    return Err(format!("{found:?} came for {name}").into());
                }
            }
        }
    }
}

fn request(number: usize) -> v1::StreamIngestDocumentsRequest {
    let content = Some(v1::document::Source::Content(content(number)));
    let uri = format!("https://paper.example/{number}");
    let document = v1::Document { source: content, uri, ..Default::default() };
    let request = v1::IngestDocumentRequest {
        document: Some(document),
        document_id: document_id(number),
        request_id: format!("request-{}", document_id(number)),
        ..Default::default()
    };
    v1::StreamIngestDocumentsRequest { correlation_id: number.to_string(), request: Some(request) }
}

/// In no order, as ids that come from elsewhere: a new one belongs anywhere among those before it.
fn document_id(number: usize) -> String {
    format!("{:016x}", Random(number as u64).next())
}

/// A brief of some 80 words; no two are the same.
fn content(number: usize) -> String {
    const VERBS: [&str; 8] =
        ["opened", "shut", "sold", "inspected", "rebuilt", "criticised", "praised", "left"];
    const THINGS: [&str; 12] = [
        "bridge", "school", "harbour", "hospital", "brewery", "museum", "railway", "library", "market",
        "stadium", "power station", "theatre",
    ];
    const WHYS: [&str; 8] = [
        "after a strike that had lasted for weeks",
        "because the budget for the coming year had been cut",
        "despite the objections of many residents",
        "while engineers were still looking for the cause of the fire",
        "as prices for steel and timber went on rising",
        "though the court has yet to decide about the appeal",
        "before the elections in the spring",
        "in spite of the storm that hit the coast at the weekend",
    ];
    const DAYS: [&str; 5] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
    let mut random = Random(!(number as u64));
    let (place, person) = (name(&mut random), name(&mut random));
    let mut text = format!("{place} – ");
    for sentence in 0..4 {
        let (verb, thing) = (random.of(&VERBS), random.of(&THINGS));
        let (why, day) = (random.of(&WHYS), random.of(&DAYS));
        let (other, figure) = (name(&mut random), random.below(9_000) + 1_000);
        let written = if sentence % 2 == 0 {
            write!(text, "The council of {other} {verb} the {thing} on {day} {why}, {person} {other} said. ")
        } else {
            write!(text, "Some {figure} people from {place} {verb} the {thing} of {other} {why}. ")
        };
        written.expect("a string takes everything");
    }
    text
}

/// One of some ten thousand.
fn name(random: &mut Random) -> String {
    const FIRST: [&str; 20] = [
        "Nor", "Sal", "Kal", "Bran", "Hol", "Lar", "Ves", "Ost", "Mar", "Ing", "Tor", "Ulf", "Ash", "Wen",
        "Pet", "Rud", "Gar", "Ell", "Dun", "Fal",
    ];
    const MIDDLE: [&str; 20] = [
        "a", "e", "i", "o", "en", "er", "al", "in", "or", "an", "el", "is", "os", "un", "ar", "il", "am",
        "et", "ol", "id",
    ];
    const LAST: [&str; 25] = [
        "wick", "holm", "by", "berg", "ton", "ham", "ford", "sen", "dal", "vik", "stad", "mere", "ley",
        "worth", "bury", "field", "gate", "land", "mouth", "port", "ric", "son", "strand", "well", "wood",
    ];
    [random.of(&FIRST), random.of(&MIDDLE), random.of(&LAST)].concat()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// The first and the last calls, and between them every tenth of all.
fn report(took: &[Duration]) -> Value {
    let compared = COMPARED.min(took.len() / 4);
    let (first, last) = (&took[..compared], &took[took.len() - compared..]);
    let tenths: Vec<Value> =
        took.chunks(took.len().div_ceil(10).max(1)).map(|tenth| at(tenth, 0.99)).collect();
    json!({
        "calls": took.len(),
        "compared": compared,
        "first": {"p50": at(first, 0.5), "p99": at(first, 0.99)},
        "last": {"p50": at(last, 0.5), "p99": at(last, 0.99)},
        "p99_by_tenths": tenths,
    })
}

/// The time that a share of the calls took at most, in milliseconds; none without a call.
fn at(took: &[Duration], share: f64) -> Value {
    let mut took = took.to_vec();
    took.sort();
    let place = (took.len() as f64 * share) as usize;
    json!(took.get(place).map(|took| (took.as_secs_f64() * 1e5).round() / 1e2))
}
