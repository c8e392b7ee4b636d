//! Work on many records at once.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Records that each thread has at hand; bounds what is in memory.
const CHUNK_PER_THREAD: usize = 8;

/// So many threads; one on each core for 0.
pub fn threads(jobs: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(jobs).stack_size(16 << 20).build()
}

/// What `work` makes of each item, in the order of the items.
pub fn in_order<T: Send, R: Send>(
    threads: &ThreadPool,
    mut items: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
) -> impl Iterator<Item = R> {
    let size = threads.current_num_threads() * CHUNK_PER_THREAD;
    let chunks = std::iter::from_fn(move || {
        let chunk: Vec<_> = items.by_ref().take(size).collect();
        let work = || chunk.into_par_iter().map(&work).collect::<Vec<_>>();
        let results = threads.install(work);
        (!results.is_empty()).then_some(results)
    });
    chunks.flatten()
}
