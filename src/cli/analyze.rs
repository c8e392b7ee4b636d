//! `copydesk analyze`: the engine on files, without a server.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::input::{self, BrokenRecord, InputFormat, Record};
use super::parallel;
use crate::analyzer::{Analysis, Analyzer, Checkpoint, Feature, Features, Options};
use crate::api::{convert, v1};
use crate::config::taxonomies;
use crate::document::{Article, Entity, EntityKind};
use crate::extract::Mode;
use crate::summary;
use crate::text::offsets::OffsetUnit;
use crate::topics::{self, Choice};

/// Analyse files or standard input, without a server.
///
/// Reads pages as plain text or HTML, one a file, or documents as JSON Lines with the keys id,
/// content (or else text), mime_type, title, publish_time, uri and publisher; other keys are
/// ignored. Answers come in the order of the input.
///
/// A record that cannot be read is reported with its line number and the rest goes on; the exit
/// status is then 1.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    copydesk analyze page.html\n  \
    copydesk analyze --format jsonl --features entities,topics feed.jsonl > analysed.jsonl\n  \
    curl -s https://news.example/story | copydesk analyze --sentences 1 -")]
pub struct Arguments {
    /// What to read; - is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How to read it
    #[arg(long, env = "COPYDESK_INPUT", value_enum, default_value_t, value_name = "FORMAT")]
    input: InputFormat,

    /// What to write: text for people, or jsonl for machines: a line for each input with the
    /// proto3 JSON of copydesk.v1.DocumentAnalysis and the input's id
    #[arg(long, env = "COPYDESK_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    format: OutputFormat,

    /// What to look for: a list of sentences, entities, quotes, dates, key-phrases, summary and
    /// topics; or all, or none
    #[arg(long, env = "COPYDESK_FEATURES", default_value = "all", value_parser = parse_features, value_name = "LIST")]
    features: Features,

    /// Tag with the taxonomy of your own in this file, in TOML or JSON, in place of the IPTC Media
    /// Topics
    #[arg(long, env = "COPYDESK_TAXONOMY", value_name = "FILE")]
    taxonomy: Option<PathBuf>,

    /// No topics below this confidence, 0 to 1; the taxonomy's own threshold if nothing is said
    #[arg(long, env = "COPYDESK_MIN_CONFIDENCE", value_parser = parse_confidence, value_name = "CONFIDENCE")]
    min_confidence: Option<f32>,

    /// How to find the article: auto leaves menus, teasers, captions and notices out; none takes
    /// the content as it is
    #[arg(long, env = "COPYDESK_EXTRACTION", value_enum, default_value_t, value_name = "MODE")]
    extraction: Extraction,

    /// The unit of offsets in jsonl: bytes of UTF-8, code units of UTF-16, or code points
    #[arg(long, env = "COPYDESK_OFFSET_ENCODING", value_enum, default_value_t, value_name = "UNIT")]
    offset_encoding: Offsets,

    /// At most so many sentences in a summary
    #[arg(long, env = "COPYDESK_SENTENCES", default_value_t = 3, value_name = "N")]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    sentences: usize,

