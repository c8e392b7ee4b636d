//! The threads that the engine runs on, and the line in front of them.
//!
//! The engine computes and never waits, so it must not run on the threads that serve
//! connections. A job whose caller has gone away, or whose deadline passed while it was
//! queued, is not computed.
//!
//! Time bounds the line, not a number of jobs, which may be small or large. A burst that is soon over
//! may wait. But a line that has not been empty for a while says that there is more work than the
//! engine can do, and to wait longer would make everyone late and help nobody; so whoever has waited
//! for a moment is refused. That is how CoDel (RFC 8289) tells a good queue from a bad one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use opentelemetry::Context;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::analyzer::{Checkpoint, Stopped};
use crate::telemetry::{Counted, measured};

/// Bytes of stack that a thread of the pool may use. Deeply nested pages are walked recursively
/// by the HTML parser's tree; untouched stack costs no memory.
const STACK_BYTES: usize = 16 << 20;

/// How many times as long as `max_wait` a burst may last and a job in it may wait; and for how long
/// nobody must have been refused before the next one may.
const BURST: u32 = 20;

/// Runs engine work for async callers.
pub struct EnginePool {
    workers: rayon::ThreadPool,
    line: Arc<Line>,
    max_wait: Duration,
    /// One permit for each job of a patient caller that is queued or running. There are just enough
    /// to keep the threads busy, so that others never have many of them in front.
    turns: Semaphore,
}

/// Why a job gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    #[error("the engine has more work than it can do")]
    Overloaded,
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A bug in the job.
    #[error("the engine failed")]
    Panicked,
}

impl EnginePool {
    /// `threads` jobs run at once (0: one for each core). While there is more work than that, a job
    /// may wait for `max_wait`, which is more than nothing, and in a burst twenty times as long.
    ///
    /// # Errors
    /// If the system gives no more threads.
    pub fn new(threads: usize, max_wait: Duration) -> Result<Self, rayon::ThreadPoolBuildError> {
        let workers = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .stack_size(STACK_BYTES)
            .thread_name(|index| format!("engine-{index}"))
            .build()?;
        let turns = Semaphore::new(2 * workers.current_num_threads());
        Ok(Self { workers, line: Arc::default(), max_wait, turns })
    }

    /// How many jobs run at once.
    pub fn threads(&self) -> usize {
        self.workers.current_num_threads()
    }

    /// Runs `job` on the pool, or refuses it where it would have to wait for too long.
    ///
    /// Dropping the future cancels `checkpoint`, and so every other job that shares it.
    pub async fn run<T: Send + 'static>(
        &self,
        checkpoint: &Checkpoint,
        job: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
    ) -> Result<T, PoolError> {
        let mut queued = self.queue(checkpoint, Some(Line::join(&self.line)), job);
        let answer = async {
            for _ in 0..BURST {
                if let Ok(answer) = timeout(self.max_wait, queued.answer()).await {
                    return answer;
                }
                if queued.has_begun() || self.line.is_standing(BURST * self.max_wait) {
                    break;
                }
            }
            if queued.take_back() {
                self.line.note_refusal();
                counter!("copydesk_calls_shed_total", "full" => "engine").increment(1);
                return Err(PoolError::Overloaded);
            }
            queued.answer().await
        };
        before_deadline(checkpoint, answer).await?
    }

    /// As [`run`](Self::run), but waits for its turn: for streams, whose clients are slowed down
    /// by flow control and not by errors, and for the documents of one batch. Turns come in the
    /// order in which they were asked for.
    pub async fn run_patiently<T: Send + 'static>(
        &self,
        checkpoint: &Checkpoint,
        job: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
    ) -> Result<T, PoolError> {
        let answer = async {
            // The semaphore is never closed.
            let _turn = self.turns.acquire().await;
            self.queue(checkpoint, None, job).answer().await
        };
        before_deadline(checkpoint, answer).await?
    }

    fn queue<'a, T: Send + 'static>(
        &self,
        checkpoint: &'a Checkpoint,
        place: Option<Place>,
        job: impl FnOnce() -> Result<T, Stopped> + Send + 'static,
    ) -> Queued<'a, T> {
        let (sender, answer) = oneshot::channel();
        let waiting = Waiting::new(place, job);
        let (at_start, job) = (checkpoint.clone(), Arc::clone(&waiting));
        self.workers.spawn(move || {
            // The caller may have taken it back.
            let Some(job) = take(&job) else { return };
            // Or gone away; then nobody wants the result.
            let _ = sender.send(job.run(&at_start));
        });
        Queued { waiting, answer, checkpoint, is_answered: false }
    }
}

