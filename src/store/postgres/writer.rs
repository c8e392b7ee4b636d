//! The one task of a replica that writes.
//!
//! A group is written in rounds of changes to different documents, each with a handful of
//! statements however many documents it has: look at what is there and lock it, decide, write.
//! The decisions hold until the commit, because rows that are there are locked, and rows that
//! another replica makes meanwhile keep ours out by their unique keys: the transaction is then
//! begun anew, and sees them.
//!
//! What failed before the commit was undone and is tried again. Whether a commit that was not
//! answered happened is not known, and the answer says so: UNAVAILABLE. The client repeats the
//! call, and gets what was done.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::session::{Session, is_lost};
use super::text::{escape, unescape, unescape_row};
use crate::store::change::{Change, Entry, Prepared, Restored, Results, not_found, now, stored};
use crate::store::columns::{DocumentRow, EntryRow};
use crate::store::queue::Writer;
use crate::store::{Ingested, Outcome, StoreError, StoredDocument};

/// How often a transaction is tried that was undone for reasons that pass.
const ATTEMPTS: u32 = 6;
/// The pause before the second attempt at most; it doubles from then on.
const PAUSE: Duration = Duration::from_millis(20);

/// How often request ids are forgotten, and how many at once at most.
const PRUNE_INTERVAL: Duration = Duration::from_secs(1);
const PRUNE_BATCH: i64 = 10_000;

// In one order on every replica, so that they wait for each other and do not deadlock.
const LOCK_DOCUMENTS: &str = "SELECT d.corpus, d.document_id, d.seq, d.uid, d.revision, d.content_hash, \
        d.create_time, d.update_time
    FROM unnest($1::text[], $2::text[]) AS k (corpus, document_id)
    JOIN documents d ON d.corpus = k.corpus AND d.document_id = k.document_id
    ORDER BY d.corpus, d.document_id FOR UPDATE OF d";
const FIND_REQUESTS: &str = "SELECT r.corpus, r.request_id, r.digest, r.seq, r.document_id
    FROM unnest($1::text[], $2::text[]) AS k (corpus, request_id)
    JOIN requests r ON r.corpus = k.corpus AND r.request_id = k.request_id";
const LOAD: &str =
    "SELECT d.seq, d.corpus, d.document_id, d.uid, d.revision, d.content_hash, d.create_time, \
        d.update_time, d.basics, b.content, b.text, b.body
    FROM documents d JOIN bodies b ON b.seq = d.seq WHERE d.seq = ANY($1)";
// Places follow the order of the group, locks that of the keys.
const CREATE: &str = "WITH new AS MATERIALIZED (
        SELECT nextval('document_places') AS seq, n.* FROM unnest($1::text[], $2::text[], $3::bytea[],
            $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[],
            $11::bigint[], $12::bytea[], $13::text[], $14::text[]) AS n (corpus, document_id, uid, revision,
            content_hash, create_time, update_time, basics, publisher, language, published, content, text, body)
    ), kept AS (
        INSERT INTO documents (seq, corpus, document_id, uid, revision, content_hash, create_time, update_time,
            basics, publisher, language, published)
        SELECT seq, corpus, document_id, uid, revision, content_hash, create_time, update_time, basics,
            publisher, language, published FROM new ORDER BY corpus, document_id
        ON CONFLICT (corpus, document_id) DO NOTHING RETURNING seq, uid
    ), kept_bodies AS (
        INSERT INTO bodies (seq, content, text, body)
        SELECT kept.seq, content, text, body FROM new JOIN kept ON kept.seq = new.seq
    )
    SELECT uid, seq FROM kept";
