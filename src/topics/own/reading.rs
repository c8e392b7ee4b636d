//! What a taxonomy sees of a text: the words that the built-in model knows, with their places in
//! its latent space, and words and phrases of the taxonomy's own.

use rustc_hash::{FxHashMap, FxHashSet};

use super::definition::{Definition, TopicDefinition};
use crate::document::{Section, TextSpan};
use crate::model::linear::Sparse;
use crate::text::stem::{EMPTY, stem_hash};
use crate::text::{Segmented, SegmentedArticle, TokenKind, segment};
use crate::topics::features::{Hash, LATER_WEIGHT, OPENING, Occurrence, Reader, TITLE_WEIGHT, Vocabulary};
use crate::topics::latent::Latent;
use crate::topics::naming::follows;

/// What a phrase's single words count beside the phrase.
const PART_WEIGHT: f32 = 0.5;
/// What a word of a name or description counts beside a keyword.
const PROSE_WEIGHT: f32 = 0.5;
/// Shorter words have no endings of their own but the plural's.
const LEAST_INFLECTED: usize = 4;

/// What the built-in model has learnt about words, whatever the taxonomy.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    pub reader: &'a Reader,
    pub words: &'a Vocabulary,
    pub latent: &'a Latent,
}

impl Knowledge<'_> {
    /// The number of the first feature that is neither a word nor a dimension of the model's.
    fn first_own(&self) -> u32 {
        (self.words.len() + self.latent.dimensions) as u32
    }

    /// Whether a feature is a dimension of the latent space.
    pub fn is_latent(&self, feature: u32) -> bool {
        (self.words.len() as u32..self.first_own()).contains(&feature)
    }
}

/// The words and phrases of a taxonomy.
pub struct Lexicon {
    /// The other forms of keywords, as "acquired", and the keyword's own, as "acquire".
    forms: FxHashMap<Hash, Hash>,
    /// By their first word: phrases, and words that the model does not know.
    terms: FxHashMap<Hash, Vec<Term>>,
    /// How telling each term is, in the order of their features.
    idf: Vec<f32>,
}

struct Term {
    rest: Vec<Hash>,
    feature: u32,
}

/// A text as features and their values: the words', of length 1 or less, and the latent ones'.
pub struct Reading {
    pub vector: Sparse,
    /// Where each feature is first; the latent ones, which come last, are nowhere.
    pub first_at: Vec<TextSpan>,
}

impl Lexicon {
    pub fn new(definition: &Definition, knowledge: Knowledge) -> Self {
        let mut lexicon = Self { forms: FxHashMap::default(), terms: FxHashMap::default(), idf: Vec::new() };
        let topics = || definition.topics.iter();
        let keywords: Vec<Vec<Hash>> = topics()
            .flat_map(|topic| &topic.keywords)
            .map(|keyword| hashes(&lexicon.words(keyword, knowledge)))
            .collect();
        keywords.iter().for_each(|words| lexicon.add_term(words, knowledge));
        for text in topics().flat_map(TopicDefinition::texts) {
            for word in lexicon.words(text, knowledge) {
                lexicon.add_term(&[word.hash], knowledge);
            }
        }
        // A form of one keyword may be a keyword itself, and is not to be taken for the other.
        let taken: FxHashSet<Hash> = keywords.into_iter().flatten().collect();
        let mut buffer = Vec::new();
        for keyword in topics().flat_map(|topic| &topic.keywords) {
            let own = stem_hash(keyword, &mut buffer);
            for form in inflected(keyword) {
                let form = stem_hash(&form, &mut buffer);
                if !taken.contains(&form) {
                    lexicon.forms.entry(form).or_insert(own);
                }
            }
        }
        lexicon
    }

