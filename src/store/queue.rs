//! The queue in front of a store's one writer.
//!
//! A commit costs a sync of a disk, whether it holds one document or a hundred. So while one
//! transaction is being committed work gathers in the queue, and all of it is the next one: an
//! idle store answers after one sync, a busy one needs fewer syncs for each document. One writer
//! also keeps the order in which documents came.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use super::change::{Change, Prepared, Restored, Results};
use super::transfer::Record;
use super::{Ingested, NewDocument, StoreError};

const CLOSED: &str = "the store is closed";

/// What commits a group of changes.
#[async_trait]
pub trait Writer: Send + 'static {
    /// Makes the changes in one transaction and gives their results in their order. An error is
    /// that of all of them.
    async fn commit(&mut self, changes: Vec<Change>) -> Result<Results, StoreError>;

    /// Lets go of what it holds.
    async fn finish(self);
}

/// Changes that wait for the writer.
pub struct Queue {
    /// None once the store is closed.
    jobs: Mutex<Option<mpsc::UnboundedSender<Job>>>,
    /// One permit for each KiB that may wait.
    space: Arc<Semaphore>,
    space_kib: u32,
    /// Whether the last transaction failed; ends with the writer.
    failing: watch::Receiver<bool>,
}

/// Changes of one caller, which are committed together.
struct Job {
    changes: Vec<Change>,
    /// About how much memory they take.
    bytes: usize,
    /// Answered after the commit.
    reply: oneshot::Sender<Results>,
    /// Their share of the queue, given back when they are done.
    _space: OwnedSemaphorePermit,
}

impl Queue {
    /// Starts a task for the writer.
    ///
    /// `queue_bytes` may wait; whoever brings more waits too. A transaction that has
    /// `group_bytes` takes no more.
    pub fn start(writer: impl Writer, queue_bytes: usize, group_bytes: usize) -> Self {
        let (jobs, queue) = mpsc::unbounded_channel();
        let (state, failing) = watch::channel(false);
        let space_kib = u32::try_from(queue_bytes.div_ceil(1024)).unwrap_or(u32::MAX).max(1);
        tokio::spawn(work(writer, queue, group_bytes, state));
        Self {
            jobs: Mutex::new(Some(jobs)),
            space: Arc::new(Semaphore::new(space_kib as usize)),
            space_kib,
            failing,
        }
    }

    /// Gives changes to the writer and waits until they are committed; the results come in
    /// their order. Where this future is dropped before the writer begins, nothing is done.
    async fn write(&self, changes: Vec<Change>) -> Results {
        if changes.is_empty() {
            return Vec::new();
        }
        let count = changes.len();
        match self.submit(changes).await {
            Ok(results) => results,
            Err(reason) => (0..count).map(|_| Err(StoreError::Unavailable(reason.to_owned()))).collect(),
        }
    }

    /// As [`super::Store::ingest`].
    pub async fn ingest(&self, documents: Vec<NewDocument>) -> Vec<Result<Ingested, StoreError>> {
        let changes = documents.into_iter().map(|document| Change::Keep(Box::new(Prepared::new(document))));
        let results = self.write(changes.collect()).await;
        let missing = || StoreError::Internal("a document was written but not returned".into());
        results.into_iter().map(|result| result?.ok_or_else(missing)).collect()
    }

    /// As [`super::Store::delete`].
    pub async fn delete(&self, corpus: &str, document_id: &str, etag: &str) -> Result<(), StoreError> {
        let change = Change::Delete {
            corpus: corpus.to_owned(),
            document_id: document_id.to_owned(),
            etag: etag.to_owned(),
        };
        self.write_one(change).await
    }

    /// As [`super::transfer::Transfer::import`].
    pub async fn restore(&self, records: Vec<Record>) -> Vec<Result<(), StoreError>> {
        let changes = records.into_iter().map(|record| Change::Restore(Box::new(Restored::new(record))));
        let results = self.write(changes.collect()).await;
        results.into_iter().map(|result| result.map(drop)).collect()
    }

    /// One change that gives no document.
    async fn write_one(&self, change: Change) -> Result<(), StoreError> {
        self.write(vec![change]).await.into_iter().try_for_each(|result| result.map(drop))
    }

