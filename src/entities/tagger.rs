//! The sequence model at work: a linear-chain conditional random field with hashed features.
//!
//! Two passes: the first labels by local evidence; the second adds to the same scores what
//! the rest of the document says (Ratinov and Roth 2009, non-local features), and labels anew.

use std::ops::Range;

use super::features::{self, Evidence, LineFacts, PLACES, Place};
use super::lexicon::Lexicon;
use super::reading::{Line, Reading};
use super::tags::{self, KINDS, OUTSIDE, TAGS, Tag};
use crate::model::table::Table;
use crate::model::{ModelError, ModelFile, ModelWriter};

/// Room for [`TAGS`] scores in whole vector registers.
const WIDTH: usize = 40;
/// Up to so many labels with a weight are added one by one; more, all labels in whole registers.
const MOST_NARROW: u8 = 6;
/// The labels' scores for one unit.
pub type Scores = [i16; WIDTH];

/// One kind of evidence with its weights, in the units of [`Weights::scale`].
pub struct Weights {
    /// The features' places: first those of the rows in `broad`, then those in `narrow`.
    features: Table,
    /// Every label's weight, for features that say something of many labels: few, but met most.
    broad: Vec<Row>,
    /// Row after row: how many labels have a weight, then each label with its weight.
    narrow: Vec<[u8; 2]>,
    /// `transitions[from][to]`; read only where the labels may follow each other.
    pub transitions: Vec<[i16; TAGS]>,
}

/// Every label's weight, in one line of the processor's caches.
#[repr(align(64))]
struct Row([i8; WIDTH]);

/// Weights as they are stored: for each feature the labels with a weight.
#[derive(Clone, Default)]
pub struct WeightParts {
    /// Sorted hashes of the features.
    pub features: Vec<u32>,
    /// How many of `labels` and `weights` belong to each feature.
    pub counts: Vec<u8>,
    pub labels: Vec<u8>,
    pub weights: Vec<i8>,
    /// `TAGS` times `TAGS`.
    pub transitions: Vec<i16>,
}

/// The names of a stored part's sections.
pub struct Sections {
    pub features: &'static str,
    pub counts: &'static str,
    pub labels: &'static str,
    pub weights: &'static str,
    pub transitions: &'static str,
}

pub const LOCAL: Sections = Sections {
    features: "local features",
    counts: "local counts",
    labels: "local labels",
    weights: "local weights",
    transitions: "local transitions",
};
pub const DOCUMENT: Sections = Sections {
    features: "document features",
    counts: "document counts",
    labels: "document labels",
    weights: "document weights",
    transitions: "document transitions",
};

impl WeightParts {
    pub fn read(file: &ModelFile, sections: &Sections) -> Result<Self, ModelError> {
        Ok(Self {
            features: file.u32s(sections.features)?,
            counts: file.bytes(sections.counts)?.to_vec(),
            labels: file.bytes(sections.labels)?.to_vec(),
            weights: file.i8s(sections.weights)?,
            transitions: file.i16s(sections.transitions)?,
        })
    }

    pub fn write<'a>(&'a self, file: &mut ModelWriter<'a>, sections: &Sections) {
        file.u32s(sections.features, &self.features)
            .bytes(sections.counts, self.counts.as_slice())
            .bytes(sections.labels, self.labels.as_slice())
            .i8s(sections.weights, &self.weights)
            .i16s(sections.transitions, &self.transitions);
    }
}

impl Weights {
    /// # Errors
    /// If the parts do not fit together.
    pub fn new(parts: &WeightParts) -> Result<Self, ModelError> {
        let total: usize = parts.counts.iter().map(|&count| usize::from(count)).sum();
        let fits = parts.features.len() == parts.counts.len()
            && parts.labels.len() == total
            && parts.weights.len() == total
            && parts.transitions.len() == TAGS * TAGS
            && parts.labels.iter().all(|&label| usize::from(label) < TAGS);
        if !fits {
            return Err(ModelError::MissingSection("weights for every feature".to_owned()));
        }
        let is_broad = |count: u8| count > MOST_NARROW;
        let broad_rows = parts.counts.iter().filter(|&&count| is_broad(count)).count();
        let (mut broad, mut narrow) = (Vec::with_capacity(broad_rows), Vec::new());
        let mut pairs = parts.labels.iter().zip(&parts.weights);
        let places = parts.counts.iter().map(|&count| {
            let pairs = pairs.by_ref().take(usize::from(count));
            if is_broad(count) {
                let mut row = [0; WIDTH];
                pairs.for_each(|(&label, &weight)| row[usize::from(label)] = weight);
                broad.push(Row(row));
                broad.len() as u32 - 1
            } else {
                let begin = narrow.len();
                narrow.push([count, 0]);
                narrow.extend(pairs.map(|(&label, weight)| [label, weight.cast_unsigned()]));
                (broad_rows + begin) as u32
            }
        });
        let features = Table::with_numbers(&parts.features, places);
        let transitions = parts.transitions.as_chunks::<TAGS>().0.to_vec();
        Ok(Self { features, broad, narrow, transitions })
    }

