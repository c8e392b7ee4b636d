//! The one task that writes.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Connection, FromRow, Row};

use super::file::OpenFile;
use super::log::WriteBack;
use super::select;
use crate::store::change::{Change, Entry, Prepared, Restored, Results, not_found, now, stored};
use crate::store::columns::{Columns, DocumentRow, EntryRow};
use crate::store::queue::Writer;
use crate::store::{Ingested, NewDocument, Outcome, StoreError, StoredDocument, View};

/// How often request ids are forgotten, and how many at once at most.
const PRUNE_INTERVAL: Duration = Duration::from_secs(1);
const PRUNE_BATCH: i64 = 10_000;

// Each of these is one call of several statements; `$n` means the same in all of them.
// The first writes nothing, and gives no row, where the document or the request is known.
const CREATE: &str = "SAVEPOINT document;
    INSERT INTO documents (corpus, document_id, uid, revision, content_hash, create_time, update_time,
        basics, publisher, language, published)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
        WHERE NOT EXISTS (SELECT 1 FROM requests WHERE corpus = $1 AND request_id = $16)
        ON CONFLICT (corpus, document_id) DO NOTHING;
    INSERT INTO bodies (seq, content, text, body)
        SELECT seq, $12, $13, $14 FROM documents WHERE corpus = $1 AND document_id = $2 AND uid = $3;
    INSERT INTO terms (corpus, kind, term, seq)
        SELECT $1, value ->> 0, value ->> 1, seq FROM documents, json_each($15)
        WHERE corpus = $1 AND document_id = $2 AND uid = $3;
    INSERT INTO requests (corpus, request_id, digest, seq, document_id, time)
        SELECT $1, $16, $17, seq, $2, $7 FROM documents
        WHERE corpus = $1 AND document_id = $2 AND uid = $3 AND $16 <> '';
    RELEASE document;
    SELECT seq FROM documents WHERE corpus = $1 AND document_id = $2 AND uid = $3";
const REVISE: &str = "SAVEPOINT document;
    UPDATE documents SET revision = $4, content_hash = $5, update_time = $7, basics = $8, publisher = $9,
        language = $10, published = $11 WHERE seq = $18;
    UPDATE bodies SET content = $12, text = $13, body = $14 WHERE seq = $18;
    DELETE FROM terms WHERE seq = $18;
    INSERT INTO terms (corpus, kind, term, seq) SELECT $1, value ->> 0, value ->> 1, $18 FROM json_each($15);
    INSERT INTO requests (corpus, request_id, digest, seq, document_id, time)
        SELECT $1, $16, $17, $18, $2, $7 WHERE $16 <> '';
    RELEASE document";
const REMEMBER: &str = "SAVEPOINT document;
    INSERT INTO requests (corpus, request_id, digest, seq, document_id, time) VALUES ($1, $2, $3, $4, $5, $6);
    RELEASE document";
const DELETE: &str = "SAVEPOINT document; DELETE FROM documents WHERE seq = $1; RELEASE document";
const FORGET: &str = "DELETE FROM requests WHERE (corpus, request_id) IN
    (SELECT corpus, request_id FROM requests WHERE time < $1 ORDER BY time LIMIT $2)";

pub(super) struct SqliteWriter {
    /// None after a transaction failed: the next one begins with a new connection.
    connection: Option<SqliteConnection>,
    connect: SqliteConnectOptions,
    file: OpenFile,
    write_back: WriteBack,
    request_id_retention: Duration,
    pruned: Instant,
}

impl SqliteWriter {
    pub(super) fn new(
        connection: SqliteConnection,
        connect: SqliteConnectOptions,
        file: OpenFile,
        request_id_retention: Duration,
    ) -> Self {
        let write_back = WriteBack::start(connect.clone());
        Self {
            connection: Some(connection),
            connect,
            file,
            write_back,
            request_id_retention,
            pruned: Instant::now(),
        }
    }

    async fn transaction(&mut self, changes: Vec<Change>) -> sqlx::Result<Results> {
        self.file.check()?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.connect.connect().await?),
        };
        execute(connection, "BEGIN IMMEDIATE").await?;
        let now = now();
        let mut results = Vec::with_capacity(changes.len());
        for change in changes {
            results.push(match apply(connection, change, now).await {
                Ok(ingested) => Ok(ingested),
                Err(Failure::Refused(error)) => Err(error),
                Err(Failure::Lost(error)) => return Err(error),
            });
        }
        if self.pruned.elapsed() >= PRUNE_INTERVAL {
            forget_requests(connection, now, self.request_id_retention).await?;
            self.pruned = Instant::now();
        }
        execute(connection, "COMMIT").await?;
        self.write_back.committed();
        Ok(results)
    }
}

