//! Statistics from unlabelled news: word clusters, the usual case of words, names.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use rustc_hash::FxHashMap;

use super::clusters::{self, Bigrams};
use super::nouns::{Nominal, NounCounts, Sayings};
use crate::document::{Article, EntityKind, Section};
use crate::entities::lexicon::{HEADED, LONGEST_PHRASE, LexiconParts, List};
use crate::entities::nouns::{Grammar, NounParts, Nouns};
use crate::entities::reading::Reading;
use crate::entities::tagger::Tagger;
use crate::entities::tags::{self, KINDS, OUTSIDE, Tag};
use crate::entities::words::{self, Case};
use crate::model::ModelError;
use crate::text::{segment, segment_article};

/// Words seen fewer times have no cluster.
const LEAST_COUNT: u32 = 8;
const LARGEST_VOCABULARY: usize = 60_000;
const FINE_CLUSTERS: usize = 512;
const COARSE_CLUSTERS: usize = 64;
const ROUNDS: usize = 8;
/// Names found fewer times do not join the lexicon.
const LEAST_NAMES: u32 = 3;

pub struct News {
    articles: Vec<Article>,
}

impl News {
    /// Reads the packed file with `xz`: articles with an empty line between them.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        let output = Command::new("xz").arg("-dc").arg(path).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("xz cannot unpack {}", path.display()).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let article = |text: &str| Article { text: text.to_owned(), ..Article::default() };
        Ok(Self { articles: text.split("\n\n").map(article).collect() })
    }

    /// Clusters and the usual case of words.
    pub fn lexicon(&self) -> LexiconParts {
        let mut counts: FxHashMap<u32, u32> = FxHashMap::default();
        // For each word but the first of a sentence: in lower case, with a capital.
        let mut cases: FxHashMap<u32, [u32; 2]> = FxHashMap::default();
        let mut text = Vec::new();
        for article in &self.articles {
            let segmented = segment(&article.text, Section::Body, &[]);
            for sentence in &segmented.sentences {
                text.push(None);
                for token in sentence.tokens.clone() {
                    let word = segmented.word(token);
                    let cased = words::cased_hash(word);
                    *counts.entry(cased).or_default() += 1;
                    text.push(Some(cased));
                    let case = Case::of(word);
                    if token != sentence.tokens.start && case != Case::None {
                        let seen = cases.entry(words::folded_hash(word)).or_default();
                        seen[usize::from(case.has_capital())] += 1;
                    }
                }
            }
        }
        let mut vocabulary: Vec<(u32, u32)> = counts
            .into_iter()
            .filter(|(_, count)| *count >= LEAST_COUNT)
            .map(|(word, count)| (count, word))
            .collect();
        vocabulary.sort_unstable_by(|a, b| b.cmp(a));
        vocabulary.truncate(LARGEST_VOCABULARY);
        let places: FxHashMap<u32, u32> =
            vocabulary.iter().zip(0..).map(|(&(_, word), place)| (word, place)).collect();
        let text: Vec<Option<u32>> = text.into_iter().map(|word| places.get(&word?).copied()).collect();
        let bigrams = Bigrams::count(vocabulary.len(), &text);
        eprintln!("clustering {} words", vocabulary.len());
        let fine = clusters::exchange(&bigrams, FINE_CLUSTERS, ROUNDS);
        let coarse = clusters::exchange(&bigrams, COARSE_CLUSTERS, ROUNDS);
        let mut cases: Vec<(u32, u8)> = cases
            .into_iter()
            .filter(|(_, seen)| seen[0] + seen[1] >= 3)
            .map(|(word, seen)| (word, usage(seen)))
            .collect();
        cases.sort_unstable();
        let (used, usage) = cases.into_iter().unzip();
        LexiconParts {
            clustered: vocabulary.iter().map(|&(_, word)| word).collect(),
            // 0 is the class of unknown words.
            fine: fine.into_iter().map(|class| class + 1).collect(),
            coarse: coarse.into_iter().map(|class| class as u8 + 1).collect(),
            used,
            usage,
            ..LexiconParts::default()
        }
    }

    /// The listed nouns as the news use them.
    pub fn nouns(&self, tagger: &Tagger) -> Result<NounParts, ModelError> {
        let readings = |count: &mut dyn FnMut(&Reading)| {
            for article in &self.articles {
                count(&Reading::new(&segment_article(article), &tagger.lexicon));
            }
        };
        let mut nominal = Nominal::default();
        let grammar = Grammar::new(Vec::new());
        readings(&mut |reading| nominal.count(reading, &grammar));
        let nominal = nominal.shares();
        let mut counts = NounCounts::default();
        let grammar = Grammar::new(nominal.clone());
        readings(&mut |reading| counts.count(reading, &grammar));
        let parts = NounParts { nominal, ..counts.nouns() };
        let nouns = Nouns::new(parts.clone())?;
        let mut sayings = Sayings::default();
        readings(&mut |reading| sayings.count(reading, &tagger.tag(reading).tags, &nouns));
        let (sayings, said) = sayings.usual();
        Ok(NounParts { sayings, said, ..parts })
    }

    /// What `tagger` finds often enough: names by their usual type, words before people's names,
    /// and words at the end of longer names.
    pub fn lists(&self, tagger: &Tagger) -> Vec<(u32, List)> {
        let mut found = Found::default();
        for article in &self.articles {
            let segmented = segment_article(article);
            let reading = Reading::new(&segmented, &tagger.lexicon);
            found.count(&reading, &tagger.tag(&reading).tags);
        }
        let mut lists = found.usual_names();
        eprintln!("{} names in the news", lists.len());
        lists.extend(found.roles());
        lists.extend(found.heads());
        lists
    }
}