    /// Brings the rows of many features near, as [`Table::fetch`] does their slots.
    fn fetch(&self, features: &[u32]) {
        self.features.fetch(features.iter().copied());
        let rows =
            features.iter().filter_map(|&feature| self.broad.get(self.features.get(feature)? as usize));
        // What was read is of no use, but has to be.
        std::hint::black_box(rows.fold(0, |all, row| all ^ row.0[0]));
    }

    /// The sum of the weights of `features`.
    fn sum(&self, features: &[u32]) -> Scores {
        let mut sums = [0; WIDTH];
        for place in features.iter().filter_map(|&feature| self.features.get(feature)) {
            let place = place as usize;
            if let Some(Row(row)) = self.broad.get(place) {
                // Written so, whole registers are added.
                sums = std::array::from_fn(|label| sums[label] + i16::from(row[label]));
                continue;
            }
            let begin = place - self.broad.len();
            let [count, _] = self.narrow[begin];
            for &[label, weight] in &self.narrow[begin + 1..][..usize::from(count)] {
                sums[usize::from(label)] += i16::from(weight.cast_signed());
            }
        }
        sums
    }
}

/// Labels every unit of an article.
pub struct Tagger {
    pub lexicon: Lexicon,
    pub local: Weights,
    pub document: Option<Weights>,
}

/// The labels of an article's units with the scores that they were chosen by.
pub struct Labelling {
    pub tags: Vec<Tag>,
    scores: Vec<Scores>,
}

impl Labelling {
    /// How likely a name found is one of this type, by how much more the evidence speaks for
    /// it than for another type or for none. Fitted to names in texts not learned from.
    pub fn confidence(&self, units: Range<usize>, kind: usize) -> f32 {
        let scores = &self.scores[units.clone()];
        let tags = &self.tags[units];
        let sum = |other: usize| -> i32 {
            let shift = 4 * other as i32 - 4 * kind as i32;
            let places = tags.iter().map(|&tag| (i32::from(tag) + shift) as usize);
            places.zip(scores).map(|(tag, scores)| i32::from(scores[tag])).sum()
        };
        let outside: i32 = scores.iter().map(|scores| i32::from(scores[usize::from(OUTSIDE)])).sum();
        let others = (0..KINDS.len()).filter(|&other| other != kind).map(sum);
        let margin = sum(kind) - others.fold(outside, i32::max);
        1.0 / (1.0 + (-(CONFIDENCE[0] + CONFIDENCE[1] * margin as f32)).exp())
    }
}

/// Offset and slope of a name's confidence by its margin.
const CONFIDENCE: [f32; 2] = [0.79, 0.0056];

impl Tagger {
    pub fn tag(&self, reading: &Reading) -> Labelling {
        let (mut scores, first) = self.tag_locally(reading);
        let Some(document) = &self.document else { return Labelling { tags: first, scores } };
        add_document_scores(reading, &first, document, &mut scores);
        Labelling { tags: decode_all(reading, &scores, &self.local.transitions), scores }
    }

    /// The labelling by local evidence alone, with its scores. Units outside all
    /// [stretches](Reading::stretches) have none.
    pub fn tag_locally(&self, reading: &Reading) -> (Vec<Scores>, Vec<Tag>) {
        let mut local = LocalScores {
            tagger: self,
            reading,
            sums: Vec::new(),
            places: vec![[NO_SUM; PLACES]; reading.words.len() + 1],
            groups: Groups::default(),
        };
        let scores = local.all();
        let tags = decode_all(reading, &scores, &self.local.transitions);
        (scores, tags)
    }
}

/// When so many sums are kept, 5 MB, the next line begins anew; articles of normal length have fewer.
const MOST_SUMS: usize = 1 << 16;

