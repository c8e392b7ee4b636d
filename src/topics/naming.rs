//! Concepts that a text calls by their name. Most concepts of the deeper levels have too few
//! examples to be learnt; "bankruptcy" and "figure skating" can be read instead.

use std::borrow::Borrow;

use rustc_hash::FxHashMap;

use super::features::{Hash, Occurrence, Reader, Vocabulary};
use super::taxonomy::{Place, Taxonomy};
use crate::document::TextSpan;

/// Between two words of a name there is room for "of the" and no more, in bytes.
const WIDEST_GAP: usize = 8;

/// A text says what it is about in its title and first words, so many without the stop words: of
/// the concepts named there once most are its topics, of those named later four in ten.
const LEAD: usize = 25;
/// How much a name there counts beside one that comes later.
const LEAD_WEIGHT: f32 = 2.0;

/// The names of concepts, as sequences of words.
pub(super) struct Names {
    by_first_word: FxHashMap<Hash, Vec<Name>>,
}

struct Name {
    rest: Vec<Hash>,
    concept: Place,
    /// Whether it has capitals itself, as "Christianity".
    proper: bool,
}

/// A concept named in a text.
pub(super) struct Named {
    pub concept: Place,
    /// How often, where, and in how telling words it is named, as a logarithm.
    pub strength: f32,
    pub spans: Vec<TextSpan>,
    /// Whether it is named more than once, or where the text says what it is about.
    pub prominent: bool,
}

impl Names {
    pub fn new(taxonomy: &Taxonomy, reader: &Reader, concepts: impl Iterator<Item = Place>) -> Self {
        let mut by_first_word: FxHashMap<Hash, Vec<Name>> = FxHashMap::default();
        for concept in concepts {
            let name = &taxonomy.concept(concept).name;
            let proper = name.contains(char::is_uppercase);
            for form in forms(name) {
                if let Some((first, rest)) = reader.words_of(&form).split_first() {
                    let names = by_first_word.entry(*first).or_default();
                    if !names.iter().any(|name| name.concept == concept && name.rest == rest) {
                        names.push(Name { rest: rest.to_vec(), concept, proper });
                    }
                }
            }
        }
        // The longest name first, so that "nuclear power" is not taken for less.
        by_first_word
            .values_mut()
            .for_each(|names| names.sort_by_key(|name| std::cmp::Reverse(name.rest.len())));
        Self { by_first_word }
    }

    /// Every concept that the text names, in the order of the taxonomy.
    pub fn find(&self, occurrences: &[Occurrence], words: &Vocabulary) -> Vec<Named> {
        let singles: Vec<&Occurrence> = occurrences.iter().filter(|occurrence| !occurrence.pair).collect();
        let mut found: Vec<Named> = Vec::new();
        let mut at = 0;
        while at < singles.len() {
            let names = self.by_first_word.get(&singles[at].hash).map_or(&[][..], Vec::as_slice);
            let Some(name) = names.iter().find(|name| name.is_at(&singles[at..])) else {
                at += 1;
                continue;
            };
            let named = &singles[at..=at + name.rest.len()];
            let mut span = named[0].span;
            span.span.end = named[named.len() - 1].span.span.end;
            let lead = at < LEAD;
            let telling: f32 = named.iter().map(|word| word.weight * words.idf_of(word.hash)).sum();
            let strength = if lead { LEAD_WEIGHT * telling } else { telling };
            match found.iter_mut().find(|known| known.concept == name.concept) {
                Some(known) => {
                    known.strength += strength;
                    known.spans.push(span);
                    known.prominent = true;
                }
                None => {
                    found.push(Named { concept: name.concept, strength, spans: vec![span], prominent: lead })
                }
            }
            at += named.len();
        }
        found.iter_mut().for_each(|named| named.strength = named.strength.ln());
        found.sort_by_key(|named| named.concept);
        found
    }
}

impl Name {
    /// Whether `words`, of which the first is the name's first, begin with it. "Castleton
    /// Athletic" is not about athletics.
    fn is_at(&self, words: &[&Occurrence]) -> bool {
        follows(words, &self.rest) && (self.proper || !words[..=self.rest.len()].iter().any(|word| word.name))
    }
}

/// Whether the words after the first of `words` are `rest`, close together.
pub(super) fn follows(words: &[impl Borrow<Occurrence>], rest: &[Hash]) -> bool {
    words.len() > rest.len()
        && words.windows(2).zip(rest).all(|(pair, &hash)| {
            let (one, next) = (pair[0].borrow(), pair[1].borrow());
            next.hash == hash
                && one.span.section == next.span.section
                && next.span.span.begin - one.span.span.end <= WIDEST_GAP
        })
}

/// The ways a text may put a concept's name: without its explanation in brackets, each word
/// of "robbery and theft" alone, and in American spelling.
fn forms(name: &str) -> Vec<String> {
    let name = name.split(" (").next().unwrap_or(name).to_lowercase();
    let parts: Vec<&str> =
        name.split(" and ").flat_map(|part| part.split(" or ")).flat_map(|part| part.split(", ")).collect();
    let mut forms = vec![name.clone()];
    if parts.len() > 1 && parts.iter().all(|part| !part.contains(' ')) {
        forms.extend(parts.iter().map(|part| (*part).to_owned()));
    }
    let american = |form: &String| {
        let mut american = form.clone();
        for (british, spelling) in [
            ("labour", "labor"),
            ("behaviour", "behavior"),
            ("isation", "ization"),
            ("ised", "ized"),
            ("defence", "defense"),
            ("jewellery", "jewelry"),
        ] {
            american = american.replace(british, spelling);
        }
        american
    };
    forms.extend(forms.clone().iter().map(american));
    forms.sort();
    forms.dedup();
    forms
}
