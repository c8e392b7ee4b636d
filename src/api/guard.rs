//! The store as one caller may see it. There is no other way from an RPC to the store, so that
//! none can forget to ask who calls.
//!
//! What lies in a corpus that the caller has no right to looks like what is not there, to the byte;
//! the store is not even asked. A caller without the scope in any corpus is told so.

use super::error::ApiError;
use super::names::DocumentName;
use crate::access::{Caller, Scope};
use crate::document::Article;
use crate::store::{
    Cursor, Filter, Ingested, NewDocument, Page, SharedStore, Store, StoreError, StoredDocument, View,
};

/// The store behind its guard.
pub struct GuardedStore(SharedStore);

impl GuardedStore {
    pub fn new(store: SharedStore) -> Self {
        Self(store)
    }

    /// The store for one caller.
    pub fn of<'a>(&'a self, caller: &'a Caller) -> StoreOf<'a> {
        StoreOf { store: &*self.0, caller }
    }
}

/// The store for one caller.
pub struct StoreOf<'a> {
    store: &'a dyn Store,
    caller: &'a Caller,
}

impl StoreOf<'_> {
    /// A document to show.
    pub async fn get(&self, name: &DocumentName, view: View) -> Result<StoredDocument, ApiError> {
        self.check_document(Scope::Read, name)?;
        Ok(self.store.get(&name.corpus, &name.document_id, view).await?)
    }

    /// A document to analyse. The answer shows its text, so it must be one that may be read.
    pub async fn get_to_analyze(&self, name: &DocumentName) -> Result<StoredDocument, ApiError> {
        self.check_document(Scope::Analyze, name)?;
        self.get(name, View::Full).await
    }

    pub async fn list(
        &self,
        corpus: &str,
        filter: &Filter,
        view: View,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, ApiError> {
        self.check_corpus(Scope::Read, corpus)?;
        Ok(self.store.list(corpus, filter, view, after, limit).await?)
    }

    /// Whether documents of this corpus would be taken; asked before the engine reads them.
    pub fn check_ingest(&self, corpus: &str) -> Result<(), ApiError> {
        self.check_corpus(Scope::Write, corpus)
    }

    /// Keeps documents that passed [`Self::check_ingest`], each one for itself.
    pub async fn ingest(&self, documents: Vec<NewDocument>) -> Vec<Result<Ingested, ApiError>> {
        if let Err(error) = documents.iter().try_for_each(|document| self.check_ingest(&document.corpus)) {
            return documents.iter().map(|_| Err(error.clone())).collect();
        }
        let sent: Vec<String> = documents.iter().map(|document| document.content_hash.clone()).collect();
        let kept = self.store.ingest(documents).await;
        let seen = kept.into_iter().zip(sent).map(|(result, sent)| {
            let mut ingested = result?;
            let document = &mut ingested.document;
            // A request id of old answers with the document as it is now, which may be another's.
            if document.content_hash != sent && !self.has(Scope::Read, &document.corpus) {
                conceal(document);
            }
            Ok(ingested)
        });
        seen.collect()
    }

    pub async fn delete(&self, name: &DocumentName, etag: &str) -> Result<(), ApiError> {
        self.check_document(Scope::Write, name)?;
        Ok(self.store.delete(&name.corpus, &name.document_id, etag).await?)
    }

    fn has(&self, scope: Scope, corpus: &str) -> bool {
        self.caller.identity.grants.has_in(scope, corpus)
    }

    fn check_document(&self, scope: Scope, name: &DocumentName) -> Result<(), ApiError> {
        // As the store itself says it.
        let DocumentName { corpus, document_id } = name.clone();
        self.check(scope, &name.corpus, || StoreError::NotFound { corpus, document_id }.into())
    }

    fn check_corpus(&self, scope: Scope, corpus: &str) -> Result<(), ApiError> {
        self.check(scope, corpus, || ApiError::CorpusNotFound(corpus.to_owned()))
    }

    fn check(
        &self,
        scope: Scope,
        corpus: &str,
        not_found: impl FnOnce() -> ApiError,
    ) -> Result<(), ApiError> {
        if self.has(scope, corpus) {
            Ok(())
        } else if self.caller.identity.grants.has(scope) {
            Err(not_found())
        } else {
            Err(ApiError::ScopeMissing(scope))
        }
    }
}

/// Leaves the name, the times and the etag.
fn conceal(document: &mut StoredDocument) {
    document.source = None;
    document.article = Article::default();
    document.labels.clear();
    document.uri.clear();
}
