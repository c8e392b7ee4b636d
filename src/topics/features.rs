//! What the model sees of an article: its words and pairs of words, weighed by place.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::document::{Section, Span, TextSpan};
use crate::model::linear::Sparse;
use crate::model::table::Table;
use crate::text::stem::{EMPTY, fnv, stem_hash};
use crate::text::{Form, Segmented, SegmentedArticle, TokenKind};

/// A word in the title counts as two in the opening of the body.
pub(super) const TITLE_WEIGHT: f32 = 2.0;
/// How many tokens of the body are its opening. What comes later counts less: news says
/// first what it is about.
pub(super) const OPENING: usize = 150;
pub(super) const LATER_WEIGHT: f32 = 0.4;
/// Names other than those of countries count less: the names in the labelled texts are of their
/// time, and a new president does what the last one did.
const NAME_WEIGHT: f32 = 0.5;

/// Words that say nothing about a topic; no pair reaches over them.
const STOP_WORDS: &str = "the a an and or of to in on for with at by from as is was are were be been it its this \
    that these those he she they his her their we our you your i my me him them us not no but if so than then \
    there here who which what when where will would can could may might must shall should do does did has have \
    had having being said say says also about into over after before up down out off more most very just own \
    same such other some any all each both few only one two three don't didn't doesn't isn't wasn't won't can't \
    couldn't wouldn't i'm it's he's she's that's there's they're we're you're i've we've they've";

/// Whether a text has stop words only.
pub(super) fn says_nothing(text: &str) -> bool {
    text.split_whitespace().all(|word| STOP_WORDS.split(' ').any(|stop| stop.eq_ignore_ascii_case(word)))
}

/// A word or pair of words, as a number that is the same on every machine.
pub(super) type Hash = u32;

/// Where a word or pair of words is, and how much it counts there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occurrence {
    pub hash: Hash,
    pub pair: bool,
    /// Whether its capital makes it part of a name.
    pub name: bool,
    pub weight: f32,
    section: Section,
    // Half as wide as in a [`Span`]: a text has thousands of these.
    begin: u32,
    end: u32,
}

impl Occurrence {
    pub fn new(hash: Hash, pair: bool, name: bool, weight: f32, at: TextSpan) -> Self {
        let TextSpan { section, span } = at;
        Self { hash, pair, name, weight, section, begin: span.begin as u32, end: span.end as u32 }
    }

    pub fn span(&self) -> TextSpan {
        TextSpan { section: self.section, span: Span::new(self.begin as usize, self.end as usize) }
    }
}

/// Reads articles into their words and pairs of words.
pub(super) struct Reader {
    stop_words: FxHashSet<Hash>,
    /// Which country a word or pair of words names: by its name, its people's or its capital's.
    countries: FxHashMap<Hash, u16>,
}

impl Reader {
    /// `countries` say which country a [`Self::name_hash`] is of.
    pub fn new(countries: FxHashMap<Hash, u16>) -> Self {
        let mut buffer = Vec::new();
        let stop_words = STOP_WORDS.split_whitespace().map(|word| stem_hash(word, &mut buffer)).collect();
        Self { stop_words, countries }
    }

    /// Every occurrence, title first.
    pub fn read(&self, article: &SegmentedArticle) -> Vec<Occurrence> {
        let mut out = Vec::with_capacity(2 * article.body.tokens.len());
        let mut met = Vec::with_capacity(COUNTRIES);
        self.read_text(&article.title, |_| TITLE_WEIGHT, &mut met, &mut out);
        self.read_text(&article.body, |at| if at < OPENING { 1.0 } else { LATER_WEIGHT }, &mut met, &mut out);
        out
    }

    /// Whether a word says nothing about a topic.
    pub fn is_stop_word(&self, hash: Hash) -> bool {
        self.stop_words.contains(&hash)
    }

    /// The hash of a name of one or two words, as a text has it.
    pub fn name_hash(&self, name: &str) -> Option<Hash> {
        match *self.words_of(name) {
            [word] => Some(word),
            [first, second] => Some(hash_pair(first, second)),
            _ => None,
        }
    }

