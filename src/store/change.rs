//! What a store's writer is asked to do, the same for every SQL backend.

use jiff::Timestamp;
use uuid::Uuid;

use super::columns::Columns;
use super::transfer::Record;
use super::{Ingested, NewDocument, StoreError, StoredDocument, etag};

/// About what a document takes in the queue beside its text.
const DOCUMENT_OVERHEAD: usize = 2048;

/// Results in the order of the changes; none where a change gives no document.
pub type Results = Vec<Result<Option<Ingested>, StoreError>>;

pub enum Change {
    Keep(Box<Prepared>),
    /// Writes a document of another store as it was there.
    Restore(Box<Restored>),
    Delete {
        corpus: String,
        document_id: String,
        etag: String,
    },
    /// Writes something of no meaning, to see whether writing works.
    Probe,
}

/// A document ready to be written.
pub struct Prepared {
    pub document: NewDocument,
    pub columns: Columns,
}

/// A document of another store, ready to be written.
pub struct Restored {
    pub prepared: Prepared,
    pub entry: Entry,
}

impl Prepared {
    pub fn new(document: NewDocument) -> Self {
        Self { columns: Columns::encode(&document), document }
    }
}

impl Restored {
    pub fn new(record: Record) -> Self {
        let Record { document, terms } = record;
        let entry = Entry {
            seq: None,
            uid: document.uid,
            revision: document.revision,
            create_time: document.create_time,
            update_time: document.update_time,
        };
        let document = NewDocument {
            corpus: document.corpus,
            document_id: document.document_id,
            request_id: String::new(),
            request_digest: String::new(),
            etag: String::new(),
            source: document.source.unwrap_or_default(),
            article: document.article,
            labels: document.labels,
            content_hash: document.content_hash,
            terms,
        };
        Self { prepared: Prepared::new(document), entry }
    }
}

impl Change {
    /// About how much memory it takes while it waits.
    pub fn bytes(&self) -> usize {
        match self {
            // Once as the domain's types and once as columns.
            Self::Keep(prepared) => DOCUMENT_OVERHEAD + 2 * prepared.columns.len(),
            Self::Restore(restored) => DOCUMENT_OVERHEAD + 2 * restored.prepared.columns.len(),
            Self::Delete { .. } | Self::Probe => DOCUMENT_OVERHEAD,
        }
    }
}

/// The place of a document, and which revision of it is there.
#[derive(Clone, Debug)]
pub struct Entry {
    /// None before the document is written for the first time.
    pub seq: Option<i64>,
    pub uid: Uuid,
    pub revision: u64,
    pub create_time: Timestamp,
    pub update_time: Timestamp,
}

impl Entry {
    /// A document that is made now.
    pub fn new(now: Timestamp) -> Self {
        Self { seq: None, uid: Uuid::now_v7(), revision: 1, create_time: now, update_time: now }
    }

    /// Where it is, once it is written.
    pub fn place(&self) -> i64 {
        self.seq.unwrap_or_default()
    }

    /// The same document with other content.
    pub fn revised(self, now: Timestamp) -> Self {
        // The clock may have been set back.
        let update_time = now.max(self.update_time);
        Self { revision: self.revision + 1, update_time, ..self }
    }

    /// Refuses a change that was meant for another revision.
    pub fn expect_etag(&self, expected: &str) -> Result<(), StoreError> {
        let current = etag(self.uid, self.revision);
        if expected.is_empty() || expected == current {
            Ok(())
        } else {
            Err(StoreError::StaleEtag { current })
        }
    }

    /// Whether a restored document replaces this one: an earlier revision of the same document.
    ///
    /// # Errors
    /// [`StoreError::StaleEtag`] where this one is another document or a later revision.
    pub fn gives_way_to(&self, restored: &Entry) -> Result<bool, StoreError> {
        if self.uid != restored.uid || self.revision > restored.revision {
            return Err(StoreError::StaleEtag { current: etag(self.uid, self.revision) });
        }
        Ok(self.revision < restored.revision)
    }
}

/// The document as it is once it is written.
pub fn stored(document: NewDocument, entry: Entry) -> StoredDocument {
    StoredDocument {
        corpus: document.corpus,
        document_id: document.document_id,
        uid: entry.uid,
        mime_type: document.source.mime_type,
        uri: document.source.uri.clone(),
        source: Some(document.source),
        article: document.article,
        labels: document.labels,
        create_time: entry.create_time,
        update_time: entry.update_time,
        revision: entry.revision,
        content_hash: document.content_hash,
    }
}

pub fn not_found(corpus: &str, document_id: &str) -> StoreError {
    StoreError::NotFound { corpus: corpus.to_owned(), document_id: document_id.to_owned() }
}

/// The time to microseconds, which is what is stored.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}
