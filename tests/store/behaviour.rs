//! What every store does, whatever it keeps its documents in.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use copydesk::document::{Article, Block, BlockKind, Content, MimeType, Source, Span};
use copydesk::store::transfer::{Record, Transfer};
use copydesk::store::{
    Cursor, Filter, Ingested, NewDocument, Outcome, SharedStore, Store, StoreError, StoredDocument, Terms,
    View,
};
use futures_util::future::join_all;

/// Where a store keeps its documents: empty at first, and able to be opened several times.
pub trait Place: Sized + Send + Sync + 'static {
    /// None where this machine has none; it has been said.
    fn new() -> impl Future<Output = Option<Self>> + Send;
    fn transfer(&self) -> impl Future<Output = Arc<dyn Transfer>> + Send;

    fn open(&self) -> impl Future<Output = SharedStore> + Send {
        async { self.transfer().await as SharedStore }
    }
}

const CORPUS: &str = "news";

/// A small document whose content follows from its id and `version`.
pub fn document(document_id: &str, version: &str) -> NewDocument {
    let text = format!("{document_id} in the version {version}.");
    NewDocument {
        corpus: CORPUS.into(),
        document_id: document_id.into(),
        request_id: String::new(),
        request_digest: format!("digest of {document_id} {version}"),
        etag: String::new(),
        source: Source {
            content: Content::Text(format!("Menu\n\n{text}")),
            mime_type: MimeType::Html,
            uri: format!("https://paper.example/{document_id}"),
            authors: vec!["As sent".into()],
            ..Source::default()
        },
        article: Article {
            title: format!("About {document_id}"),
            blocks: vec![Block {
                kind: BlockKind::Paragraph,
                span: Some(Span::new(0, text.len())),
                source_span: Some(Span::new(6, 6 + text.len())),
            }],
            text,
            language_code: "en".into(),
            publisher: "The Paper".into(),
            authors: vec!["A. Writer".into()],
            publish_time: "2023-03-30T08:09:00+07:00".parse().ok(),
        },
        labels: BTreeMap::from([("desk".into(), "world".into())]),
        content_hash: format!("hash of {document_id} {version}"),
        terms: Terms::default(),
    }
}

fn request(request_id: &str, document: NewDocument) -> NewDocument {
    NewDocument { request_id: request_id.into(), ..document }
}

pub async fn ingest(store: &dyn Store, document: NewDocument) -> Result<Ingested, StoreError> {
    let mut results = store.ingest(vec![document]).await;
    assert_eq!(results.len(), 1);
    results.remove(0)
}

async fn list(store: &dyn Store, filter: &Filter) -> Vec<String> {
    let page = store.list(CORPUS, filter, View::Basic, None, 100).await.unwrap();
    assert!(!page.more);
    page.documents.into_iter().map(|(_, document)| document.document_id).collect()
}

async fn get(store: &dyn Store, document_id: &str) -> StoredDocument {
    store.get(CORPUS, document_id, View::Full).await.unwrap()
}

pub async fn a_document_is_created_found_and_listed(place: impl Place) {
    let store = place.open().await;
    store.check().await.unwrap();
    let new = document("a", "1");
    let Ingested { outcome, document } = ingest(&*store, new.clone()).await.unwrap();
    assert_eq!(outcome, Outcome::Created);
    assert_eq!((document.revision, document.uid.get_version_num()), (1, 7));
    assert_eq!(document.create_time, document.update_time);
    assert_eq!((&document.source, &document.article), (&Some(new.source), &new.article));
    assert_eq!((&document.labels, &document.content_hash), (&new.labels, &new.content_hash));
    assert_eq!((document.mime_type, &*document.uri), (MimeType::Html, "https://paper.example/a"));
    assert_eq!(get(&*store, "a").await, document);
    assert_eq!(list(&*store, &Filter::default()).await, ["a"]);
    let missing = store.get(CORPUS, "b", View::Full).await.unwrap_err();
    assert!(matches!(missing, StoreError::NotFound { document_id, .. } if document_id == "b"));
}

