//! What is read from files and may change while the server runs: taxonomies and certificates.
//!
//! What follows a change takes the new for the old at once; calls and connections in flight keep
//! what they began with. Files that are wrong change nothing.

use std::fs::File;
use std::future::pending;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use metrics::counter;
use sha2::{Digest, Sha256};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The largest file that [`read_file`] reads.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// A file that has not changed for so long is written whole.
const SETTLING_TIME: Duration = Duration::from_millis(100);

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Unreadable {
    path: PathBuf,
    source: io::Error,
}

/// The whole file.
///
/// # Errors
/// Where the system gives none, or one of more than 4 MiB.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    let read = match read {
        Ok(size) if size as u64 > MAX_FILE_BYTES => Err(io::ErrorKind::FileTooLarge.into()),
        read => read,
    };
    read.map(|_| bytes).map_err(|source| Unreadable { path: path.to_owned(), source })
}

/// Something that is read from files.
pub struct Source<T> {
    /// What the log and the metric call it, in the plural: "certificates".
    pub name: &'static str,
    /// What is looked at for a change.
    pub files: Vec<PathBuf>,
    /// Reads and checks all of it, or says what is wrong.
    pub read: Box<dyn Fn() -> Result<T, String> + Send + Sync>,
}

impl<T: Send + Sync + 'static> Source<T> {
    /// Reads now, and again whenever SIGHUP comes or, every `check`, the files have changed. The
    /// receiver has what was read last and was right; without receivers nothing is followed.
    ///
    /// # Errors
    /// If the files are wrong now, or the system does not deliver signals.
    pub fn follow(self, check: Option<Duration>) -> Result<watch::Receiver<Arc<T>>, String> {
        let mut hangup = signal(SignalKind::hangup()).map_err(|error| error.to_string())?;
        // Before they are read, so that no change in between is missed.
        let seen = digests(&self.files);
        let (current, receiver) = watch::channel(Arc::new((self.read)()?));
        let mut followed = Followed { source: self, seen, current };
        tokio::spawn(async move {
            let mut checks = check.map(interval);
            if let Some(checks) = &mut checks {
                checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            }
            loop {
                let asked = tokio::select! {
                    Some(()) = hangup.recv() => true,
                    () = tick(&mut checks) => false,
                    () = followed.current.closed() => return,
                };
                let looked = spawn_blocking(move || {
                    followed.look(asked);
                    followed
                });
                // Nothing in there panics.
                let Ok(back) = looked.await else { return };
                followed = back;
            }
        });
        Ok(receiver)
    }
}

async fn tick(checks: &mut Option<Interval>) {
    match checks {
        Some(checks) => drop(checks.tick().await),
        None => pending().await,
    }
}

type Digests = Vec<Option<[u8; 32]>>;

/// A source with what came of it.
struct Followed<T> {
    source: Source<T>,
    seen: Digests,
    current: watch::Sender<Arc<T>>,
}

impl<T> Followed<T> {
    /// Reads the files again if that was asked for or they have changed.
    fn look(&mut self, asked: bool) {
        let found = digests(&self.source.files);
        if found == self.seen && !asked {
            return;
        }
        // Who asks is done with writing; others may be in the middle of it.
        self.seen = if asked { found } else { settled(&self.source.files, found) };
        let name = self.source.name;
        let read = catch_unwind(AssertUnwindSafe(|| (self.source.read)()));
        let outcome = match read.unwrap_or_else(|_| Err("a bug; the log has its place".to_owned())) {
            Ok(read) => {
                self.current.send_replace(Arc::new(read));
                tracing::info!("the {name} were read again");
                "taken"
            }
            Err(error) => {
                tracing::error!(error, "the {name} stay as they were: their files are wrong");
                "refused"
            }
        };
        counter!("copydesk_reloads_total", "files" => name, "outcome" => outcome).increment(1);
    }
}

/// The digests once the files hold still, or after a second.
fn settled(files: &[PathBuf], mut found: Digests) -> Digests {
    for _ in 0..10 {
        sleep(SETTLING_TIME);
        let again = digests(files);
        if again == found {
            break;
        }
        found = again;
    }
    found
}

/// One for each file, none where it cannot be read. Contents are compared and not times, since
/// Kubernetes exchanges files by exchanging a link to their folder.
fn digests(files: &[PathBuf]) -> Digests {
    files.iter().map(|file| read_file(file).ok().map(|bytes| Sha256::digest(bytes).into())).collect()
}
