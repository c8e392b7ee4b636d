//! Documents that a server analyses: sent over one stream with a window, and sent again where the
//! stream breaks. To analyse a document twice does no harm, as nothing is kept.

use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use http::Uri;
use prost::Message;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::input::{BrokenRecord, Record};
use crate::api::v1;
use crate::api::v1::analysis_service_client::AnalysisServiceClient;
use crate::api::v1::server_info_service_client::ServerInfoServiceClient;
use crate::api::v1::stream_analyze_documents_response::Result as Outcome;
use crate::api::v1::taxonomy_service_client::TaxonomyServiceClient;
use crate::config::parse_endpoint;
use crate::document::Source;
use crate::topics::Definition;

/// Documents that are sent and not yet answered, at most.
const WINDOW: usize = 64;

/// A stream that breaks so often in a row without an answer is given up.
const ATTEMPTS: u32 = 10;

/// Pauses between attempts double from the first to the last of these.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(5);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that is silent for so long while it owes answers is asked whether it lives, and then
/// has as long again to say so.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long a server may take to end a stream on which all is answered.
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// What a frame and a correlation id add to a request, generously.
const FRAME_BYTES: usize = 64;

/// Where a server is and how to be let in.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct Remote {
    /// Have a server analyse, as http://localhost:50051 or https://desk.example:50051; what it does
    /// not answer because it is busy or restarted is sent again
    #[arg(long, env = "COPYDESK_SERVER", value_parser = parse_endpoint, value_name = "URI")]
    pub server: Option<Uri>,

    /// A key or token that the server asks for; better given by the variable, since others see
    /// command lines
    #[arg(long, env = "COPYDESK_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,

    /// Certificates of the authorities that the server's certificate may come from, in PEM, in place
    /// of the system's
    #[arg(long, env = "COPYDESK_CA", value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// Hands `take` the answer to every record in the order of the records; what is wrong with a
/// single one of them is such an answer. The server must have `taxonomy` as it is here.
///
/// # Errors
/// If the server cannot be reached for half a minute, refuses the whole or has not that taxonomy, or
/// `take` fails.
pub fn analyze(
    server: &Uri,
    remote: &Remote,
    taxonomy: Option<&Definition>,
    records: impl Iterator<Item = Result<Record, BrokenRecord>> + Send + 'static,
    request: impl Fn(Source) -> v1::AnalyzeDocumentRequest,
    mut take: impl FnMut(serde_json::Value, Result<v1::DocumentAnalysis, String>) -> io::Result<()>,
) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let credentials = Credentials::of(remote)?;
        let channel = channel(server, remote)?;
        let max_message_bytes = credentials.max_message_bytes(&channel).await?;
        if let Some(taxonomy) = taxonomy {
            credentials.check_taxonomy(&channel, taxonomy).await?;
        }
        let client = AnalysisServiceClient::new(channel).max_decoding_message_size(max_message_bytes);
        let mut run = Run {
            client,
            credentials,
            max_message_bytes,
            records: read_aside(records),
            waiting: Waiting::default(),
        };
        run.run(&request, &mut take).await
    });
    // Not waited for: a thread may be reading from a terminal.
    runtime.shutdown_background();
    done
}

/// Reads on a thread of its own, so that slow input holds up no answers.
fn read_aside<T: Send + 'static>(items: impl Iterator<Item = T> + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(WINDOW);
    tokio::task::spawn_blocking(move || {
        for item in items {
            if sender.blocking_send(item).is_err() {
                break;
            }
        }
    });
    receiver
}

fn channel(server: &Uri, remote: &Remote) -> Result<Channel, Box<dyn Error>> {
    let mut endpoint = Endpoint::from(server.clone())
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    if server.scheme_str() == Some("https") {
        let tls = match &remote.ca {
            Some(path) => {
                let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
            }
            None => ClientTlsConfig::new().with_native_roots(),
        };
        endpoint = endpoint.tls_config(tls)?;
    }
    Ok(endpoint.connect_lazy())
}

/// What goes with every call.
struct Credentials {
    authorization: Option<MetadataValue<Ascii>>,
    /// The trace that this process is a part of, by the variable in which programs hand it on.
    trace_parent: Option<MetadataValue<Ascii>>,
}

impl Credentials {
    fn of(remote: &Remote) -> Result<Self, Box<dyn Error>> {
        let authorization = match &remote.token {
            Some(token) => {
                let header = format!("Bearer {}", token.trim());
                let mut header: MetadataValue<Ascii> =
                    header.parse().map_err(|_| "--token has characters that no header takes")?;
                header.set_sensitive(true);
                Some(header)
            }
            None => None,
        };
        let trace_parent = std::env::var("TRACEPARENT").ok().and_then(|parent| parent.parse().ok());
        Ok(Self { authorization, trace_parent })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let headers = [("authorization", &self.authorization), ("traceparent", &self.trace_parent)];
        for (name, value) in headers {
            if let Some(value) = value {
                request.metadata_mut().insert(name, value.clone());
            }
        }
        request
    }

