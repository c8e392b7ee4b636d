//! `copydesk analyze`: the engine on files, here or on a server.

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
use super::remote::{self, Remote};
use crate::analyzer::{Analyzer, Checkpoint, Feature, Features, NO_MODEL_FOR_LANGUAGE, Options};
use crate::api::{convert, v1};
use crate::config::taxonomies;
use crate::document::{Article, Source};
use crate::extract::Mode;
use crate::summary;
use crate::text::offsets::OffsetUnit;
use crate::topics::{self, Choice, Definition};

/// Analyse files or standard input, here or on a server.
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
    curl -s https://news.example/story | copydesk analyze --sentences 1 -\n  \
    copydesk analyze --server https://desk.example:50051 --format jsonl feed.jsonl > analysed.jsonl")]
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
    /// Topics; a server must have it, too (copydesk serve --taxonomies)
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

    /// How many documents to work on at once, where no server does; 0 for one on each core
    #[arg(long, env = "COPYDESK_JOBS", default_value_t = 0, value_name = "N")]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1024))]
    jobs: usize,

    #[command(flatten)]
    remote: Remote,
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

impl Offsets {
    const fn unit(self) -> OffsetUnit {
        match self {
            Self::Utf8 => OffsetUnit::Utf8,
            Self::Utf16 => OffsetUnit::Utf16,
            Self::Utf32 => OffsetUnit::Utf32,
        }
    }
}

/// The feature that costs least.
const NEXT_TO_NOTHING: Feature = Feature::Sentences;

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
/// If the models are damaged, the taxonomy's file is wrong, no threads can be had, the server cannot be reached or
/// refuses the whole, or the output cannot be written.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let mut output = Output { progress: progress_bar(), out: BufWriter::new(io::stdout().lock()), failed: 0 };
    let records = input::open_all(arguments.files.clone(), arguments.input);
    let done = match &arguments.remote.server {
        Some(server) => {
            let taxonomy = arguments.taxonomy.as_deref().map(taxonomies::define).transpose()?;
            let request = arguments.request(taxonomy.as_ref())?;
            remote::analyze(server, &arguments.remote, taxonomy.as_ref(), records, request, |id, answer| {
                let answer = answer.map(|analysis| arguments.as_asked(analysis));
                output.take(answer.and_then(|analysis| render(id, &analysis, arguments.format)))
            })
        }
        None => arguments.analyze_here(records, &mut output),
    };
    match done.and_then(|()| Ok(output.out.flush()?)) {
        // Whoever reads the output has seen enough.
        Err(error) if is_broken_pipe(&*error) => return Ok(ExitCode::SUCCESS),
        done => done?,
    }
    output.progress.finish_and_clear();
    if output.failed > 0 {
        report(&output.progress, &format!("{} of the inputs failed", output.failed));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Arguments {
    fn analyze_here(
        &self,
        records: impl Iterator<Item = Result<Record, BrokenRecord>> + Send,
        output: &mut Output,
    ) -> Result<(), Box<dyn Error>> {
        let desk = self.desk()?;
        let threads = parallel::threads(self.jobs)?;
        for answer in parallel::in_order(&threads, records, |record| desk.answer(record)) {
            output.take(answer)?;
        }
        Ok(())
    }

    fn desk(&self) -> Result<Desk, Box<dyn Error>> {
        let analyzer = Analyzer::load()?;
        let taxonomy = match &self.taxonomy {
            Some(path) => Choice::Own(Arc::new(taxonomies::read(path, &analyzer)?)),
            None => Choice::BuiltIn,
        };
        let min_confidence = self.min_confidence;
        Ok(Desk {
            analyzer,
            options: Options {
                features: self.features,
                topics: topics::Options { taxonomy, min_confidence, ..Default::default() },
                summary: summary::Options {
                    length: summary::Length::Sentences(self.sentences),
                    ..Default::default()
                },
            },
            mode: self.extraction.mode(),
            unit: self.offset_encoding.unit(),
            format: self.format,
        })
    }

    /// What a server is asked to do with each document.
    ///
    /// # Errors
    /// If a server cannot be asked for it.
    fn request(
        &self,
        taxonomy: Option<&Definition>,
    ) -> Result<impl Fn(Source) -> v1::AnalyzeDocumentRequest + use<>, Box<dyn Error>> {
        // No features stand for all of them there, so that the cheapest is asked for.
        let features = if self.features == Features::NONE {
            Features::NONE.with(NEXT_TO_NOTHING)
        } else {
            self.features
        };
        let features = (Feature::ALL.into_iter())
            .filter(|&feature| features.contains(feature))
            .map(|feature| convert::feature_message(feature) as i32)
            .collect();
        let extraction_mode = match self.extraction {
            Extraction::Auto => v1::ExtractionMode::Auto,
            Extraction::None => v1::ExtractionMode::None,
        };
        let length = v1::summary_options::Length::SentenceCount(i32::try_from(self.sentences)?);
        let asked = v1::AnalyzeDocumentRequest {
            source: None,
            features,
            offset_encoding: convert::offset_encoding(self.offset_encoding.unit()),
            extraction_mode: extraction_mode as i32,
            summary_options: Some(v1::SummaryOptions { length: Some(length), ..Default::default() }),
            topic_options: Some(v1::TopicOptions {
                taxonomy: taxonomy.map(|taxonomy| taxonomy.id.clone()).unwrap_or_default(),
                min_confidence: self.min_confidence,
                ..Default::default()
            }),
        };
        Ok(move |source| {
            let document = v1::analyze_document_request::Source::Document(convert::sent_document(source));
            v1::AnalyzeDocumentRequest { source: Some(document), ..asked.clone() }
        })
    }

    /// A server's answer without what it had to be asked for in place of nothing.
    fn as_asked(&self, mut analysis: v1::DocumentAnalysis) -> v1::DocumentAnalysis {
        if self.features == Features::NONE {
            analysis.sentences.clear();
            analysis.warnings.retain(|warning| warning.reason != NO_MODEL_FOR_LANGUAGE);
            if let Some(statistics) = &mut analysis.statistics {
                (statistics.sentence_count, statistics.token_count) = (0, 0);
            }
        }
        analysis
    }
}

/// Where answers go, in the order of the input.
struct Output {
    progress: ProgressBar,
    out: BufWriter<io::StdoutLock<'static>>,
    failed: usize,
}

impl Output {
    /// Writes the answer, or reports what went wrong.
    fn take(&mut self, answer: Result<String, String>) -> io::Result<()> {
        self.progress.inc(1);
        match answer {
            Ok(text) => self.out.write_all(text.as_bytes())?,
            Err(problem) => {
                report(&self.progress, &problem);
                self.failed += 1;
            }
        }
        Ok(())
    }
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
        let mut message = convert::analysis(&analysis, &self.analyzer.models(), self.unit);
        let document = convert::inline_document(&source, BTreeMap::new(), &analysis.article, self.unit);
        message.document = Some(document);
        render(id, &message, self.format)
    }
}