/// Stands where what a word says has not been summed up.
const NO_SUM: u32 = u32::MAX;

/// The features of a line, those of each unit or word together.
#[derive(Default)]
struct Groups {
    features: Vec<u32>,
    /// Where each group ends in `features`.
    ends: Vec<usize>,
}

impl Groups {
    fn clear(&mut self) {
        self.features.clear();
        self.ends.clear();
    }

    /// Makes one group of the features added since the last.
    fn end(&mut self) {
        self.ends.push(self.features.len());
    }

    /// What each group's features say, in order.
    fn sums(&self, weights: &Weights) -> impl Iterator<Item = Scores> {
        weights.fetch(&self.features);
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let mut last: (&[u32], Scores) = (&[], [0; WIDTH]);
        begins.zip(&self.ends).map(move |(begin, &end)| {
            let features = &self.features[begin..end];
            // Of most common words beside names the rest of the document says the same.
            if features != last.0 {
                last = (features, weights.sum(features));
            }
            last.1
        })
    }
}

/// The scores by local evidence, where what a word says at a place is summed up once.
struct LocalScores<'a> {
    tagger: &'a Tagger,
    reading: &'a Reading<'a>,
    sums: Vec<Scores>,
    /// For each word, and last for the end of a line, places in `sums`.
    places: Vec<[u32; PLACES]>,
    groups: Groups,
}

impl LocalScores<'_> {
    fn all(&mut self) -> Vec<Scores> {
        let reading = self.reading;
        let mut facts = LineFacts::default();
        let mut scores = vec![[0; WIDTH]; reading.units.len()];
        for line in &reading.lines {
            facts.read(reading, &self.tagger.lexicon, line);
            self.groups.clear();
            self.ask_words(line);
            let words = self.groups.ends.len();
            for unit in reading.stretches(line).flatten() {
                features::joint_features(reading, line, &facts, unit, &mut self.groups.features);
                self.groups.end();
            }
            let mut sums = self.groups.sums(&self.tagger.local);
            self.sums.extend(sums.by_ref().take(words));
            for (unit, joint) in reading.stretches(line).flatten().zip(sums) {
                let alone =
                    words_near(reading, line, unit).map(|(word, place)| self.places[word][place as usize]);
                scores[unit] = alone.fold(joint, |score, place| sum(score, &self.sums[place as usize]));
            }
        }
        scores
    }

    /// Makes a group for each word at a place that has no sum yet.
    fn ask_words(&mut self, line: &Line) {
        if self.sums.len() >= MOST_SUMS {
            self.sums.clear();
            self.places.fill([NO_SUM; PLACES]);
        }
        let reading = self.reading;
        for unit in reading.stretches(line).flatten() {
            for (word, place) in words_near(reading, line, unit) {
                let slot = &mut self.places[word][place as usize];
                if *slot == NO_SUM {
                    *slot = (self.sums.len() + self.groups.ends.len()) as u32;
                    features::word_features(reading.words.get(word), place, &mut self.groups.features);
                    self.groups.end();
                }
            }
        }
    }
}

/// The words that count for a unit by themselves, by where they stand; behind the last word is the end
/// of the line.
fn words_near(reading: &Reading, line: &Line, unit: usize) -> impl Iterator<Item = (usize, Place)> {
    features::places(reading.word(unit).case.has_capital()).iter().map(move |&(offset, place)| {
        let near = unit.checked_add_signed(offset).filter(|near| line.units.contains(near));
        (near.map_or(reading.words.len(), |near| reading.units[near].word as usize), place)
    })
}

/// Label by label, in whole registers.
fn sum(one: Scores, other: &Scores) -> Scores {
    std::array::from_fn(|label| one[label] + other[label])
}

fn add_document_scores(reading: &Reading, first: &[Tag], weights: &Weights, scores: &mut [Scores]) {
    let evidence = Evidence::new(reading, first);
    let mut groups = Groups::default();
    for line in &reading.lines {
        groups.clear();
        for unit in reading.stretches(line).flatten() {
            features::document_features(reading, line, &evidence, first, unit, &mut groups.features);
            groups.end();
        }
        for (unit, said) in reading.stretches(line).flatten().zip(groups.sums(weights)) {
            // Learned beside taggers of fewer texts, which need it more than this one does.
            scores[unit] = sum(scores[unit], &said.map(|score| score / 2));
        }
    }
}

