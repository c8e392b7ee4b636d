//! How much the document is about each entity.

use std::cmp::Reverse;
use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::describe::Description;
use super::pronouns::Pronoun;
use super::reading::Reading;
use super::resolve::Cluster;
use super::words::{self, Case};
use crate::document::{EntityKind, Section};
use crate::model::trees::Forest;
use crate::model::{ModelError, ModelFile};

/// How many numbers tell of an entity, see [`rows`].
pub const WIDTH: usize = 33;
/// The forest's section in the model file.
pub const FOREST: &str = "salience forest";

/// Words that often follow the name of one who does or says something.
static VERBS: LazyLock<FxHashSet<u32>> = LazyLock::new(|| {
    words::folded_hashes(&[
        "is", "was", "are", "were", "has", "have", "had", "will", "would", "can", "could", "may", "might",
        "should", "did", "does", "said", "says", "told", "tells", "added", "asked", "wants", "wanted",
        "made", "won", "took", "went", "plans", "faces", "beat", "announced",
    ])
});

/// Ranks entities. Immutable.
pub struct Ranker {
    forest: Forest,
}

impl Ranker {
    pub fn new(forest: Forest) -> Self {
        Self { forest }
    }

    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        Ok(Self { forest: Forest::read(file, FOREST, WIDTH)? })
    }

    /// For each entity of an article more, the more it is about it.
    pub fn scores(&self, traces: &[Trace]) -> Vec<f32> {
        self.forest.scores(&rows(traces))
    }

    /// Each entity's salience; all of them add up to 1, or 0 where there are none.
    pub fn salience(&self, traces: &[Trace]) -> Vec<f32> {
        /// Keeps every order and lets the summary hear of more than one.
        const SHARPNESS: f32 = 0.5;
        let weights: Vec<f32> =
            self.scores(traces).into_iter().map(|score| (SHARPNESS * score).exp()).collect();
        // A hair less than 1, so that rounding never takes the sum above it.
        let total: f32 = weights.iter().sum::<f32>() * 1.000_01;
        weights.iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 }).collect()
    }
}

/// Where and how often an entity is spoken of.
pub struct Trace {
    kind: EntityKind,
    /// How often it is named in the body.
    named: u32,
    /// How many descriptions, and how many pronouns stand for it.
    described: u32,
    pronouns: u32,
    /// How often it opens a sentence, and how often a verb seems to follow its name.
    opens: u32,
    acts: u32,
    in_title: bool,
    opens_title: bool,
    /// Whether the title has a word of its name.
    partly_in_title: bool,
    /// Places of its first and last name in the body, in units.
    first: usize,
    last: usize,
    /// How many units the body has.
    length: usize,
    /// The mean confidence in its names.
    confidence: f32,
    /// How many other entities are named before it.
    before: usize,
    /// Whether its name has several words.
    long: bool,
    /// Sentences and paragraphs of the body that speak of it.
    lines: FxHashSet<usize>,
    paragraphs: FxHashSet<usize>,
    in_lead: bool,
}

/// What the traces of all entities of an article need.
struct Article<'r> {
    reading: &'r Reading<'r>,
    title_words: FxHashSet<u32>,
    /// How many units the body has.
    length: usize,
}

impl Trace {
    /// For each cluster what its names tell.
    pub fn all(reading: &Reading, clusters: &[Cluster], pronouns: &[Pronoun]) -> Vec<Self> {
        let body = reading.lines.iter().rfind(|line| line.section == Section::Body);
        let article = Article {
            reading,
            title_words: title_words(reading).collect(),
            length: body.map_or(0, |line| line.units.end),
        };
        let trace = |(number, cluster): (usize, &Cluster)| Self::of(&article, cluster, number);
        let mut traces: Vec<Self> = clusters.iter().enumerate().map(trace).collect();
        for pronoun in pronouns {
            let trace = &mut traces[pronoun.cluster];
            trace.pronouns += 1;
            trace.lines.insert(pronoun.line);
        }
        traces
    }