pub async fn the_same_content_changes_nothing(place: impl Place) {
    let store = place.open().await;
    let first = ingest(&*store, document("a", "1")).await.unwrap().document;
    let again = ingest(&*store, document("a", "1")).await.unwrap();
    assert_eq!(again, Ingested { outcome: Outcome::Unchanged, document: first.clone() });
    assert_eq!(get(&*store, "a").await, first);
}

pub async fn other_content_makes_a_revision(place: impl Place) {
    let store = place.open().await;
    let first = ingest(&*store, document("a", "1")).await.unwrap().document;
    let Ingested { outcome, document: second } = ingest(&*store, document("a", "2")).await.unwrap();
    assert_eq!(outcome, Outcome::Revised);
    assert_eq!((second.revision, second.uid, second.create_time), (2, first.uid, first.create_time));
    assert!(second.update_time >= first.update_time);
    assert_ne!(second.etag(), first.etag());
    assert_eq!(second.article.text, "a in the version 2.");
    assert_eq!(get(&*store, "a").await, second);
}

pub async fn a_stale_etag_is_refused(place: impl Place) {
    let store = place.open().await;
    let with_etag = |etag: &str, new| NewDocument { etag: etag.into(), ..new };
    let early = ingest(&*store, with_etag("x", document("a", "1"))).await.unwrap_err();
    assert!(matches!(early, StoreError::NotFound { .. }));

    let first = ingest(&*store, document("a", "1")).await.unwrap().document;
    let second = ingest(&*store, with_etag(&first.etag(), document("a", "2"))).await.unwrap().document;
    let stale = ingest(&*store, with_etag(&first.etag(), document("a", "3"))).await.unwrap_err();
    assert!(matches!(stale, StoreError::StaleEtag { current } if current == second.etag()));
    let stale = store.delete(CORPUS, "a", &first.etag()).await.unwrap_err();
    assert!(matches!(stale, StoreError::StaleEtag { current } if current == second.etag()));
    assert_eq!(get(&*store, "a").await, second);
    store.delete(CORPUS, "a", &second.etag()).await.unwrap();
    let gone = store.delete(CORPUS, "a", "").await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { .. }));
}

pub async fn a_repeated_request_answers_with_what_it_did(place: impl Place) {
    let store = place.open().await;
    let created = ingest(&*store, request("r1", document("a", "1"))).await.unwrap().document;
    // The server chose the id, and chooses another one when the request comes again.
    let again = request("r1", NewDocument { document_id: "b".into(), ..document("a", "1") });
    let repeated = ingest(&*store, again.clone()).await.unwrap();
    assert_eq!(repeated, Ingested { outcome: Outcome::Unchanged, document: created });

    let revised = ingest(&*store, request("r2", document("a", "2"))).await.unwrap().document;
    let repeated = ingest(&*store, again.clone()).await.unwrap();
    assert_eq!(repeated, Ingested { outcome: Outcome::Unchanged, document: revised.clone() });

    // A batch may come to one document by its request and by its name.
    for result in store.ingest(vec![again.clone(), document("a", "2")]).await {
        assert_eq!(result.unwrap(), Ingested { outcome: Outcome::Unchanged, document: revised.clone() });
    }

    store.delete(CORPUS, "a", "").await.unwrap();
    ingest(&*store, document("a", "3")).await.unwrap();
    let gone = ingest(&*store, again).await.unwrap_err();
    assert!(matches!(gone, StoreError::NotFound { document_id, .. } if document_id == "a"));
    assert_eq!(list(&*store, &Filter::default()).await, ["a"]);
}

pub async fn a_request_id_is_not_taken_twice(place: impl Place) {
    let store = place.open().await;
    ingest(&*store, request("r", document("a", "1"))).await.unwrap();
    let reused = ingest(&*store, request("r", document("b", "1"))).await.unwrap_err();
    assert!(matches!(reused, StoreError::RequestIdReused(id) if id == "r"));
    // A request that found its content there already counts as done.
    ingest(&*store, request("s", document("a", "1"))).await.unwrap();
    let reused = ingest(&*store, request("s", document("b", "1"))).await.unwrap_err();
    assert!(matches!(reused, StoreError::RequestIdReused(_)));
    // One that was refused was not done.
    let stale = NewDocument { etag: "x".into(), ..document("a", "2") };
    ingest(&*store, request("t", stale)).await.unwrap_err();
    let outcome = ingest(&*store, request("t", document("a", "2"))).await.unwrap().outcome;
    assert_eq!(outcome, Outcome::Revised);
    // Every corpus has its own.
    let elsewhere = NewDocument { corpus: "other".into(), ..document("b", "1") };
    assert_eq!(ingest(&*store, request("r", elsewhere)).await.unwrap().outcome, Outcome::Created);
}

