//! The store in one SQLite file, for one process.
//!
//! All writes go through one task that owns the only writing connection and commits what has
//! gathered meanwhile in one transaction ([`writer`]); reads have connections of their own and
//! see the last commit. In WAL mode neither waits for the other.
//!
//! A page of a listing is read off the index in the order of the listing. Where a filter has no
//! index of its own (publisher, language, time), documents that do not match are passed over one
//! by one, about a microsecond each; so a filter that matches almost nothing walks the corpus.

mod file;
mod log;
mod writer;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, FromRow, QueryBuilder, Sqlite};

use self::file::OpenFile;
use self::writer::SqliteWriter;
use super::change::not_found;
use super::columns::{DocumentRow, TermRow, terms_of};
use super::listing::{self, Wanted};
use super::queue::Queue;
use super::transfer::{Record, Transfer};
use super::{
    Cursor, Filter, Ingested, MAX_PAGE, NewDocument, PAGE_BYTES, Page, REQUEST_ID_RETENTION, Store,
    StoreError, StoredDocument, Usage, View,
};

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// What the first migration writes into the file's header.
const APPLICATION_ID: i64 = 0x6370_646b;

/// How many documents are taken out at once.
const EXPORT_BATCH: i64 = 64;

const BASIC_COLUMNS: &str = "d.seq, d.corpus, d.document_id, d.uid, d.revision, d.content_hash, \
     d.create_time, d.update_time, d.basics";
const FULL_COLUMNS: &str = "d.seq, d.corpus, d.document_id, d.uid, d.revision, d.content_hash, \
     d.create_time, d.update_time, d.basics, b.content, b.text, b.body";
const BASIC_TABLES: &str = "documents d";
const FULL_TABLES: &str = "documents d JOIN bodies b ON b.seq = d.seq";

/// How a SQLite store works.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Connections for reading.
    pub readers: u32,
    /// How long a lock that another process holds on the file, or a free connection for
    /// reading, is waited for.
    pub busy_timeout: Duration,
    /// Bytes of documents that may wait for the writer; whoever brings more waits too.
    pub queue_bytes: usize,
    /// Bytes of documents after which a transaction takes no more of them.
    pub group_bytes: usize,
    /// How long request ids are remembered at least.
    pub request_id_retention: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            busy_timeout: Duration::from_secs(5),
            queue_bytes: 64 << 20,
            group_bytes: 4 << 20,
            request_id_retention: REQUEST_ID_RETENTION,
        }
    }
}

/// Documents in one SQLite file.
pub struct SqliteStore {
    readers: SqlitePool,
    /// Looks whether the file can be read, also while clients keep all readers busy.
    checker: SqlitePool,
    queue: Queue,
    file: OpenFile,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the file cannot be opened for writing,
    /// [`StoreError::Internal`] where it is damaged, belongs to another program or to a newer
    /// version of this one. The message names the file and what to do.
    pub async fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let file = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(options.busy_timeout)
            .disable_statement_logging();
        inspect(path, &file).await?;
        let writing = (file.clone())
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // 32 MiB, in which the upper pages of all indexes stay.
            .pragma("cache_size", "-32768")
            // Savepoints keep what they may have to undo in memory, not in a file.
            .pragma("temp_store", "MEMORY")
            // 16 MiB of log before it is written back: pages that change often are then
            // written back less often.
            .pragma("wal_autocheckpoint", "4000")
            .pragma("journal_size_limit", "67108864");
        // By way of a pool, because the future of a migration of a connection is not Send.
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(writing.clone()).await;
        let pool = pool.map_err(|error| open_error(path, &error))?;
        MIGRATIONS.run(&pool).await.map_err(|error| migration_error(path, error))?;
        let connection = pool.acquire().await?.detach();