#[async_trait]
impl Writer for SqliteWriter {
    async fn commit(&mut self, changes: Vec<Change>) -> Result<Results, StoreError> {
        self.transaction(changes).await.map_err(|error| {
            // Whatever state the connection is in: closing it undoes the transaction.
            self.connection = None;
            error.into()
        })
    }

    /// Leaves the file without a log beside it.
    async fn finish(mut self) {
        self.write_back.finish().await;
        if let Some(mut connection) = self.connection.take() {
            let written_back = execute(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)").await;
            if let Err(error) = written_back.and(connection.close().await) {
                tracing::warn!(%error, "the store's log was not written back; the next start does it");
            }
        }
    }
}

/// Why a change was not made.
enum Failure {
    /// This one alone; the transaction goes on.
    Refused(StoreError),
    /// The transaction is lost with everything in it.
    Lost(sqlx::Error),
}

impl<E: Into<StoreError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

async fn apply(
    connection: &mut SqliteConnection,
    change: Change,
    now: Timestamp,
) -> Result<Option<Ingested>, Failure> {
    match change {
        Change::Keep(prepared) => ingest(connection, *prepared, now).await.map(Some),
        Change::Restore(restored) => restore(connection, *restored).await.map(|()| None),
        Change::Delete { corpus, document_id, etag } => {
            delete(connection, &corpus, &document_id, &etag).await.map(|()| None)
        }
        Change::Probe => {
            execute(connection, "PRAGMA user_version = 0").await.map_err(Failure::Lost)?;
            Ok(None)
        }
    }
}

async fn ingest(
    connection: &mut SqliteConnection,
    prepared: Prepared,
    now: Timestamp,
) -> Result<Ingested, Failure> {
    let Prepared { document, columns } = prepared;
    // Most documents are new: trying that first takes one call, looking first takes three.
    if document.etag.is_empty() {
        let entry = Entry::new(now);
        if keep(connection, CREATE, &document, &columns, &entry).await?.is_some() {
            return Ok(Ingested { outcome: Outcome::Created, document: stored(document, entry) });
        }
    }
    if let Some(done) = done_before(connection, &document).await? {
        return Ok(Ingested { outcome: Outcome::Unchanged, document: done });
    }
    let NewDocument { corpus, document_id, .. } = &document;
    let Some((entry, content_hash)) = existing(connection, corpus, document_id).await? else {
        return Err(not_found(corpus, document_id).into());
    };
    entry.expect_etag(&document.etag)?;
    if content_hash == document.content_hash {
        remember_request(connection, &document, entry.seq, now).await?;
        let kept = load(connection, entry.seq).await?;
        let document = kept.ok_or_else(|| not_found(corpus, document_id))?;
        return Ok(Ingested { outcome: Outcome::Unchanged, document });
    }
    let entry = entry.revised(now);
    keep(connection, REVISE, &document, &columns, &entry).await?;
    Ok(Ingested { outcome: Outcome::Revised, document: stored(document, entry) })
}

async fn restore(connection: &mut SqliteConnection, restored: Restored) -> Result<(), Failure> {
    let Restored { prepared: Prepared { document, columns }, mut entry } = restored;
    match existing(connection, &document.corpus, &document.document_id).await? {
        None => {
            keep(connection, CREATE, &document, &columns, &entry).await?;
        }
        Some((here, _)) if here.gives_way_to(&entry)? => {
            entry.seq = here.seq;
            keep(connection, REVISE, &document, &columns, &entry).await?;
        }
        Some(_) => {}
    }
    Ok(())
}

async fn delete(
    connection: &mut SqliteConnection,
    corpus: &str,
    document_id: &str,
    etag: &str,
) -> Result<(), Failure> {
    let Some((entry, _)) = existing(connection, corpus, document_id).await? else {
        return Err(not_found(corpus, document_id).into());
    };
    entry.expect_etag(etag)?;
    apart(connection, sqlx::query(DELETE).bind(entry.seq)).await?;
    Ok(())
}