    /// The server's own limit; asking for it also shows whether it lets us in.
    async fn max_message_bytes(&self, channel: &Channel) -> Result<usize, Box<dyn Error>> {
        let mut client = ServerInfoServiceClient::new(channel.clone());
        let mut patience = Patience::default();
        loop {
            match client.get_server_info(self.request(v1::GetServerInfoRequest {})).await {
                Ok(info) => {
                    let limits = info.into_inner().limits.unwrap_or_default();
                    return Ok(usize::try_from(limits.max_message_bytes)?);
                }
                Err(status) => patience.after(&status).await?,
            }
        }
    }

    /// Sees to it that the server would tag as the engine here does.
    async fn check_taxonomy(&self, channel: &Channel, ours: &Definition) -> Result<(), Box<dyn Error>> {
        let mut client = TaxonomyServiceClient::new(channel.clone());
        let mut patience = Patience::default();
        let advice = "start it with --taxonomies and the file, or send it SIGHUP where that has changed";
        loop {
            let request = self.request(v1::GetTaxonomyRequest { taxonomy: ours.id.clone() });
            match client.get_taxonomy(request).await {
                Ok(answer) => {
                    let theirs = answer.into_inner().taxonomy.unwrap_or_default().version;
                    if theirs == ours.version {
                        return Ok(());
                    }
                    let (id, version) = (&ours.id, &ours.version);
                    return Err(format!(
                        "the server has the taxonomy {id:?} in the version {theirs:?}, and the file is {version:?}; {advice}"
                    )
                    .into());
                }
                Err(status) if status.code() == Code::NotFound => {
                    return Err(format!("the server has no taxonomy {:?}; {advice}", ours.id).into());
                }
                Err(status) => patience.after(&status).await?,
            }
        }
    }
}

/// How long to go on trying.
#[derive(Default)]
struct Patience {
    failures: u32,
}

impl Patience {
    /// Waits as long as the server or good manners ask for.
    ///
    /// # Errors
    /// If trying again would not help, or has not helped often enough.
    async fn after(&mut self, status: &Status) -> Result<(), Box<dyn Error>> {
        self.failures += 1;
        if !is_passing(status) || self.failures >= ATTEMPTS {
            return Err(describe(status).into());
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << (self.failures - 1)).min(LAST_PAUSE);
        let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
        tokio::time::sleep(asked.unwrap_or_default().max(pause)).await;
        Ok(())
    }
}

/// Whether the same call may succeed later: the server says so, or the connection broke.
fn is_passing(status: &Status) -> bool {
    status.code() == Code::Unavailable || status.source().is_some()
}