pub async fn the_same_request_at_once_is_done_once(place: impl Place) {
    let store = place.open().await;
    for round in 0..20 {
        let new = request(&format!("r{round}"), document(&format!("d{round}"), "1"));
        let results = join_all((0..4).map(|_| {
            let (store, new) = (Arc::clone(&store), new.clone());
            tokio::spawn(async move { ingest(&*store, new).await.unwrap() })
        }));
        let results: Vec<Ingested> = results.await.into_iter().map(Result::unwrap).collect();
        let created = results.iter().filter(|result| result.outcome == Outcome::Created).count();
        assert_eq!(created, 1);
        assert!(results.iter().all(|result| result.document == results[0].document));
    }
}

pub async fn a_batch_answers_for_each_document(place: impl Place) {
    let store = place.open().await;
    let results = store
        .ingest(vec![
            request("r", document("a", "1")),
            NewDocument { etag: "x".into(), ..document("b", "1") },
            request("r", document("a", "1")),
            request("r", document("c", "1")),
            document("a", "2"),
            document("d", "1"),
        ])
        .await;
    let outcome = |at: usize| results[at].as_ref().map(|result| result.outcome).ok();
    assert_eq!(outcome(0), Some(Outcome::Created));
    assert!(matches!(results[1], Err(StoreError::NotFound { .. })));
    assert_eq!(outcome(2), Some(Outcome::Unchanged));
    assert!(matches!(results[3], Err(StoreError::RequestIdReused(_))));
    assert_eq!(outcome(4), Some(Outcome::Revised));
    assert_eq!(outcome(5), Some(Outcome::Created));
    assert_eq!(list(&*store, &Filter::default()).await, ["d", "a"]);
    assert!(store.ingest(Vec::new()).await.is_empty());
}

pub async fn many_writers_of_many_documents(place: impl Place) {
    let store = place.open().await;
    let writers = (0..64).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0..8 {
                let new = document(&format!("{writer}-{number}"), "1");
                let ingested = ingest(&*store, new).await.unwrap();
                let found = get(&*store, &ingested.document.document_id).await;
                assert_eq!(found, ingested.document, "what was answered can be read");
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    let page = store.list(CORPUS, &Filter::default(), View::Basic, None, 1000).await.unwrap();
    assert_eq!(page.documents.len(), 64 * 8);
}

pub async fn many_writers_of_one_document(place: impl Place) {
    let store = place.open().await;
    let writers = (0..64).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { ingest(&*store, document("a", &format!("{writer}"))).await.unwrap() })
    });
    let results: Vec<Ingested> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let created = results.iter().filter(|result| result.outcome == Outcome::Created).count();
    assert_eq!(created, 1);
    let revisions: BTreeSet<u64> = results.iter().map(|result| result.document.revision).collect();
    assert_eq!(revisions, (1..=64).collect());
    assert_eq!(get(&*store, "a").await.revision, 64);
}

pub async fn a_caller_that_leaves_breaks_nothing(place: impl Place) {
    let store = place.open().await;
    for number in 0..50 {
        let leaving = ingest(&*store, document(&format!("left-{number}"), "1"));
        let _ = tokio::time::timeout(std::time::Duration::from_micros(number * 40), leaving).await;
        ingest(&*store, document(&format!("stayed-{number}"), "1")).await.unwrap();
    }
    let all = store.list(CORPUS, &Filter::default(), View::Basic, None, 1000).await.unwrap().documents;
    let stayed = all.iter().filter(|(_, document)| document.document_id.starts_with("stayed")).count();
    assert_eq!(stayed, 50);
}