    /// How many documents to work on at once; 0 for one on each core
    #[arg(long, env = "COPYDESK_JOBS", default_value_t = 0, value_name = "N")]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1024))]
    jobs: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    #[default]
    Text,
    Jsonl,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(super) enum Extraction {
    #[default]
    Auto,
    None,
}

impl Extraction {
    pub(super) const fn mode(self) -> Mode {
        match self {
            Self::Auto => Mode::Auto,
            Self::None => Mode::None,
        }
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Offsets {
    #[default]
    Utf8,
    Utf16,
    Utf32,
}

fn parse_confidence(text: &str) -> Result<f32, String> {
    let confidence = text.parse().ok().filter(|confidence| (0.0..=1.0).contains(confidence));
    confidence.ok_or_else(|| "give a number from 0 to 1".to_owned())
}

fn parse_features(list: &str) -> Result<Features, String> {
    match list {
        "all" => return Ok(Features::ALL),
        "none" => return Ok(Features::NONE),
        _ => {}
    }
    let known = |name: &str| {
        Feature::ALL.into_iter().find(|feature| feature.name() == name).ok_or_else(|| {
            let names: Vec<_> = Feature::ALL.iter().map(|feature| feature.name()).collect();
            format!("{name:?} is no feature; there are {}, all and none", names.join(", "))
        })
    };
    list.split(',').map(str::trim).map(known).collect()
}

/// Runs the command.
///
/// # Errors
/// If the models are damaged, the taxonomy's file is wrong, no threads can be had or the output cannot be written.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let analyzer = Analyzer::load()?;
    let taxonomy = match &arguments.taxonomy {
        Some(path) => Choice::Own(Arc::new(taxonomies::read(path, &analyzer)?)),
        None => Choice::BuiltIn,
    };
    let desk = Desk {
        analyzer,
        options: Options {
            features: arguments.features,
            topics: topics::Options {
                taxonomy,
                min_confidence: arguments.min_confidence,
                ..Default::default()
            },
            summary: summary::Options {
                length: summary::Length::Sentences(arguments.sentences),
                ..Default::default()
            },
        },
        mode: arguments.extraction.mode(),
        unit: match arguments.offset_encoding {
            Offsets::Utf8 => OffsetUnit::Utf8,
            Offsets::Utf16 => OffsetUnit::Utf16,
            Offsets::Utf32 => OffsetUnit::Utf32,
        },
        format: arguments.format,
    };
    let threads = parallel::threads(arguments.jobs)?;
    let progress = progress_bar();
    let mut out = BufWriter::new(io::stdout().lock());
    let mut failed = 0_usize;
    for path in &arguments.files {
        let records = match input::open(path, arguments.input) {
            Ok(records) => records,
            Err(error) => {
                report(&progress, &format!("{}: {error}", path.display()));
                failed += 1;
                continue;
            }
        };
        for answer in parallel::in_order(&threads, records, |record| desk.answer(record)) {
            progress.inc(1);
            match answer {
                Ok(text) => match out.write_all(text.as_bytes()) {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return Ok(ExitCode::SUCCESS);
                    }
                    written => written?,
                },
                Err(problem) => {
                    report(&progress, &problem);
                    failed += 1;
                }
            }
        }
    }
    match out.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    progress.finish_and_clear();
    if failed > 0 {
        report(&progress, &format!("{failed} of the inputs failed"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// A line on standard error that does not tear the progress bar.
pub(super) fn report(progress: &ProgressBar, problem: &str) {
    progress.suspend(|| eprintln!("copydesk: {problem}"));
}

/// Shown on a terminal, and only where the answers go elsewhere.
pub(super) fn progress_bar() -> ProgressBar {
    let target =
        if io::stdout().is_terminal() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} documents, {per_sec}, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// How every document of a run is handled.
pub(super) struct Desk {
    pub analyzer: Analyzer,
    pub options: Options,
    pub mode: Mode,
    pub unit: OffsetUnit,
    pub format: OutputFormat,
}

impl Desk {
    /// A document's whole output, or what went wrong.
    pub fn answer(&self, record: Result<Record, BrokenRecord>) -> Result<String, String> {
        let record = record.map_err(|broken| broken.to_string())?;
        let id = record.id.clone();
        catch_unwind(AssertUnwindSafe(|| self.analyze(record)))
            .unwrap_or_else(|_| Err("the engine failed".to_owned()))
            .map_err(|problem| format!("document {id}: {problem}"))
    }

    /// The proto3 JSON of a summary of several articles, under the key `summary`.
    pub fn summarize_together(&self, articles: &[Article]) -> Result<String, String> {
        let summary = self
            .analyzer
            .summarize_together(articles, &self.options.summary, &Checkpoint::default(), &())
            .map_err(|stopped| stopped.to_string())?;
        let named: Vec<_> =
            articles.iter().enumerate().map(|(place, article)| (place, String::new(), article)).collect();
        let summary = convert::joint_summary(&summary, &named, self.unit);
        let message = v1::SummarizeDocumentsResponse { summary: Some(summary), ..Default::default() };
        serde_json::to_string(&message).map_err(|error| error.to_string())
    }

    fn analyze(&self, record: Record) -> Result<String, String> {
        let Record { id, source } = record;
        let checkpoint = Checkpoint::default();
        let analysis = self
            .analyzer
            .analyze(&source, self.mode, &self.options, &checkpoint, &())
            .map_err(|stopped| stopped.to_string())?;
        if self.format == OutputFormat::Text {
            return Ok(for_people(&analysis));
        }
        let mut message = convert::analysis(&analysis, &self.analyzer.models(), self.unit);
        let document = convert::inline_document(&source, BTreeMap::new(), &analysis.article, self.unit);
        message.document = Some(document);
        let mut line =
            serde_json::to_string(&Line { id, analysis: &message }).map_err(|error| error.to_string())?;
        line.push('\n');
        Ok(line)
    }
}

/// A line of output: the analysis with the record's id.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "serde_json::Value::is_null")]
    id: serde_json::Value,
    #[serde(flatten)]
    analysis: &'a v1::DocumentAnalysis,
}

/// Title, summary, who and where, topics.
fn for_people(analysis: &Analysis) -> String {
    let article = &analysis.article;
    let mut lines = Vec::new();
    lines.push(if article.title.is_empty() { "(no title)" } else { &article.title }.to_owned());
    let origin: Vec<String> = [article.authors.join(", "), article.publisher.clone()]
        .into_iter()
        .chain(article.publish_time.map(|time| time.to_string()))
        .filter(|part| !part.is_empty())
        .collect();
    if !origin.is_empty() {
        lines.push(origin.join(" | "));
    }
    if let Some(summary) = &analysis.summary {
        lines.push(String::new());
        lines.extend(summary.sentences.iter().map(|sentence| one_line(sentence.span.of(&article.text))));
    }
    lines.push(String::new());
    let entities = analysis.entities.as_deref().unwrap_or_default();
    let groups: [(&str, &[EntityKind]); 3] = [
        ("who", &[EntityKind::Person]),
        ("organisations", &[EntityKind::Organization]),
        ("where", &[EntityKind::Location, EntityKind::Facility]),
    ];
    lines.extend(groups.iter().filter_map(|(label, kinds)| named(label, entities, kinds)));
    let topics = analysis.topics.iter().flatten();
    let topics: Vec<_> =
        topics.map(|topic| format!("{} {:.2}", topic.display_name, topic.confidence)).collect();
    if !topics.is_empty() {
        lines.push(format!("{:<15}{}", "topics", topics.join(", ")));
    }
    lines.extend(analysis.warnings.iter().map(|warning| format!("{:<15}{}", "warning", warning.message)));
    lines.push(String::new());
    lines.join("\n") + "\n"
}

/// The names of the most salient entities of some kinds.
fn named(label: &str, entities: &[Entity], kinds: &[EntityKind]) -> Option<String> {
    let names: Vec<_> =
        entities.iter().filter(|e| kinds.contains(&e.kind)).take(8).map(|e| e.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("{label:<15}{}", names.join(", ")))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
