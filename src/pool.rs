//! The threads that the engine runs on, behind a bounded queue.
//!
//! The engine computes and never waits, so it must not run on the threads that serve
//! connections. A job whose caller has gone away, or whose deadline passed while it was
//! queued, is not computed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use metrics::{counter, gauge, histogram};
use opentelemetry::Context;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::analyzer::{Checkpoint, Stopped};
use crate::telemetry::{Counted, measured};

/// Bytes of stack that a thread of the pool may use. Deeply nested pages are walked recursively
/// by the HTML parser's tree; untouched stack costs no memory.
const STACK_BYTES: usize = 16 << 20;

/// Runs engine work for async callers.
pub struct EnginePool {
    workers: rayon::ThreadPool,
    /// One permit for each job that is queued or running.
    places: Arc<Semaphore>,
    /// One permit for each of these jobs whose caller is patient. There are just enough to keep
    /// the threads busy: the streams and batches that wait must not fill the queue, where calls
    /// that would rather be refused than wait have their places.
    turns: Arc<Semaphore>,
}

/// Why a job gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    #[error("the engine's queue is full")]
    Overloaded,
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A bug in the job.
    #[error("the engine failed")]
    Panicked,
}

impl EnginePool {
    /// `threads` jobs run at once (0: one for each core), `queue` more may wait for a thread.
    ///
    /// # Errors
    /// If the system gives no more threads.
    pub fn new(threads: usize, queue: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let workers = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .stack_size(STACK_BYTES)
            .thread_name(|index| format!("engine-{index}"))
            .build()?;
        let threads = workers.current_num_threads();
        let places = Arc::new(Semaphore::new(threads + queue));
        let turns = Arc::new(Semaphore::new(threads + threads.min(queue)));
        Ok(Self { workers, places, turns })
    }

    /// How many jobs run at once.
    pub fn threads(&self) -> usize {
        self.workers.current_num_threads()
    }

    /// Runs `job` on the pool; a full queue refuses it at once.
    ///
    /// Dropping the future cancels `checkpoint`, and so every other job that shares it.
    pub async fn run<T: Send + 'static>(
        &self,
        checkpoint: &Checkpoint,
        job: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
    ) -> Result<T, PoolError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            counter!("copydesk_calls_shed_total", "full" => "engine").increment(1);
            PoolError::Overloaded
        })?;
        self.run_at(place, checkpoint, job).await
    }

    /// As [`run`](Self::run), but waits for its turn: for streams, whose clients are slowed down
    /// by flow control and not by errors, and for the documents of one batch. Turns come in the
    /// order in which they were asked for.
    pub async fn run_patiently<T: Send + 'static>(
        &self,
        checkpoint: &Checkpoint,
        job: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
    ) -> Result<T, PoolError> {
        let both = async { (self.turns.acquire().await, Arc::clone(&self.places).acquire_owned().await) };
        // The semaphores are never closed; if they were, there would be no place.
        let (Ok(_turn), Ok(place)) = before_deadline(checkpoint, both).await? else {
            return Err(PoolError::Overloaded);
        };
        self.run_at(place, checkpoint, job).await
    }

    async fn run_at<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        checkpoint: &Checkpoint,
        job: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
    ) -> Result<T, PoolError> {
        let (answer, answered) = oneshot::channel();
        let at_start = checkpoint.clone();
        let queued = Counted::new(gauge!("copydesk_engine_queue_depth"));
        let queued_at = Instant::now();
        // Where the stages find the call that they are a part of.
        let context = Context::current();
        self.workers.spawn(move || {
            drop(queued);
            let _attached = context.attach();
            histogram!("copydesk_engine_queue_wait_seconds").record(queued_at.elapsed());
            measured("engine", "queue", queued_at.elapsed().as_secs_f64());
            let busy = Counted::new(gauge!("copydesk_engine_busy_threads"));
            let result = match at_start.check() {
                Ok(()) => catch_unwind(AssertUnwindSafe(job)).map_err(|_| PoolError::Panicked),
                Err(stopped) => Ok(Err(stopped)),
            };
            if let Ok(Err(stopped)) = &result {
                counter!("copydesk_engine_stopped_total", "reason" => reason(*stopped)).increment(1);
            }
            drop((busy, place));
            // The caller may have gone away; then nobody wants the result.
            let _ = answer.send(result.and_then(|outcome| outcome.map_err(PoolError::Stopped)));
        });

        let unless_finished = CancelOnDrop(Some(checkpoint));
        let result = before_deadline(checkpoint, answered).await?;
        unless_finished.finished();
        // The sender is dropped unsent only if the job's captures panic while they are dropped.
        result.unwrap_or(Err(PoolError::Panicked))
    }
}

