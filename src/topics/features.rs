//! What the model sees of an article: its words and pairs of words, weighed by place.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::document::TextSpan;
use crate::model::linear::Sparse;
use crate::text::stem::{EMPTY, fnv, stem_hash};
use crate::text::{Segmented, SegmentedArticle, TokenKind};

/// A word in the title counts as two in the opening of the body.
const TITLE_WEIGHT: f32 = 2.0;
/// How many tokens of the body are its opening. What comes later counts less: news says
/// first what it is about.
const OPENING: usize = 150;
const LATER_WEIGHT: f32 = 0.4;

/// Words that say nothing about a topic; no pair reaches over them.
const STOP_WORDS: &str = "the a an and or of to in on for with at by from as is was are were be been it its this \
    that these those he she they his her their we our you your i my me him them us not no but if so than then \
    there here who which what when where will would can could may might must shall should do does did has have \
    had having being said say says also about into over after before up down out off more most very just own \
    same such other some any all each both few only one two three don't didn't doesn't isn't wasn't won't can't \
    couldn't wouldn't i'm it's he's she's that's there's they're we're you're i've we've they've";

/// A word or pair of words, as a number that is the same on every machine.
pub(super) type Hash = u32;

/// Where a word or pair of words is, and how much it counts there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub hash: Hash,
    pub pair: bool,
    pub weight: f32,
    pub span: TextSpan,
}

/// Reads articles into their words and pairs of words.
pub(super) struct Reader {
    stop_words: FxHashSet<Hash>,
}

impl Reader {
    pub fn new() -> Self {
        let mut buffer = Vec::new();
        Self { stop_words: STOP_WORDS.split_whitespace().map(|word| stem_hash(word, &mut buffer)).collect() }
    }

    /// Every occurrence, title first.
    pub fn read(&self, article: &SegmentedArticle) -> Vec<Occurrence> {
        let mut out = Vec::with_capacity(2 * article.body.tokens.len());
        self.read_text(&article.title, |_| TITLE_WEIGHT, &mut out);
        self.read_text(&article.body, |at| if at < OPENING { 1.0 } else { LATER_WEIGHT }, &mut out);
        out
    }

    /// The words of a name, without stop words.
    pub fn words_of(&self, name: &str) -> Vec<Hash> {
        let mut buffer = Vec::new();
        let words = name.split_whitespace().map(|word| stem_hash(word, &mut buffer));
        words.filter(|hash| *hash != EMPTY && !self.stop_words.contains(hash)).collect()
    }

    fn read_text(&self, text: &Segmented, weight: impl Fn(usize) -> f32, out: &mut Vec<Occurrence>) {
        let mut buffer = Vec::with_capacity(32);
        let mut previous: Option<(Hash, usize)> = None;
        for (at, token) in text.tokens.iter().enumerate() {
            let hash = match token.kind {
                TokenKind::Word => stem_hash(text.word(at), &mut buffer),
                TokenKind::Number => NUMBER,
                TokenKind::Punctuation | TokenKind::Symbol | TokenKind::Address => {
                    previous = None;
                    continue;
                }
            };
            if hash == EMPTY {
                continue;
            }
            if self.stop_words.contains(&hash) {
                previous = None;
                continue;
            }
            let weight = weight(at);
            if hash != NUMBER {
                out.push(Occurrence { hash, pair: false, weight, span: text.text_span(token.span()) });
            }
            // A number tells something by the word beside it only: "2 percent".
            if let Some((first, from)) = previous.filter(|&(first, _)| first != NUMBER || hash != NUMBER) {
                let span = text.text_span(text.span_of(from..at + 1));
                out.push(Occurrence { hash: hash_pair(first, hash), pair: true, weight, span });
            }
            previous = Some((hash, at));
        }
    }
}

/// All numbers are one word.
const NUMBER: Hash = 0x2300_0001;

pub(super) fn hash_pair(first: Hash, second: Hash) -> Hash {
    fnv(first ^ 0x5bd1_e995, &second.to_le_bytes())
}

/// The words a model knows, by place in its weights, with how telling each is.
pub(super) struct Vocabulary {
    places: FxHashMap<Hash, u32>,
    /// Logarithm of the inverse share of texts that hold the word, plus one.
    idf: Vec<f32>,
    /// The idf of a word that the model does not know.
    unknown_idf: f32,
}

impl Vocabulary {
    /// `hashes` and `idf` go together, each hash once.
    pub fn new(hashes: &[Hash], idf: Vec<f32>) -> Self {
        let places = hashes.iter().zip(0..).map(|(&hash, place)| (hash, place)).collect();
        let unknown_idf = idf.iter().copied().fold(0.0, f32::max);
        Self { places, idf, unknown_idf }
    }

    pub fn place(&self, hash: Hash) -> Option<u32> {
        self.places.get(&hash).copied()
    }

    pub fn idf_of(&self, hash: Hash) -> f32 {
        self.place(hash).map_or(self.unknown_idf, |place| self.idf[place as usize])
    }

    /// The words of a text by their place, each at its first occurrence, and as a vector of
    /// length at most 1: words that the model does not know take up length and have no place,
    /// so that a text of foreign words is near zero.
    pub fn vector(&self, occurrences: &[Occurrence]) -> (Sparse, Vec<u32>) {
        // Sorting brings a word's occurrences together, in the order of the text.
        let mut sorted: Vec<u64> =
            occurrences.iter().zip(0u64..).map(|(o, at)| u64::from(o.hash) << 32 | at).collect();
        sorted.sort_unstable();
        let mut vector = Sparse::with_capacity(sorted.len() / 2);
        let mut first_at = Vec::with_capacity(sorted.len() / 2);
        let mut square = 0.0;
        for same in sorted.chunk_by(|a, b| a >> 32 == b >> 32) {
            let at = same[0] as u32;
            let count: f32 = same.iter().map(|&key| occurrences[key as u32 as usize].weight).sum();
            let first = &occurrences[at as usize];
            let Some(place) = self.place(first.hash) else {
                if !first.pair {
                    square += (count.ln_1p() * self.unknown_idf).powi(2);
                }
                continue;
            };
            let value = count.ln_1p() * self.idf[place as usize];
            square += value * value;
            vector.push((place, value));
            first_at.push(at);
        }
        let length = square.sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|(_, value)| *value /= length);
        (vector, first_at)
    }
}