const REVISE: &str = "WITH new AS MATERIALIZED (
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[],
            $7::text[], $8::bigint[], $9::bytea[], $10::text[], $11::text[]) AS n (seq, revision, content_hash,
            update_time, basics, publisher, language, published, content, text, body)
    ), old_terms AS (
        DELETE FROM terms WHERE seq = ANY($1)
    ), kept AS (
        UPDATE documents d SET revision = n.revision, content_hash = n.content_hash,
            update_time = n.update_time, basics = n.basics, publisher = n.publisher, language = n.language,
            published = n.published
        FROM new n WHERE d.seq = n.seq
    )
    UPDATE bodies b SET content = n.content, text = n.text, body = n.body FROM new n WHERE b.seq = n.seq";
const ADD_TERMS: &str = "INSERT INTO terms (corpus, kind, term, seq)
    SELECT * FROM unnest($1::text[], $2::smallint[], $3::text[], $4::bigint[])";
const REMEMBER: &str = "INSERT INTO requests (corpus, request_id, digest, seq, document_id, time)
    SELECT corpus, request_id, digest, seq, document_id, $6 FROM unnest($1::text[], $2::text[], $3::text[],
        $4::bigint[], $5::text[]) AS n (corpus, request_id, digest, seq, document_id)
    ORDER BY corpus, request_id ON CONFLICT (corpus, request_id) DO NOTHING";
const DELETE: &str = "DELETE FROM documents WHERE seq = ANY($1)";
// Not those that another replica is about to forget.
const FORGET: &str = "DELETE FROM requests WHERE (corpus, request_id) IN
    (SELECT corpus, request_id FROM requests WHERE time < $1 ORDER BY time LIMIT $2 FOR UPDATE SKIP LOCKED)";

pub(super) struct PostgresWriter {
    session: Session,
    /// None before the first transaction and after one whose connection was lost.
    connection: Option<PgConnection>,
    /// Whether the last group failed: the next one is tried only once, so that those who wait
    /// learn soon that the database is away.
    failing: bool,
    request_id_retention: Duration,
    pruned: Instant,
}

/// Why a transaction, or a part of it, did not go through. It has been undone, or will be.
enum Failure {
    /// Another transaction was in its way; it may go through when it is tried again.
    Conflict(StoreError),
    /// So it may where the connection was lost, or none could be had.
    Disconnected(StoreError),
    /// One of its changes cannot be made.
    Refused(StoreError),
    /// It failed, or may have been committed, and is not tried again.
    Lost(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let lost = is_lost(&error);
        let conflict = (error.as_database_error().and_then(|error| error.code()))
            .is_some_and(|code| matches!(&*code, SERIALIZATION_FAILURE | DEADLOCK | UNIQUE_VIOLATION));
        match StoreError::from(error) {
            error if lost => Self::Disconnected(error),
            error if conflict => Self::Conflict(error),
            error @ StoreError::Unavailable(_) => Self::Lost(error),
            error => Self::Refused(error),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK: &str = "40P01";
const UNIQUE_VIOLATION: &str = "23505";

/// What becomes of a change.
enum Done {
    Kept(Outcome, Entry),
    /// The document as it was there.
    Unchanged(Box<StoredDocument>),
    /// Without a document to answer with.
    Silent,
    Refused(StoreError),
}

impl PostgresWriter {
    pub(super) fn new(session: Session, request_id_retention: Duration) -> Self {
        Self { session, connection: None, failing: false, request_id_retention, pruned: Instant::now() }
    }

    /// One transaction for all the changes, tried several times where that may help.
    async fn decide(&mut self, changes: &[Change]) -> Result<Vec<Done>, StoreError> {
        let attempts = if self.failing { 1 } else { ATTEMPTS };
        let mut pause = PAUSE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let limit = self.session.transaction_limit();
            let failure = match timeout(limit, self.transaction(changes)).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(failure)) => failure,
                Err(_) => Failure::Lost(StoreError::Unavailable("the database does not answer".into())),
            };
            if !matches!(failure, Failure::Conflict(_)) || !self.roll_back().await {
                self.connection = None;
            }
            match failure {
                Failure::Conflict(error) | Failure::Disconnected(error) if attempt < attempts => {
                    tracing::debug!(%error, attempt, "the transaction is tried again");
                    sleep(jittered(pause)).await;
                    pause *= 2;
                }
                Failure::Conflict(error)
                | Failure::Disconnected(error)
                | Failure::Refused(error)
                | Failure::Lost(error) => return Err(error),
            }
        }
    }