    /// Gives a sequence of words a feature, if it is not one word that the model knows.
    fn add_term(&mut self, words: &[Hash], knowledge: Knowledge) {
        let Some((first, rest)) = words.split_first() else { return };
        if rest.is_empty() && knowledge.words.place(*first).is_some() {
            return;
        }
        let terms = self.terms.entry(*first).or_default();
        if terms.iter().all(|term| term.rest != rest) {
            terms.push(Term { rest: rest.to_vec(), feature: knowledge.first_own() + self.idf.len() as u32 });
            // A phrase is no more telling than the rarest word.
            let idf: f32 = words.iter().map(|&word| knowledge.words.idf_of(word)).sum();
            self.idf.push(idf.min(knowledge.words.unknown_idf()));
        }
    }

    /// What a topic's keywords, description and name say of it, or its examples where it has a name
    /// only, as a text of length 1; nothing where there is but a name, which groups other topics.
    pub fn profile(&self, topic: &TopicDefinition, knowledge: Knowledge) -> Sparse {
        if !topic.has_evidence() {
            return Sparse::new();
        }
        let mut counts = Vec::new();
        for keyword in &topic.keywords {
            let words = hashes(&self.words(keyword, knowledge));
            let weight = if words.len() > 1 { PART_WEIGHT } else { 1.0 };
            counts.extend(words.iter().filter_map(|&word| Some((self.feature(word, knowledge)?, weight))));
            if words.len() > 1 {
                counts.extend(self.term(&words).map(|term| (term.feature, 1.0)));
            }
        }
        // Examples say what the topic is about where nothing else does.
        let examples = if topic.is_described() { &[][..] } else { &topic.examples };
        for text in [&topic.description, &topic.name].into_iter().chain(examples) {
            for word in self.words(text, knowledge) {
                counts.extend(self.feature(word.hash, knowledge).map(|feature| (feature, PROSE_WEIGHT)));
            }
        }
        counts.sort_unstable_by_key(|&(feature, _)| feature);
        let mut vector: Sparse = counts
            .chunk_by(|a, b| a.0 == b.0)
            .map(|same| (same[0].0, same.iter().map(|(_, count)| count).sum::<f32>()))
            .map(|(feature, count)| (feature, count.ln_1p() * self.idf(feature, knowledge)))
            .collect();
        let length = vector.iter().map(|(_, value)| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|(_, value)| *value /= length);
        knowledge.latent.add_to(&mut vector, knowledge.words);
        vector
    }

    /// An example as a document without a title.
    pub fn read_text(&self, text: &str, knowledge: Knowledge) -> Reading {
        let mut words = self.words(text, knowledge);
        words.iter_mut().skip(OPENING).for_each(|word| word.weight = LATER_WEIGHT);
        self.reading(&words, knowledge)
    }

    pub fn read(&self, article: &SegmentedArticle, knowledge: Knowledge) -> Reading {
        let mut words = Vec::with_capacity(article.body.tokens.len());
        self.read_words(&article.title, knowledge, |_| TITLE_WEIGHT, &mut words);
        let weight = |at| if at < OPENING { 1.0 } else { LATER_WEIGHT };
        self.read_words(&article.body, knowledge, weight, &mut words);
        self.reading(&words, knowledge)
    }

    fn words(&self, text: &str, knowledge: Knowledge) -> Vec<Occurrence> {
        let mut words = Vec::new();
        self.read_words(&segment(text, Section::Body, &[]), knowledge, |_| 1.0, &mut words);
        words
    }

    /// Adds every word and number but stop words.
    fn read_words(
        &self,
        text: &Segmented,
        knowledge: Knowledge,
        weight: impl Fn(usize) -> f32,
        out: &mut Vec<Occurrence>,
    ) {
        for (at, token) in text.tokens.iter().enumerate() {
            if !matches!(token.kind, TokenKind::Word | TokenKind::Number) {
                continue;
            }
            let hash = text.form(at).stem;
            if hash == EMPTY || knowledge.reader.is_stop_word(hash) {
                continue;
            }
            let hash = self.forms.get(&hash).copied().unwrap_or(hash);
            let span = text.text_span(token.span());
            out.push(Occurrence::new(hash, false, false, weight(at), span));
        }
    }

