//! Documents that move from one store to another.

use async_trait::async_trait;

use super::{Cursor, Store, StoreError, StoredDocument, Terms};

/// A whole document with everything that a store keeps of it, but for the requests that made it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// With its source.
    pub document: StoredDocument,
    /// As they are compared: folded.
    pub terms: Terms,
}

/// A store whose documents can be taken out and put in as they are.
#[async_trait]
pub trait Transfer: Store {
    /// Some documents of all corpora after a place, in the order in which they were created;
    /// none where there are no more.
    async fn export(&self, after: Option<Cursor>) -> Result<Vec<(Cursor, Record)>, StoreError>;

    /// Keeps documents as they were in another store: with their uids, revisions, etags and
    /// times, in this order after those that are here. They are committed in one transaction, as
    /// by [`Store::ingest`]. What is here already stays as it is, so that an import can be
    /// repeated; an earlier revision of the same document is replaced.
    ///
    /// For each document [`StoreError::StaleEtag`] where another document, or a later revision,
    /// is here under its id.
    async fn import(&self, records: Vec<Record>) -> Vec<Result<(), StoreError>>;
}