fn decode_all(reading: &Reading, scores: &[Scores], transitions: &[[i16; TAGS]]) -> Vec<Tag> {
    let mut tags = vec![OUTSIDE; scores.len()];
    let mut decoder = Decoder::new(transitions);
    for line in &reading.lines {
        for units in reading.stretches(line) {
            let followed = units.end < line.units.end;
            decoder.decode(&scores[units.clone()], followed, &mut tags[units]);
        }
    }
    tags
}

/// How many labels open a name or lie outside, and how many close one or lie outside.
const EDGES: usize = 1 + 2 * KINDS.len();

/// Viterbi's algorithm over the labels that may follow each other.
struct Decoder<'a> {
    transitions: &'a [[i16; TAGS]],
    opening: [Tag; EDGES],
    closing: [Tag; EDGES],
    /// How far the weights between a closing and an opening label lie apart.
    spread: i32,
    back: Vec<[Tag; TAGS]>,
}

impl<'a> Decoder<'a> {
    fn new(transitions: &'a [[i16; TAGS]]) -> Self {
        let (opening, closing) = edge_tags();
        let weights = closing.iter().flat_map(|&from| {
            opening.iter().map(move |&to| i32::from(transitions[usize::from(from)][usize::from(to)]))
        });
        let (least, most) =
            weights.fold((0, 0), |(least, most), weight| (weight.min(least), weight.max(most)));
        Self { transitions, opening, closing, spread: most - least, back: Vec::new() }
    }

    /// Labels a stretch that comes after something outside, and is `followed` by something
    /// outside or ends its line.
    fn decode(&mut self, scores: &[Scores], followed: bool, out: &mut [Tag]) {
        const NEVER: i32 = i32::MIN / 2;
        let Some(first) = scores.first() else { return };
        let transitions = self.transitions;
        self.back.clear();
        self.back.resize(scores.len(), [OUTSIDE; TAGS]);
        let mut best = [NEVER; TAGS];
        for to in self.opening.map(usize::from) {
            best[to] = i32::from(transitions[usize::from(OUTSIDE)][to]) + i32::from(first[to]);
        }
        for (scores, back) in scores.iter().zip(&mut self.back).skip(1) {
            let mut next = [NEVER; TAGS];
            let top = self.closing.iter().map(|&tag| best[usize::from(tag)]).max().unwrap_or(NEVER);
            for &from in &self.closing {
                let score = best[usize::from(from)];
                // Whatever comes next, the best label leads there with a better score.
                if score + self.spread < top {
                    continue;
                }
                let row = &transitions[usize::from(from)];
                for to in self.opening.map(usize::from) {
                    let score = score + i32::from(row[to]);
                    if score > next[to] {
                        (next[to], back[to]) = (score, from);
                    }
                }
            }
            for kind in 0..KINDS.len() {
                let begin = usize::from(tags::tag(kind, tags::Position::Begin));
                for to in [begin + 1, begin + 2] {
                    for from in [begin, begin + 1] {
                        let score = best[from] + i32::from(transitions[from][to]);
                        if score > next[to] {
                            (next[to], back[to]) = (score, from as Tag);
                        }
                    }
                }
            }
            for (next, &score) in next.iter_mut().zip(scores) {
                *next += i32::from(score);
            }
            best = next;
        }
        let end = |tag: Tag| {
            let leave = if followed { transitions[usize::from(tag)][usize::from(OUTSIDE)] } else { 0 };
            best[usize::from(tag)] + i32::from(leave)
        };
        let mut tag = OUTSIDE;
        for &last in &self.closing {
            if end(last) > end(tag) {
                tag = last;
            }
        }
        for (slot, back) in out.iter_mut().zip(&self.back).rev() {
            *slot = tag;
            tag = back[usize::from(tag)];
        }
    }
}

fn edge_tags() -> ([Tag; EDGES], [Tag; EDGES]) {
    let (mut opening, mut closing) = ([OUTSIDE; EDGES], [OUTSIDE; EDGES]);
    for kind in 0..KINDS.len() {
        opening[1 + 2 * kind] = tags::tag(kind, tags::Position::Begin);
        opening[2 + 2 * kind] = tags::tag(kind, tags::Position::Unit);
        closing[1 + 2 * kind] = tags::tag(kind, tags::Position::Last);
        closing[2 + 2 * kind] = tags::tag(kind, tags::Position::Unit);
    }
    (opening, closing)
}