        let reading = file.create_if_missing(false).read_only(true);
        let pool = async |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.busy_timeout)
                .test_before_acquire(false)
                .connect_with(reading.clone())
                .await
                .map_err(|error| open_error(path, &error))
        };
        let (readers, checker) = (pool(options.readers).await?, pool(1).await?);

        let open = OpenFile::at(path).map_err(|error| open_error(path, &error.into()))?;
        let writing = writing.create_if_missing(false);
        let writer = SqliteWriter::new(connection, writing, open.clone(), options.request_id_retention);
        let queue = Queue::start(writer, options.queue_bytes, options.group_bytes);
        Ok(Self { readers, checker, queue, file: open })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn ingest(&self, documents: Vec<NewDocument>) -> Vec<Result<Ingested, StoreError>> {
        self.queue.ingest(documents).await
    }

    async fn get(&self, corpus: &str, document_id: &str, view: View) -> Result<StoredDocument, StoreError> {
        let mut query = select(view, &[]);
        query.push(" WHERE d.corpus = ").push_bind(corpus);
        query.push(" AND d.document_id = ").push_bind(document_id);
        let row = query.build().fetch_optional(&self.readers).await?;
        let row = row.ok_or_else(|| not_found(corpus, document_id))?;
        DocumentRow::from_row(&row)?.document()
    }

    async fn list(
        &self,
        corpus: &str,
        filter: &Filter,
        view: View,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let mut query = list_query(corpus, filter, view, after, limit + 1);
        let mut rows = query.build().fetch(&self.readers);
        let mut page = Page::default();
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await? {
            if page.documents.len() == limit || bytes >= PAGE_BYTES {
                page.more = true;
                break;
            }
            let row = DocumentRow::from_row(&row)?;
            bytes += row.body_len();
            page.documents.push((Cursor(row.seq), row.document()?));
        }
        Ok(page)
    }

    async fn delete(&self, corpus: &str, document_id: &str, etag: &str) -> Result<(), StoreError> {
        self.queue.delete(corpus, document_id, etag).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.file.check()?;
        sqlx::query("SELECT seq FROM documents LIMIT 1").fetch_optional(&self.checker).await?;
        self.queue.check().await
    }

    fn usage(&self) -> Usage {
        Usage { queued_bytes: self.queue.bytes(), pool: None }
    }

    async fn close(&self) {
        // Readers first, so that the writer can write all of the log back.
        tokio::join!(self.readers.close(), self.checker.close());
        self.queue.close().await;
    }
}

#[async_trait]
impl Transfer for SqliteStore {
    async fn export(&self, after: Option<Cursor>) -> Result<Vec<(Cursor, Record)>, StoreError> {
        // One transaction, so that documents and their terms belong together.
        let mut snapshot = self.readers.begin().await?;
        let mut query = select(View::Full, &[]);
        query.push(" WHERE d.seq > ").push_bind(after.map_or(0, |Cursor(seq)| seq));
        query.push(" ORDER BY d.seq LIMIT ").push_bind(EXPORT_BATCH);
        let rows: Vec<DocumentRow> = query.build_query_as().fetch_all(&mut *snapshot).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let terms: Vec<TermRow> =
                sqlx::query_as("SELECT kind, term FROM terms WHERE seq = $1 ORDER BY kind, term")
                    .bind(row.seq)
                    .fetch_all(&mut *snapshot)
                    .await?;
            records.push((Cursor(row.seq), Record { document: row.document()?, terms: terms_of(terms) }));
        }
        Ok(records)
    }

    async fn import(&self, records: Vec<Record>) -> Vec<Result<(), StoreError>> {
        self.queue.restore(records).await
    }
}

/// Looks at a file before anything is changed in it.
async fn inspect(path: &Path, file: &SqliteConnectOptions) -> Result<(), StoreError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if !directory.is_dir() {
        return Err(StoreError::Unavailable(format!(
            "{}: there is no directory {}; create it first",
            path.display(),
            directory.display()
        )));
    }
    let header = async {
        let mut connection = file.connect().await?;
        let owner: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
        let tables: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name NOT LIKE '%sqlx_migrations%'")
                .fetch_one(&mut connection)
                .await?;
        connection.close().await?;
        Ok((owner, tables))
    };
    let (owner, tables) = header.await.map_err(|error| open_error(path, &error))?;
    if owner != APPLICATION_ID && (owner != 0 || tables > 0) {
        return Err(StoreError::Internal(format!(
            "{} is the database of another program; name another file for the store",
            path.display()
        )));
    }
    Ok(())
}

