//! The contract `copydesk.v1`: generated types, validation, conversion, the RPCs, and the one
//! place where an error becomes a status.

mod analysis_service;
mod answer;
pub(crate) mod convert;
mod document_service;
pub mod error;
mod guard;
mod joint_summary;
mod names;
pub mod page_token;
mod server_info_service;
mod taxonomy_service;
mod validate;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use analysis_service::Analysis;
pub use document_service::Documents;
use error::ApiError;
use futures_util::{Stream, StreamExt};
pub use guard::GuardedStore;
use metrics::counter;
use prost::Message;
pub use server_info_service::ServerInfo;
pub use taxonomy_service::Taxonomies;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tonic::Status;
use validate::Rules;

use crate::access::{Allowance, Caller, Need, Scope};
use crate::analyzer::{Analyzer, Checkpoint, Stopwatch};
use crate::pool::EnginePool;
use crate::topics::Catalogue;

/// Messages, clients and servers as generated from `proto/`.
#[allow(missing_docs, clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("copydesk.v1");
    include!(concat!(env!("OUT_DIR"), "/copydesk.v1.serde.rs"));
}

/// The protos as reflection serves them.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/copydesk.v1.fds"));

/// The limits in force, as `GetServerInfo` publishes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub max_content_bytes: usize,
    pub max_message_bytes: usize,
    pub max_batch_size: usize,
    pub max_summary_documents: usize,
    pub default_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_content_bytes: 1 << 20,
            max_message_bytes: 4 << 20,
            max_batch_size: 100,
            max_summary_documents: 20,
            default_deadline: Duration::from_secs(10),
        }
    }
}

/// What the callers of a method of the contract must have, by its name.
pub fn need(method: &str) -> Need {
    match method {
        "AnalyzeDocument"
        | "BatchAnalyzeDocuments"
        | "StreamAnalyzeDocuments"
        | "SummarizeDocument"
        | "SummarizeDocuments"
        | "TagDocument" => Need::Scope(Scope::Analyze),
        "GetDocument" | "ListDocuments" => Need::Scope(Scope::Read),
        "IngestDocument" | "BatchIngestDocuments" | "StreamIngestDocuments" | "DeleteDocument" => {
            Need::Scope(Scope::Write)
        }
        "GetServerInfo" | "ListTaxonomies" | "GetTaxonomy" => Need::Name,
        // Whoever adds a method and forgets it here finds it closed.
        _ => Need::Everything,
    }
}

/// When a call's answer stops being wanted; a request carries it among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Instant);

/// What the services share.
pub struct Desk {
    pub analyzer: Arc<Analyzer>,
    pub pool: EnginePool,
    pub store: GuardedStore,
    pub limits: Limits,
    /// The taxonomies of the user's own, which may be exchanged at any time.
    pub catalogue: watch::Receiver<Arc<Catalogue>>,
    pub stopwatch: Arc<dyn Stopwatch + Send + Sync>,
}

impl Desk {
    /// The taxonomies of the user's own as they are now.
    fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.borrow())
    }

    /// What a request may ask for now.
    fn rules(&self) -> Rules {
        Rules { limits: self.limits, catalogue: self.catalogue() }
    }
}

/// How many documents of one stream, or of one batch, are worked on at once. A client that sends
/// faster is slowed down by HTTP/2 flow control.
const STREAM_WINDOW: usize = 64;

/// A message of a stream with its share of the bytes that the stream may have under way, which
/// it keeps until it is answered.
type Paced<T> = (Result<T, Status>, Option<OwnedSemaphorePermit>);

/// Takes no more messages from a client than `bytes` under way allow, or one at a time where
/// that one is larger, and none faster than its allowance. A client that sends large documents and
/// reads no answers could fill the memory otherwise.
fn paced<T: Message>(
    messages: impl Stream<Item = Result<T, Status>>,
    bytes: usize,
    allowance: Option<Allowance>,
) -> impl Stream<Item = Paced<T>> {
    let kib = |bytes: usize| u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).max(1);
    let most = kib(bytes);
    let space = Arc::new(Semaphore::new(most as usize));
    messages.enumerate().then(move |(place, message)| {
        let space = Arc::clone(&space);
        let allowance = allowance.clone();
        async move {
            // The first was counted with the call.
            if let Some(allowance) = allowance.filter(|_| place > 0) {
                allowance.turn().await;
            }
            let share = message.as_ref().map_or(1, |message| kib(message.encoded_len())).min(most);
            // The semaphore is never closed.
            let share = space.acquire_many_owned(share).await.ok();
            (message, share)
        }
    })
}

/// Who makes a call.
fn caller<T>(request: &tonic::Request<T>) -> Caller {
    request.extensions().get().cloned().unwrap_or_default()
}

/// Counts a call against the caller's quota, as one document.
///
/// # Errors
/// [`ApiError::QuotaExceeded`] where it is used up.
pub fn charge(caller: &Caller) -> Result<(), ApiError> {
    spend(caller, Allowance::spend)
}

/// Counts the documents of a call that has several; the first was counted when it began.
fn charge_others(caller: &Caller, documents: usize) -> Result<(), ApiError> {
    spend(caller, |allowance| allowance.spend_others(documents))
}

fn spend(caller: &Caller, how: impl FnOnce(&Allowance) -> Result<(), Duration>) -> Result<(), ApiError> {
    let Some(allowance) = &caller.allowance else { return Ok(()) };
    how(allowance).map_err(|wait| {
        counter!("copydesk_quota_refusals_total").increment(1);
        ApiError::QuotaExceeded { caller: Arc::clone(&caller.identity.name), wait }
    })
}

/// The checkpoint of a call.
fn checkpoint<T>(request: &tonic::Request<T>) -> Checkpoint {
    Checkpoint::until(request.extensions().get::<Deadline>().map(|deadline| deadline.0))
}
