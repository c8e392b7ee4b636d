//! The sequence model at work: a linear-chain conditional random field with hashed features.
//!
//! Two passes: the first labels by local evidence; the second adds to the same scores what
//! the rest of the document says (Ratinov and Roth 2009, non-local features), and labels anew.

use super::features::{self, Evidence, LineFacts};
use super::lexicon::Lexicon;
use super::reading::{Line, Reading};
use super::table::Table;
use super::tags::{self, KINDS, OUTSIDE, TAGS, Tag};
use crate::model::{ModelError, ModelFile, ModelWriter};

/// Room for [`TAGS`] scores in whole vector registers.
const WIDTH: usize = 40;
/// The labels' scores for one unit.
pub type Scores = [i16; WIDTH];

/// One kind of evidence with its weights, in the units of [`Weights::scale`].
pub struct Weights {
    features: Table,
    rows: Vec<[i8; WIDTH]>,
    /// `transitions[from][to]`; read only where the labels may follow each other.
    pub transitions: Vec<[i16; TAGS]>,
}

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
        let mut pairs = parts.labels.iter().zip(&parts.weights);
        let rows = parts.counts.iter().map(|&count| {
            let mut row = [0; WIDTH];
            for (&label, &weight) in pairs.by_ref().take(usize::from(count)) {
                row[usize::from(label)] = weight;
            }
            row
        });
        Ok(Self {
            rows: rows.collect(),
            features: Table::new(&parts.features),
            transitions: parts.transitions.as_chunks::<TAGS>().0.to_vec(),
        })
    }

    #[inline]
    fn add(&self, features: &[u32], scores: &mut Scores) {
        for &feature in features {
            if let Some(row) = self.features.get(feature) {
                for (score, &weight) in scores.iter_mut().zip(&self.rows[row]) {
                    *score += i16::from(weight);
                }
            }
        }
    }
}

/// Labels every unit of an article.
pub struct Tagger {
    pub lexicon: Lexicon,
    pub local: Weights,
    pub document: Option<Weights>,
}

impl Tagger {
    pub fn tag(&self, reading: &Reading) -> Vec<Tag> {
        let mut scores = self.local_scores(reading);
        let first = decode_all(reading, &scores, &self.local.transitions);
        match &self.document {
            None => first,
            Some(document) => {
                add_document_scores(reading, &first, document, &mut scores);
                decode_all(reading, &scores, &self.local.transitions)
            }
        }
    }

    /// The labelling by local evidence alone.
    pub fn tag_locally(&self, reading: &Reading) -> (Vec<Scores>, Vec<Tag>) {
        let scores = self.local_scores(reading);
        let tags = decode_all(reading, &scores, &self.local.transitions);
        (scores, tags)
    }

    fn local_scores(&self, reading: &Reading) -> Vec<Scores> {
        let mut facts = LineFacts::default();
        let mut found = Vec::with_capacity(96);
        let mut scores = vec![[0; WIDTH]; reading.units.len()];
        for line in &reading.lines {
            facts.read(reading, &self.lexicon, line);
            for unit in line.units.clone() {
                found.clear();
                features::local_features(reading, line, &facts, unit, &mut found);
                self.local.add(&found, &mut scores[unit]);
            }
        }
        scores
    }
}

fn add_document_scores(reading: &Reading, first: &[Tag], weights: &Weights, scores: &mut [Scores]) {
    let evidence = Evidence::new(reading, first);
    let mut found = Vec::with_capacity(16);
    for line in &reading.lines {
        for unit in line.units.clone() {
            found.clear();
            features::document_features(reading, line, &evidence, first, unit, &mut found);
            if found.is_empty() {
                continue;
            }
            let mut said = [0; WIDTH];
            weights.add(&found, &mut said);
            // Learned beside taggers of half the texts, which need it more than this one does.
            for (score, said) in scores[unit].iter_mut().zip(said) {
                *score += said / 2;
            }
        }
    }
}

fn decode_all(reading: &Reading, scores: &[Scores], transitions: &[[i16; TAGS]]) -> Vec<Tag> {
    let mut tags = vec![OUTSIDE; scores.len()];
    let mut decoder = Decoder::default();
    for Line { units, .. } in &reading.lines {
        decoder.decode(&scores[units.clone()], transitions, &mut tags[units.clone()]);
    }
    tags
}

/// How many labels open a name or lie outside, and how many close one or lie outside.
const EDGES: usize = 1 + 2 * KINDS.len();

/// Viterbi's algorithm over the labels that may follow each other.
#[derive(Default)]
struct Decoder {
    back: Vec<[Tag; TAGS]>,
}

impl Decoder {
    fn decode(&mut self, scores: &[Scores], transitions: &[[i16; TAGS]], out: &mut [Tag]) {
        let Some(first) = scores.first() else { return };
        let (opening, closing) = edge_tags();
        const NEVER: i32 = i32::MIN / 2;
        self.back.clear();
        self.back.resize(scores.len(), [OUTSIDE; TAGS]);
        let mut best = [NEVER; TAGS];
        for &tag in &opening {
            best[usize::from(tag)] =
                i32::from(transitions[0][usize::from(tag)]) + i32::from(first[usize::from(tag)]);
        }
        for (scores, back) in scores.iter().zip(&mut self.back).skip(1) {
            let mut next = [NEVER; TAGS];
            for &to in &opening {
                let to = usize::from(to);
                for &from in &closing {
                    let score = best[usize::from(from)] + i32::from(transitions[usize::from(from)][to]);
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
        let mut tag = OUTSIDE;
        for &last in &closing {
            if best[usize::from(last)] > best[usize::from(tag)] {
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
