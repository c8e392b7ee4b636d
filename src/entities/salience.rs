//! How much the document is about each entity.

use rustc_hash::FxHashSet;

use super::describe::Description;
use super::reading::Reading;
use super::resolve::Cluster;
use super::words::Case;
use crate::document::{EntityKind, MentionKind, Section};

/// Each cluster's salience, given the descriptions and pronouns that stand for them; all of
/// them add up to 1, or 0 where there are none.
pub fn salience(reading: &Reading, clusters: &[Cluster], descriptions: &[Description]) -> Vec<f32> {
    let mut traces: Vec<Trace> = clusters.iter().map(|cluster| Trace::of(reading, cluster)).collect();
    for description in descriptions {
        traces[description.cluster].add(description);
    }
    let in_title: FxHashSet<u32> = title_words(reading).collect();
    let weights: Vec<f32> = clusters
        .iter()
        .zip(traces)
        .map(|(cluster, trace)| {
            let words = cluster.names[cluster.fullest].units.clone();
            let partly = words.map(|unit| reading.word(unit)).any(|word| in_title.contains(&word.folded));
            (trace.score(partly) + kind_score(cluster.kind)).exp()
        })
        .collect();
    // A hair less than 1, so that rounding never takes the sum above it.
    let total: f32 = weights.iter().sum::<f32>() * 1.000_01;
    weights.iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 }).collect()
}

/// The longer words of the title.
fn title_words<'r>(reading: &'r Reading) -> impl Iterator<Item = u32> + 'r {
    let lines = reading.lines.iter().filter(|line| line.section == Section::Title);
    let units = lines.flat_map(|line| line.units.clone());
    let long = |&unit: &usize| reading.units[unit].end - reading.units[unit].begin > 2;
    let words = units.filter(long).map(|unit| reading.word(unit));
    words.filter(|word| word.case.has_capital() || word.case == Case::Lower).map(|word| word.folded)
}

/// Where and how often an entity is spoken of.
struct Trace {
    /// How often it is named in the body.
    named: u32,
    /// Whether a description stands for it.
    described: bool,
    /// How many descriptions and pronouns stand for it.
    borrowed: u32,
    in_title: bool,
    /// Place of its first name in the body, in units.
    first: f32,
    /// Sentences of the body that speak of it.
    lines: FxHashSet<usize>,
}

impl Trace {
    fn of(reading: &Reading, cluster: &Cluster) -> Self {
        let mut trace = Self {
            named: 0,
            described: false,
            borrowed: 0,
            in_title: false,
            first: f32::INFINITY,
            lines: FxHashSet::default(),
        };
        for name in &cluster.names {
            match reading.lines[name.line].section {
                Section::Title => trace.in_title = true,
                Section::Body => {
                    trace.named += 1;
                    trace.first = trace.first.min(name.units.start as f32);
                    trace.lines.insert(name.line);
                }
            }
        }
        trace
    }

    fn add(&mut self, description: &Description) {
        self.borrowed += 1;
        self.described |= description.kind == MentionKind::Common;
        self.lines.insert(description.line);
    }

    /// Mentions and sentences count with falling gain; being named early and in the headline,
    /// with the whole name or `partly`, counts too. The weights were learned by ranking, for
    /// each annotated article, what it is about before the rest (logistic loss over pairs);
    /// three eighths of their size here, which keeps every order and lets the summary hear of more
    /// than one.
    fn score(&self, partly: bool) -> f32 {
        let many = |count: u32| (count as f32).ln_1p();
        let title = match (self.in_title, partly) {
            (true, _) => 0.58,
            (false, true) => 0.57,
            (false, false) => 0.0,
        };
        let described = if self.described { 0.2 } else { 0.0 };
        let early = 1.0 / (1.0 + self.first / 30.0);
        let spread = 0.68 * many(self.lines.len() as u32);
        1.01 * many(self.named) + 0.22 * many(self.borrowed) + spread + 0.41 * early + described + title
    }
}

/// News is more often about people than about the places where they act.
const fn kind_score(kind: EntityKind) -> f32 {
    match kind {
        EntityKind::Person => 0.48,
        EntityKind::Organization => 0.24,
        EntityKind::Event | EntityKind::WorkOfArt | EntityKind::Product => 0.22,
        EntityKind::Location => -0.2,
        EntityKind::Norp => -0.49,
        _ => 0.0,
    }
}