/// A document's whole output.
fn render(
    id: serde_json::Value,
    analysis: &v1::DocumentAnalysis,
    format: OutputFormat,
) -> Result<String, String> {
    match format {
        OutputFormat::Text => Ok(for_people(analysis)),
        OutputFormat::Jsonl => serde_json::to_string(&Line { id, analysis })
            .map(|line| line + "\n")
            .map_err(|error| error.to_string()),
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
fn for_people(analysis: &v1::DocumentAnalysis) -> String {
    let nothing = v1::Document::default();
    let document = analysis.document.as_ref().unwrap_or(&nothing);
    let mut lines = Vec::new();
    lines.push(if document.title.is_empty() { "(no title)" } else { &document.title }.to_owned());
    let origin = [document.authors.join(", "), document.publisher.clone(), document.publish_time.clone()];
    let origin: Vec<_> = origin.into_iter().filter(|part| !part.is_empty()).collect();
    if !origin.is_empty() {
        lines.push(origin.join(" | "));
    }
    if let Some(summary) = &analysis.summary {
        lines.push(String::new());
        let spans = summary.sentences.iter().filter_map(|sentence| sentence.span.as_ref());
        lines.extend(spans.map(|span| one_line(&span.text)));
    }
    lines.push(String::new());
    use v1::EntityType as Type;
    let groups: [(&str, &[Type]); 3] = [
        ("who", &[Type::Person]),
        ("organisations", &[Type::Organization]),
        ("where", &[Type::Location, Type::Facility]),
    ];
    lines.extend(groups.iter().filter_map(|(label, types)| named(label, &analysis.entities, types)));
    let topics: Vec<_> = (analysis.topics.iter())
        .map(|topic| format!("{} {:.2}", topic.display_name, topic.confidence))
        .collect();
    if !topics.is_empty() {
        lines.push(format!("{:<15}{}", "topics", topics.join(", ")));
    }
    lines.extend(analysis.warnings.iter().map(|warning| format!("{:<15}{}", "warning", warning.message)));
    lines.push(String::new());
    lines.join("\n") + "\n"
}

/// The names of the most salient entities of some types.
fn named(label: &str, entities: &[v1::Entity], types: &[v1::EntityType]) -> Option<String> {
    let entities = entities.iter().filter(|entity| types.contains(&entity.r#type()));
    let names: Vec<_> = entities.take(8).map(|entity| entity.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("{label:<15}{}", names.join(", ")))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
