//! Concepts that a text calls by their name. Most concepts of the deeper levels have too few
//! examples to be learnt; "bankruptcy" and "figure skating" can be read instead.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::features::{Hash, Occurrence, Reader, Vocabulary};
use super::latent::Latent;
use super::taxonomy::{Place, Taxonomy};
use crate::document::{Section, TextSpan};
use crate::model::linear::Sparse;
use crate::model::table::Table;
use crate::model::trees;

/// Between two words of a name there is room for "of the" and no more, in bytes.
const WIDEST_GAP: usize = 8;

/// A text says what it is about in its title and first words, so many without the stop words.
const LEAD: usize = 25;

/// The names of concepts, as sequences of words.
pub(super) struct Names {
    /// Where in `names` those begin that have a word as their first.
    by_first_word: Table,
    /// Those with one first word together.
    names: Vec<Name>,
}

struct Name {
    first: Hash,
    rest: Vec<Hash>,
    concept: Place,
    /// Whether it has capitals itself, as "Christianity".
    proper: bool,
    /// Whether it is but of one family with the name, as "bribes" with "bribery".
    kin: bool,
}

/// A concept named in a text.
pub(super) struct Named {
    pub concept: Place,
    pub spans: Vec<TextSpan>,
    pub traits: Traits,
}

/// What tells whether a named concept is a topic of the text or a word in passing: 1; whether it is
/// named in the title; whether it is in the lead; whether that is so of a word of its family; how often
/// it is named, as a logarithm; how far into the text first, as a share; how many words the text has, as
/// a logarithm; how rare the name's words are; how many they are; how near in the latent space the
/// name is to the text; whether the concept is below the second level.
pub(super) type Traits = [f32; 11];

/// Says how surely a named concept is a topic, given that its ancestor is one.
pub(super) struct Judge {
    /// Of the traits, by logistic regression.
    pub weights: Traits,
    /// How far each concept is oftener or seldomer a topic where it is named than its traits say:
    /// "communities" are named everywhere.
    pub leanings: Vec<f32>,
}

impl Judge {
    pub fn probability(&self, named: &Named) -> f32 {
        let score: f32 = self.weights.iter().zip(&named.traits).map(|(weight, of)| weight * of).sum();
        let leaning = self.leanings.get(named.concept).copied().unwrap_or(0.0);
        trees::probability(score + leaning)
    }
}

/// Where a text has a concept's name.
#[derive(Default)]
struct Mentions {
    spans: Vec<TextSpan>,
    first: usize,
    /// The words of the first mention.
    words: Vec<Hash>,
    in_title: bool,
    in_lead: bool,
    kin_in_lead: bool,
}

/// What a concept is named beside.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub words: &'a Vocabulary,
    pub latent: &'a Latent,
    /// The text's vector with its latent part.
    pub vector: &'a Sparse,
}

impl Names {
    pub fn new(taxonomy: &Taxonomy, reader: &Reader, concepts: impl Iterator<Item = Place>) -> Self {
        let mut by_first_word: BTreeMap<Hash, Vec<Name>> = BTreeMap::new();
        let mut add = |words: Vec<Hash>, concept, proper, kin| {
            let Some((&first, rest)) = words.split_first() else { return };
            let names = by_first_word.entry(first).or_default();
            if !names.iter().any(|known| known.concept == concept && known.rest == rest) {
                names.push(Name { first, rest: rest.to_vec(), concept, proper, kin });
            }
        };
        for concept in concepts {
            let name = &taxonomy.concept(concept).name;
            let proper = name.contains(char::is_uppercase);
            for form in forms(name) {
                add(reader.words_of(&form), concept, proper, false);
                for kin in family(&form) {
                    add(reader.words_of(&kin), concept, proper, true);
                }
            }
        }
        let (mut places, mut names) = (Vec::new(), Vec::new());
        for of_word in by_first_word.values_mut() {
            // The longest name first, so that "nuclear power" is not taken for less, and before all kin.
            of_word.sort_by_key(|name| (name.kin, std::cmp::Reverse(name.rest.len())));
            places.push(names.len() as u32);
            names.append(of_word);
        }
        let first_words: Vec<Hash> = by_first_word.into_keys().collect();
        Self { by_first_word: Table::with_numbers(&first_words, places), names }
    }

    /// The names that begin with a word.
    fn with_first(&self, word: Hash) -> &[Name] {
        let names = self.by_first_word.get(word).map_or(&[][..], |place| &self.names[place as usize..]);
        &names[..names.iter().take_while(|name| name.first == word).count()]
    }

