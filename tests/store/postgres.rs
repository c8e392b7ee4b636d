//! PostgreSQL: how the suite opens it, and what is its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copydesk::store::postgres::{PostgresOptions, PostgresStore, PostgresUrl};
use copydesk::store::transfer::Transfer;
use copydesk::store::{Filter, NewDocument, Outcome, SharedStore, Store, StoreError, View};
use futures_util::future::join_all;
use sqlx::Executor;

use crate::behaviour::{Place, document, exported, ingest};
use crate::postgres_server::{Database, Server};

impl Place for Database {
    async fn new() -> Option<Self> {
        Self::shared().await
    }

    async fn transfer(&self) -> Arc<dyn Transfer> {
        self.store(PostgresOptions::default()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_make_the_tables_once() {
    let Some(database) = Database::shared().await else { return };
    let stores = join_all((0..8).map(|_| database.store(PostgresOptions::default()))).await;
    for (number, store) in stores.iter().enumerate() {
        ingest(&**store, document(&format!("{number}"), "1")).await.unwrap();
    }
    assert_eq!(exported(&*stores[0]).await.len(), 8);
    // Without an advisory lock one of them comes first.
    let options = PostgresOptions { migration_lock: false, ..PostgresOptions::default() };
    database.store(options).await.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_race_keep_each_document_and_do_each_request_once() {
    let Some(database) = Database::shared().await else { return };
    let replicas = [database.open().await, database.open().await, database.open().await];
    for round in 0..20 {
        // The server chooses the id, so that only the request's id tells that they are the same.
        let race = |id: &'static str, request_id: String| {
            replicas.clone().into_iter().enumerate().map(move |(replica, store)| {
                let id =
                    if id.is_empty() { format!("chosen-{round}-{replica}") } else { format!("{id}-{round}") };
                let mut new = document(&id, "1");
                (new.request_digest, new.request_id) = ("digest".into(), request_id.clone());
                tokio::spawn(async move { ingest(&*store, new).await.unwrap() })
            })
        };
        for racers in [race("", format!("r{round}")), race("named", String::new())] {
            let results: Vec<_> = join_all(racers).await.into_iter().map(Result::unwrap).collect();
            let created = results.iter().filter(|result| result.outcome == Outcome::Created).count();
            assert_eq!(created, 1, "{results:?}");
            assert!(results.iter().all(|result| result.document == results[0].document));
        }
    }
    let documents =
        replicas[0].list("news", &Filter::default(), View::Basic, None, 1000).await.unwrap().documents;
    assert_eq!(documents.len(), 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_revise_the_same_documents_in_any_order_lose_no_revision() {
    let Some(database) = Database::shared().await else { return };
    let replicas = [database.open().await, database.open().await];
    let writers = (0..16).map(|writer: usize| {
        let store = Arc::clone(&replicas[writer % 2]);
        tokio::spawn(async move {
            let mut batch: Vec<NewDocument> =
                (0..8).map(|id| document(&format!("{id}"), &format!("{writer}"))).collect();
            batch.rotate_left(writer % 8);
            store.ingest(batch).await.into_iter().for_each(|result| drop(result.unwrap()));
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    for id in 0..8 {
        assert_eq!(replicas[0].get("news", &format!("{id}"), View::Basic).await.unwrap().revision, 16);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_backends_lose_nothing_that_was_answered() {
    let Some(database) = Database::shared().await else { return };
    let store = database.open().await;
    let mut killer = database.connect().await;
    let writing = tokio::spawn({
        let store: SharedStore = Arc::clone(&store);
        async move {
            let writers = (0..8).map(|writer| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let until = Instant::now() + Duration::from_secs(2);
                    let mut kept = Vec::new();
                    while Instant::now() < until {
                        let new = document(&format!("{writer}-{}", kept.len()), "1");
                        match ingest(&*store, new).await {
                            // Killed amid a commit: nobody knows, so it is not said.
                            Err(StoreError::Unavailable(_)) => continue,
                            result => kept.push(result.unwrap().document),
                        }
                        let last = &kept[kept.len() - 1];
                        assert_eq!(store.get("news", &last.document_id, View::Full).await.unwrap(), *last);
                    }
                    kept
                })
            });
            join_all(writers).await.into_iter().flat_map(Result::unwrap).collect::<Vec<_>>()
        }
    });
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        killer.execute(kill).await.unwrap();
    }
    let kept = writing.await.unwrap();
    let page = store.list("news", &Filter::default(), View::Basic, None, 1).await.unwrap();
    assert!(page.more);
    for document in kept {
        assert_eq!(store.get("news", &document.document_id, View::Full).await.unwrap(), document);
    }
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_is_unavailable_until_it_is_back() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let database = server.database().await;
    let store = database.open().await;
    let kept = ingest(&*store, document("a", "1")).await.unwrap().document;
    server.down();
    let begun = Instant::now();
    for _ in 0..3 {
        assert!(matches!(ingest(&*store, document("b", "1")).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.get("news", "a", View::Full).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.check().await, Err(StoreError::Unavailable(_))));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    server.up();
    store.check().await.unwrap();
    assert_eq!(store.get("news", "a", View::Full).await.unwrap(), kept);
    assert_eq!(ingest(&*store, document("b", "1")).await.unwrap().outcome, Outcome::Created);
}

/// A database whose new sessions are read-only stands for an address that leads to a standby until it has
/// moved on to the new primary: what is connected meanwhile never takes a write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_takes_no_writes_is_not_kept() {
    let Some(database) = Database::shared().await else { return };
    let options = PostgresOptions { wait: Duration::from_millis(500), ..PostgresOptions::default() };
    let store = database.store(options.clone()).await;
    let kept = ingest(&*store, document("a", "1")).await.unwrap().document;
    store.check().await.unwrap();
    let mut operator = database.connect().await;
    let fail_over = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', \
            current_database()); END $$";
    operator.execute(fail_over).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
    operator.execute(cut).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(ingest(&*store, document("b", "1")).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(store.get("news", "a", View::Full).await, Err(StoreError::Unavailable(_))));
        let away = store.check().await.unwrap_err();
        assert!(matches!(&away, StoreError::Unavailable(why) if why.contains("takes no writes")), "{away}");
    }
    let refused = PostgresStore::open(&database.location(), options).await.err();
    assert!(
        matches!(&refused, Some(StoreError::Unavailable(why)) if why.contains("takes no writes")),
        "{refused:?}"
    );

    let move_on = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', \
            current_database()); END $$";
    operator.execute(move_on).await.unwrap();
    store.check().await.unwrap();
    assert_eq!(store.get("news", "a", View::Full).await.unwrap(), kept);
    assert_eq!(ingest(&*store, document("b", "1")).await.unwrap().outcome, Outcome::Created);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_readers_are_all_busy_is_there() {
    let Some(database) = Database::shared().await else { return };
    let options =
        PostgresOptions { connections: 3, wait: Duration::from_secs(30), ..PostgresOptions::default() };
    let store = database.store(options).await;
    ingest(&*store, document("a", "1")).await.unwrap();
    let mut other = database.connect().await;
    other.execute("BEGIN; LOCK TABLE bodies").await.unwrap();
    let reads: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.get("news", "a", View::Full).await.unwrap() })
        })
        .collect();
    while store.usage().pool.unwrap().waiting == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::timeout(Duration::from_secs(10), store.check()).await.unwrap().unwrap();
    other.execute("ROLLBACK").await.unwrap();
    join_all(reads).await.into_iter().for_each(|read| drop(read.unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_document_that_cannot_be_kept_takes_no_other_with_it() {
    let Some(database) = Database::shared().await else { return };
    let store = database.open().await;
    let mut other = database.connect().await;
    let trigger = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'bad'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON documents FOR EACH ROW WHEN (NEW.document_id = 'bad')
        EXECUTE FUNCTION refuse()";
    other.execute(trigger).await.unwrap();
    let results = store.ingest(vec![document("a", "1"), document("bad", "1"), document("b", "1")]).await;
    assert!(results[0].is_ok() && results[2].is_ok());
    assert!(matches!(&results[1], Err(StoreError::Internal(_))), "{:?}", results[1]);
    assert!(matches!(store.get("news", "bad", View::Basic).await, Err(StoreError::NotFound { .. })));
    store.check().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_another_holds_is_waited_for_and_then_reported() {
    let Some(database) = Database::shared().await else { return };
    let options =
        PostgresOptions { statement_timeout: Duration::from_millis(300), ..PostgresOptions::default() };
    let store = database.store(options).await;
    ingest(&*store, document("a", "1")).await.unwrap();
    let mut other = database.connect().await;
    other.execute("BEGIN; SELECT * FROM documents FOR UPDATE").await.unwrap();
    let refused = ingest(&*store, document("a", "2")).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("too long")), "{refused:?}");
    // Readers wait for nobody.
    assert_eq!(store.get("news", "a", View::Full).await.unwrap().revision, 1);
    other.execute("ROLLBACK").await.unwrap();
    store.check().await.unwrap();
    assert_eq!(ingest(&*store, document("a", "2")).await.unwrap().outcome, Outcome::Revised);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_is_named_without_its_password() {
    let open = async |url: &str| {
        let options = PostgresOptions { wait: Duration::from_millis(500), ..PostgresOptions::default() };
        PostgresStore::open(&PostgresUrl::new(url), options).await.err().expect("it must not open")
    };
    let error = open("postgres://desk:hush@127.0.0.1:1/articles").await.to_string();
    assert!(error.contains("postgres://127.0.0.1:1/articles") && !error.contains("hush"), "{error}");

    let Some(database) = Database::shared().await else { return };
    let error = open(&database.url.replace("copydesk_test", "no_such")).await;
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("does not exist")), "{error:?}");
    let mut other = database.connect().await;
    other.execute("CREATE TABLE documents (name TEXT)").await.unwrap();
    let error = open(&database.url).await.to_string();
    assert!(error.contains("tables of another program"), "{error}");
    other.execute("DROP TABLE documents").await.unwrap();
    database.open().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, ''::bytea, 1)";
    other.execute(newer).await.unwrap();
    let error = open(&database.url).await.to_string();
    assert!(error.contains("written by a newer version"), "{error}");
}
