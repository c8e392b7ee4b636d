//! How long a store takes, and how busy it is.

use std::time::Instant;

use async_trait::async_trait;
use metrics::{gauge, histogram};

use super::measured;
use crate::store::{
    Cursor, Filter, Ingested, NewDocument, Page, SharedStore, Store, StoreError, StoredDocument, Usage, View,
};

/// A store whose operations are measured.
pub struct ObservedStore(pub SharedStore);

/// An operation under way, written down when it is over.
struct Operation {
    name: &'static str,
    started: Instant,
    outcome: &'static str,
}

impl Drop for Operation {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        histogram!("copydesk_store_seconds", "operation" => self.name, "outcome" => self.outcome)
            .record(elapsed);
        measured("store", self.name, elapsed.as_secs_f64());
    }
}

/// Measures work, also where its caller leaves before it is done.
async fn observe<T>(
    name: &'static str,
    work: impl Future<Output = T>,
    answered: impl FnOnce(&T) -> bool,
) -> T {
    let mut operation = Operation { name, started: Instant::now(), outcome: "left" };
    let result = work.await;
    operation.outcome = if answered(&result) { "answered" } else { "failed" };
    result
}

/// A refusal is an answer, too.
fn answered<T>(result: &Result<T, StoreError>) -> bool {
    !matches!(result, Err(StoreError::Unavailable(_) | StoreError::Internal(_)))
}

#[async_trait]
impl Store for ObservedStore {
    async fn ingest(&self, documents: Vec<NewDocument>) -> Vec<Result<Ingested, StoreError>> {
        let all_answered = |results: &Vec<_>| results.iter().all(answered);
        observe("ingest", self.0.ingest(documents), all_answered).await
    }

    async fn get(&self, corpus: &str, document_id: &str, view: View) -> Result<StoredDocument, StoreError> {
        observe("get", self.0.get(corpus, document_id, view), answered).await
    }

    async fn list(
        &self,
        corpus: &str,
        filter: &Filter,
        view: View,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        observe("list", self.0.list(corpus, filter, view, after, limit), answered).await
    }

    async fn delete(&self, corpus: &str, document_id: &str, etag: &str) -> Result<(), StoreError> {
        observe("delete", self.0.delete(corpus, document_id, etag), answered).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        observe("check", self.0.check(), answered).await
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

/// Writes down how busy a store is at this moment.
pub fn record_usage(usage: Usage) {
    gauge!("copydesk_store_queue_bytes").set(usage.queued_bytes as f64);
    if let Some(pool) = usage.pool {
        gauge!("copydesk_store_connections", "state" => "idle").set(pool.idle as f64);
        gauge!("copydesk_store_connections", "state" => "used").set(pool.used as f64);
        gauge!("copydesk_store_waiting").set(pool.waiting as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt;
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn an_operation_whose_caller_leaves_is_measured_too() {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            observe("list", ready(()), |()| true).now_or_never();
            observe("list", ready(()), |()| false).now_or_never();
            observe("list", pending::<()>(), |()| true).now_or_never();
        });
        let page = recorder.handle().render();
        for outcome in ["answered", "failed", "left"] {
            let count = format!("copydesk_store_seconds_count{{operation=\"list\",outcome=\"{outcome}\"}} 1");
            assert!(page.contains(&count), "{page}");
        }
    }
}
