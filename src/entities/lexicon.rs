//! What is known about words and phrases beforehand: word clusters, how words are usually
//! written, and gazetteers.

use super::tags::KINDS;
use super::words::{self, Case};
use crate::model::table::Table;
use crate::model::{ModelError, ModelFile, ModelWriter};

/// A kind of gazetteer; its number is a bit in a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    Country,
    Demonym,
    City,
    Region,
    GivenName,
    FamilyName,
    Person,
    Company,
    Title,
    /// Phrases that an earlier model found in unlabelled news, by the type it gave them most.
    News(usize),
    /// Well-known names, by type; none is of the last type, "other".
    Known(usize),
    /// Words that an earlier model found right before people's names, as "Sheriff" and "Sister".
    Role,
    /// Words that an earlier model found at the end of longer names of one type, as "Ministry"
    /// and "Airways", by place in [`HEADED`].
    Head(usize),
}

/// The first bit of the lists found in the news; one follows for each entity type.
const NEWS: usize = 9;
const KNOWN: usize = NEWS + KINDS.len();
const ROLE: usize = KNOWN + KINDS.len() - 1;
/// The types whose longer names often end in a telling word: organisation, location, facility,
/// event and work.
pub const HEADED: [usize; 5] = [1, 2, 3, 5, 6];

impl List {
    pub const fn bit(self) -> u32 {
        let place = match self {
            Self::Country => 0,
            Self::Demonym => 1,
            Self::City => 2,
            Self::Region => 3,
            Self::GivenName => 4,
            Self::FamilyName => 5,
            Self::Person => 6,
            Self::Company => 7,
            Self::Title => 8,
            Self::News(kind) => NEWS + kind,
            Self::Known(kind) => KNOWN + kind,
            Self::Role => ROLE,
            Self::Head(place) => ROLE + 1 + place,
        };
        1 << place
    }

    /// The lists that say what a whole name is, apart from our own table; few enough that the
    /// lists of two words may be looked at together.
    pub const GAZETTEERS: u32 = (1 << KNOWN) - 1;
}

/// The longest phrase in a gazetteer, in words.
pub const LONGEST_PHRASE: usize = 6;

/// How a word is written in running text, from 1 (hardly ever with a capital) to
/// 5 (nearly always); 0 is unknown.
pub type Usage = u8;

/// Immutable tables, read from the model file.
pub struct Lexicon {
    /// Fine cluster, and in the last eight bits coarse cluster.
    clusters: Table,
    /// [`Usage`].
    usage: Table,
    /// Masks of [`List::bit`]s.
    lists: Table,
    /// One bit for many hashes, set where one of them is in `lists`: few phrases are, and this is small
    /// enough for a near cache.
    listed: Vec<u64>,
}

/// How many bits [`Lexicon::listed`] has: eight for each phrase or so.
const LISTED_BITS: usize = 1 << 19;

/// The word and the bit of a phrase in [`Lexicon::listed`].
const fn listed_bit(phrase: u32) -> (usize, u64) {
    let bit = (phrase >> 8) as usize % LISTED_BITS;
    (bit / 64, 1 << (bit % 64))
}

/// What a word is looked up by.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    pub case: Case,
    pub cased: u32,
    pub folded: u32,
}

impl Keys {
    pub fn of(word: &str) -> Self {
        Self { case: Case::of(word), cased: words::cased_hash(word), folded: words::folded_hash(word) }
    }
}

/// What [`Lexicon`] is made from; keys are hashes as in [`words`].
#[derive(Clone, Default)]
pub struct LexiconParts {
    pub clustered: Vec<u32>,
    pub fine: Vec<u16>,
    pub coarse: Vec<u8>,
    pub used: Vec<u32>,
    pub usage: Vec<u8>,
    pub phrases: Vec<u32>,
    pub masks: Vec<u32>,
}

impl LexiconParts {
    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        Ok(Self {
            clustered: file.u32s("cluster words")?,
            fine: file.u16s("fine clusters")?,
            coarse: file.bytes("coarse clusters")?.to_vec(),
            used: file.u32s("usage words")?,
            usage: file.bytes("usage")?.to_vec(),
            phrases: file.u32s("phrases")?,
            masks: file.u32s("phrase lists")?,
        })
    }

    pub fn write<'a>(&'a self, file: &mut ModelWriter<'a>) {
        file.u32s("cluster words", &self.clustered)
            .u16s("fine clusters", &self.fine)
            .bytes("coarse clusters", self.coarse.as_slice())
            .u32s("usage words", &self.used)
            .bytes("usage", self.usage.as_slice())
            .u32s("phrases", &self.phrases)
            .u32s("phrase lists", &self.masks);
    }
}

impl Lexicon {
    /// # Errors
    /// If a table has keys without values.
    pub fn new(parts: LexiconParts) -> Result<Self, ModelError> {
        let clusters = parts.fine.len().min(parts.coarse.len());
        let pairs = [
            ("fine clusters", parts.clustered.len(), clusters),
            ("usage", parts.used.len(), parts.usage.len()),
            ("phrase lists", parts.phrases.len(), parts.masks.len()),
        ];
        if let Some((section, ..)) = pairs.into_iter().find(|(_, keys, values)| keys != values) {
            return Err(ModelError::MissingSection(section.to_owned()));
        }
        let clusters = parts.fine.iter().zip(&parts.coarse);
        let clusters = clusters.map(|(&fine, &coarse)| u32::from(fine) << 8 | u32::from(coarse));
        let mut listed = vec![0; LISTED_BITS / 64];
        for &phrase in &parts.phrases {
            let (word, bit) = listed_bit(phrase);
            listed[word] |= bit;
        }
        Ok(Self {
            clusters: Table::with_numbers(&parts.clustered, clusters),
            usage: Table::with_numbers(&parts.used, parts.usage.iter().copied().map(u32::from)),
            lists: Table::with_numbers(&parts.phrases, parts.masks.iter().copied()),
            listed,
        })
    }

    /// Brings what is known of many words near, as [`Table::fetch`] does.
    pub fn fetch(&self, words: &[Keys]) {
        self.clusters.fetch(words.iter().map(|word| word.cased));
        self.usage.fetch(words.iter().map(|word| word.folded));
        self.lists.fetch(words.iter().map(|word| words::phrase(0, word.folded)));
    }

    /// Fine and coarse cluster; 0 is unknown. A word in capitals is also looked up in
    /// Title and lower case.
    pub fn clusters(&self, word: &str, keys: Keys) -> (u16, u8) {
        let clusters = self.clusters.get(keys.cased).or_else(|| {
            let title = || self.clusters.get(words::title_hash(word));
            let lower = || self.clusters.get(keys.folded);
            keys.case.has_capital().then(|| title().or_else(lower)).flatten()
        });
        clusters.map_or((0, 0), |clusters| ((clusters >> 8) as u16, clusters as u8))
    }

    pub fn usage(&self, folded: u32) -> Usage {
        self.usage.get(folded).map_or(0, |usage| usage as u8)
    }

    /// The lists that hold a phrase, as a mask of [`List::bit`]s.
    #[inline]
    pub fn lists(&self, phrase: u32) -> u32 {
        let (word, bit) = listed_bit(phrase);
        if self.listed[word] & bit == 0 { 0 } else { self.lists.get(phrase).unwrap_or(0) }
    }
}
