//! What common nouns say: whether they are said of people, of companies or of places.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::reading::{Line, Reading, Word};
use super::words::{self, Case};
use crate::model::table::Table;
use crate::model::{ModelError, ModelFile, ModelWriter};

/// Words of closed classes that end a noun phrase.
const CLOSED: [&str; 117] = [
    "of", "in", "on", "at", "to", "for", "from", "by", "with", "about", "into", "over", "after", "before",
    "under", "between", "during", "against", "through", "since", "until", "within", "without", "among",
    "around", "despite", "than", "as", "like", "via", "per", "behind", "outside", "inside", "across", "near",
    "toward", "towards", "upon", "and", "or", "but", "nor", "so", "yet", "if", "because", "while",
    "although", "though", "when", "where", "whether", "unless", "that", "which", "who", "whom", "whose",
    "what", "how", "why", "the", "a", "an", "this", "these", "those", "his", "her", "its", "their", "our",
    "my", "your", "he", "she", "it", "they", "we", "i", "you", "him", "them", "us", "me", "there", "is",
    "was", "are", "were", "be", "been", "being", "has", "have", "had", "do", "does", "did", "will", "would",
    "can", "could", "may", "might", "must", "shall", "should", "not", "also", "now", "then", "'s", "s",
    "just", "n't",
];
/// Ends of companies' names.
const COMPANY_ENDS: [&str; 24] = [
    "inc", "inc.", "corp", "corp.", "co", "co.", "ltd", "ltd.", "plc", "ag", "company", "airlines",
    "airways", "bank", "group", "motors", "industries", "corporation", "holdings", "stores", "foods", "oil",
    "telecom", "energy",
];
/// Words that open a definite noun phrase, and how.
const OPENING: [(&str, Opening); 9] = [
    ("the", Opening::Article),
    ("this", Opening::Demonstrative),
    ("that", Opening::Demonstrative),
    ("his", Opening::Possessive),
    ("her", Opening::Possessive),
    ("its", Opening::Possessive),
    ("their", Opening::Possessive),
    ("our", Opening::Possessive),
    ("my", Opening::Possessive),
];

/// How a noun phrase opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// "the"
    Article,
    Demonstrative,
    Possessive,
    /// "a"
    Indefinite,
}

/// At most this many words follow a determiner.
const LONGEST: usize = 6;

/// Sorts of places and organisations that nouns tell apart better than types do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Country,
    City,
    Region,
    Company,
}

/// What is known about a noun; shares are of 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    /// The types of the entities that it may be said of, as bits by place in
    /// [`KINDS`](super::tags::KINDS).
    pub kinds: u8,
    /// Their [`Sort`]s, as bits; none where it says nothing of them.
    pub sorts: u8,
    /// How often a phrase that it ends is definite.
    pub definite: u8,
    /// How often its definite phrase stands for a name.
    pub prior: u8,
}

impl Noun {
    /// Stands in [`Nouns`] in place of a word's hash for all of "the 19-year-old" and the like.
    pub const AGED: u32 = 0;

    pub fn fits(self, kind: usize) -> bool {
        u32::from(self.kinds) & (1 << kind) != 0
    }

    /// Whether it is said of entities of this sort; none where it says nothing of sorts.
    pub fn has_sort(self, sort: Sort) -> Option<bool> {
        (self.sorts != 0).then_some(self.sorts & (1 << sort as u8) != 0)
    }

    const fn packed(self) -> u32 {
        u32::from_le_bytes([self.kinds, self.sorts, self.definite, self.prior])
    }

    const fn unpacked(packed: u32) -> Self {
        let [kinds, sorts, definite, prior] = packed.to_le_bytes();
        Self { kinds, sorts, definite, prior }
    }
}

/// The key of a name (hash of its words) with a noun said of it.
pub const fn saying(name: u32, noun: u32) -> u32 {
    words::mix(name, noun)
}

/// Known nouns, and how to find the phrases that they end.
pub struct Nouns {
    places: Table,
    nouns: Vec<Noun>,
    said: Table,
    company_ends: FxHashSet<u32>,
    pub grammar: Grammar,
}

/// What [`Nouns`] is made from.
#[derive(Clone, Default)]
pub struct NounParts {
    /// Folded hashes.
    pub words: Vec<u32>,
    pub nouns: Vec<Noun>,
    /// Keys of [`saying`]s that are usual in the news, and the binary logarithm of how usual.
    pub sayings: Vec<u32>,
    pub said: Vec<u8>,
    /// For each fine cluster of words, how often one follows a determiner, of 255.
    pub nominal: Vec<u8>,
}

