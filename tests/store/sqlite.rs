//! SQLite: how the suite opens it, and what is its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use copydesk::store::sqlite::{SqliteOptions, SqliteStore};
use copydesk::store::transfer::Transfer;
use copydesk::store::{Outcome, Store, StoreError, View};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::behaviour::{Place, document, ingest};

/// A file in a directory of its own that goes away with it.
pub struct File(tempfile::TempDir);

impl File {
    pub fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("documents.db")
    }

    /// A connection of some other program.
    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).create_if_missing(true).connect().await.unwrap()
    }

    async fn open_error(&self) -> StoreError {
        SqliteStore::open(&self.path(), SqliteOptions::default()).await.err().expect("it must not open")
    }
}

impl Place for File {
    async fn new() -> Option<Self> {
        Some(Self::empty())
    }

    async fn transfer(&self) -> Arc<dyn Transfer> {
        Arc::new(SqliteStore::open(&self.path(), SqliteOptions::default()).await.unwrap())
    }
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    let file = File::empty();
    std::fs::write(file.path(), "Dear diary, ".repeat(1000)).unwrap();
    let error = file.open_error().await;
    assert!(matches!(error, StoreError::Internal(_)));
    assert!(error.to_string().contains("documents.db is damaged"), "{error}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "Dear diary, ".repeat(1000));
}

#[tokio::test]
async fn the_file_of_another_program_is_left_alone() {
    let file = File::empty();
    let mut other = file.connect().await;
    sqlx::query("CREATE TABLE recipes (name TEXT)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(file.path()).unwrap();
    let error = file.open_error().await;
    assert!(error.to_string().contains("documents.db is the database of another program"), "{error}");
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
}

#[tokio::test]
async fn the_file_of_a_newer_version_is_refused() {
    let file = File::empty();
    file.open().await.close().await;
    let mut newer = file.connect().await;
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', CURRENT_TIMESTAMP, TRUE, x'00', 1)")
        .execute(&mut newer)
        .await
        .unwrap();
    newer.close().await.unwrap();
    let error = file.open_error().await;
    assert!(error.to_string().contains("documents.db was written by a newer version"), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let open = async |path: &str| {
        SqliteStore::open(path.as_ref(), SqliteOptions::default()).await.err().expect("it must not open")
    };
    let error = open("/there/is/no/such.db").await;
    assert!(error.to_string().contains("there is no directory /there/is/no"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let error = open(directory.path().to_str().unwrap()).await;
    assert!(error.to_string().contains("cannot be opened for reading and writing"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_taken_away_takes_no_documents_until_it_is_back() {
    let file = File::empty();
    let store = file.open().await;
    ingest(&*store, document("a", "1")).await.unwrap();
    let elsewhere = file.path().with_extension("moved");
    std::fs::rename(file.path(), &elsewhere).unwrap();
    let error = store.check().await.unwrap_err();
    assert!(error.to_string().contains("documents.db was deleted, moved or replaced"), "{error}");
    let refused = ingest(&*store, document("b", "1")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(!file.path().exists());

    std::fs::rename(&elsewhere, file.path()).unwrap();
    store.check().await.unwrap();
    ingest(&*store, document("b", "1")).await.unwrap();
    store.get("news", "a", View::Full).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_is_one_file() {
    let file = File::empty();
    let store = file.open().await;
    ingest(&*store, document("a", "1")).await.unwrap();
    store.get("news", "a", View::Full).await.unwrap();
    store.close().await;
    let names: Vec<_> =
        std::fs::read_dir(file.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["documents.db"]);
}

/// A trigger makes one document fail and, at the commit, a whole transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_takes_no_other_with_it_but_its_transaction() {
    let file = File::empty();
    let store = file.open().await;
    let mut other = file.connect().await;
    sqlx::query(
        "CREATE TABLE parents (id INTEGER PRIMARY KEY);
         CREATE TABLE children (id INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER bad AFTER INSERT ON bodies WHEN (SELECT document_id FROM documents WHERE seq = NEW.seq) = 'bad'
         BEGIN SELECT RAISE(ABORT, 'bad'); END;
         CREATE TRIGGER worse AFTER INSERT ON documents WHEN NEW.document_id = 'worse'
         BEGIN INSERT INTO children VALUES (1); END",
    )
    .execute(&mut other)
    .await
    .unwrap();

    let results = store.ingest(vec![document("a", "1"), document("bad", "1"), document("b", "1")]).await;
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(&results[1], Err(StoreError::Internal(_))), "{:?}", results[1]);
    assert!(matches!(store.get("news", "bad", View::Basic).await, Err(StoreError::NotFound { .. })));
    store.check().await.unwrap();

    let results = store.ingest(vec![document("c", "1"), document("worse", "1")]).await;
    assert!(results.iter().all(|result| matches!(result, Err(StoreError::Unavailable(_)))), "{results:?}");
    assert!(matches!(store.get("news", "c", View::Basic).await, Err(StoreError::NotFound { .. })));
    store.check().await.unwrap();
    assert_eq!(ingest(&*store, document("c", "1")).await.unwrap().outcome, Outcome::Created);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_another_process_is_waited_for_and_then_reported() {
    let file = File::empty();
    let options = SqliteOptions { busy_timeout: Duration::from_millis(300), ..SqliteOptions::default() };
    let store = SqliteStore::open(&file.path(), options).await.unwrap();
    let mut other = file.connect().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = ingest(&store, document("a", "1")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(_)));
    assert!(!error.to_string().contains("database is locked"), "{error}");
    assert!(store.check().await.is_err());
    assert!(matches!(store.get("news", "a", View::Basic).await, Err(StoreError::NotFound { .. })));

    let waiting = async { ingest(&store, document("a", "1")).await.unwrap() };
    let releasing = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    };
    assert_eq!(tokio::join!(waiting, releasing).0.outcome, Outcome::Created);
    store.check().await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_makes_callers_wait() {
    let file = File::empty();
    let options = SqliteOptions { queue_bytes: 4096, group_bytes: 1, ..SqliteOptions::default() };
    let store = Arc::new(SqliteStore::open(&file.path(), options).await.unwrap());
    let mut large = document("large", "1");
    large.article.text = "long ".repeat(100_000);
    let writers = (0..20).map(|number| {
        let (store, new) = (Arc::clone(&store), document(&format!("{number}"), "1"));
        tokio::spawn(async move { ingest(&*store, new).await.unwrap() })
    });
    let writers: Vec<_> = writers.collect();
    ingest(&*store, large).await.unwrap();
    for writer in writers {
        assert_eq!(writer.await.unwrap().outcome, Outcome::Created);
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_ids_are_forgotten_after_their_time() {
    let file = File::empty();
    let options = SqliteOptions { request_id_retention: Duration::ZERO, ..SqliteOptions::default() };
    let store = SqliteStore::open(&file.path(), options).await.unwrap();
    let mut new = document("a", "1");
    new.request_id = "r".into();
    ingest(&store, new).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    ingest(&store, document("b", "1")).await.unwrap();
    let mut other = document("c", "1");
    other.request_id = "r".into();
    assert_eq!(ingest(&store, other).await.unwrap().outcome, Outcome::Created);
    store.close().await;
}