    /// The words of a name, without stop words.
    pub fn words_of(&self, name: &str) -> Vec<Hash> {
        let mut buffer = Vec::new();
        let words = name.split_whitespace().map(|word| stem_hash(word, &mut buffer));
        words.filter(|hash| *hash != EMPTY && !self.stop_words.contains(hash)).collect()
    }

    fn known(&self, form: &Form) -> Known {
        match (form.kind, form.stem) {
            (TokenKind::Number, _) => Known::Telling { hash: NUMBER, country: None },
            (TokenKind::Word, EMPTY) => Known::Nothing,
            (TokenKind::Word, hash) if !self.stop_words.contains(&hash) => {
                Known::Telling { hash, country: self.countries.get(&hash).copied() }
            }
            _ => Known::Apart,
        }
    }

    /// Adds the occurrences of one text; `met` are the countries met before it.
    fn read_text(
        &self,
        text: &Segmented,
        weight: impl Fn(usize) -> f32,
        met: &mut Vec<u16>,
        out: &mut Vec<Occurrence>,
    ) {
        let known: Vec<Known> = text.forms.iter().map(|form| self.known(form)).collect();
        let mut previous: Option<Word> = None;
        for sentence in &text.sentences {
            let mut partners = Partners::default();
            for at in sentence.tokens.clone() {
                let form = text.form(at);
                let (hash, mut country) = match known[text.form_of[at] as usize] {
                    Known::Telling { hash, country } => (hash, country),
                    Known::Nothing => continue,
                    Known::Apart => {
                        previous = None;
                        continue;
                    }
                };
                // In a title and at a sentence's start, every word may be upper case.
                let name = text.section == Section::Body
                    && at > sentence.tokens.start
                    && country.is_none()
                    && form.capital;
                let weight = weight(at) * if name { NAME_WEIGHT } else { 1.0 };
                let span = text.text_span(text.tokens[at].span());
                let mut occurs = |hash, pair, span| out.push(Occurrence::new(hash, pair, name, weight, span));
                if hash != NUMBER {
                    occurs(hash, false, span);
                }
                // A number tells something by the word beside it only: "2 percent".
                if let Some(first) = previous.filter(|first| first.hash != NUMBER || hash != NUMBER) {
                    let span = text.text_span(text.span_of(first.at..at + 1));
                    let pair = hash_pair(first.hash, hash);
                    occurs(pair, true, span);
                    country = country.or_else(|| self.countries.get(&pair).copied());
                    // "Vietnam's president" is one pair with "France's president".
                    if first.country || country.is_some() {
                        let or = |country, hash| if country { COUNTRY } else { hash };
                        let pair = hash_pair(or(first.country, first.hash), or(country.is_some(), hash));
                        occurs(pair, true, span);
                    }
                }
                if let Some(country) = country {
                    occurs(COUNTRY, true, span);
                    if partners.meet(country) {
                        occurs(TWO_COUNTRIES, true, span);
                    }
                    if met.len() < COUNTRIES && !met.contains(&country) {
                        occurs(hash_pair(COUNTRY, met.len() as u32), true, span);
                        met.push(country);
                    }
                }
                previous = Some(Word { hash, at, country: country.is_some() });
            }
        }
    }
}

/// What a word is to a topic.
#[derive(Clone, Copy)]
enum Known {
    /// No letters, as a possessive that stands alone.
    Nothing,
    /// A stop word or mark: no pair reaches over it.
    Apart,
    Telling {
        hash: Hash,
        country: Option<u16>,
    },
}

/// Whether a sentence is about two countries.
#[derive(Default)]
struct Partners {
    last: Option<u16>,
    two: bool,
}

impl Partners {
    /// Whether this country is the first that differs from the one before it.
    fn meet(&mut self, country: u16) -> bool {
        let second = !self.two && self.last.is_some_and(|last| last != country);
        self.two |= second;
        self.last = Some(country);
        second
    }
}

/// A word that may be the first of a pair.
struct Word {
    hash: Hash,
    at: usize,
    country: bool,
}