pub async fn pages_are_stable_while_documents_come_and_go(place: impl Place) {
    let store = place.open().await;
    for number in 0..25 {
        ingest(&*store, document(&format!("{number:02}"), "1")).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(CORPUS, &Filter::default(), View::Basic, after, 4).await.unwrap();
        seen.extend(page.documents.iter().map(|(_, document)| document.document_id.clone()));
        after = page.documents.last().map(|(cursor, _)| *cursor);
        let round = seen.len();
        if !page.more {
            break;
        }
        assert_eq!(page.documents.len(), 4);
        // One arrives, one that was listed and one that was not are revised, and the last one
        // that was listed goes away.
        ingest(&*store, document(&format!("new-{round}"), "1")).await.unwrap();
        ingest(&*store, document(&seen[0], &format!("{round}"))).await.unwrap();
        ingest(&*store, document("00", &format!("{round}"))).await.unwrap();
        if round > 1 {
            store.delete(CORPUS, &seen[round - 1], "").await.unwrap();
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|number| format!("{number:02}")).collect();
    assert_eq!(seen, expected);

    let page = store.list(CORPUS, &Filter::default(), View::Basic, Some(Cursor(i64::MIN)), 4).await.unwrap();
    assert!(page.documents.is_empty() && !page.more);
}

pub async fn listings_are_filtered(place: impl Place) {
    let store = place.open().await;
    let new = |id: &str, publisher: &str, language: &str, time: &str, topics: &[&str], entities: &[&str]| {
        let mut new = document(id, "1");
        new.article.publisher = publisher.into();
        new.article.language_code = language.into();
        new.article.publish_time = time.parse().ok();
        new.terms.topics = topics.iter().map(|&topic| topic.into()).collect();
        new.terms.entities = entities.iter().map(|&entity| entity.into()).collect();
        new
    };
    for result in store
        .ingest(vec![
            new(
                "1",
                "Post",
                "en",
                "2023-03-30T00:00:00Z",
                &["sport", "sport/chess"],
                &["Oslo", "Oslo", "Ada"],
            ),
            new("2", "Post", "de", "2023-03-30T00:00:01Z", &["sport"], &["Ada"]),
            new("3", "Times", "en", "2023-03-31", &["war"], &["Oslo"]),
            new("4", "Times", "en", "never", &["war", "sport"], &[]),
        ])
        .await
    {
        result.unwrap();
    }
    let second = "2023-03-30T00:00:01Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let filter = Filter::default;
    for (filter, expected) in [
        (Filter { publisher: "Post".into(), ..filter() }, vec!["2", "1"]),
        (Filter { language_code: "en".into(), ..filter() }, vec!["4", "3", "1"]),
        (Filter { published_from: Some(second), ..filter() }, vec!["3", "2"]),
        (Filter { published_before: Some(second), ..filter() }, vec!["1"]),
        (Filter { published_from: Some(second), published_before: Some(second + 1), ..filter() }, vec!["2"]),
        (Filter { topic: "sport".into(), ..filter() }, vec!["4", "2", "1"]),
        (Filter { topic: "sport/chess".into(), ..filter() }, vec!["1"]),
        (Filter { entity: "Oslo".into(), ..filter() }, vec!["3", "1"]),
        (Filter { entity: "Ada".into(), topic: "sport".into(), ..filter() }, vec!["2", "1"]),
        (
            Filter { entity: "Ada".into(), topic: "sport".into(), language_code: "de".into(), ..filter() },
            vec!["2"],
        ),
        (Filter { publisher: "Times".into(), published_from: Some(0), ..filter() }, vec!["3"]),
        (Filter { entity: "sport".into(), ..filter() }, vec![]),
        (Filter { topic: "\0".into(), ..filter() }, vec![]),
        (Filter { publisher: "' OR 1=1 --".into(), ..filter() }, vec![]),
    ] {
        assert_eq!(list(&*store, &filter).await, expected, "{filter:?}");
        // The same, a document a page.
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.list(CORPUS, &filter, View::Full, after, 1).await.unwrap();
            seen.extend(page.documents.iter().map(|(_, document)| document.document_id.clone()));
            after = page.documents.last().map(|(cursor, _)| *cursor);
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, expected, "{filter:?}");
    }
}

