//! The store in a PostgreSQL database, for any number of replicas.
//!
//! Each replica writes through one task that owns a connection and commits what has gathered
//! meanwhile in one transaction ([`writer`]); what two replicas do at once is decided by locks on
//! rows and by unique keys. Reads have a pool of connections, see the last commit and wait for no
//! write.
//!
//! Every wait is bounded: for a connection, for a statement (by the server, and where that is
//! silent by the client), for a lock.

mod session;
mod text;
mod writer;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnection, PgDatabaseError, PgPool, PgPoolOptions, PgRow};
use sqlx::{Connection, Executor, FromRow, Postgres, QueryBuilder};
use tokio::time::timeout;

pub use self::session::PostgresUrl;
use self::session::{Session, is_lost};
use self::writer::PostgresWriter;
use super::change::not_found;
use super::columns::{DocumentRow, TermRow, terms_of};
use super::listing::{self, Wanted};
use super::queue::Queue;
use super::transfer::{Record, Transfer};
use super::{
    Cursor, Filter, Ingested, MAX_PAGE, NewDocument, PAGE_BYTES, Page, PoolUsage, REQUEST_ID_RETENTION,
    Store, StoreError, StoredDocument, Usage, View,
};

/// How many documents are taken out at once.
const EXPORT_BATCH: i64 = 64;

const BASIC_COLUMNS: &str = "d.seq, d.corpus, d.document_id, d.uid, d.revision, d.content_hash, \
     d.create_time, d.update_time, d.basics";
const BODY_COLUMNS: &str = "b.content, b.text, b.body";

/// How a PostgreSQL store works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Connections at most: one for writing, one for checks, the others for reading. At least 3.
    pub connections: u32,
    /// How long a free or a new connection is waited for.
    pub wait: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// Whether replicas that start at once take turns at bringing the schema up to date, by an
    /// advisory lock; a database that has none needs them to start one after another.
    pub migration_lock: bool,
    /// Bytes of documents that may wait for the writer; whoever brings more waits too.
    pub queue_bytes: usize,
    /// Bytes of documents after which a transaction takes no more of them.
    pub group_bytes: usize,
    /// How long request ids are remembered at least.
    pub request_id_retention: Duration,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 8,
            wait: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            migration_lock: true,
            queue_bytes: 64 << 20,
            group_bytes: 4 << 20,
            request_id_retention: REQUEST_ID_RETENTION,
        }
    }
}

/// Documents in a PostgreSQL database.
pub struct PostgresStore {
    readers: PgPool,
    /// Reads that wait for a connection.
    waiting: Arc<AtomicUsize>,
    /// Checks have a connection of their own: clients may keep all readers busy. None while it is in
    /// use, and after it was lost.
    checker: Mutex<Option<PgConnection>>,
    session: Session,
    /// How often a read that lost its connection is tried: every idle one may be stale.
    read_attempts: u32,
    queue: Queue,
}

impl PostgresStore {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the database cannot be reached or does not let this user
    /// in, [`StoreError::Internal`] where it has tables of another program or of a newer version
    /// of this one. The message names the database, never a password, and what to do.
    pub async fn open(url: &PostgresUrl, options: PostgresOptions) -> Result<Self, StoreError> {
        let session = Session::new(url, &options)?;
        migrate(&session, &options).await.map_err(|error| named(url, error))?;

        let readers = options.connections.saturating_sub(2).max(1);
        let reading = session.clone();
        let pool = PgPoolOptions::new()
            .max_connections(readers)
            .acquire_timeout(options.wait)
            .test_before_acquire(false)
            .after_connect(move |connection, _| {
                let session = reading.clone();
                Box::pin(async move { session.prepare(connection).await })
            })
            .connect_lazy_with(session.connect.clone());
        let writer = PostgresWriter::new(session.clone(), options.request_id_retention);
        let queue = Queue::start(writer, options.queue_bytes, options.group_bytes);
        Ok(Self {
            readers: pool,
            waiting: Arc::default(),
            checker: Mutex::default(),
            session,
            read_attempts: readers + 1,
            queue,
        })
    }