    /// Whether the connection is as good as new.
    async fn roll_back(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        matches!(timeout(self.session.statement_limit(), connection.execute("ROLLBACK")).await, Ok(Ok(_)))
    }

    async fn transaction(&mut self, changes: &[Change]) -> Result<Vec<Done>, Failure> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let new = self.session.connect().await;
                none.insert(new.map_err(|error| Failure::Disconnected(error.into()))?)
            }
        };
        let now = now();
        connection.execute("BEGIN").await?;
        let done = match apply(connection, changes, now).await {
            // One of them cannot be made: each by itself, so that the others are.
            Err(Failure::Refused(_)) => {
                connection.execute("ROLLBACK; BEGIN").await?;
                apply_apart(connection, changes, now).await?
            }
            done => done?,
        };
        if self.pruned.elapsed() >= PRUNE_INTERVAL {
            if let Ok(oldest) = now.checked_sub(self.request_id_retention) {
                let forget = sqlx::query(FORGET).bind(oldest.as_microsecond()).bind(PRUNE_BATCH);
                forget.execute(&mut *connection).await?;
            }
            self.pruned = Instant::now();
        }
        match connection.execute("COMMIT").await {
            Ok(_) => Ok(done),
            // Nobody knows whether it was committed before the connection was lost.
            Err(error) if is_lost(&error) => Err(Failure::Lost(error.into())),
            Err(error) => match Failure::from(error) {
                Failure::Refused(error) => Err(Failure::Lost(error)),
                failure => Err(failure),
            },
        }
    }
}

#[async_trait]
impl Writer for PostgresWriter {
    async fn commit(&mut self, changes: Vec<Change>) -> Result<Results, StoreError> {
        let done = self.decide(&changes).await;
        self.failing = done.is_err();
        Ok(changes.into_iter().zip(done?).map(|(change, done)| answer(change, done)).collect())
    }

    async fn finish(mut self) {
        if let Some(connection) = self.connection.take() {
            // What was answered is committed; the database notices by itself who has gone.
            let _ = timeout(self.session.statement_limit(), connection.close()).await;
        }
    }
}

fn answer(change: Change, done: Done) -> Result<Option<Ingested>, StoreError> {
    match (change, done) {
        (_, Done::Refused(error)) => Err(error),
        (Change::Keep(prepared), Done::Kept(outcome, entry)) => {
            Ok(Some(Ingested { outcome, document: stored(prepared.document, entry) }))
        }
        (_, Done::Unchanged(document)) => {
            Ok(Some(Ingested { outcome: Outcome::Unchanged, document: *document }))
        }
        (_, Done::Kept(..) | Done::Silent) => Ok(None),
    }
}

/// Something between half of it and all of it, so that replicas that met do not meet again.
fn jittered(pause: Duration) -> Duration {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    pause.mul_f64(0.5 + (random >> 11) as f64 / (1u64 << 54) as f64)
}

/// Makes the changes, round by round.
async fn apply(
    connection: &mut PgConnection,
    changes: &[Change],
    now: Timestamp,
) -> Result<Vec<Done>, Failure> {
    let mut done = Vec::with_capacity(changes.len());
    while done.len() < changes.len() {
        let round = next_round(&changes[done.len()..]);
        done.extend(Round::apply(connection, round, now).await?);
    }
    Ok(done)
}