    fn of(article: &Article, cluster: &Cluster, number: usize) -> Self {
        let Article { reading, title_words, length } = article;
        let fullest = cluster.names[cluster.fullest].units.clone();
        let confidence: f32 = cluster.names.iter().map(|name| name.confidence).sum();
        let mut trace = Self {
            kind: cluster.kind,
            named: 0,
            described: 0,
            pronouns: 0,
            opens: 0,
            acts: 0,
            in_title: false,
            opens_title: false,
            partly_in_title: fullest.clone().any(|unit| title_words.contains(&reading.word(unit).folded)),
            first: usize::MAX,
            last: 0,
            length: *length,
            confidence: confidence / cluster.names.len() as f32,
            before: number,
            long: fullest.len() > 1,
            lines: FxHashSet::default(),
            paragraphs: FxHashSet::default(),
            in_lead: false,
        };
        for name in &cluster.names {
            let line = &reading.lines[name.line];
            match line.section {
                Section::Title => {
                    trace.in_title = true;
                    trace.opens_title |= name.units.start == line.units.start;
                }
                Section::Body => {
                    trace.named += 1;
                    trace.opens += u32::from(name.units.start <= line.units.start + 1);
                    let next = reading.word_near(line, name.units.end - 1, 1);
                    trace.acts += u32::from(next.is_some_and(|next| VERBS.contains(&next.folded)));
                    trace.first = trace.first.min(name.units.start);
                    trace.last = trace.last.max(name.units.start);
                    trace.lines.insert(name.line);
                    trace.paragraphs.insert(line.paragraph);
                    trace.in_lead |= name.line == 0;
                }
            }
        }
        trace
    }

    /// Counts a description of the entity.
    pub fn add(&mut self, description: &Description) {
        self.described += 1;
        self.lines.insert(description.line);
    }

    /// How often it is spoken of in the body.
    fn total(&self) -> u32 {
        self.named + self.described + self.pronouns
    }

    fn earliness(&self) -> f32 {
        1.0 / (1.0 + self.first as f32 / 30.0)
    }
}

fn many(count: u32) -> f32 {
    (count as f32).ln_1p()
}

fn flag(value: bool) -> f32 {
    f32::from(u8::from(value))
}

/// [`WIDTH`] numbers an entity, which tell how much the article is about it: how often and where
/// it is spoken of, in itself and beside the others.
pub fn rows(traces: &[Trace]) -> Vec<f32> {
    let all: u32 = traces.iter().map(Trace::total).sum();
    let most = traces.iter().map(Trace::total).max().unwrap_or(0).max(1) as f32;
    let lines: FxHashSet<usize> = traces.iter().flat_map(|trace| &trace.lines).copied().collect();
    let mut totals: Vec<u32> = traces.iter().map(Trace::total).collect();
    totals.sort_unstable_by_key(|&total| Reverse(total));
    let row = |trace: &Trace| -> [f32; WIDTH] {
        let is = |kinds: &[EntityKind]| flag(kinds.contains(&trace.kind));
        let total = trace.total();
        let length = trace.length.max(1) as f32;
        [
            many(trace.named),
            many(trace.described),
            many(trace.pronouns),
            many(trace.described + trace.pronouns),
            many(trace.lines.len() as u32),
            many(trace.paragraphs.len() as u32),
            many(trace.opens),
            trace.earliness(),
            1.0 / (1.0 + trace.before as f32 / 3.0),
            flag(trace.in_title),
            flag(trace.partly_in_title && !trace.in_title),
            flag(trace.opens_title),
            flag(trace.in_lead),
            flag(trace.long),
            is(&[EntityKind::Person]),
            is(&[EntityKind::Organization]),
            is(&[EntityKind::Location]),
            is(&[EntityKind::Facility]),
            is(&[EntityKind::Norp]),
            is(&[EntityKind::Event, EntityKind::WorkOfArt, EntityKind::Product]),
            many(total),
            total as f32 / all.max(1) as f32,
            total as f32 / most,
            totals.partition_point(|&other| other > total) as f32,
            trace.lines.len() as f32 / lines.len().max(1) as f32,
            trace.first.min(trace.length) as f32,
            trace.last as f32 / length,
            trace.last.saturating_sub(trace.first) as f32 / length,
            many(trace.acts),
            trace.acts as f32 / trace.named.max(1) as f32,
            trace.confidence,
            many(traces.len() as u32),
            many(lines.len() as u32),
        ]
    };
    traces.iter().flat_map(row).collect()
}

/// The longer words of the title.
fn title_words<'r>(reading: &'r Reading) -> impl Iterator<Item = u32> + 'r {
    let lines = reading.lines.iter().filter(|line| line.section == Section::Title);
    let units = lines.flat_map(|line| line.units.clone());
    let long = |&unit: &usize| reading.units[unit].end - reading.units[unit].begin > 2;
    let words = units.filter(long).map(|unit| reading.word(unit));
    words.filter(|word| word.case.has_capital() || word.case == Case::Lower).map(|word| word.folded)
}