    async fn submit(&self, changes: Vec<Change>) -> Result<Results, &'static str> {
        let bytes = changes.iter().map(Change::bytes).sum::<usize>();
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(self.space_kib);
        let space = Arc::clone(&self.space).acquire_many_owned(kib).await.map_err(|_| CLOSED)?;
        let (reply, answer) = oneshot::channel();
        let job = Job { changes, bytes, reply, _space: space };
        let jobs = self.jobs.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        jobs.ok_or(CLOSED)?.send(job).map_err(|_| CLOSED)?;
        answer.await.map_err(|_| "the writer has stopped")
    }

    /// Bytes that wait for the writer or are being written.
    pub fn bytes(&self) -> usize {
        (self.space_kib as usize).saturating_sub(self.space.available_permits()) * 1024
    }

    /// Whether writing works. Where it last failed, only a write can tell, and is tried.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.failing.has_changed().is_err() {
            return Err(StoreError::Unavailable("the writer has stopped".into()));
        }
        let failing = *self.failing.borrow();
        if failing { self.write_one(Change::Probe).await } else { Ok(()) }
    }

    /// Takes no more, and waits until the writer has finished what is there.
    pub async fn close(&self) {
        self.space.close();
        self.jobs.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        let mut failing = self.failing.clone();
        while failing.changed().await.is_ok() {}
    }
}

/// Works until the queue is closed and empty.
async fn work(
    mut writer: impl Writer,
    mut queue: mpsc::UnboundedReceiver<Job>,
    group_bytes: usize,
    failing: watch::Sender<bool>,
) {
    while let Some(group) = next_group(&mut queue, group_bytes).await {
        write(&mut writer, group, &failing).await;
    }
    writer.finish().await;
}

/// Waits for work and takes what is there with it, up to `bytes`.
async fn next_group(queue: &mut mpsc::UnboundedReceiver<Job>, bytes: usize) -> Option<Vec<Job>> {
    let first = queue.recv().await?;
    let mut taken = first.bytes;
    let mut group = vec![first];
    while taken < bytes
        && let Ok(job) = queue.try_recv()
    {
        taken += job.bytes;
        group.push(job);
    }
    Some(group)
}

/// One transaction for all the jobs, and then their answers.
async fn write(writer: &mut impl Writer, mut group: Vec<Job>, failing: &watch::Sender<bool>) {
    let begun = Instant::now();
    let (jobs, bytes) = (group.len(), group.iter().map(|job| job.bytes).sum::<usize>());
    // The caller of an abandoned job has left without an answer, so that it need not be done.
    group.retain(|job| !job.reply.is_closed());
    if group.is_empty() {
        // A commit of nothing succeeds on a full disk, too, and says nothing of whether writing works.
        return;
    }
    let counts: Vec<usize> = group.iter().map(|job| job.changes.len()).collect();
    let changes = group.iter_mut().flat_map(|job| std::mem::take(&mut job.changes)).collect();
    match writer.commit(changes).await {
        Ok(results) => {
            failing.send_if_modified(std::mem::take);
            tracing::debug!(jobs, bytes, elapsed = ?begun.elapsed(), "committed");
            let mut results = results.into_iter();
            for (job, count) in group.into_iter().zip(counts) {
                // Who has left meanwhile needs no answer.
                let _ = job.reply.send(results.by_ref().take(count).collect());
            }
        }
        Err(error) => {
            tracing::error!(%error, jobs, bytes, "the store could not commit");
            failing.send_replace(true);
            let reason = match error {
                StoreError::Unavailable(reason) => reason,
                error => error.to_string(),
            };
            let failed = || Err(StoreError::Unavailable(reason.clone()));
            for (job, count) in group.into_iter().zip(counts) {
                let _ = job.reply.send((0..count).map(|_| failed()).collect());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that is full: what writes nothing can be committed.
    struct Full;

    #[async_trait]
    impl Writer for Full {
        async fn commit(&mut self, changes: Vec<Change>) -> Result<Results, StoreError> {
            match changes.len() {
                0 => Ok(Vec::new()),
                _ => Err(StoreError::Unavailable("the disk is full".into())),
            }
        }

        async fn finish(self) {}
    }

    #[tokio::test]
    async fn a_commit_of_nothing_does_not_mean_that_writing_works() {
        let queue = Queue::start(Full, 1 << 20, 1 << 20);
        queue.delete("news", "a", "").await.unwrap_err();
        assert!(queue.ingest(Vec::new()).await.is_empty());
        assert!(*queue.failing.borrow());

        // Nor does one whose callers have all left.
        let space = Arc::clone(&queue.space).acquire_owned().await.unwrap();
        let (reply, _) = oneshot::channel();
        let abandoned = Job { changes: vec![Change::Probe], bytes: 0, reply, _space: space };
        let (state, failing) = watch::channel(true);
        write(&mut Full, vec![abandoned], &state).await;
        assert!(*failing.borrow());
    }
}