fn describe(status: &Status) -> String {
    let mut text = format!("the server: {:?}: {}", status.code(), status.message());
    let mut cause = status.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

struct Run {
    client: AnalysisServiceClient<Channel>,
    credentials: Credentials,
    max_message_bytes: usize,
    records: mpsc::Receiver<Result<Record, BrokenRecord>>,
    waiting: Waiting,
}

/// Why a stream ended before its end.
enum Broken {
    Stream(Status),
    Output(io::Error),
}

impl Run {
    async fn run(
        &mut self,
        request: &impl Fn(Source) -> v1::AnalyzeDocumentRequest,
        take: &mut impl FnMut(serde_json::Value, Result<v1::DocumentAnalysis, String>) -> io::Result<()>,
    ) -> Result<(), Box<dyn Error>> {
        let mut patience = Patience::default();
        loop {
            let (begun, answered) = (Instant::now(), self.waiting.first);
            match self.stream(request, take).await {
                Ok(()) => return Ok(()),
                Err(Broken::Output(error)) => return Err(error.into()),
                Err(Broken::Stream(status)) => {
                    if self.waiting.first > answered || begun.elapsed() > LAST_PAUSE * ATTEMPTS {
                        patience = Patience::default();
                    }
                    patience.after(&status).await?;
                }
            }
        }
    }

    /// One stream: what was sent before and not answered goes first.
    async fn stream(
        &mut self,
        request: &impl Fn(Source) -> v1::AnalyzeDocumentRequest,
        take: &mut impl FnMut(serde_json::Value, Result<v1::DocumentAnalysis, String>) -> io::Result<()>,
    ) -> Result<(), Broken> {
        // As much room as the window has, so that sending never waits.
        let (requests, sent) = mpsc::channel(WINDOW);
        for request in self.waiting.unanswered() {
            let _ = requests.send(request).await;
        }
        let call = self.credentials.request(ReceiverStream::new(sent));
        let answers = self.client.stream_analyze_documents(call).await.map_err(Broken::Stream)?;
        let mut answers = answers.into_inner();
        let mut more = true;
        while more || !self.waiting.queue.is_empty() {
            tokio::select! {
                record = self.records.recv(), if more && self.waiting.queue.len() < WINDOW => {
                    match record {
                        Some(record) => {
                            if let Some(request) = self.waiting.add(record, request, self.max_message_bytes) {
                                // Where the stream has ended, `answers` says why.
                                let _ = requests.send(request).await;
                            }
                        }
                        None => more = false,
                    }
                }
                answer = answers.message() => match answer.map_err(Broken::Stream)? {
                    Some(answer) => self.waiting.answer(answer),
                    None => return Err(Broken::Stream(Status::unavailable("the stream ended too early"))),
                },
            }
            while let Some((id, answer)) = self.waiting.next_answer() {
                take(id, answer).map_err(Broken::Output)?;
            }
        }
        drop(requests);
        // Until the server has said that it is done: a stream that its client leaves counts as cancelled
        // there. Nothing depends on it any more, so a server that says something else is not asked again.
        let end = async { while let Ok(Some(_)) = answers.message().await {} };
        let _ = timeout(END_TIMEOUT, end).await;
        Ok(())
    }
}

/// The records that have been read and not handed on, in their order.
#[derive(Default)]
struct Waiting {
    /// How many were handed on before; the number of the first in the queue.
    first: usize,
    queue: VecDeque<Entry>,
}

struct Entry {
    id: serde_json::Value,
    /// Kept until it is answered.
    request: v1::AnalyzeDocumentRequest,
    answer: Option<Result<v1::DocumentAnalysis, String>>,
}

impl Waiting {
    /// Takes a record, and gives what is to be sent for it.
    fn add(
        &mut self,
        record: Result<Record, BrokenRecord>,
        request: &impl Fn(Source) -> v1::AnalyzeDocumentRequest,
        max_message_bytes: usize,
    ) -> Option<v1::StreamAnalyzeDocumentsRequest> {
        let number = self.first + self.queue.len();
        let mut entry = match record {
            Ok(Record { id, source }) => Entry { id, request: request(source), answer: None },
            Err(broken) => Entry {
                id: serde_json::Value::Null,
                request: v1::AnalyzeDocumentRequest::default(),
                answer: Some(Err(broken.to_string())),
            },
        };
        let bytes = entry.request.encoded_len();
        if bytes + FRAME_BYTES > max_message_bytes {
            // It would end the stream for all the others.
            let problem = format!("{bytes} bytes; the server takes {max_message_bytes}");
            entry.answer = Some(Err(format!("document {}: {problem}", entry.id)));
        }
        let send = entry.answer.is_none().then(|| message(number, &entry.request));
        self.queue.push_back(entry);
        send
    }

    fn unanswered(&self) -> impl Iterator<Item = v1::StreamAnalyzeDocumentsRequest> {
        let numbered = self.queue.iter().enumerate().filter(|(_, entry)| entry.answer.is_none());
        numbered.map(|(place, entry)| message(self.first + place, &entry.request))
    }

    fn answer(&mut self, answer: v1::StreamAnalyzeDocumentsResponse) {
        let number: Option<usize> = answer.correlation_id.parse().ok();
        let place = number.and_then(|number| number.checked_sub(self.first));
        // A server that answers what was not asked is not listened to.
        let Some(entry) = place.and_then(|place| self.queue.get_mut(place)) else { return };
        entry.answer = Some(match answer.result {
            Some(Outcome::Analysis(analysis)) => Ok(analysis),
            Some(Outcome::Error(error)) => Err(format!("document {}: {}", entry.id, error.message)),
            None => Err(format!("document {}: the server gave no answer", entry.id)),
        });
        entry.request = v1::AnalyzeDocumentRequest::default();
    }

    /// The next answer in the order of the records, if it is there.
    fn next_answer(&mut self) -> Option<(serde_json::Value, Result<v1::DocumentAnalysis, String>)> {
        self.queue.front()?.answer.as_ref()?;
        let Entry { id, answer, .. } = self.queue.pop_front()?;
        self.first += 1;
        Some((id, answer?))
    }
}

fn message(number: usize, request: &v1::AnalyzeDocumentRequest) -> v1::StreamAnalyzeDocumentsRequest {
    v1::StreamAnalyzeDocumentsRequest { correlation_id: number.to_string(), request: Some(request.clone()) }
}
