//! Durable ingest of small documents, with 64 of them under way.
//!
//!     cargo bench --bench store
//!
//! PostgreSQL is one that is started for it, as by the tests, with commits that reach the disk.

#[path = "../tests/postgres_server/mod.rs"]
mod postgres_server;

use std::sync::Arc;
use std::time::Instant;

use copydesk::document::{Article, Block, BlockKind, Content, Source, Span};
use copydesk::store::postgres::PostgresOptions;
use copydesk::store::sqlite::{SqliteOptions, SqliteStore};
use copydesk::store::{Filter, NewDocument, SharedStore, Terms, View};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::{StreamExt, stream};
use postgres_server::Server;
use tokio::runtime::Runtime;

const UNDER_WAY: usize = 64;
/// How many documents one measured iteration ingests.
const DOCUMENTS: usize = 1024;

/// A brief of about 100 words with ten entities and four topics.
fn document(number: usize) -> NewDocument {
    let text = "The council met again on Tuesday and put off the vote on the harbour bridge. ".repeat(8);
    let terms = Terms {
        topics: (0..4).map(|topic| format!("medtop:{:08}", (number + topic) % 17)).collect(),
        entities: (0..10).map(|entity| format!("Entity {}", (number * 31 + entity * 977) % 5000)).collect(),
    };
    NewDocument {
        corpus: "news".into(),
        document_id: format!("document-{number}"),
        request_id: format!("request-{number}"),
        request_digest: format!("{number:064x}"),
        etag: String::new(),
        source: Source {
            content: Content::Text(text.clone()),
            uri: format!("https://paper.example/{number}"),
            ..Source::default()
        },
        article: Article {
            title: "Council puts off vote".into(),
            blocks: vec![Block {
                kind: BlockKind::Paragraph,
                span: Some(Span::new(0, text.len())),
                source_span: Some(Span::new(0, text.len())),
            }],
            text,
            language_code: "en".into(),
            publisher: "The Paper".into(),
            ..Article::default()
        },
        labels: Default::default(),
        content_hash: format!("{number:064x}"),
        terms,
    }
}

async fn ingest(store: SharedStore, number: usize) {
    for result in store.ingest(vec![document(number)]).await {
        result.expect("the store keeps it");
    }
}

async fn by_one_stream(store: SharedStore, first: usize) {
    stream::iter(first..first + DOCUMENTS)
        .map(|number| ingest(Arc::clone(&store), number))
        .buffered(UNDER_WAY)
        .collect::<()>()
        .await;
}

async fn by_tasks(store: SharedStore, first: usize) {
    let tasks = (0..UNDER_WAY).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in (first..first + DOCUMENTS).skip(task).step_by(UNDER_WAY) {
                ingest(Arc::clone(&store), number).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("the task ends");
    }
}

fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    bench_store(criterion, &runtime, "store/sqlite", |name| {
        let path = directory.path().join(name);
        Arc::new(runtime.block_on(SqliteStore::open(&path, SqliteOptions::default())).expect("a store"))
    });
    if let Some(server) = Server::durable().map(Arc::new) {
        bench_store(criterion, &runtime, "store/postgres", |_| {
            runtime.block_on(async { server.database().await.store(PostgresOptions::default()).await })
        });
    }
}

/// `open` gives an empty store of a name.
fn bench_store(criterion: &mut Criterion, runtime: &Runtime, name: &str, open: impl Fn(&str) -> SharedStore) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).throughput(Throughput::Elements(DOCUMENTS as u64));

    let mut next = 0;
    let mut first = move || {
        next += DOCUMENTS;
        next
    };
    let store = open("stream.db");
    group.bench_function("ingest, one stream with 64 under way", |bencher| {
        bencher.iter_custom(|iterations| {
            let begun = Instant::now();
            (0..iterations).for_each(|_| runtime.block_on(by_one_stream(Arc::clone(&store), first())));
            begun.elapsed()
        });
    });
    let store = open("tasks.db");
    group.bench_function("ingest, 64 tasks", |bencher| {
        bencher.iter_custom(|iterations| {
            let begun = Instant::now();
            (0..iterations).for_each(|_| runtime.block_on(by_tasks(Arc::clone(&store), first())));
            begun.elapsed()
        });
    });
    let id = runtime.block_on(store.list("news", &Filter::default(), View::Basic, None, 1)).expect("a page");
    let id = id.documents[0].1.document_id.clone();
    group.throughput(Throughput::Elements(1));
    group.bench_function("get", |bencher| {
        bencher.iter(|| runtime.block_on(store.get("news", &id, View::Full)).expect("the document"));
    });
    group.bench_function("list 50", |bencher| {
        bencher.iter(|| runtime.block_on(store.list("news", &Filter::default(), View::Basic, None, 50)));
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