    /// Every concept that the text names, in the order of the taxonomy.
    pub fn find(&self, occurrences: &[Occurrence], context: Context, taxonomy: &Taxonomy) -> Vec<Named> {
        let singles: Vec<&Occurrence> = occurrences.iter().filter(|occurrence| !occurrence.pair).collect();
        self.by_first_word.fetch(singles.iter().map(|word| word.hash));
        let mut found: BTreeMap<Place, Mentions> = BTreeMap::new();
        let mut at = 0;
        while at < singles.len() {
            let names = self.with_first(singles[at].hash);
            let Some(name) = names.iter().find(|name| name.is_at(&singles[at..])) else {
                at += 1;
                continue;
            };
            let words = &singles[at..=at + name.rest.len()];
            let (in_title, in_lead) = (words[0].span().section == Section::Title, at < LEAD);
            if name.kin {
                // Of all the concepts whose family it is.
                for name in names.iter().filter(|name| name.kin && in_lead) {
                    found.entry(name.concept).or_default().kin_in_lead = true;
                }
            } else {
                let mentions = found.entry(name.concept).or_default();
                if mentions.spans.is_empty() {
                    mentions.first = at;
                    mentions.words = words.iter().map(|word| word.hash).collect();
                }
                mentions.in_title |= in_title;
                mentions.in_lead |= in_lead;
                let mut span = words[0].span();
                span.span.end = words[words.len() - 1].span().span.end;
                mentions.spans.push(span);
            }
            at += words.len();
        }
        let named = found.into_iter().filter(|(_, mentions)| !mentions.spans.is_empty());
        named
            .map(|(concept, mentions)| Named {
                concept,
                traits: mentions.traits(singles.len(), taxonomy.concept(concept).level, context),
                spans: mentions.spans,
            })
            .collect()
    }
}

impl Mentions {
    fn traits(&self, text_words: usize, level: usize, context: Context) -> Traits {
        let share = |yes: bool| f32::from(u8::from(yes));
        let rarity: f32 = self.words.iter().map(|&word| context.words.idf_of(word)).sum();
        [
            1.0,
            share(self.in_title),
            share(self.in_lead),
            share(self.kin_in_lead),
            (self.spans.len() as f32).ln(),
            self.first as f32 / text_words as f32,
            (text_words as f32).ln() - 5.0,
            rarity / self.words.len() as f32 - 5.0,
            self.words.len() as f32 - 1.0,
            self.likeness(context),
            share(level > 2),
        ]
    }

    /// The cosine of the name and the text in the latent space.
    fn likeness(&self, context: Context) -> f32 {
        let Context { words, latent, vector } = context;
        let text: Vec<f32> =
            vector[vector.len() - latent.dimensions..].iter().map(|&(_, value)| value).collect();
        let mut name = vec![0.0f32; latent.dimensions];
        for &word in &self.words {
            let Some((row, scale)) = words.place(word).and_then(|place| latent.row(place)) else { continue };
            let scale = scale * words.idf_of(word);
            name.iter_mut().zip(row).for_each(|(sum, &place)| *sum += scale * f32::from(place));
        }
        let product = |one: &[f32], other: &[f32]| -> f32 { one.iter().zip(other).map(|(a, b)| a * b).sum() };
        product(&name, &text) / (product(&name, &name) * product(&text, &text)).sqrt().max(f32::MIN_POSITIVE)
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
                && one.span().section == next.span().section
                && next.span().span.begin - one.span().span.end <= WIDEST_GAP
        })
}

/// The ways a text may put a concept's name: without its explanation in brackets, each word
/// of "robbery and theft" alone, and in American spelling.
fn forms(name: &str) -> Vec<String> {
    let full = name.split(" (").next().unwrap_or(name);
    let name = full.to_lowercase();
    let parts: Vec<&str> =
        name.split(" and ").flat_map(|part| part.split(" or ")).flat_map(|part| part.split(", ")).collect();
    let mut forms = vec![name.clone()];
    if parts.len() > 1 && parts.iter().all(|part| !part.contains(' ')) {
        // Without its last letter, "AIDS" would be another word.
        let abbreviation = |part: &&&str| full.contains(&part.to_uppercase());
        forms.extend(parts.iter().filter(|part| !abbreviation(part)).map(|part| (*part).to_owned()));
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

/// What makes one word of another: "bribe", "bribery", "briber". No `y`: "policy" is no kin of "police".
const ENDINGS: [&str; 16] = [
    "", "e", "er", "or", "ed", "ing", "ion", "ery", "ation", "ment", "ement", "ist", "ism", "al", "ee", "ive",
];
/// A word that is shorter without its ending has nothing of its meaning left, in bytes.
const SHORTEST_BASE: usize = 4;

/// Words that may be of one family with a name of one word. Many are no words at all; no text has them.
fn family(name: &str) -> Vec<String> {
    if name.contains(' ') {
        return Vec::new();
    }
    let singular = name.strip_suffix('s').unwrap_or(name);
    let bases = ENDINGS.iter().filter_map(|ending| singular.strip_suffix(ending));
    bases
        .filter(|base| base.len() >= SHORTEST_BASE)
        .flat_map(|base| ENDINGS.iter().map(move |ending| format!("{base}{ending}")))
        .collect()
}