/// Makes each change by itself; one that cannot be made is undone alone.
async fn apply_apart(
    connection: &mut PgConnection,
    changes: &[Change],
    now: Timestamp,
) -> Result<Vec<Done>, Failure> {
    let mut done = Vec::with_capacity(changes.len());
    for change in changes {
        connection.execute("SAVEPOINT change").await?;
        match Round::apply(connection, std::slice::from_ref(change), now).await {
            Ok(one) => {
                connection.execute("RELEASE SAVEPOINT change").await?;
                done.extend(one);
            }
            Err(Failure::Refused(error)) => {
                connection.execute("ROLLBACK TO SAVEPOINT change; RELEASE SAVEPOINT change").await?;
                done.push(Done::Refused(error));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(done)
}

/// The first changes, up to one that has to see what one before it did: to the same document or
/// by the same request.
fn next_round(changes: &[Change]) -> &[Change] {
    let (mut documents, mut requests) = (HashSet::new(), HashSet::new());
    let fits = changes.iter().take_while(|change| {
        request_key(change).is_none_or(|key| requests.insert(key))
            && document_key(change).is_none_or(|key| documents.insert(key))
    });
    &changes[..fits.count()]
}

/// Corpus and id of the request, if it has one.
fn request_key(change: &Change) -> Option<(&str, &str)> {
    match change {
        Change::Keep(prepared) if !prepared.document.request_id.is_empty() => {
            Some((&prepared.document.corpus, &prepared.document.request_id))
        }
        _ => None,
    }
}

/// Corpus and id of the document that is changed.
fn document_key(change: &Change) -> Option<(&str, &str)> {
    match change {
        Change::Keep(prepared) => Some((&prepared.document.corpus, &prepared.document.document_id)),
        Change::Restore(restored) => {
            let document = &restored.prepared.document;
            Some((&document.corpus, &document.document_id))
        }
        Change::Delete { corpus, document_id, .. } => Some((corpus, document_id)),
        Change::Probe => None,
    }
}

/// What is to be written in one round.
#[derive(Default)]
struct Round<'a> {
    create: Vec<(&'a Prepared, Entry)>,
    revise: Vec<(&'a Prepared, Entry)>,
    delete: Vec<i64>,
    /// Requests that are done with it, and the uid or the place of their documents.
    remember: Vec<(&'a Prepared, Place)>,
    /// Documents to answer with.
    load: Vec<i64>,
}

#[derive(Clone, Copy)]
enum Place {
    At(i64),
    /// Of a document that is created in this round.
    Of(Uuid),
}

/// What a round decided on a change, before it is written.
enum Decision {
    Kept(Outcome, Entry),
    /// With the document at this place, or else the error.
    Load(i64, StoreError),
    Silent,
    Refused(StoreError),
}

/// What was there before a round, by corpus and id.
struct Before {
    documents: HashMap<(String, String), (Entry, String)>,
    requests: HashMap<(String, String), RequestRow>,
}

#[derive(sqlx::FromRow)]
struct RequestRow {
    corpus: String,
    request_id: String,
    digest: String,
    seq: i64,
    document_id: String,
}

#[derive(sqlx::FromRow)]
struct LockedRow {
    corpus: String,
    document_id: String,
    #[sqlx(flatten)]
    entry: EntryRow,
}

impl<'a> Round<'a> {
    async fn apply(
        connection: &mut PgConnection,
        changes: &'a [Change],
        now: Timestamp,
    ) -> Result<Vec<Done>, Failure> {
        let before = Before::look(connection, changes).await?;
        let mut round = Round::default();
        let decisions: Vec<Decision> =
            changes.iter().map(|change| round.decide(change, &before, now)).collect();
        if changes.iter().any(|change| matches!(change, Change::Probe)) {
            connection.execute("SELECT nextval('document_places')").await?;
        }
        let loaded = round.write(connection, now).await?;
        let done = decisions.into_iter().map(|decision| match decision {
            Decision::Kept(outcome, entry) => Done::Kept(outcome, entry),
            // By its name and by requests that made it, one document may be answered with several times.
            Decision::Load(seq, missing) => match loaded.get(&seq) {
                Some(document) => Done::Unchanged(Box::new(document.clone())),
                None => Done::Refused(missing),
            },
            Decision::Silent => Done::Silent,
            Decision::Refused(error) => Done::Refused(error),
        });
        Ok(done.collect())
    }

    fn decide(&mut self, change: &'a Change, before: &Before, now: Timestamp) -> Decision {
        let decided = match change {
            Change::Keep(prepared) => self.keep(prepared, before, now),
            Change::Restore(restored) => self.restore(restored, before),
            Change::Delete { corpus, document_id, etag } => self.delete(corpus, document_id, etag, before),
            Change::Probe => Ok(Decision::Silent),
        };
        decided.unwrap_or_else(Decision::Refused)
    }

    fn keep(
        &mut self,
        prepared: &'a Prepared,
        before: &Before,
        now: Timestamp,
    ) -> Result<Decision, StoreError> {
        let document = &prepared.document;
        let (corpus, document_id) = (&*document.corpus, &*document.document_id);
        if let Some(request) = before.request(corpus, &document.request_id) {
            if request.digest != document.request_digest {
                return Err(StoreError::RequestIdReused(document.request_id.clone()));
            }
            self.load.push(request.seq);
            return Ok(Decision::Load(request.seq, not_found(corpus, &request.document_id)));
        }
        let Some((entry, content_hash)) = before.document(corpus, document_id) else {
            if !document.etag.is_empty() {
                return Err(not_found(corpus, document_id));
            }
            let entry = Entry::new(now);
            self.create.push((prepared, entry.clone()));
            self.remember.push((prepared, Place::Of(entry.uid)));
            return Ok(Decision::Kept(Outcome::Created, entry));
        };
        entry.expect_etag(&document.etag)?;
        let seq = entry.place();
        self.remember.push((prepared, Place::At(seq)));
        if *content_hash == document.content_hash {
            self.load.push(seq);
            return Ok(Decision::Load(seq, not_found(corpus, document_id)));
        }
        let entry = entry.clone().revised(now);
        self.revise.push((prepared, entry.clone()));
        Ok(Decision::Kept(Outcome::Revised, entry))
    }

    fn restore(&mut self, restored: &'a Restored, before: &Before) -> Result<Decision, StoreError> {
        let Restored { prepared, entry } = restored;
        match before.document(&prepared.document.corpus, &prepared.document.document_id) {
            None => self.create.push((prepared, entry.clone())),
            Some((here, _)) if here.gives_way_to(entry)? => {
                self.revise.push((prepared, Entry { seq: here.seq, ..entry.clone() }));
            }
            Some(_) => {}
        }
        Ok(Decision::Silent)
    }

    fn delete(
        &mut self,
        corpus: &str,
        document_id: &str,
        etag: &str,
        before: &Before,
    ) -> Result<Decision, StoreError> {
        let (entry, _) =
            before.document(corpus, document_id).ok_or_else(|| not_found(corpus, document_id))?;
        entry.expect_etag(etag)?;
        self.delete.push(entry.place());
        Ok(Decision::Silent)
    }

    /// Writes all of it, and gives the documents to answer with by their places.
    async fn write(
        self,
        connection: &mut PgConnection,
        now: Timestamp,
    ) -> Result<HashMap<i64, StoredDocument>, Failure> {
        let created = create(connection, &self.create).await?;
        revise(connection, &self.revise).await?;
        let revised = self.revise.iter().map(|(prepared, entry)| (*prepared, entry.place()));
        let places = |uid: Uuid| created.get(&uid).copied().unwrap_or_default();
        let new = self.create.iter().map(|(prepared, entry)| (*prepared, places(entry.uid)));
        add_terms(connection, new.chain(revised)).await?;
        let requests = self.remember.iter().map(|(prepared, place)| match place {
            Place::At(seq) => (*prepared, *seq),
            Place::Of(uid) => (*prepared, places(*uid)),
        });
        remember(connection, requests.filter(|(prepared, _)| !prepared.document.request_id.is_empty()), now)
            .await?;
        if !self.delete.is_empty() {
            sqlx::query(DELETE).bind(&self.delete).execute(&mut *connection).await?;
        }
        let mut loaded = HashMap::new();
        if !self.load.is_empty() {
            let rows: Vec<DocumentRow> = sqlx::query_as(LOAD).bind(&self.load).fetch_all(connection).await?;
            for row in rows {
                loaded.insert(row.seq, unescape_row(row).document()?);
            }
        }
        Ok(loaded)
    }
}

impl Before {
    /// Looks up what the changes are about, and locks its documents.
    async fn look(connection: &mut PgConnection, changes: &[Change]) -> Result<Self, Failure> {
        let (mut documents, mut requests) = (HashMap::new(), HashMap::new());
        let (corpora, ids): (Vec<_>, Vec<_>) =
            changes.iter().filter_map(document_key).map(|(corpus, id)| (escape(corpus), escape(id))).unzip();
        if !ids.is_empty() {
            let rows: Vec<LockedRow> =
                sqlx::query_as(LOCK_DOCUMENTS).bind(corpora).bind(ids).fetch_all(&mut *connection).await?;
            for LockedRow { corpus, document_id, entry } in rows {
                let (entry, content_hash) = entry.entry()?;
                let known = (entry, unescape(content_hash));
                documents.insert((unescape(corpus), unescape(document_id)), known);
            }
        }
        let (corpora, ids): (Vec<_>, Vec<_>) =
            changes.iter().filter_map(request_key).map(|(corpus, id)| (escape(corpus), escape(id))).unzip();
        if !ids.is_empty() {
            let rows: Vec<RequestRow> =
                sqlx::query_as(FIND_REQUESTS).bind(corpora).bind(ids).fetch_all(connection).await?;
            for row in rows {
                let (digest, document_id) = (unescape(row.digest), unescape(row.document_id));
                let row = RequestRow { digest, document_id, ..row };
                requests.insert((unescape(row.corpus.clone()), unescape(row.request_id.clone())), row);
            }
        }
        Ok(Self { documents, requests })
    }

    fn document(&self, corpus: &str, document_id: &str) -> Option<&(Entry, String)> {
        self.documents.get(&(corpus.to_owned(), document_id.to_owned()))
    }

    fn request(&self, corpus: &str, request_id: &str) -> Option<&RequestRow> {
        self.requests.get(&(corpus.to_owned(), request_id.to_owned()))
    }
}

/// The places of new documents by their uids.
async fn create(
    connection: &mut PgConnection,
    new: &[(&Prepared, Entry)],
) -> Result<HashMap<Uuid, i64>, Failure> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let column = |of: fn(&Entry) -> i64| new.iter().map(|(_, entry)| of(entry)).collect::<Vec<_>>();
    let rows: Vec<(Uid, i64)> = sqlx::query_as(CREATE)
        .bind(texts(new, |prepared| &prepared.document.corpus))
        .bind(texts(new, |prepared| &prepared.document.document_id))
        .bind(new.iter().map(|(_, entry)| &entry.uid.as_bytes()[..]).collect::<Vec<_>>())
        .bind(column(|entry| entry.revision as i64))
        .bind(texts(new, |prepared| &prepared.document.content_hash))
        .bind(column(|entry| entry.create_time.as_microsecond()))
        .bind(column(|entry| entry.update_time.as_microsecond()))
        .bind(texts(new, |prepared| &prepared.columns.basics))
        .bind(texts(new, |prepared| &prepared.columns.publisher))
        .bind(texts(new, |prepared| &prepared.columns.language))
        .bind(new.iter().map(|(prepared, _)| prepared.columns.published).collect::<Vec<_>>())
        .bind(new.iter().map(|(prepared, _)| &prepared.columns.content[..]).collect::<Vec<_>>())
        .bind(texts(new, |prepared| &prepared.columns.text))
        .bind(texts(new, |prepared| &prepared.columns.body))
        .fetch_all(connection)
        .await?;
    if rows.len() < new.len() {
        return Err(kept_out());
    }
    Ok(rows.into_iter().map(|(uid, seq)| (Uuid::from_bytes(uid), seq)).collect())
}

type Uid = [u8; 16];

async fn revise(connection: &mut PgConnection, revised: &[(&Prepared, Entry)]) -> Result<(), Failure> {
    if revised.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Entry) -> i64| revised.iter().map(|(_, entry)| of(entry)).collect::<Vec<_>>();
    sqlx::query(REVISE)
        .bind(column(Entry::place))
        .bind(column(|entry| entry.revision as i64))
        .bind(texts(revised, |prepared| &prepared.document.content_hash))
        .bind(column(|entry| entry.update_time.as_microsecond()))
        .bind(texts(revised, |prepared| &prepared.columns.basics))
        .bind(texts(revised, |prepared| &prepared.columns.publisher))
        .bind(texts(revised, |prepared| &prepared.columns.language))
        .bind(revised.iter().map(|(prepared, _)| prepared.columns.published).collect::<Vec<_>>())
        .bind(revised.iter().map(|(prepared, _)| &prepared.columns.content[..]).collect::<Vec<_>>())
        .bind(texts(revised, |prepared| &prepared.columns.text))
        .bind(texts(revised, |prepared| &prepared.columns.body))
        .execute(connection)
        .await?;
    Ok(())
}

async fn add_terms<'a>(
    connection: &mut PgConnection,
    documents: impl Iterator<Item = (&'a Prepared, i64)>,
) -> Result<(), Failure> {
    let (mut corpora, mut kinds, mut terms, mut places) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (prepared, seq) in documents {
        for (kind, term) in &prepared.columns.terms {
            corpora.push(escape(&prepared.document.corpus));
            kinds.push(i16::from(*kind));
            terms.push(&**term);
            places.push(seq);
        }
    }
    if !terms.is_empty() {
        let query = sqlx::query(ADD_TERMS).bind(corpora).bind(kinds).bind(terms).bind(places);
        query.execute(connection).await?;
    }
    Ok(())
}

async fn remember<'a>(
    connection: &mut PgConnection,
    requests: impl Iterator<Item = (&'a Prepared, i64)>,
    now: Timestamp,
) -> Result<(), Failure> {
    let requests: Vec<(&Prepared, i64)> = requests.collect();
    if requests.is_empty() {
        return Ok(());
    }
    let remembered = sqlx::query(REMEMBER)
        .bind(texts(&requests, |prepared| &prepared.document.corpus))
        .bind(texts(&requests, |prepared| &prepared.document.request_id))
        .bind(texts(&requests, |prepared| &prepared.document.request_digest))
        .bind(requests.iter().map(|(_, seq)| *seq).collect::<Vec<_>>())
        .bind(texts(&requests, |prepared| &prepared.document.document_id))
        .bind(now.as_microsecond())
        .execute(connection)
        .await?;
    if remembered.rows_affected() < requests.len() as u64 { Err(kept_out()) } else { Ok(()) }
}

/// One text of each, as it is kept.
fn texts<'a, T>(of: &[(&'a Prepared, T)], text: fn(&Prepared) -> &String) -> Vec<std::borrow::Cow<'a, str>> {
    of.iter().map(|(prepared, _)| escape(text(prepared))).collect()
}

/// Another replica made the same document or did the same request a moment ago.
fn kept_out() -> Failure {
    Failure::Conflict(StoreError::Unavailable("other writes were in the way too often".into()))
}
