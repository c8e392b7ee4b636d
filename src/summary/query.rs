//! Which sentences answer a query.

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::FxHashMap;

use crate::document::{Entity, Mention, MentionKind, Section};
use crate::text::{Segmented, TokenKind, segment};

/// How much of a sentence's worth is its answer to the query, where that is complete.
const ANSWER: f32 = 2.0;

/// The share of the query that each sentence answers, 0 to 1, rare words counting more; none
/// where the query is empty or no sentence of any worth answers it.
///
/// A sentence answers with a form of the same word, or by naming an entity that the query
/// names, in whatever form. What follows a question or a heading that does answers as well.
pub fn relevance(
    query: &str,
    body: &Segmented,
    entities: &[Entity],
    worth: &[Option<f32>],
) -> Option<Vec<f32>> {
    let stems = Stems::of_query(query);
    if stems.places.is_empty() {
        return None;
    }
    let answers = answers(&stems, body, entities, worth);
    let sentences = body.sentences.len() as f32;
    let mut weights = vec![0.0_f32; stems.places.len()];
    for (place, weight) in weights.iter_mut().enumerate() {
        let count = answers.iter().filter(|answer| answer.contains(&place)).count() as f32;
        *weight = (1.0 + sentences / (1.0 + count)).ln();
    }
    let total: f32 = weights.iter().sum();
    let relevance: Vec<f32> = answers
        .iter()
        .map(|answer| answer.iter().map(|&place| weights[place]).sum::<f32>() / total)
        .collect();
    let answered = relevance.iter().zip(worth).any(|(&share, worth)| share > 0.0 && worth.is_some());
    answered.then_some(relevance)
}

/// Ranks sentences by their answer first, then by their own worth; those that do not answer are
/// left out.
pub fn turn_to(worth: &mut [Option<f32>], relevance: &[f32]) {
    for (worth, &share) in worth.iter_mut().zip(relevance) {
        *worth = worth.filter(|_| share > 0.0).map(|worth| ANSWER * share * 0.7 + worth * 0.3);
    }
}

/// A stem in bytes that is no shorter may lose its last vowel; "parti" and "part" stay two.
const LEAST_STEM: usize = 5;

/// Words that news is about, where no ending shows that they belong together.
const FAMILIES: [&str; 16] = [
    "die dies died dying dead death deaths kill kills killed killing",
    "win wins won winning winner winners",
    "lose loses lost losing loss losses",
    "shoot shoots shot shooting shootings gunman",
    "buy buys bought buying buyer buyers",
    "sell sells sold selling sale sales seller sellers",
    "rise rises rose risen rising",
    "fall falls fell fallen falling",
    "choose chooses chose chosen choice choices",
    "fight fights fought fighting",
    "steal steals stole stolen theft thefts",
    "marry marries married marriage wedding",
    "speak speaks spoke spoken speech speeches",
    "leave leaves left leaving",
    "pay pays paid paying payment payments",
    "fly flies flew flown flight flights",
];

/// The words of a query, each with its place among them.
struct Stems {
    stemmer: Stemmer,
    places: FxHashMap<String, usize>,
}

impl Stems {
    fn of_query(query: &str) -> Self {
        let mut stems = Self { stemmer: Stemmer::create(Algorithm::English), places: FxHashMap::default() };
        let query = segment(query, Section::Body, &[]);
        let words: Vec<&str> = (0..query.tokens.len())
            .filter(|&token| matches!(query.tokens[token].kind, TokenKind::Word | TokenKind::Number))
            .map(|token| query.word(token))
            .collect();
        let content = words.iter().filter(|word| !is_function_word(word));
        for word in content {
            let next = stems.places.len();
            stems.places.entry(stems.stem(word)).or_insert(next);
        }
        stems
    }

    /// What the forms of a word have in common.
    fn stem(&self, word: &str) -> String {
        let word = word.to_lowercase();
        if let Some(family) = FAMILIES.iter().find(|family| family.split(' ').any(|known| known == word)) {
            return (*family).to_owned();
        }
        let mut stem = self.stemmer.stem(&word).into_owned();
        // The stemmer parts "injuries" (injuri) from "injured" (injur).
        if stem.len() > LEAST_STEM && stem.ends_with('i') {
            stem.pop();
        }
        stem
    }

    fn place(&self, word: &str) -> Option<usize> {
        self.places.get(&self.stem(word)).copied()
    }
}

/// The places of the query's words that each sentence answers, without repetition.
fn answers<'a>(
    stems: &Stems,
    body: &Segmented<'a>,
    entities: &'a [Entity],
    worth: &[Option<f32>],
) -> Vec<Vec<usize>> {
    // Stemming is slow: each form once.
    let mut known = FxHashMap::<&'a str, Option<usize>>::default();
    let mut answers: Vec<Vec<usize>> = vec![Vec::new(); body.sentences.len()];
    for (answer, sentence) in answers.iter_mut().zip(&body.sentences) {
        for word in sentence.tokens.clone().map(|token| body.word(token)) {
            answer.extend(*known.entry(word).or_insert_with(|| stems.place(word)));
        }
    }
    for entity in entities {
        let mentions: Vec<&Mention> =
            entity.mentions.iter().filter(|mention| mention.span.section == Section::Body).collect();
        let names = mentions.iter().filter(|mention| mention.kind == MentionKind::Proper);
        let names = names.map(|mention| mention.span.span.of(body.text)).chain([entity.name.as_str()]);
        let mut asked: Vec<usize> = names
            .flat_map(str::split_whitespace)
            .filter_map(|word| *known.entry(word).or_insert_with(|| stems.place(word)))
            .collect();
        asked.sort_unstable();
        asked.dedup();
        for mention in mentions.into_iter().filter(|_| !asked.is_empty()) {
            let place =
                body.sentences.partition_point(|sentence| sentence.span.end <= mention.span.span.begin);
            if let Some(answer) = answers.get_mut(place) {
                answer.extend(&asked);
            }
        }
    }
    // From the end, so that each passes on its own only.
    for place in (1..answers.len()).rev() {
        let asks = body.sentences[place - 1].span.of(body.text).ends_with('?');
        if asks || worth[place - 1].is_none() {
            let (before, rest) = answers.split_at_mut(place);
            rest[0].extend(&before[place - 1]);
        }
    }
    for answer in &mut answers {
        answer.sort_unstable();
        answer.dedup();
    }
    answers
}

/// Words that a question is made of.
fn is_function_word(word: &str) -> bool {
    const WORDS: &str = " a an the of in on at to for from by with about and or but not is are was were be been do \
                         does did has have had will would can could should may might what which who whom whose \
                         when where why how many much that this these those it its he she they his her their there ";
    let word = word.to_lowercase();
    WORDS.split(' ').any(|known| known == word)
}
