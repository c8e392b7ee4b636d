//! The engine's stages and the whole of it, in tokens a CPU second, on articles of five
//! lengths; and one gRPC call beside the engine alone.
//!
//!     cargo bench --bench engine
//!
//! Times are CPU time of the process, not of the clock on the wall, so that a busy machine
//! changes them little. "thrpt" counts tokens, except for HTML, where it counts bytes.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use copydesk::analyzer::{Analyzer, Checkpoint, Feature, Features, Options};
use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::config::ServeArgs;
use copydesk::document::{Article, Content, MimeType, Source};
use copydesk::entities::EntityModel;
use copydesk::extract::Mode;
use copydesk::keyphrases::PhraseModel;
use copydesk::server::{self, Listeners, Shutdown};
use copydesk::store::sqlite::{SqliteOptions, SqliteStore};
use copydesk::summary::Summarizer;
use copydesk::text::segment_article;
use copydesk::topics::TopicModel;
use copydesk::{dates, quotes};
use cpu_time::ProcessTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const PAGE: &str = include_str!("../examples/articles/harbour-bridge.txt");
const HTML_PAGE: &str = include_str!("../examples/articles/lithium-merger.html");
/// Of ten kinds.
const ARTICLES: [&str; 10] = [
    include_str!("../tests/golden_articles/court_case.txt"),
    include_str!("../tests/golden_articles/election.txt"),
    include_str!("../tests/golden_articles/explainer.txt"),
    include_str!("../tests/golden_articles/interview.txt"),
    include_str!("../tests/golden_articles/listicle.txt"),
    include_str!("../tests/golden_articles/live_blog.txt"),
    include_str!("../tests/golden_articles/market_report.txt"),
    include_str!("../tests/golden_articles/obituary.txt"),
    include_str!("../tests/golden_articles/press_release.txt"),
    include_str!("../tests/golden_articles/sport_report.txt"),
];
/// Up to 1 MiB, the longest content that is taken: as many tokens a second at all lengths, or time
/// does not grow linearly.
const WORDS: [usize; 5] = [200, 600, 5_000, 40_000, 165_000];
/// Of longer texts made like this extraction keeps some paragraphs alone, and the rest has little to do.
const LONGEST_WHOLE: usize = 5_000;

type Group<'a> = BenchmarkGroup<'a, criterion::measurement::WallTime>;

/// Reports the CPU time of `run`.
fn bench(group: &mut Group<'_>, name: &str, words: usize, mut run: impl FnMut()) {
    group.bench_function(BenchmarkId::new(name, words), |bencher| {
        bencher.iter_custom(|times| {
            let started = ProcessTime::now();
            for _ in 0..times {
                run();
            }
            started.elapsed()
        });
    });
}

/// The example article at a length: its paragraphs over and over, each with its round's number, since
/// extraction leaves copies out.
fn article(engine: &Analyzer, words: usize) -> Article {
    let source = Source { content: Content::Text(PAGE.to_owned()), ..Source::default() };
    let whole = engine.extract(&source, Mode::Auto).article;
    let mut text = String::new();
    let mut count = 0;
    for round in 0.. {
        for paragraph in whole.text.split("\n\n") {
            if count >= words {
                let plain = Source { content: Content::Text(text), title: whole.title, ..source };
                return engine.extract(&plain, Mode::None).article;
            }
            count += paragraph.split_whitespace().count();
            text.push_str(&format!("{paragraph} ({round})\n\n"));
        }
    }
    unreachable!("the rounds go on until there are words enough")
}

fn models() -> (EntityModel, PhraseModel, Summarizer, TopicModel) {
    (
        EntityModel::load().expect("the model is sound"),
        PhraseModel::load().expect("the model is sound"),
        Summarizer::load().expect("the model is sound"),
        TopicModel::load().expect("the model is sound"),
    )
}

fn stages(criterion: &mut Criterion) {
    let engine = Analyzer::load().expect("the models are sound");
    let (entities, phrases, summarizer, topics) = models();
    let mut group = criterion.benchmark_group("engine");
    for words in WORDS {
        let article = article(&engine, words);
        let segmented = segment_article(&article);
        let found = entities.find(&segmented);
        group.throughput(Throughput::Elements(segmented.body.tokens.len() as u64));

        let plain = Source { content: Content::Text(article.text.clone()), ..Source::default() };
        bench(&mut group, "extract", words, || drop(black_box(engine.extract(&plain, Mode::Auto))));
        bench(&mut group, "segment", words, || drop(black_box(segment_article(&article))));
        bench(&mut group, "entities", words, || drop(black_box(entities.find(&segmented))));
        bench(&mut group, "quotes", words, || drop(black_box(quotes::find(&segmented, &found))));
        bench(&mut group, "dates", words, || drop(black_box(dates::find(&segmented, article.publish_time))));
        bench(&mut group, "key-phrases", words, || drop(black_box(phrases.find(&segmented, &found, 12))));
        let summarize = || drop(black_box(summarizer.summarize(&segmented, &found, &Default::default())));
        bench(&mut group, "summary", words, summarize);
        bench(&mut group, "topics", words, || drop(black_box(topics.tag(&segmented, &Default::default()))));

        if words > LONGEST_WHOLE {
            continue;
        }
        let options = Options { features: Features::ALL, ..Options::default() };
        let whole = || {
            let analysis = engine.analyze(&plain, Mode::Auto, &options, &Checkpoint::default(), &());
            drop(black_box(analysis));
        };
        bench(&mut group, "whole", words, whole);
    }
    group.finish();
}