    fn reading(&self, words: &[Occurrence], knowledge: Knowledge) -> Reading {
        let mut found: Vec<(u32, f32, TextSpan)> = Vec::with_capacity(words.len() / 2);
        let mut square = 0.0;
        // Sorting brings a word's occurrences together, in the order of the text.
        let mut sorted: Vec<u64> =
            words.iter().zip(0_u64..).map(|(word, at)| u64::from(word.hash) << 32 | at).collect();
        sorted.sort_unstable();
        for same in sorted.chunk_by(|a, b| a >> 32 == b >> 32) {
            let first = &words[same[0] as u32 as usize];
            let count: f32 = same.iter().map(|&key| words[key as u32 as usize].weight).sum();
            let value = count.ln_1p() * knowledge.words.idf_of(first.hash);
            square += value * value;
            found.extend(self.feature(first.hash, knowledge).map(|feature| (feature, value, first.span())));
        }
        found.extend(self.phrases(words, knowledge));
        let length = square.sqrt().max(f32::MIN_POSITIVE);
        let mut vector: Sparse = found.iter().map(|&(feature, value, _)| (feature, value / length)).collect();
        let first_at = found.into_iter().map(|(_, _, span)| span).collect();
        if !vector.is_empty() {
            knowledge.latent.add_to(&mut vector, knowledge.words);
        }
        Reading { vector, first_at }
    }

    /// The phrases in a text with their values and where each is first.
    fn phrases(&self, words: &[Occurrence], knowledge: Knowledge) -> Vec<(u32, f32, TextSpan)> {
        let mut phrases: Vec<(u32, f32, TextSpan)> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let terms = self.terms.get(&word.hash).map_or(&[][..], Vec::as_slice);
            for term in terms.iter().filter(|term| !term.rest.is_empty()) {
                if follows(&words[at..], &term.rest) {
                    let mut span = word.span();
                    span.span.end = words[at + term.rest.len()].span().span.end;
                    phrases.push((term.feature, word.weight, span));
                }
            }
        }
        phrases.sort_by_key(|&(feature, _, _)| feature);
        phrases
            .chunk_by(|a, b| a.0 == b.0)
            .map(|same| {
                let (feature, _, span) = same[0];
                let count: f32 = same.iter().map(|(_, weight, _)| weight).sum();
                (feature, count.ln_1p() * self.idf(feature, knowledge), span)
            })
            .collect()
    }

    /// A single word's feature.
    fn feature(&self, word: Hash, knowledge: Knowledge) -> Option<u32> {
        knowledge.words.place(word).or_else(|| self.term(&[word]).map(|term| term.feature))
    }

    fn term(&self, words: &[Hash]) -> Option<&Term> {
        let (first, rest) = words.split_first()?;
        self.terms.get(first)?.iter().find(|term| term.rest == rest)
    }

    fn idf(&self, feature: u32, knowledge: Knowledge) -> f32 {
        let own = feature.checked_sub(knowledge.first_own());
        own.map_or_else(|| knowledge.words.idf(feature), |own| self.idf[own as usize])
    }
}

fn hashes(words: &[Occurrence]) -> Vec<Hash> {
    words.iter().map(|word| word.hash).collect()
}

/// The forms that a single word in lower case has if it is a verb; none of a noun's is another
/// word as a rule. The plural's ending is taken off everywhere.
fn inflected(word: &str) -> Vec<String> {
    if word.len() < LEAST_INFLECTED || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return Vec::new();
    }
    if let Some(stem) = word.strip_suffix('e') {
        return vec![format!("{word}d"), format!("{stem}ing")];
    }
    match word.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => {
            vec![format!("{stem}ied"), format!("{word}ing")]
        }
        _ => vec![format!("{word}ed"), format!("{word}ing")],
    }
}