/// How often an earlier model found phrases and words in names and beside them.
#[derive(Default)]
struct Found {
    names: FxHashMap<u32, KindCounts>,
    /// Words at the end of names of several words.
    last: FxHashMap<u32, KindCounts>,
    /// Words with a capital, though not for their place in the sentence; and those of them that
    /// stand outside, right before a person's name.
    capital: FxHashMap<u32, u32>,
    before_person: FxHashMap<u32, u32>,
}

type KindCounts = [u32; KINDS.len()];

impl Found {
    fn count(&mut self, reading: &Reading, tags: &[Tag]) {
        let capital =
            |&unit: &usize| reading.word(unit).case.has_capital() && !reading.units[unit].context.initial;
        for unit in (0..reading.units.len()).filter(capital) {
            *self.capital.entry(reading.word(unit).folded).or_default() += 1;
        }
        for (units, kind) in tags::names(tags) {
            let before = units.start.checked_sub(1).filter(|&unit| tags[unit] == OUTSIDE);
            if let (EntityKind::Person, Some(unit)) = (KINDS[kind], before.filter(capital)) {
                *self.before_person.entry(reading.word(unit).folded).or_default() += 1;
            }
            if units.len() > 1 {
                self.last.entry(reading.word(units.end - 1).folded).or_default()[kind] += 1;
            }
            if units.len() <= LONGEST_PHRASE {
                let phrase = units.map(|unit| reading.word(unit).folded).fold(0, words::phrase);
                self.names.entry(phrase).or_default()[kind] += 1;
            }
        }
    }

    fn usual_names(&self) -> Vec<(u32, List)> {
        let usual = self.names.iter().filter_map(|(&phrase, counts)| {
            let (kind, _) = usual_kind(counts)?;
            (total(counts) >= LEAST_NAMES).then_some((phrase, List::News(kind)))
        });
        usual.collect()
    }

    /// Words of which a fifth stands before people's names.
    fn roles(&self) -> impl Iterator<Item = (u32, List)> + '_ {
        let usual = |&(&word, &count): &(&u32, &u32)| count >= 5 && count * 5 >= self.capitals(word);
        self.before_person.iter().filter(usual).map(|(&word, _)| (words::phrase(0, word), List::Role))
    }

    /// Words of which a quarter ends longer names.
    fn heads(&self) -> impl Iterator<Item = (u32, List)> + '_ {
        self.last.iter().filter_map(|(&word, counts)| {
            let (kind, most) = usual_kind(counts)?;
            let place = HEADED.iter().position(|&headed| headed == kind)?;
            let usual = most >= 4 && most * 4 >= self.capitals(word);
            usual.then_some((words::phrase(0, word), List::Head(place)))
        })
    }

    fn capitals(&self, word: u32) -> u32 {
        self.capital.get(&word).copied().unwrap_or(0)
    }
}

fn total(counts: &KindCounts) -> u32 {
    counts.iter().sum()
}

/// The type of at least two thirds, and how many it has.
fn usual_kind(counts: &KindCounts) -> Option<(usize, u32)> {
    let (kind, &most) =
        counts.iter().enumerate().max_by_key(|(kind, count)| (**count, KINDS.len() - kind))?;
    (most * 3 >= total(counts) * 2).then_some((kind, most))
}

/// See [`Usage`](crate::entities::lexicon::Usage).
fn usage([lower, capital]: [u32; 2]) -> u8 {
    let share = capital as f32 / (lower + capital) as f32;
    1 + [0.05, 0.3, 0.7, 0.95].iter().filter(|&&bound| share > bound).count() as u8
}
