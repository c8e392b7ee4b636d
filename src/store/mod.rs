//! Where documents are kept: one trait, one file a backend, one suite of behaviour that every
//! backend passes.
//!
//! What every backend promises:
//!
//! - An answer to a write means that it is durable.
//! - A document's place in a listing is fixed when it is created; a new revision does not
//!   move it, so pages neither skip nor repeat while documents arrive.
//! - A request id that was seen before answers with what that request did, and does nothing.

mod change;
mod columns;
mod listing;
pub mod postgres;
mod queue;
pub mod sqlite;
pub mod transfer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgDatabaseError;

use crate::document::{Article, Source};

/// A document as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDocument {
    pub corpus: String,
    pub document_id: String,
    /// Unique over all time, also when a document is deleted and made again under its id.
    pub uid: uuid::Uuid,
    /// The page as it was sent; none where only the basics were asked for.
    pub source: Option<Source>,
    /// `text` and `blocks` are empty where only the basics were asked for.
    pub article: Article,
    pub labels: BTreeMap<String, String>,
    /// `text/plain` or `text/html`, the page's address, and others that BASIC shows too.
    pub mime_type: crate::document::MimeType,
    pub uri: String,
    pub create_time: Timestamp,
    pub update_time: Timestamp,
    /// From 1, one more with every new content.
    pub revision: u64,
    /// Digest of everything that the client sent; another digest makes a new revision.
    pub content_hash: String,
}

impl StoredDocument {
    /// Opaque to clients; another one for every revision of every document.
    pub fn etag(&self) -> String {
        etag(self.uid, self.revision)
    }
}

fn etag(uid: uuid::Uuid, revision: u64) -> String {
    format!("{}-{revision}", uid.simple())
}

/// What an ingest asks to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDocument {
    pub corpus: String,
    /// Chosen by the client or made by the caller.
    pub document_id: String,
    /// The client's id of this request, empty where it gave none.
    pub request_id: String,
    /// Digest of the whole request; a known request id with another digest is refused.
    pub request_digest: String,
    /// The revision the client means to replace, empty for any.
    pub etag: String,
    pub source: Source,
    pub article: Article,
    pub labels: BTreeMap<String, String>,
    pub content_hash: String,
    pub terms: Terms,
}

/// What a document can be found by, beside its metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Topic ids, ancestors included.
    pub topics: Vec<String>,
    /// Names of entities; matched without regard to case.
    pub entities: Vec<String>,
}

/// What an ingest did.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingested {
    pub outcome: Outcome,
    pub document: StoredDocument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Created,
    /// The document was there with the same content, or the request was seen before.
    Unchanged,
    /// The document was there with other content.
    Revised,
}

/// How much of a document to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// Without source, text and blocks.
    Basic,
    #[default]
    Full,
}

/// Which documents to list. Conditions are joined by "and"; an empty one holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Equal without regard to case.
    pub publisher: String,
    /// Equal without regard to case: `en` does not find `en-GB`.
    pub language_code: String,
    /// Published at this second of the epoch or later. A document without a publication time
    /// is in no range.
    pub published_from: Option<i64>,
    /// Published before this second of the epoch.
    pub published_before: Option<i64>,
    /// A topic's id; documents about its descendants are found too.
    pub topic: String,
    /// An entity's name without regard to case.
    pub entity: String,
}

/// A place in a listing: right after the document with this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub i64);

/// One page, newest documents first by the time of their creation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub documents: Vec<(Cursor, StoredDocument)>,
    /// Whether there are more documents after the last one here.
    pub more: bool,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no document {corpus}/{document_id}")]
    NotFound { corpus: String, document_id: String },
    /// The document has another revision than the one the client named.
    #[error("the document has changed: its etag is {current:?}")]
    StaleEtag { current: String },
    #[error("the request id {0:?} was used for another request")]
    RequestIdReused(String),
    /// The store cannot be reached or is too busy; the same call may succeed later.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A bug or damaged data.
    #[error("the store failed: {0}")]
    Internal(String),
}

/// How long a request id is remembered at least.
pub const REQUEST_ID_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// How many documents a page of a listing has at most.
pub const MAX_PAGE: usize = 1000;

/// A page of full documents ends when it has this many bytes: about what one message takes.
const PAGE_BYTES: usize = 4 << 20;

/// How busy a store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of documents that wait for the writer or are being written.
    pub queued_bytes: usize,
    /// None where no connections to a server are kept.
    pub pool: Option<PoolUsage>,
}

/// How busy the connections for reading are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolUsage {
    pub idle: usize,
    pub used: usize,
    /// Reads that wait for a connection.
    pub waiting: usize,
}

/// A place for documents. Every call may come from many tasks at once.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Keeps documents and answers for each of them, in their order; one that fails does not
    /// fail the others. They are committed in one transaction: where that fails, all of them are
    /// [`StoreError::Unavailable`].
    ///
    /// For each document, the first of these that holds decides:
    ///
    /// 1. Its request id was used in this corpus for the same request:
    ///    [`Outcome::Unchanged`] with the document as it is now, under the id that it got then,
    ///    or [`StoreError::NotFound`] where it was deleted since. For another request:
    ///    [`StoreError::RequestIdReused`].
    /// 2. It names an etag: [`StoreError::NotFound`] where there is no such document,
    ///    [`StoreError::StaleEtag`] where it has another one.
    /// 3. The document is not there: [`Outcome::Created`].
    /// 4. It is there with the same hash: [`Outcome::Unchanged`]. With another one:
    ///    [`Outcome::Revised`].
    ///
    /// Refused requests are not remembered. A caller that leaves before the answer does not know
    /// whether its documents were kept. Answers hold whole documents.
    async fn ingest(&self, documents: Vec<NewDocument>) -> Vec<Result<Ingested, StoreError>>;

    async fn get(&self, corpus: &str, document_id: &str, view: View) -> Result<StoredDocument, StoreError>;

    /// At most `limit` documents of a corpus after `after`, at least one where there are more.
    /// A page may be shorter than asked for although there are more: there are at most
    /// [`MAX_PAGE`] documents in it, and full documents only up to some megabytes.
    async fn list(
        &self,
        corpus: &str,
        filter: &Filter,
        view: View,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Removes a document; a given etag must be its current one.
    async fn delete(&self, corpus: &str, document_id: &str, etag: &str) -> Result<(), StoreError>;

    /// Whether the store answers now.
    async fn check(&self) -> Result<(), StoreError>;

    /// How busy the store is at this moment.
    fn usage(&self) -> Usage;

    /// Finishes what was accepted and lets go of the files and connections. Later calls fail.
    async fn close(&self);
}

/// The store in use.
pub type SharedStore = Arc<dyn Store>;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match database.try_downcast_ref::<PgDatabaseError>() {
                Some(database) => postgres::explain(database),
                None => sqlite::explain(&error),
            },
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection could be had in time".into()),
            sqlx::Error::PoolClosed => Self::Unavailable("the store is closed".into()),
            sqlx::Error::WorkerCrashed
            | sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_) => Self::Unavailable(error.to_string()),
            _ => Self::Internal(error.to_string()),
        }
    }
}