/// Those of the file that `ARTICLES` in the environment names, JSON with a `title` and a `text` a line; else ten of
/// our own.
fn articles(engine: &Analyzer) -> Vec<Article> {
    let extract = |title: &str, text: &str, mode| {
        let content = Content::Text(text.to_owned());
        engine.extract(&Source { content, title: title.to_owned(), ..Source::default() }, mode).article
    };
    let Ok(path) = std::env::var("ARTICLES") else {
        return ARTICLES.iter().map(|text| extract("", text, Mode::Auto)).collect();
    };
    let lines = std::fs::read_to_string(path).expect("the file can be read");
    let record = |line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON");
    let article = |record: serde_json::Value| {
        let [title, text] = ["title", "text"].map(|key| record[key].as_str().unwrap_or_default());
        extract(title, text, Mode::None)
    };
    lines.lines().map(record).map(article).collect()
}

/// Summary, topics and key phrases as a server comes to them: of one article after the other, each time
/// after its entities were looked for, whose tables have pushed others out of the near caches.
fn together(criterion: &mut Criterion) {
    let engine = Analyzer::load().expect("the models are sound");
    let (entities, phrases, summarizer, topics) = models();
    let articles = articles(&engine);
    let segmented: Vec<_> = articles.iter().map(segment_article).collect();
    let mut group = criterion.benchmark_group("together");
    group.throughput(Throughput::Elements(segmented.iter().map(|a| a.body.tokens.len() as u64).sum()));
    group.bench_function("summary, topics and key phrases", |bencher| {
        bencher.iter_custom(|times| {
            let mut taken = Duration::ZERO;
            for article in (0..times).flat_map(|_| &segmented) {
                let found = entities.find(article);
                let started = ProcessTime::now();
                black_box(summarizer.summarize(article, &found, &Default::default()));
                black_box(topics.tag(article, &Default::default()));
                black_box(phrases.find(article, &found, 12));
                taken += started.elapsed();
            }
            taken
        });
    });
    group.finish();
}

/// Texts of nothing but names, at two lengths each: as many tokens a second at both, or time
/// does not grow linearly.
fn names(criterion: &mut Criterion) {
    let entities = EntityModel::load().expect("the model is sound");
    let mut group = criterion.benchmark_group("names");
    let letters = |number: usize| number.to_string().bytes().map(|b| char::from(b + 49)).collect::<String>();
    let different = |i: usize| format!("Ann Lee{} of the Bank of Port{} spoke. ", letters(i), letters(i));
    let kinds: [(&str, &dyn Fn(usize) -> String); 3] = [
        ("different", &different),
        ("the same", &|_| "Ban Ki-moon spoke, and the company said so. ".to_owned()),
        ("one line", &|_| "Ann Lee of Lee Bank ".to_owned()),
    ];
    for (kind, sentence) in kinds {
        for count in [1_000, 10_000] {
            let text = (0..count).map(sentence).collect();
            let article = Article { text, language_code: "en".to_owned(), ..Article::default() };
            let segmented = segment_article(&article);
            group.throughput(Throughput::Elements(segmented.body.tokens.len() as u64));
            bench(&mut group, kind, count, || drop(black_box(entities.find(&segmented))));
        }
    }
    group.finish();
}

fn html(criterion: &mut Criterion) {
    let engine = Analyzer::load().expect("the models are sound");
    let content = Content::Text(HTML_PAGE.to_owned());
    let page = Source { content, mime_type: MimeType::Html, ..Source::default() };
    let mut group = criterion.benchmark_group("html");
    group.throughput(Throughput::Bytes(HTML_PAGE.len() as u64));
    bench(&mut group, "extract", 0, || drop(black_box(engine.extract(&page, Mode::Auto))));
    group.finish();
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    serve: ServeArgs,
}

/// The same page through the engine, and through a server on the loopback address with the
/// client's work counted in.
fn grpc(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be had");
    let engine = Arc::new(Analyzer::load().expect("the models are sound"));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let flags = ["bench", "--listen=127.0.0.1:0", "--admin-listen=off", "--log=off"];
    let config = Flags::parse_from(flags).serve.validate().expect("the flags are sound");
    let mut client = runtime.block_on(async {
        let path = folder.path().join("bench.db");
        let store = Arc::new(SqliteStore::open(&path, SqliteOptions::default()).await.expect("a store"));
        let listeners = Listeners::bind(&config).await.expect("a free port");
        let address = listeners.rpc.local_addr().expect("a bound port");
        let (_, catalogue) = tokio::sync::watch::channel(Default::default());
        let services =
            server::services(&config, Arc::clone(&engine), store.clone(), catalogue).expect("threads");
        tokio::spawn(async move {
            server::run(&config, listeners, services, store, Shutdown::default()).await.expect("a server");
        });
        loop {
            match AnalysisServiceClient::connect(format!("http://{address}")).await {
                Ok(client) => break client,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    });

    let mut group = criterion.benchmark_group("call");
    let source = Source { content: Content::Text(PAGE.to_owned()), ..Source::default() };
    let options = Options { features: Feature::ALL.into_iter().collect(), ..Options::default() };
    bench(&mut group, "engine alone", 0, || {
        let analysis = engine.analyze(&source, Mode::Auto, &options, &Checkpoint::default(), &());
        drop(black_box(analysis));
    });
    let content = Some(v1::document::Source::Content(PAGE.to_owned()));
    let document = v1::Document { source: content, ..Default::default() };
    let document = v1::analyze_document_request::Source::Document(document);
    let request = v1::AnalyzeDocumentRequest { source: Some(document), ..Default::default() };
    bench(&mut group, "gRPC", 0, || {
        let answer = runtime.block_on(client.analyze_document(request.clone())).expect("an answer");
        drop(black_box(answer));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = stages, together, names, html, grpc
}
criterion_main!(benches);