pub async fn names_are_compared_without_case(place: impl Place) {
    let store = place.open().await;
    let mut new = document("a", "1");
    new.article.publisher = "Straßen-Zeitung ÅÖ".into();
    new.article.language_code = "pt-BR".into();
    new.terms.entities = vec!["Nguyễn Phú Trọng".into(), "ΟΔΟΣ".into()];
    ingest(&*store, new).await.unwrap();
    for filter in [
        Filter { publisher: "STRASSEN-ZEITUNG åö".into(), ..Filter::default() },
        Filter { language_code: "PT-br".into(), ..Filter::default() },
        Filter { entity: "nguyễn phú trọng".into(), ..Filter::default() },
        Filter { entity: "NGUYE\u{302}\u{303}N PHU\u{301} TRO\u{323}NG".into(), ..Filter::default() },
        Filter { entity: "οδος".into(), ..Filter::default() },
    ] {
        assert_eq!(list(&*store, &filter).await, ["a"], "{filter:?}");
    }
    assert!(list(&*store, &Filter { entity: "Nguyen".into(), ..Filter::default() }).await.is_empty());
}

pub async fn corpora_are_apart(place: impl Place) {
    let store = place.open().await;
    let mut here = document("a", "1");
    here.terms.entities = vec!["Ada".into()];
    let there = NewDocument { corpus: "other".into(), ..here.clone() };
    let first = ingest(&*store, here).await.unwrap();
    let second = ingest(&*store, there).await.unwrap();
    assert_eq!(second.outcome, Outcome::Created);
    assert_ne!(first.document.uid, second.document.uid);
    assert_eq!(list(&*store, &Filter { entity: "ada".into(), ..Filter::default() }).await, ["a"]);
    store.delete("other", "a", "").await.unwrap();
    assert_eq!(get(&*store, "a").await, first.document);
    let nowhere = store.list("nowhere", &Filter::default(), View::Basic, None, 10).await.unwrap();
    assert!(nowhere.documents.is_empty());
}

pub async fn any_text_comes_back_as_it_was(place: impl Place) {
    let store = place.open().await;
    for (number, text) in [
        "",
        "\0",
        "a\0b",
        "👩‍👩‍👧‍👦 \u{202e}שלום\u{202c} \u{feff}",
        "\r\n\u{1}\u{7f}\u{85}\u{2028}",
        "'; DROP TABLE documents; --",
    ]
    .into_iter()
    .enumerate()
    {
        let mut new = document(&format!("{number}{text}"), "1");
        new.source.content = Content::Text(text.into());
        new.source.title = text.into();
        new.article.text = text.into();
        new.article.title = text.into();
        new.article.publisher = text.into();
        new.article.publish_time = None;
        new.labels = BTreeMap::from([(text.into(), text.into())]);
        new.terms = Terms { topics: vec![text.into()], entities: vec![text.into(), text.into()] };
        let ingested = ingest(&*store, new).await.unwrap().document;
        assert_eq!(get(&*store, &ingested.document_id).await, ingested);
    }
    let mut new = document("bytes", "1");
    let bytes = (0..=255).collect::<Vec<u8>>();
    new.source.content = Content::Bytes { bytes, charset: Some("koi8-r".into()) };
    let ingested = ingest(&*store, new).await.unwrap().document;
    assert_eq!(get(&*store, "bytes").await, ingested);
}

pub async fn a_large_document_is_kept(place: impl Place) {
    let store = place.open().await;
    let mut new = document("large", "1");
    let text = "ein Wort und noch eins — ".repeat(1024 * 1024 / 27);
    new.article.blocks = vec![new.article.blocks[0]; 10_000];
    new.terms.entities = (0..10_000).map(|number| format!("Entity {number}")).collect();
    new.source.content = Content::Text(text.clone());
    new.article.text = text;
    let ingested = ingest(&*store, new).await.unwrap().document;
    assert_eq!(get(&*store, "large").await, ingested);
    let page = store.list(CORPUS, &Filter::default(), View::Full, None, 10).await.unwrap();
    assert_eq!(page.documents[0].1, ingested);
}

