//! Writes SQLite's log back into the file beside the writer.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::writer::execute;

/// Between two times: long enough for a page that changes often to change a few times.
const PAUSE: Duration = Duration::from_millis(100);

/// A task that writes back what was committed, on a connection of its own.
///
/// SQLite does it alone, but within the commit that finds the log long, and the larger the file the
/// more pages it then has to write while documents wait. It still does where this task is behind,
/// which bounds the log, and finds little left to write where it is not.
pub(super) struct WriteBack {
    commits: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl WriteBack {
    pub(super) fn start(connect: SqliteConnectOptions) -> Self {
        let (commits, committed) = mpsc::channel(1);
        Self { commits, task: tokio::spawn(write_back(connect, committed)) }
    }

    /// Tells that there is something to write back.
    pub(super) fn committed(&self) {
        // Full: it has been told already.
        let _ = self.commits.try_send(());
    }

    /// Waits until the task has left the file.
    pub(super) async fn finish(self) {
        drop(self.commits);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the task that writes the store's log back failed");
        }
    }
}

async fn write_back(connect: SqliteConnectOptions, mut committed: mpsc::Receiver<()>) {
    let mut connection = None;
    while committed.recv().await.is_some() {
        if let Err(error) = write_back_once(&connect, &mut connection).await {
            connection = None;
            tracing::debug!(%error, "the store's log was not written back beside the writer");
        }
        tokio::time::sleep(PAUSE).await;
    }
    if let Some(connection) = connection {
        // Nothing hangs on it: the writer writes back what is left.
        let _ = connection.close().await;
    }
}

async fn write_back_once(
    connect: &SqliteConnectOptions,
    connection: &mut Option<SqliteConnection>,
) -> sqlx::Result<()> {
    let connection = match connection {
        Some(connection) => connection,
        none => none.insert(connect.connect().await?),
    };
    // Waits for nobody, and nobody waits for it.
    execute(connection, "PRAGMA wal_checkpoint(PASSIVE)").await
}
