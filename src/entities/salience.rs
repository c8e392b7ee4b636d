//! How much the document is about each entity.

use rustc_hash::FxHashSet;

use super::describe::Description;
use super::pronouns::Pronoun;
use super::reading::Reading;
use super::resolve::Cluster;
use super::words::Case;
use crate::document::{EntityKind, Section};
use crate::model::{ModelError, ModelFile};

/// How many numbers tell of an entity, see [`Trace::row`].
pub const WIDTH: usize = 20;
/// Weights that order entities, learned by [`train`](super::train).
pub const WEIGHTS: &str = "salience weights";

/// Ranks entities. Immutable.
pub struct Ranker {
    weights: [f32; WIDTH],
}

impl Ranker {
    pub fn new(weights: [f32; WIDTH]) -> Self {
        Self { weights }
    }

    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        let weights = file.f32s(WEIGHTS)?.try_into();
        Ok(Self { weights: weights.map_err(|_| ModelError::MissingSection(WEIGHTS.to_owned()))? })
    }

    /// More for those that the article is more about.
    pub fn score(&self, trace: &Trace) -> f32 {
        self.weights.iter().zip(trace.row()).map(|(weight, value)| weight * value).sum()
    }

    /// Each entity's salience; all of them add up to 1, or 0 where there are none.
    pub fn salience(&self, traces: &[Trace]) -> Vec<f32> {
        /// Keeps every order and lets the summary hear of more than one.
        const SHARPNESS: f32 = 0.375;
        let weights: Vec<f32> = traces.iter().map(|trace| (SHARPNESS * self.score(trace)).exp()).collect();
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
    /// How often it opens a sentence.
    opens: u32,
    in_title: bool,
    /// Whether the title has a word of its name.
    partly_in_title: bool,
    /// Place of its first name in the body, in units.
    first: usize,
    /// How many other entities are named before it.
    before: usize,
    /// Whether its name has several words.
    long: bool,
    /// Sentences and paragraphs of the body that speak of it.
    lines: FxHashSet<usize>,
    paragraphs: FxHashSet<usize>,
    in_lead: bool,
}

impl Trace {
    /// For each cluster what its names tell.
    pub fn all(reading: &Reading, clusters: &[Cluster], pronouns: &[Pronoun]) -> Vec<Self> {
        let in_title: FxHashSet<u32> = title_words(reading).collect();
        let trace = |(number, cluster): (usize, &Cluster)| Self::of(reading, cluster, number, &in_title);
        let mut traces: Vec<Self> = clusters.iter().enumerate().map(trace).collect();
        for pronoun in pronouns {
            let trace = &mut traces[pronoun.cluster];
            trace.pronouns += 1;
            trace.lines.insert(pronoun.line);
        }
        traces
    }

    fn of(reading: &Reading, cluster: &Cluster, number: usize, title: &FxHashSet<u32>) -> Self {
        let fullest = cluster.names[cluster.fullest].units.clone();
        let mut trace = Self {
            kind: cluster.kind,
            named: 0,
            described: 0,
            pronouns: 0,
            opens: 0,
            in_title: false,
            partly_in_title: fullest.clone().any(|unit| title.contains(&reading.word(unit).folded)),
            first: usize::MAX,
            before: number,
            long: fullest.len() > 1,
            lines: FxHashSet::default(),
            paragraphs: FxHashSet::default(),
            in_lead: false,
        };
        for name in &cluster.names {
            let line = &reading.lines[name.line];
            match line.section {
                Section::Title => trace.in_title = true,
                Section::Body => {
                    trace.named += 1;
                    trace.opens += u32::from(name.units.start <= line.units.start + 1);
                    trace.first = trace.first.min(name.units.start);
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

    /// What tells how much the article is about the entity: mentions and sentences count with
    /// falling gain; being named early and in the headline counts too.
    pub fn row(&self) -> [f32; WIDTH] {
        let many = |count: u32| (count as f32).ln_1p();
        let flag = |value: bool| f32::from(u8::from(value));
        let is = |kinds: &[EntityKind]| flag(kinds.contains(&self.kind));
        [
            many(self.named),
            many(self.described),
            many(self.pronouns),
            many(self.described + self.pronouns),
            many(self.lines.len() as u32),
            many(self.paragraphs.len() as u32),
            many(self.opens),
            1.0 / (1.0 + self.first as f32 / 30.0),
            1.0 / (1.0 + self.before as f32 / 3.0),
            flag(self.in_title),
            flag(self.partly_in_title && !self.in_title),
            flag(self.described > 0),
            flag(self.in_lead),
            flag(self.long),
            is(&[EntityKind::Person]),
            is(&[EntityKind::Organization]),
            is(&[EntityKind::Location]),
            is(&[EntityKind::Facility]),
            is(&[EntityKind::Norp]),
            is(&[EntityKind::Event, EntityKind::WorkOfArt, EntityKind::Product]),
        ]
    }
}

/// The longer words of the title.
fn title_words<'r>(reading: &'r Reading) -> impl Iterator<Item = u32> + 'r {
    let lines = reading.lines.iter().filter(|line| line.section == Section::Title);
    let units = lines.flat_map(|line| line.units.clone());
    let long = |&unit: &usize| reading.units[unit].end - reading.units[unit].begin > 2;
    let words = units.filter(long).map(|unit| reading.word(unit));
    words.filter(|word| word.case.has_capital() || word.case == Case::Lower).map(|word| word.folded)
}