pub async fn a_page_of_full_documents_is_about_a_message(place: impl Place) {
    let store = place.open().await;
    for id in ["1", "2", "3"] {
        let mut new = document(id, "1");
        new.article.text = "word ".repeat((2 << 20) / 5 + 1);
        ingest(&*store, new).await.unwrap();
    }
    let page = store.list(CORPUS, &Filter::default(), View::Full, None, 10).await.unwrap();
    let ids: Vec<_> = page.documents.iter().map(|(_, document)| &*document.document_id).collect();
    assert_eq!((ids, page.more), (vec!["3", "2"], true));
    let rest = Some(page.documents[1].0);
    let page = store.list(CORPUS, &Filter::default(), View::Full, rest, 10).await.unwrap();
    assert_eq!((page.documents.len(), page.more), (1, false));
}

pub async fn basic_leaves_out_source_text_and_blocks(place: impl Place) {
    let store = place.open().await;
    let full = ingest(&*store, document("a", "1")).await.unwrap().document;
    let article = Article { text: String::new(), blocks: Vec::new(), ..full.article.clone() };
    let basic = StoredDocument { source: None, article, ..full.clone() };
    assert_eq!(store.get(CORPUS, "a", View::Basic).await.unwrap(), basic);
    let filter = Filter::default();
    assert_eq!(store.list(CORPUS, &filter, View::Basic, None, 9).await.unwrap().documents[0].1, basic);
    assert_eq!(store.list(CORPUS, &filter, View::Full, None, 9).await.unwrap().documents[0].1, full);
}

pub async fn a_document_made_again_is_another_one(place: impl Place) {
    let store = place.open().await;
    let first = ingest(&*store, document("a", "1")).await.unwrap().document;
    ingest(&*store, document("b", "1")).await.unwrap();
    store.delete(CORPUS, "a", &first.etag()).await.unwrap();
    assert!(matches!(store.get(CORPUS, "a", View::Basic).await, Err(StoreError::NotFound { .. })));
    assert_eq!(list(&*store, &Filter::default()).await, ["b"]);
    // Also when the last document of all was deleted, its place is not given again.
    let again = ingest(&*store, document("a", "1")).await.unwrap();
    assert_eq!((again.outcome, again.document.revision), (Outcome::Created, 1));
    assert_ne!(again.document.uid, first.uid);
    assert_eq!(list(&*store, &Filter::default()).await, ["a", "b"]);
    let before = store.list(CORPUS, &Filter::default(), View::Basic, None, 1).await.unwrap().documents[0].0;
    store.delete(CORPUS, "a", "").await.unwrap();
    ingest(&*store, document("a", "1")).await.unwrap();
    let after = store.list(CORPUS, &Filter::default(), View::Basic, None, 1).await.unwrap().documents[0].0;
    assert!(after.0 > before.0);
}

pub async fn a_revision_is_found_by_its_own_terms_only(place: impl Place) {
    let store = place.open().await;
    let version = |version: &str, entity: &str, publisher: &str| {
        let mut new = document("a", version);
        new.terms.entities = vec![entity.into()];
        new.article.publisher = publisher.into();
        new
    };
    ingest(&*store, version("1", "Ada", "Post")).await.unwrap();
    ingest(&*store, version("2", "Bob", "Times")).await.unwrap();
    assert!(list(&*store, &Filter { entity: "Ada".into(), ..Filter::default() }).await.is_empty());
    assert!(list(&*store, &Filter { publisher: "Post".into(), ..Filter::default() }).await.is_empty());
    assert_eq!(list(&*store, &Filter { entity: "Bob".into(), ..Filter::default() }).await, ["a"]);
    store.delete(CORPUS, "a", "").await.unwrap();
    assert!(list(&*store, &Filter { entity: "Bob".into(), ..Filter::default() }).await.is_empty());
}

pub async fn what_was_answered_is_there_after_a_crash(place: impl Place) {
    let place = Arc::new(place);
    // A runtime of its own, which stops with its tasks where they stand.
    let opened = Arc::clone(&place);
    let acknowledged = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
        let acknowledged = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&acknowledged);
        runtime.block_on(async move {
            let store = opened.open().await;
            for writer in 0..8 {
                let (store, seen) = (Arc::clone(&store), Arc::clone(&seen));
                tokio::spawn(async move {
                    for number in 0.. {
                        let new = request(
                            &format!("{writer}-{number}"),
                            document(&format!("{writer}-{number}"), "1"),
                        );
                        let ingested = ingest(&*store, new).await.unwrap();
                        seen.lock().unwrap().push(ingested.document);
                    }
                });
            }
            while seen.lock().unwrap().len() < 100 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        });
        runtime.shutdown_background();
        Arc::try_unwrap(acknowledged)
            .map_or_else(|shared| shared.lock().unwrap().clone(), |all| all.into_inner().unwrap())
    })
    .join()
    .unwrap();

    let store = place.open().await;
    for document in &acknowledged {
        assert_eq!(&get(&*store, &document.document_id).await, document);
        let repeated = request(&document.document_id, self::document(&document.document_id, "1"));
        assert_eq!(ingest(&*store, repeated).await.unwrap().outcome, Outcome::Unchanged);
    }
    store.close().await;
}

