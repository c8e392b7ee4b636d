//! `copydesk evaluate`: how well the engine does on documents whose right answers are known.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use rustc_hash::FxHashMap;

use super::analyze::{self, Desk, Extraction, OutputFormat};
use super::input::{self, BrokenRecord, JsonLine};
use super::parallel;
use crate::analyzer::{Analyzer, Feature, Features, Options};
use crate::evaluate::dates::Dates;
use crate::evaluate::entities::Entities;
use crate::evaluate::entity_desk::EntityDesk;
use crate::evaluate::extraction_html::ExtractionHtml;
use crate::evaluate::extraction_text::ExtractionText;
use crate::evaluate::quotes::Quotes;
use crate::evaluate::sentences::Sentences;
use crate::evaluate::summary::Summaries;
use crate::evaluate::summary_choice::SummaryChoice;
use crate::evaluate::topics::{self, Topics};
use crate::evaluate::{Prediction, Scorer, record_id};
use crate::summary;
use crate::text::offsets::OffsetUnit;
use crate::topics::TopicModel;

/// Sentences in a summary where nothing else is said.
const SENTENCES: usize = 3;

/// Tell how well the engine does on documents whose right answers are known.
///
/// Analyses the documents of a gold file and compares what was found with what the file says is
/// right; or scores predictions that were made before. The gold file has a JSON object a line;
/// docs/evaluate.md says what each task needs in it, and what the figures mean.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    copydesk evaluate --task entities my-articles.jsonl\n  \
    copydesk evaluate --task summary --sentences 1 --json my-summaries.jsonl\n  \
    copydesk evaluate --task dates my-dates.jsonl --predictions other-tool.jsonl\n  \
    xz -dc pages.jsonl.xz | copydesk evaluate --task extraction-html -")]
pub struct Arguments {
    /// What to score
    #[arg(long, value_enum)]
    task: Task,

    /// The right answers, as JSON Lines; - is standard input
    #[arg(value_name = "GOLD")]
    gold: PathBuf,

    /// Score these instead of analysing the documents: lines of copydesk analyze --format jsonl
    /// --offset-encoding utf32, matched with the gold by id
    #[arg(long, value_name = "FILE", conflicts_with = "extraction")]
    predictions: Option<PathBuf>,

    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,

    /// How to find the article; where nothing is said, auto for the extraction tasks, and none
    /// for the others, whose gold files have articles
    #[arg(long, value_enum, value_name = "MODE")]
    extraction: Option<Extraction>,

    /// Sentences in a summary, 3 if nothing is said (summary, summary-choice)
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    sentences: Option<usize>,

    /// Level of the topics that are compared, 1 if nothing is said (topics)
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=2))]
    level: Option<usize>,

    /// Topics below this confidence do not count (topics)
    #[arg(long, value_name = "CONFIDENCE")]
    threshold: Option<f64>,

    /// Leave out records with "sure": false (topics)
    #[arg(long)]
    sure: bool,

    /// How many documents to work on at once; 0 for one on each core
    #[arg(long, env = "COPYDESK_JOBS", default_value_t = 0, value_name = "N")]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(0..=1024))]
    jobs: usize,
}

/// What is scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Task {
    /// The article in pages that were flattened to text
    ExtractionText,
    /// The article in pages of HTML, with title, authors and day
    ExtractionHtml,
    /// Where sentences end
    Sentences,
    /// Dates, times and durations, with their values
    Dates,
    /// People, organisations and places
    Entities,
    /// Entities of eight types with all their mentions, names, roles and salience
    EntityDesk,
    /// Quotations with their speakers
    Quotes,
    /// Summaries against summaries that people wrote
    Summary,
    /// Summaries against sentences that readers graded
    SummaryChoice,
    /// IPTC Media Topics
    Topics,
}

impl Task {
    /// What the engine has to look for.
    fn features(self) -> Features {
        match self {
            Self::ExtractionText | Self::ExtractionHtml => Features::NONE,
            Self::Sentences => Features::NONE.with(Feature::Sentences),
            Self::Dates => Features::NONE.with(Feature::TemporalExpressions),
            Self::Entities | Self::EntityDesk => Features::NONE.with(Feature::Entities),
            Self::Quotes => Features::NONE.with(Feature::Quotes),
            // The sentences are for the summary that takes the first ones.
            Self::Summary => Features::NONE.with(Feature::Summary).with(Feature::Sentences),
            Self::SummaryChoice => Features::NONE.with(Feature::Summary),
            Self::Topics => Features::NONE.with(Feature::Topics),
        }
    }

    fn extraction(self) -> Extraction {
        match self {
            Self::ExtractionText | Self::ExtractionHtml => Extraction::Auto,
            _ => Extraction::None,
        }
    }
}

impl Arguments {
    /// Refuses options that say nothing about the task.
    fn check(&self) -> Result<(), String> {
        let about_topics = self.level.is_some() || self.threshold.is_some() || self.sure;
        if about_topics && self.task != Task::Topics {
            return Err("--level, --threshold and --sure go with --task topics only".to_owned());
        }
        if self.sentences.is_some() && !matches!(self.task, Task::Summary | Task::SummaryChoice) {
            return Err("--sentences goes with --task summary and summary-choice only".to_owned());
        }
        Ok(())
    }