/// What a request with the same id did: its document as it is now.
async fn done_before(
    connection: &mut SqliteConnection,
    document: &NewDocument,
) -> Result<Option<StoredDocument>, StoreError> {
    let NewDocument { corpus, request_id, .. } = document;
    if request_id.is_empty() {
        return Ok(None);
    }
    let request =
        sqlx::query("SELECT digest, seq, document_id FROM requests WHERE corpus = $1 AND request_id = $2")
            .bind(corpus)
            .bind(request_id)
            .fetch_optional(&mut *connection)
            .await?;
    let Some(request) = request else { return Ok(None) };
    if request.try_get::<&str, _>("digest")? != document.request_digest {
        return Err(StoreError::RequestIdReused(request_id.clone()));
    }
    let done = load(connection, request.try_get("seq")?).await?;
    done.map(Some).ok_or_else(|| match request.try_get("document_id") {
        Ok(document_id) => not_found(corpus, document_id),
        Err(error) => error.into(),
    })
}

/// Remembers a request that had nothing to write.
async fn remember_request(
    connection: &mut SqliteConnection,
    document: &NewDocument,
    seq: Option<i64>,
    now: Timestamp,
) -> Result<(), Failure> {
    if document.request_id.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(REMEMBER)
        .bind(&document.corpus)
        .bind(&document.request_id)
        .bind(&document.request_digest)
        .bind(seq)
        .bind(&document.document_id)
        .bind(now.as_microsecond());
    apart(connection, query).await?;
    Ok(())
}

/// The entry of a document with its content's hash.
async fn existing(
    connection: &mut SqliteConnection,
    corpus: &str,
    document_id: &str,
) -> Result<Option<(Entry, String)>, StoreError> {
    let row = sqlx::query(
        "SELECT seq, uid, revision, content_hash, create_time, update_time FROM documents \
         WHERE corpus = $1 AND document_id = $2",
    )
    .bind(corpus)
    .bind(document_id)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    EntryRow::from_row(&row)?.entry().map(Some)
}

/// A whole document by its number.
async fn load(
    connection: &mut SqliteConnection,
    seq: Option<i64>,
) -> Result<Option<StoredDocument>, StoreError> {
    let mut query = select(View::Full, &[]);
    query.push(" WHERE d.seq = ").push_bind(seq);
    let row = query.build().fetch_optional(connection).await?;
    row.map(|row| DocumentRow::from_row(&row)?.document()).transpose()
}

/// Runs [`CREATE`] or [`REVISE`].
async fn keep(
    connection: &mut SqliteConnection,
    sql: &'static str,
    document: &NewDocument,
    columns: &Columns,
    entry: &Entry,
) -> Result<Option<SqliteRow>, Failure> {
    let query = sqlx::query(sql)
        .bind(&document.corpus)
        .bind(&document.document_id)
        .bind(&entry.uid.as_bytes()[..])
        .bind(entry.revision as i64)
        .bind(&document.content_hash)
        .bind(entry.create_time.as_microsecond())
        .bind(entry.update_time.as_microsecond())
        .bind(&columns.basics)
        .bind(&columns.publisher)
        .bind(&columns.language)
        .bind(columns.published)
        .bind(&columns.content)
        .bind(&columns.text)
        .bind(&columns.body)
        .bind(columns.terms_json())
        .bind(&document.request_id)
        .bind(&document.request_digest)
        .bind(entry.seq);
    apart(connection, query).await
}

/// Runs statements that begin with `SAVEPOINT document` and release it, and undoes them alone
/// where one of them fails. Gives the row that they end with, if any.
async fn apart(
    connection: &mut SqliteConnection,
    query: sqlx::query::Query<'_, Sqlite, SqliteArguments>,
) -> Result<Option<SqliteRow>, Failure> {
    match query.fetch_optional(&mut *connection).await {
        Ok(row) => Ok(row),
        Err(error) => {
            // Full disks and the like end the whole transaction, and the savepoint with it.
            execute(connection, "ROLLBACK TO document; RELEASE document").await.map_err(Failure::Lost)?;
            Err(Failure::Refused(error.into()))
        }
    }
}

/// Forgets the oldest of the requests that nobody will repeat any more.
async fn forget_requests(
    connection: &mut SqliteConnection,
    now: Timestamp,
    retention: Duration,
) -> sqlx::Result<()> {
    let Ok(oldest) = now.checked_sub(retention) else { return Ok(()) };
    sqlx::query(FORGET).bind(oldest.as_microsecond()).bind(PRUNE_BATCH).execute(connection).await?;
    Ok(())
}

pub(super) async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> sqlx::Result<()> {
    sqlx::query(sql).execute(connection).await.map(drop)
}