/// As the metrics spell it.
const fn reason(stopped: Stopped) -> &'static str {
    match stopped {
        Stopped::Deadline => "deadline",
        Stopped::Cancelled => "cancelled",
    }
}

/// Waits no longer than the checkpoint's deadline.
async fn before_deadline<F: Future>(checkpoint: &Checkpoint, future: F) -> Result<F::Output, Stopped> {
    match checkpoint.deadline {
        Some(deadline) => {
            tokio::time::timeout_at(deadline.into(), future).await.map_err(|_| Stopped::Deadline)
        }
        None => Ok(future.await),
    }
}

/// Cancels the work of a caller who stops waiting for it.
struct CancelOnDrop<'a>(Option<&'a Checkpoint>);

impl CancelOnDrop<'_> {
    fn finished(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(checkpoint) = self.0 {
            checkpoint.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A pool of one thread that is busy until the sender is dropped.
    async fn busy_pool(queue: usize) -> (Arc<EnginePool>, mpsc::Sender<()>) {
        let pool = Arc::new(EnginePool::new(1, queue).unwrap());
        let (release, released) = mpsc::channel::<()>();
        let (started, is_running) = oneshot::channel();
        let busy = Arc::clone(&pool);
        tokio::spawn(async move {
            let job = move || {
                let _ = started.send(());
                let _ = released.recv();
                Ok(())
            };
            busy.run(&Checkpoint::default(), job).await
        });
        is_running.await.unwrap();
        (pool, release)
    }

    #[tokio::test]
    async fn a_job_answers_with_its_result() {
        let pool = EnginePool::new(2, 0).unwrap();
        assert_eq!(pool.run(&Checkpoint::default(), || Ok(7)).await, Ok(7));
        let stopped = pool.run(&Checkpoint::default(), || Err::<(), _>(Stopped::Deadline)).await;
        assert_eq!(stopped, Err(PoolError::Stopped(Stopped::Deadline)));
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_patient_caller_waits() {
        let (pool, release) = busy_pool(0).await;
        assert_eq!(pool.run(&Checkpoint::default(), || Ok(1)).await, Err(PoolError::Overloaded));
        let checkpoint = Checkpoint::default();
        let patient = pool.run_patiently(&checkpoint, || Ok(2));
        tokio::pin!(patient);
        assert!(tokio::time::timeout(Duration::from_millis(20), &mut patient).await.is_err());
        drop(release);
        assert_eq!(patient.await, Ok(2));
    }

    #[tokio::test]
    async fn patient_callers_leave_places_for_the_others() {
        let (pool, release) = busy_pool(4).await;
        let patient: Vec<_> = (0..20)
            .map(|number| {
                let pool = Arc::clone(&pool);
                tokio::spawn(
                    async move { pool.run_patiently(&Checkpoint::default(), move || Ok(number)).await },
                )
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let other = Arc::clone(&pool);
        let impatient = tokio::spawn(async move { other.run(&Checkpoint::default(), || Ok(-1)).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(release);
        assert_eq!(impatient.await.unwrap(), Ok(-1));
        for (number, caller) in (0..).zip(patient) {
            assert_eq!(caller.await.unwrap(), Ok(number));
        }
    }

    #[tokio::test]
    async fn a_job_whose_caller_has_gone_is_not_computed() {
        let (pool, release) = busy_pool(1).await;
        let computed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&computed);
        let checkpoint = Checkpoint::default();
        let job = pool.run(&checkpoint, move || {
            seen.store(true, Ordering::SeqCst);
            Ok(())
        });
        assert!(tokio::time::timeout(Duration::from_millis(10), job).await.is_err());
        assert_eq!(checkpoint.check(), Err(Stopped::Cancelled));
        drop(release);
        assert_eq!(pool.run_patiently(&Checkpoint::default(), || Ok(())).await, Ok(()));
        assert!(!computed.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_deadline_that_passes_in_the_queue_is_answered_in_time() {
        let (pool, _release) = busy_pool(1).await;
        let checkpoint = Checkpoint::until(Some(Instant::now() + Duration::from_millis(10)));
        let late = pool.run(&checkpoint, || Ok(())).await;
        assert_eq!(late, Err(PoolError::Stopped(Stopped::Deadline)));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_lives_on() {
        let pool = EnginePool::new(1, 0).unwrap();
        let failed = pool.run::<()>(&Checkpoint::default(), || panic!("a bug")).await;
        assert_eq!(failed, Err(PoolError::Panicked));
        assert_eq!(pool.run_patiently(&Checkpoint::default(), || Ok(1)).await, Ok(1));
    }
}