fn open_error(path: &Path, error: &sqlx::Error) -> StoreError {
    let path = path.display();
    match primary_code(error) {
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => StoreError::Internal(format!(
            "{path} is damaged or not a store at all ({error}); restore it from a backup, or name another file"
        )),
        Some(SQLITE_BUSY | SQLITE_LOCKED) => StoreError::Unavailable(format!(
            "{path} is held by another process; end that one, or name another file"
        )),
        _ => StoreError::Unavailable(format!(
            "{path} cannot be opened for reading and writing ({error}); it has to be a file on a disk with \
             free space, and this user has to be allowed to write to it and to its directory"
        )),
    }
}

fn migration_error(path: &Path, error: MigrateError) -> StoreError {
    let path = path.display();
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    match error {
        MigrateError::VersionMissing(version) => StoreError::Internal(format!(
            "{path} was written by a newer version (its schema is {version}, this version knows {newest}); \
             upgrade, or restore the backup made before the upgrade"
        )),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            open_error(Path::new(&path.to_string()), &error)
        }
        error => StoreError::Internal(format!("{path}: its schema cannot be brought up to date: {error}")),
    }
}

/// The start of a query for documents, up to its conditions. With terms it begins at these, so
/// that the documents about a rare one are found without a walk through the corpus.
fn select(view: View, terms: &[Wanted]) -> QueryBuilder<Sqlite> {
    let (columns, tables) = match view {
        View::Basic => (BASIC_COLUMNS, BASIC_TABLES),
        View::Full => (FULL_COLUMNS, FULL_TABLES),
    };
    let mut query = QueryBuilder::new("SELECT ");
    query.push(columns).push(" FROM ");
    for term in terms {
        // CROSS JOIN keeps the order in which the tables are written.
        query.push("terms ").push(term.alias).push(" CROSS JOIN ");
    }
    query.push(tables);
    query
}

fn list_query(
    corpus: &str,
    filter: &Filter,
    view: View,
    after: Option<Cursor>,
    limit: usize,
) -> QueryBuilder<Sqlite> {
    let terms = listing::wanted(filter);
    let order = listing::order(&terms);
    let mut query = select(view, &terms);
    query.push(" WHERE ");
    for Wanted { alias, .. } in &terms {
        query.push(format!("d.seq = {alias}.seq AND {alias}.seq = {order}.seq AND "));
    }
    listing::push_conditions(&mut query, corpus, terms, filter, after, limit);
    query
}

// SQLite's primary result codes.
const SQLITE_BUSY: i32 = 5;
const SQLITE_LOCKED: i32 = 6;
const SQLITE_READONLY: i32 = 8;
const SQLITE_IOERR: i32 = 10;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_NOTADB: i32 = 26;

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What an error of SQLite means.
pub(super) fn explain(error: &sqlx::Error) -> StoreError {
    match primary_code(error) {
        Some(SQLITE_BUSY | SQLITE_LOCKED) => StoreError::Unavailable("another process holds the file".into()),
        Some(SQLITE_FULL) => StoreError::Unavailable("the disk is full".into()),
        Some(SQLITE_READONLY | SQLITE_IOERR | SQLITE_CANTOPEN) => {
            StoreError::Unavailable(format!("the file cannot be read or written: {error}"))
        }
        _ => StoreError::Internal(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_whose_readers_are_all_busy_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let options =
            SqliteOptions { readers: 2, busy_timeout: Duration::from_millis(100), ..Default::default() };
        let store = SqliteStore::open(&directory.path().join("documents.db"), options).await.unwrap();
        let busy = [store.readers.acquire().await.unwrap(), store.readers.acquire().await.unwrap()];
        store.check().await.unwrap();
        drop(busy);
        store.close().await;
    }
}