pub async fn close_finishes_what_was_accepted(place: impl Place) {
    let store = place.open().await;
    let writers: Vec<_> = (0..200)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { ingest(&*store, document(&format!("{number}"), "1")).await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    tokio::join!(store.close(), store.close());
    let results: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    assert!(matches!(ingest(&*store, document("late", "1")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.get(CORPUS, "0", View::Basic).await, Err(StoreError::Unavailable(_))));
    assert!(store.check().await.is_err());

    let store = place.open().await;
    let kept = store.list(CORPUS, &Filter::default(), View::Basic, None, 1000).await.unwrap();
    let kept: BTreeSet<String> =
        kept.documents.into_iter().map(|(_, document)| document.document_id).collect();
    let answered: BTreeSet<String> = (results.into_iter())
        .filter_map(|result| match result {
            Ok(ingested) => Some(ingested.document.document_id),
            Err(StoreError::Unavailable(_)) => None,
            Err(error) => panic!("{error}"),
        })
        .collect();
    assert_eq!(kept, answered);
    store.close().await;
}

/// All documents with their terms, in the order of their creation.
pub async fn exported(store: &dyn Transfer) -> Vec<Record> {
    let (mut records, mut after) = (Vec::new(), None);
    loop {
        let batch = store.export(after).await.unwrap();
        let Some((cursor, _)) = batch.last() else { return records };
        after = Some(*cursor);
        records.extend(batch.into_iter().map(|(_, record)| record));
    }
}

pub async fn what_is_taken_out_can_be_put_in_as_it_was(place: impl Place) {
    let store = place.transfer().await;
    for number in 0..100 {
        let mut new = document(&format!("{number}"), "1");
        new.corpus = ["news", "other"][number % 2].into();
        new.terms = Terms { topics: vec!["Sport".into(), "war".into()], entities: vec!["Ada\0".into()] };
        ingest(&*store, new).await.unwrap();
    }
    // This one has no terms.
    ingest(&*store, document("0", "2")).await.unwrap();
    let records = exported(&*store).await;
    assert_eq!(records.len(), 100);
    let ids: Vec<_> = records.iter().map(|record| record.document.document_id.clone()).collect();
    assert_eq!(ids, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(records[0].document, get(&*store, "0").await);
    assert_eq!(records[1].terms.topics, ["sport", "war"]);

    for corpus in ["news", "other"] {
        let mut page = store.list(corpus, &Filter::default(), View::Basic, None, 100).await.unwrap();
        for (_, document) in page.documents.drain(..) {
            store.delete(corpus, &document.document_id, "").await.unwrap();
        }
    }
    for _ in 0..2 {
        for result in store.import(records.clone()).await {
            result.unwrap();
        }
        assert_eq!(exported(&*store).await, records);
    }
    assert_eq!(list(&*store, &Filter { entity: "ADA".into(), ..Filter::default() }).await.len(), 49);

    // An earlier revision gives way, a later one or another document does not.
    let mut later = records[2].clone();
    later.document.revision = 7;
    later.document.article.title = "Later".into();
    let mut other = records[4].clone();
    other.document.uid = later.document.uid;
    let results = store.import(vec![later.clone(), records[2].clone(), other]).await;
    assert!(results[0].is_ok());
    assert!(
        matches!(&results[1], Err(StoreError::StaleEtag { current }) if *current == later.document.etag())
    );
    assert!(matches!(&results[2], Err(StoreError::StaleEtag { .. })));
    assert_eq!(get(&*store, "2").await, later.document);
    assert_eq!(get(&*store, "4").await, records[4].document);
}