    fn checker(&self) -> MutexGuard<'_, Option<PgConnection>> {
        self.checker.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Gives the connection back if the database answers on it and takes writes.
    async fn look(&self, mut connection: PgConnection) -> sqlx::Result<PgConnection> {
        let look = async {
            // Anew: it may have become a standby, which reads, but does not write.
            self.session.prepare(&mut connection).await?;
            connection.execute("SELECT seq FROM documents LIMIT 1").await?;
            Ok(connection)
        };
        timeout(self.session.statement_limit(), look).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// The rows of a query that changes nothing; tried again where its connection was lost.
    async fn rows<R>(
        &self,
        query: impl Fn() -> QueryBuilder<Postgres> + Send + 'static,
    ) -> Result<Vec<R>, StoreError>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static,
    {
        let (pool, waiting, attempts) = (self.readers.clone(), Arc::clone(&self.waiting), self.read_attempts);
        let limit = self.session.statement_limit();
        // In a task of its own, which ends in its time: a connection that is dropped amid a
        // query of a caller who has left would be waited for without bound before its next use.
        let reading = tokio::spawn(async move {
            for attempt in 1.. {
                waiting.fetch_add(1, Ordering::Relaxed);
                let connection = pool.acquire().await;
                waiting.fetch_sub(1, Ordering::Relaxed);
                let mut connection = connection?;
                let mut query = query();
                let query = query.build_query_as().fetch_all(&mut *connection);
                match timeout(limit, query).await {
                    Ok(Err(error)) if is_lost(&error) => {
                        drop(connection.detach());
                        if attempt == attempts {
                            return Err(error.into());
                        }
                    }
                    Ok(rows) => return Ok(rows?),
                    Err(_) => {
                        drop(connection.detach());
                        break;
                    }
                }
            }
            Err(StoreError::Unavailable("the database does not answer".into()))
        });
        reading.await.map_err(|error| StoreError::Internal(error.to_string()))?
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ingest(&self, documents: Vec<NewDocument>) -> Vec<Result<Ingested, StoreError>> {
        self.queue.ingest(documents).await
    }

    async fn get(&self, corpus: &str, document_id: &str, view: View) -> Result<StoredDocument, StoreError> {
        let (corpus_key, id_key) =
            (text::escape(corpus).into_owned(), text::escape(document_id).into_owned());
        let rows = self.rows::<DocumentRow>(move || {
            let mut query = select(view);
            query.push(" WHERE d.corpus = ").push_bind(corpus_key.clone());
            query.push(" AND d.document_id = ").push_bind(id_key.clone());
            query
        });
        let row = rows.await?.pop().ok_or_else(|| not_found(corpus, document_id))?;
        text::unescape_row(row).document()
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
        let (corpus, filter) = (text::escape(corpus).into_owned(), filter.clone());
        let rows = self.rows::<ListedRow>(move || list_query(&corpus, &filter, view, after, limit + 1));
        let rows = rows.await?;
        let found = rows.first().map_or(0, |row| row.found);
        let documents: Vec<_> = (rows.into_iter().take(limit))
            .map(|row| Ok((Cursor(row.document.seq), text::unescape_row(row.document).document()?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Page { more: found > documents.len() as i64, documents })
    }

    async fn delete(&self, corpus: &str, document_id: &str, etag: &str) -> Result<(), StoreError> {
        self.queue.delete(corpus, document_id, etag).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        let kept = self.checker().take();
        let kept = match kept {
            // Where it fails, it may have been stale.
            Some(connection) => self.look(connection).await.ok(),
            None => None,
        };
        let connection = match kept {
            Some(connection) => connection,
            None => self.look(self.session.connect().await?).await?,
        };
        *self.checker() = Some(connection);
        self.queue.check().await
    }

    fn usage(&self) -> Usage {
        let idle = self.readers.num_idle();
        let used = (self.readers.size() as usize).saturating_sub(idle);
        let waiting = self.waiting.load(Ordering::Relaxed);
        Usage { queued_bytes: self.queue.bytes(), pool: Some(PoolUsage { idle, used, waiting }) }
    }

    async fn close(&self) {
        // The database notices by itself that this one has gone.
        self.checker().take();
        tokio::join!(self.readers.close(), self.queue.close());
    }
}

#[async_trait]
impl Transfer for PostgresStore {
    async fn export(&self, after: Option<Cursor>) -> Result<Vec<(Cursor, Record)>, StoreError> {
        let after = after.map_or(0, |Cursor(seq)| seq);
        let rows = self.rows::<ExportedRow>(move || {
            let mut query = QueryBuilder::new("SELECT ");
            query.push(BASIC_COLUMNS).push(", ").push(BODY_COLUMNS);
            // One statement, so that documents and their terms belong together.
            query.push(
                ", ARRAY(SELECT t.kind FROM terms t WHERE t.seq = d.seq ORDER BY t.kind, t.term) AS kinds, \
                 ARRAY(SELECT t.term FROM terms t WHERE t.seq = d.seq ORDER BY t.kind, t.term) AS terms \
                 FROM documents d JOIN bodies b ON b.seq = d.seq WHERE d.seq > ",
            );
            query.push_bind(after).push(" ORDER BY d.seq LIMIT ").push_bind(EXPORT_BATCH);
            query
        });
        let record = |row: ExportedRow| {
            let terms = row.kinds.into_iter().zip(row.terms).map(|(kind, term)| TermRow { kind, term });
            let terms = terms_of(terms.collect());
            let cursor = Cursor(row.document.seq);
            Ok((cursor, Record { document: text::unescape_row(row.document).document()?, terms }))
        };
        rows.await?.into_iter().map(record).collect()
    }

    async fn import(&self, records: Vec<Record>) -> Vec<Result<(), StoreError>> {
        self.queue.restore(records).await
    }
}

/// A document of a listing.
#[derive(FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    document: DocumentRow,
    /// How many documents there were up to the limit, those left out for their size too.
    found: i64,
}

/// A document with its terms.
#[derive(FromRow)]
struct ExportedRow {
    #[sqlx(flatten)]
    document: DocumentRow,
    kinds: Vec<i16>,
    terms: Vec<String>,
}

/// Looks at a database, and makes the tables or changes them to what this version needs.
async fn migrate(session: &Session, options: &PostgresOptions) -> Result<(), StoreError> {
    let mut settings = session.connect().await?;
    let setting = async |connection: &mut PgConnection, name: &'static str| {
        sqlx::query_scalar::<_, String>("SELECT current_setting($1)").bind(name).fetch_one(connection).await
    };
    let encoding = setting(&mut settings, "server_encoding").await?;
    if !["UTF8", "UTF-8"].contains(&&*encoding.to_uppercase()) {
        return Err(StoreError::Internal(format!(
            "its encoding is {encoding}; create a database with the encoding UTF8"
        )));
    }
    if setting(&mut settings, "synchronous_commit").await? == "off" {
        tracing::warn!("synchronous_commit is off: the database loses documents when it crashes");
    }
    settings.close().await?;

    // By way of a pool, because the future of a migration of a connection is not Send. Without
    // limits of statements: another replica may be at it, and it may have much to do.
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(options.wait);
    let pool = pool.connect_with(session.connect.clone()).await?;
    let migrations = migrations(options.migration_lock);
    migrations.run(&pool).await.map_err(|error| migration_error(&migrations, error))?;
    pool.close().await;
    Ok(())
}

fn migrations(locking: bool) -> Migrator {
    let mut migrations = sqlx::migrate!("src/store/migrations/postgres");
    migrations.set_locking(locking);
    migrations
}

fn migration_error(migrations: &Migrator, error: MigrateError) -> StoreError {
    let newest = migrations.iter().map(|migration| migration.version).max().unwrap_or(0);
    match error {
        MigrateError::VersionMissing(version) => StoreError::Internal(format!(
            "it was written by a newer version (its schema is {version}, this version knows {newest}); upgrade"
        )),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            match error.as_database_error().and_then(|error| error.code()).as_deref() {
                Some(DUPLICATE_TABLE) => StoreError::Internal(
                    "it has tables of another program; name another database, or another schema by \
                     ?options=-csearch_path=NAME"
                        .to_owned(),
                ),
                _ => error.into(),
            }
        }
        error => StoreError::Internal(format!("its schema cannot be brought up to date: {error}")),
    }
}

/// An error with the database that it is about.
fn named(url: &PostgresUrl, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{url}: {why}")),
        StoreError::Internal(why) => StoreError::Internal(format!("{url}: {why}")),
        error => error,
    }
}