/// All countries are one word, beside the word they are.
const COUNTRY: Hash = 0x2300_0002;
/// A sentence that names two countries.
const TWO_COUNTRIES: Hash = 0x2300_0003;
/// What these two are worth beside a word: they stand in so many texts that their idf is low.
const COUNTRY_VALUE: f32 = 3.0;
/// A text is told apart by how many countries it names, up to so many.
const COUNTRIES: usize = 6;

/// All numbers are one word.
const NUMBER: Hash = 0x2300_0001;

pub(super) fn hash_pair(first: Hash, second: Hash) -> Hash {
    fnv(first ^ 0x5bd1_e995, &second.to_le_bytes())
}

/// The words a model knows, by place in its weights, with how telling each is.
pub(super) struct Vocabulary {
    places: Table,
    /// Logarithm of the inverse share of texts that hold the word, plus one.
    idf: Vec<f32>,
    /// The idf of a word that the model does not know.
    unknown_idf: f32,
}

impl Vocabulary {
    /// `hashes` and `idf` go together. Where a word and a pair have one hash, it stands for the later one.
    pub fn new(hashes: &[Hash], idf: Vec<f32>) -> Self {
        let unknown_idf = idf.iter().copied().fold(0.0, f32::max);
        let latest_first: Vec<Hash> = hashes.iter().rev().copied().collect();
        let places = Table::with_numbers(&latest_first, (0..hashes.len() as u32).rev());
        Self { places, idf, unknown_idf }
    }

    /// How many words and pairs of words there are.
    pub fn len(&self) -> usize {
        self.idf.len()
    }

    pub fn place(&self, hash: Hash) -> Option<u32> {
        self.places.get(hash)
    }

    /// How telling a word or pair is by its place.
    pub fn idf(&self, place: u32) -> f32 {
        self.idf[place as usize]
    }

    /// How telling a word is that the model does not know.
    pub fn unknown_idf(&self) -> f32 {
        self.unknown_idf
    }

    pub fn idf_of(&self, hash: Hash) -> f32 {
        self.place(hash).map_or(self.unknown_idf, |place| self.idf[place as usize])
    }

    /// Brings what is known of many words near, as [`Table::fetch`] does.
    fn fetch(&self, occurrences: &[Occurrence]) {
        self.places.fetch(occurrences.iter().map(|o| o.hash));
        let idf = occurrences.iter().filter_map(|o| self.place(o.hash)).map(|place| self.idf(place));
        std::hint::black_box(idf.fold(0, |all, idf| all ^ idf.to_bits()));
    }

    /// The words of a text by their place, each at its first occurrence, and as a vector of
    /// length at most 1: words that the model does not know take up length and have no place,
    /// so that a text of foreign words is near zero.
    pub fn vector(&self, occurrences: &[Occurrence]) -> (Sparse, Vec<u32>) {
        self.fetch(occurrences);
        // Pairs that the model does not know leave nothing behind. Sorting brings a word's occurrences
        // together, in the order of the text.
        let mut sorted = Vec::with_capacity(occurrences.len());
        sorted.extend(
            occurrences
                .iter()
                .zip(0u64..)
                .filter(|(o, _)| !o.pair || self.place(o.hash).is_some())
                .map(|(o, at)| u64::from(o.hash) << 32 | at),
        );
        sorted.sort_unstable();
        let mut vector = Sparse::with_capacity(sorted.len());
        let mut first_at = Vec::with_capacity(sorted.len());
        let mut square = 0.0;
        for same in sorted.chunk_by(|a, b| a >> 32 == b >> 32) {
            let at = same[0] as u32;
            let count: f32 = same.iter().map(|&key| occurrences[key as u32 as usize].weight).sum();
            let first = &occurrences[at as usize];
            let Some(place) = self.place(first.hash) else {
                square += (count.ln_1p() * self.unknown_idf).powi(2);
                continue;
            };
            let value = count.ln_1p() * self.idf[place as usize];
            square += value * value;
            let country = matches!(first.hash, COUNTRY | TWO_COUNTRIES);
            vector.push((place, if country { COUNTRY_VALUE * value } else { value }));
            first_at.push(at);
        }
        let length = square.sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|(_, value)| *value /= length);
        (vector, first_at)
    }
}