/// A job that no thread has begun, with what says so to the outside.
struct Waiting<T> {
    job: Box<dyn FnOnce() -> Result<T, Stopped> + Send>,
    _place: Option<Place>,
    _counted: Counted,
    since: Instant,
    /// Where the stages find the call that they are a part of.
    context: Context,
}

/// Taken by the thread that begins it or the caller who gives up, whoever is first, so that a
/// document for which nobody waits takes no memory.
type Slot<T> = Arc<Mutex<Option<Waiting<T>>>>;

fn take<T>(slot: &Slot<T>) -> Option<Waiting<T>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl<T> Waiting<T> {
    fn new(place: Option<Place>, job: impl FnOnce() -> Result<T, Stopped> + Send + 'static) -> Slot<T> {
        Arc::new(Mutex::new(Some(Self {
            job: Box::new(job),
            _place: place,
            _counted: Counted::new(gauge!("copydesk_engine_queue_depth")),
            since: Instant::now(),
            context: Context::current(),
        })))
    }

    fn run(self, checkpoint: &Checkpoint) -> Result<T, PoolError> {
        let Self { job, _place, _counted, since, context } = self;
        drop((_place, _counted));
        let _attached = context.attach();
        histogram!("copydesk_engine_queue_wait_seconds").record(since.elapsed());
        measured("engine", "queue", since.elapsed().as_secs_f64());
        let _busy = Counted::new(gauge!("copydesk_engine_busy_threads"));
        let result = match checkpoint.check() {
            Ok(()) => catch_unwind(AssertUnwindSafe(job)).map_err(|_| PoolError::Panicked)?,
            Err(stopped) => Err(stopped),
        };
        result.map_err(|stopped| {
            count_stopped(stopped);
            PoolError::Stopped(stopped)
        })
    }
}

/// A job as its caller sees it, who gives it up by dropping this.
struct Queued<'a, T> {
    waiting: Slot<T>,
    answer: oneshot::Receiver<Result<T, PoolError>>,
    checkpoint: &'a Checkpoint,
    is_answered: bool,
}

impl<T> Queued<'_, T> {
    /// Waits for the result, which comes once.
    async fn answer(&mut self) -> Result<T, PoolError> {
        let result = (&mut self.answer).await;
        self.is_answered = true;
        // The sender is dropped unsent only if the job's captures panic while they are dropped.
        result.unwrap_or(Err(PoolError::Panicked))
    }

    fn has_begun(&self) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Whether it was in time: no thread had begun, and none will.
    fn take_back(&mut self) -> bool {
        take(&self.waiting).is_some()
    }
}

impl<T> Drop for Queued<'_, T> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let late = self.checkpoint.check();
        self.checkpoint.cancel();
        if self.take_back() {
            count_stopped(late.err().unwrap_or(Stopped::Cancelled));
        }
    }
}

fn count_stopped(stopped: Stopped) {
    let reason = match stopped {
        Stopped::Deadline => "deadline",
        Stopped::Cancelled => "cancelled",
    };
    counter!("copydesk_engine_stopped_total", "reason" => reason).increment(1);
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

/// The jobs that wait for a thread and would rather be refused than wait for long.
#[derive(Default)]
struct Line(Mutex<Length>);

#[derive(Default)]
struct Length {
    jobs: usize,
    /// When the first of them came to an empty line; none while it is empty.
    since: Option<Instant>,
    /// When somebody was refused last.
    refused: Option<Instant>,
}

impl Line {
    fn length(&self) -> MutexGuard<'_, Length> {
        // What is in it is whole at every moment, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(line: &Arc<Self>) -> Place {
        let mut length = line.length();
        length.jobs += 1;
        length.since.get_or_insert_with(Instant::now);
        Place(Arc::clone(line))
    }

    /// Whether this is no burst: there has been somebody in it for longer, or to refuse some is all
    /// that has made it shorter.
    fn is_standing(&self, burst: Duration) -> bool {
        let Length { since, refused, .. } = *self.length();
        since.is_some_and(|since| since.elapsed() > burst)
            || refused.is_some_and(|refused| refused.elapsed() < burst)
    }

    fn note_refusal(&self) {
        self.length().refused = Some(Instant::now());
    }
}