/// The start of a query for documents, up to its conditions.
fn select(view: View) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(BASIC_COLUMNS);
    match view {
        View::Basic => query.push(" FROM documents d"),
        View::Full => {
            query.push(", ").push(BODY_COLUMNS).push(" FROM documents d JOIN bodies b ON b.seq = d.seq")
        }
    };
    query
}

/// A page's documents. Full ones are left out after [`PAGE_BYTES`], before they are read.
fn list_query(
    corpus: &str,
    filter: &Filter,
    view: View,
    after: Option<Cursor>,
    limit: usize,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("WITH places AS (");
    push_places(&mut query, corpus, filter, after, limit);
    query.push(") SELECT ").push(BASIC_COLUMNS);
    match view {
        View::Basic => {
            query.push(", count(*) OVER () AS found FROM places JOIN documents d USING (seq)");
        }
        View::Full => {
            query.push(", ").push(BODY_COLUMNS).push(
                ", p.found FROM (SELECT seq, count(*) OVER () AS found, \
                 sum(octet_length(b.content) + octet_length(b.text)) \
                     OVER (ORDER BY seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before \
                 FROM places JOIN bodies b USING (seq)) p \
                 JOIN documents d USING (seq) JOIN bodies b USING (seq) WHERE coalesce(p.before, 0) < ",
            );
            query.push_bind(PAGE_BYTES as i64);
        }
    }
    query.push(" ORDER BY d.seq DESC");
    query
}