impl NounParts {
    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        Ok(Self {
            words: file.u32s("nouns")?,
            nouns: file.u32s("noun facts")?.into_iter().map(Noun::unpacked).collect(),
            sayings: file.u32s("sayings")?,
            said: file.bytes("said")?.to_vec(),
            nominal: file.bytes("nominal clusters")?.to_vec(),
        })
    }

    pub fn write<'a>(&'a self, file: &mut ModelWriter<'a>) {
        let facts: Vec<u32> = self.nouns.iter().map(|noun| noun.packed()).collect();
        file.u32s("nouns", &self.words)
            .u32s("noun facts", &facts)
            .u32s("sayings", &self.sayings)
            .bytes("said", self.said.as_slice())
            .bytes("nominal clusters", self.nominal.as_slice());
    }
}

impl Nouns {
    /// # Errors
    /// If there are nouns without facts.
    pub fn new(parts: NounParts) -> Result<Self, ModelError> {
        if parts.words.len() != parts.nouns.len() || parts.sayings.len() != parts.said.len() {
            return Err(ModelError::MissingSection("facts for every noun".to_owned()));
        }
        Ok(Self {
            places: Table::new(&parts.words),
            nouns: parts.nouns,
            said: Table::with_numbers(&parts.sayings, parts.said.iter().copied().map(u32::from)),
            company_ends: words::folded_hashes(&COMPANY_ENDS),
            grammar: Grammar::new(parts.nominal),
        })
    }

    pub fn get(&self, folded: u32) -> Option<&Noun> {
        self.places.get(folded).map(|place| &self.nouns[place as usize])
    }

    /// Whether a name that ends with this word is mostly a company's.
    pub fn ends_company(&self, folded: u32) -> bool {
        self.company_ends.contains(&folded)
    }

    /// How usual it is to say a noun of a name: the binary logarithm of how often the news did.
    pub fn said(&self, name: u32, noun: u32) -> u8 {
        self.said.get(saying(name, noun)).map_or(0, |said| said as u8)
    }
}

/// Just enough grammar to find noun phrases.
pub struct Grammar {
    nominal: Vec<u8>,
    closed: FxHashSet<u32>,
    openings: Vec<(u32, Opening)>,
    introducing: [u32; 5],
    continuing: [u32; 5],
}

impl Grammar {
    /// Words of clusters that follow determiners less often are no part of noun phrases.
    const NOMINAL: u8 = 8;

    pub fn new(nominal: Vec<u8>) -> Self {
        let openings = OPENING.into_iter().chain([("a", Opening::Indefinite), ("an", Opening::Indefinite)]);
        Self {
            nominal,
            closed: words::folded_hashes(&CLOSED),
            introducing: [",", "is", "was", "became", "remains"].map(words::folded_hash),
            continuing: ["of", "that", "which", "who", "for"].map(words::folded_hash),
            openings: openings.map(|(word, opening)| (words::folded_hash(word), opening)).collect(),
        }
    }

    /// How the noun phrase opens that begins with this unit.
    pub fn opening(&self, reading: &Reading, unit: usize) -> Option<Opening> {
        let folded = reading.word(unit).folded;
        self.openings.iter().find(|(word, _)| *word == folded).map(|&(_, opening)| opening)
    }

    /// How often words like this one follow a determiner, of 255; those of no cluster may.
    pub fn nominal(&self, word: &Word) -> u8 {
        self.nominal.get(usize::from(word.fine)).copied().unwrap_or(u8::MAX)
    }

    /// Whether a noun phrase behind this word may tell of the name before it.
    pub fn introduces(&self, folded: u32) -> bool {
        self.introducing.contains(&folded)
    }

    /// Whether a noun before this word needs more words to say what it means.
    pub fn continues(&self, folded: u32) -> bool {
        self.continuing.contains(&folded)
    }

    pub fn is_closed(&self, folded: u32) -> bool {
        self.closed.contains(&folded)
    }

    /// The common words from `begin` on that a noun phrase may have behind its determiner.
    pub fn run(
        &self,
        reading: &Reading,
        line: &Line,
        begin: usize,
        named: impl Fn(usize) -> bool,
    ) -> Range<usize> {
        let limit = line.units.end.min(begin + LONGEST);
        let number =
            |unit: usize| reading.unit_text(line.section, unit).starts_with(|c: char| c.is_ascii_digit());
        let belongs = |&unit: &usize| {
            let word = reading.word(unit);
            (word.case != Case::None || number(unit))
                && !named(unit)
                && (word.case.has_capital() || self.nominal(word) >= Self::NOMINAL)
                && !self.is_closed(word.folded)
        };
        begin..begin + (begin..limit).take_while(belongs).count()
    }
}