/// One job's in the line, for as long as it lives.
struct Place(Arc<Line>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut length = self.0.length();
        length.jobs -= 1;
        if length.jobs == 0 {
            length.since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    /// A pool of one thread that is busy until the sender is dropped.
    async fn busy_pool(max_wait: Duration) -> (Arc<EnginePool>, mpsc::Sender<()>) {
        let pool = Arc::new(EnginePool::new(1, max_wait).unwrap());
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
        let pool = EnginePool::new(2, LONG).unwrap();
        assert_eq!(pool.run(&Checkpoint::default(), || Ok(7)).await, Ok(7));
        let stopped = pool.run(&Checkpoint::default(), || Err::<(), _>(Stopped::Deadline)).await;
        assert_eq!(stopped, Err(PoolError::Stopped(Stopped::Deadline)));
    }

    #[tokio::test]
    async fn a_burst_waits_and_who_comes_to_a_standing_line_is_refused_soon() {
        let max_wait = Duration::from_millis(20);
        let (pool, release) = busy_pool(max_wait).await;
        let job = || {
            let (pool, begun) = (Arc::clone(&pool), Instant::now());
            tokio::spawn(async move { (pool.run(&Checkpoint::default(), || Ok(())).await, begun.elapsed()) })
        };
        let mut line = Vec::new();
        while line.len() < 40 {
            line.push(job());
            tokio::time::sleep(max_wait / 2).await;
        }
        let (last, first) = (line.pop().unwrap().await.unwrap(), line.remove(0).await.unwrap());
        assert_eq!((first.0, last.0), (Err(PoolError::Overloaded), Err(PoolError::Overloaded)));
        assert!(first.1 >= BURST * max_wait && last.1 < 5 * max_wait, "{:?} {:?}", first.1, last.1);
        for one in line {
            assert_eq!(one.await.unwrap().0, Err(PoolError::Overloaded));
        }
        // The next burst may wait again.
        tokio::time::sleep((BURST + 1) * max_wait).await;
        let next = job();
        tokio::time::sleep(3 * max_wait).await;
        assert!(!next.is_finished());
        drop(release);
        assert_eq!(next.await.unwrap().0, Ok(()));
    }

    #[tokio::test]
    async fn a_job_that_runs_for_long_is_not_refused() {
        let pool = EnginePool::new(1, Duration::from_millis(1)).unwrap();
        let long = || {
            std::thread::sleep(Duration::from_millis(50));
            Ok(1)
        };
        assert_eq!(pool.run(&Checkpoint::default(), long).await, Ok(1));
    }

    #[tokio::test]
    async fn patient_callers_wait_and_leave_places_for_the_others() {
        let (pool, release) = busy_pool(LONG).await;
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
    async fn a_job_whose_caller_has_gone_is_let_go_of_and_not_computed() {
        let (pool, release) = busy_pool(LONG).await;
        let (computed, document) = (Arc::new(AtomicBool::new(false)), Arc::new(()));
        let (seen, held) = (Arc::clone(&computed), Arc::clone(&document));
        let checkpoint = Checkpoint::default();
        let job = pool.run(&checkpoint, move || {
            seen.store(true, Ordering::SeqCst);
            drop(held);
            Ok(())
        });
        assert!(timeout(Duration::from_millis(10), job).await.is_err());
        assert_eq!(checkpoint.check(), Err(Stopped::Cancelled));
        assert_eq!(Arc::strong_count(&document), 1);
        drop(release);
        assert_eq!(pool.run_patiently(&Checkpoint::default(), || Ok(())).await, Ok(()));
        assert!(!computed.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_deadline_that_passes_in_the_queue_is_answered_in_time() {
        let (pool, _release) = busy_pool(LONG).await;
        let checkpoint = Checkpoint::until(Some(Instant::now() + Duration::from_millis(10)));
        let late = pool.run(&checkpoint, || Ok(())).await;
        assert_eq!(late, Err(PoolError::Stopped(Stopped::Deadline)));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_the_thread_lives_on() {
        let pool = EnginePool::new(1, LONG).unwrap();
        let failed = pool.run::<()>(&Checkpoint::default(), || panic!("a bug")).await;
        assert_eq!(failed, Err(PoolError::Panicked));
        assert_eq!(pool.run_patiently(&Checkpoint::default(), || Ok(1)).await, Ok(1));
    }
}