/// The places of the documents of a page, newest first.
fn push_places(
    query: &mut QueryBuilder<Postgres>,
    corpus: &str,
    filter: &Filter,
    after: Option<Cursor>,
    limit: usize,
) {
    let terms = listing::wanted(filter);
    query.push("SELECT d.seq FROM documents d");
    for Wanted { alias, .. } in &terms {
        query.push(format!(" JOIN terms {alias} ON {alias}.seq = d.seq"));
    }
    query.push(" WHERE ");
    listing::push_conditions(query, corpus, terms, filter, after, limit);
}

const DUPLICATE_TABLE: &str = "42P07";

/// What an error that the database reports means.
pub(super) fn explain(error: &PgDatabaseError) -> StoreError {
    // By class, the first two characters, or by the whole code.
    match (&error.code()[..2], error.code()) {
        ("40", _) => StoreError::Unavailable("other writes were in the way too often".into()),
        (_, "57014" | "55P03" | "25P03") => StoreError::Unavailable("the database takes too long".into()),
        // Connection, authorisation, no such database, read-only, resources, shutdown, its disk.
        ("08" | "28" | "3D" | "25" | "53" | "57" | "58", _) => {
            StoreError::Unavailable(format!("the database answers: {}", error.message()))
        }
        _ => StoreError::Internal(format!("{} (SQLSTATE {})", error.message(), error.code())),
    }
}
