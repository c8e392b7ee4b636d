//! What tells named concepts that are topics from words in passing.

use std::error::Error;

use rustc_hash::FxHashMap;

use super::{Corpus, Learnable};
use crate::topics::naming::{Judge, Named, Traits};
use crate::topics::taxonomy::Place;

/// Whether a concept that a read text names is one of its topics, read for this project
/// (`models/topics.md`): the text's id, the concept's code and 1 or 0.
const READINGS: &str = include_str!("../../../models/deep_topics.tsv");
/// How much one counts beside a label of the second level.
const READING_WEIGHT: f32 = 4.0;
/// How many examples of a concept it takes to believe its leaning by half.
const LEANING_PRIOR: f32 = 8.0;
/// Strength of the L2 penalty, in examples.
const PENALTY: f32 = 5.0;
const ROUNDS: usize = 3000;
const STEP: f32 = 0.5;

/// What the readings say, by text and concept.
pub(super) struct Readings(FxHashMap<(String, Place), bool>);

impl Readings {
    pub fn new(corpus: &Corpus) -> Result<Self, Box<dyn Error>> {
        let mut readings = FxHashMap::default();
        for line in READINGS.lines() {
            let mut fields = line.split('\t');
            let (Some(id), Some(code), Some(right)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(format!("deep_topics.tsv: {line}").into());
            };
            // Retired since.
            let Some(concept) = corpus.taxonomy.place(&format!("medtop:{code}")) else { continue };
            readings.insert((id.to_owned(), concept), right == "1");
        }
        Ok(Self(readings))
    }

    /// Whether a text's named concepts were read.
    pub fn cover(&self, text: &Learnable) -> bool {
        self.0.keys().any(|(id, _)| *id == text.id)
    }

    /// Whether a named concept is a topic of the text, where its labels or a reading say so. The labels end at
    /// the second level.
    pub fn is_topic(&self, corpus: &Corpus, text: &Learnable, concept: Place) -> Option<bool> {
        if !is_about_ancestor(corpus, text, concept)? {
            return Some(false);
        }
        let reading = self.0.get(&(text.id.clone(), concept)).copied();
        let second = corpus.taxonomy.concept(concept).level == 2;
        reading.or_else(|| second.then(|| is_labelled(corpus, text, concept)))
    }
}

fn is_labelled(corpus: &Corpus, text: &Learnable, concept: Place) -> bool {
    text.labels.contains(&corpus.taxonomy.concept(concept).code)
}

/// Whether the nearest learnt ancestor of a concept is among a text's labels, if there is one.
fn is_about_ancestor(corpus: &Corpus, text: &Learnable, concept: Place) -> Option<bool> {
    let above = corpus.outputs.above(&corpus.taxonomy, concept)?;
    Some(is_labelled(corpus, text, corpus.outputs.concepts[above]))
}

/// An example to learn from.
struct Judged<'a> {
    named: &'a Named,
    right: f32,
    weight: f32,
}

/// Learns from the read texts but those held out, given that the concept's ancestor is a topic.
pub(super) fn learn(corpus: &Corpus, held_out: impl Fn(&Learnable) -> bool) -> Result<Judge, Box<dyn Error>> {
    let readings = Readings::new(corpus)?;
    let mut examples = Vec::new();
    for text in corpus.read.iter().filter(|text| !held_out(text)) {
        for named in &text.named {
            let given = is_about_ancestor(corpus, text, named.concept) == Some(true);
            if let Some(right) = readings.is_topic(corpus, text, named.concept).filter(|_| given) {
                let deep = corpus.taxonomy.concept(named.concept).level > 2;
                let weight = if deep { READING_WEIGHT } else { 1.0 };
                examples.push(Judged { named, right: f32::from(u8::from(right)), weight });
            }
        }
    }
    let mut judge = Judge { weights: [0.0; _], leanings: Vec::new() };
    let total: f32 = examples.iter().map(|example| example.weight).sum();
    for _ in 0..ROUNDS {
        let mut slope: Traits = judge.weights.map(|weight| -PENALTY * weight);
        for Judged { named, right, weight } in &examples {
            let error = weight * (right - judge.probability(named));
            slope.iter_mut().zip(&named.traits).for_each(|(slope, of)| *slope += error * of);
        }
        judge.weights.iter_mut().zip(slope).for_each(|(weight, slope)| *weight += STEP * slope / total);
    }
    judge.leanings = leanings(corpus, &judge, &examples);
    Ok(judge)
}

/// One step of Newton's method from no leaning at all, with a prior that there is none.
fn leanings(corpus: &Corpus, judge: &Judge, examples: &[Judged]) -> Vec<f32> {
    let mut sums = vec![(0.0f32, 0.25 * LEANING_PRIOR); corpus.taxonomy.concepts().len()];
    for Judged { named, right, .. } in examples {
        let p = judge.probability(named);
        let (errors, spreads) = &mut sums[named.concept];
        *errors += right - p;
        *spreads += p * (1.0 - p);
    }
    sums.into_iter().map(|(errors, spreads)| errors / spreads).collect()
}