    fn scorer(&self) -> Result<Box<dyn Scorer>, Box<dyn Error>> {
        Ok(match self.task {
            Task::ExtractionText => Box::new(ExtractionText::default()),
            Task::ExtractionHtml => Box::new(ExtractionHtml::default()),
            Task::Sentences => Box::new(Sentences::default()),
            Task::Dates => Box::new(Dates::default()),
            Task::Entities => Box::new(Entities::default()),
            Task::EntityDesk => Box::new(EntityDesk::default()),
            Task::Quotes => Box::new(Quotes::default()),
            Task::Summary => Box::new(Summaries::new(self.sentences)),
            Task::SummaryChoice => Box::new(SummaryChoice::new(self.sentences.unwrap_or(SENTENCES))),
            Task::Topics => {
                let (level, threshold) = (self.level.unwrap_or(1), self.threshold.unwrap_or(0.0));
                let options = topics::Options { level, threshold, sure: self.sure };
                Box::new(Topics::new(TopicModel::load()?, options))
            }
        })
    }

    fn desk(&self) -> Result<Desk, Box<dyn Error>> {
        let length = summary::Length::Sentences(self.sentences.unwrap_or(SENTENCES));
        Ok(Desk {
            analyzer: Analyzer::load()?,
            options: Options {
                features: self.task.features(),
                summary: summary::Options { length, ..Default::default() },
                ..Default::default()
            },
            mode: self.extraction.unwrap_or(self.task.extraction()).mode(),
            unit: OffsetUnit::Utf32,
            format: OutputFormat::Jsonl,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// If a file cannot be read, a record lacks something or repeats an id, or the models are damaged;
/// the message names the file and the line.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    arguments.check()?;
    let mut scorer = arguments.scorer()?;
    let failed = match &arguments.predictions {
        Some(predictions) => {
            score_file(&arguments.gold, predictions, scorer.as_mut())?;
            false
        }
        None => score_engine(arguments, scorer.as_mut())?,
    };
    let report = scorer.report();
    let text = if arguments.json { serde_json::to_string(&report)? + "\n" } else { report.to_string() };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }),
    }
}

/// Scores what the engine finds in the gold's documents; whether it failed on any of them.
fn score_engine(arguments: &Arguments, scorer: &mut dyn Scorer) -> Result<bool, Box<dyn Error>> {
    let desk = arguments.desk()?;
    let threads = parallel::threads(arguments.jobs)?;
    let analyze = |line: Result<JsonLine, BrokenRecord>| {
        let line = line?;
        let several = if arguments.task == Task::Summary { line.documents()? } else { None };
        let answer = match several {
            Some(articles) => desk.summarize_together(&articles),
            None => desk.answer(Ok(line.record()?)),
        };
        let answer = answer.and_then(|answer| Prediction::parse(answer.as_bytes()));
        let answer = answer.and_then(|prediction| match prediction.has_failed() {
            true => Err(format!("{}: an analysis failed", line.place)),
            false => Ok(prediction),
        });
        Ok::<_, BrokenRecord>((line, answer))
    };
    let progress = analyze::progress_bar();
    let (mut failed, mut ids) = (false, Ids::default());
    for analyzed in parallel::in_order(&threads, open(&arguments.gold)?, analyze) {
        let (line, answer) = analyzed?;
        ids.add(&line)?;
        let prediction = answer.map_err(|problem| {
            analyze::report(&progress, &problem);
            failed = true;
        });
        scorer.add(&line.bytes, prediction.ok().as_ref()).map_err(|problem| line.broken(problem))?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(failed)
}

/// Scores predictions of a file; it is an error if none of them has an id of the gold.
fn score_file(gold: &Path, predictions: &Path, scorer: &mut dyn Scorer) -> Result<(), Box<dyn Error>> {
    let (mut by_id, mut ids) = (FxHashMap::default(), Ids::default());
    for line in open(predictions)? {
        let line = line?;
        let prediction = Prediction::parse(&line.bytes).map_err(|problem| line.broken(problem))?;
        by_id.insert(ids.add(&line)?, prediction);
    }
    let (predicted, mut missing, mut ids) = (by_id.len(), Vec::new(), Ids::default());
    for line in open(gold)? {
        let line = line?;
        let id = ids.add(&line)?;
        let prediction = by_id.remove(&id);
        scorer.add(&line.bytes, prediction.as_ref()).map_err(|problem| line.broken(problem))?;
        if prediction.is_none() {
            missing.push(format!("{id:?} ({})", line.place));
        }
    }
    let (gold, predictions) = (gold.display(), predictions.display());
    if by_id.len() == predicted && !missing.is_empty() {
        return Err(format!("no id in {predictions} is one of {gold}, whose first is {}", missing[0]).into());
    }
    if let Some(first) = missing.first() {
        let count = missing.len();
        eprintln!(
            "copydesk: {predictions} lacks {count} of the ids, the first of them {first}; that counts as nothing found"
        );
    }
    if !by_id.is_empty() {
        eprintln!("copydesk: {} of the ids in {predictions} are not in {gold} and are left out", by_id.len());
    }
    Ok(())
}

fn open(path: &Path) -> Result<impl Iterator<Item = Result<JsonLine, BrokenRecord>> + use<>, String> {
    input::json_lines(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The ids of a file with where they stand.
#[derive(Default)]
struct Ids(FxHashMap<String, String>);

impl Ids {
    /// The id on a line; an error if another line has it too.
    fn add(&mut self, line: &JsonLine) -> Result<String, BrokenRecord> {
        let id = record_id(&line.bytes).map_err(|problem| line.broken(problem))?;
        match self.0.insert(id.clone(), line.place.clone()) {
            None => Ok(id),
            Some(first) => Err(line.broken(format!("the id {id:?} is already in {first}"))),
        }
    }
}
