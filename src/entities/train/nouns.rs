//! Which nouns there are, and how the news uses them.

use rustc_hash::FxHashMap;

use crate::document::EntityKind;
use crate::entities::nouns::{Grammar, Noun, NounParts, Nouns, Opening, Sort, saying};
use crate::entities::reading::Reading;
use crate::entities::tags::{self, KINDS, OUTSIDE, Tag};
use crate::entities::words::{self, Case};

/// Common nouns that are said of names, by the types of these; from general knowledge.
const LISTED: &str = include_str!("nouns.txt");

/// How often words of each cluster stand, and stand behind a determiner.
#[derive(Default)]
pub struct Nominal {
    counts: Vec<[u32; 2]>,
}

impl Nominal {
    pub fn count(&mut self, reading: &Reading, grammar: &Grammar) {
        for line in &reading.lines {
            for unit in line.units.clone().skip(1) {
                let cluster = usize::from(reading.word(unit).fine);
                if self.counts.len() <= cluster {
                    self.counts.resize(cluster + 1, [0; 2]);
                }
                self.counts[cluster][0] += 1;
                self.counts[cluster][1] += u32::from(grammar.opening(reading, unit - 1).is_some());
            }
        }
    }

    /// Words of no cluster may be nouns.
    pub fn shares(&self) -> Vec<u8> {
        let share = |&[all, behind]: &[u32; 2]| share(behind, all);
        let mut shares: Vec<u8> = self.counts.iter().map(share).collect();
        shares.first_mut().into_iter().for_each(|share| *share = u8::MAX);
        shares
    }
}

/// Of 255.
fn share(part: u32, whole: u32) -> u8 {
    (u64::from(part) * 255 / u64::from(whole.max(1))).min(255) as u8
}

/// How often each noun ends a definite and an indefinite phrase.
#[derive(Default)]
pub struct NounCounts {
    counts: FxHashMap<u32, [u32; 2]>,
}

impl NounCounts {
    pub fn count(&mut self, reading: &Reading, grammar: &Grammar) {
        for line in &reading.lines {
            for unit in line.units.clone() {
                let Some(opening) = grammar.opening(reading, unit) else { continue };
                let capital = |unit: usize| reading.word(unit).case.has_capital();
                if let Some(head) = grammar.run(reading, line, unit + 1, capital).last() {
                    let counts = self.counts.entry(reading.word(head).folded).or_default();
                    counts[usize::from(opening != Opening::Indefinite)] += 1;
                }
            }
        }
    }

    /// The listed nouns, sorted by hash.
    pub fn nouns(&self) -> NounParts {
        let mut listed: FxHashMap<u32, [u8; 2]> = FxHashMap::default();
        listed.insert(Noun::AGED, [1, 0]);
        for line in LISTED.lines() {
            let mut words = line.split_ascii_whitespace();
            let bits = words.next().map_or([0; 2], meant_by);
            for word in words {
                let listed = listed.entry(words::folded_hash(word)).or_default();
                listed.iter_mut().zip(bits).for_each(|(listed, bit)| *listed |= bit);
            }
        }
        let noun = |(word, [kinds, sorts]): (u32, [u8; 2])| {
            // Of a noun that the news do not use as much is known as of one used twice.
            let [indefinite, definite] =
                self.counts.get(&word).map_or([1; 2], |counts| counts.map(|count| count + 1));
            (word, Noun { kinds, sorts, definite: share(definite, definite + indefinite), prior: 0 })
        };
        let mut nouns: Vec<(u32, Noun)> = listed.into_iter().map(noun).collect();
        nouns.sort_unstable_by_key(|(word, _)| *word);
        let (words, nouns) = nouns.into_iter().unzip();
        NounParts { words, nouns, ..NounParts::default() }
    }
}

/// How often nouns are said of names: "President Biden", "the airline Ryanair", "Ryanair, an
/// airline", "Ryanair is an airline".
#[derive(Default)]
pub struct Sayings {
    counts: FxHashMap<u32, u32>,
}

impl Sayings {
    pub fn count(&mut self, reading: &Reading, tags: &[Tag], nouns: &Nouns) {
        const FURTHEST: usize = 3;
        let grammar = &nouns.grammar;
        let named = |unit: usize| tags[unit] != OUTSIDE;
        let is_noun = |unit: &usize| nouns.get(reading.word(*unit).folded).is_some();
        for line in &reading.lines {
            let base = line.units.start;
            for (units, kind) in tags::names(&tags[line.units.clone()]) {
                let units = units.start + base..units.end + base;
                let furthest = units.start.saturating_sub(FURTHEST).max(base);
                let free = |unit: &usize| {
                    !named(*unit)
                        && !grammar.is_closed(reading.word(*unit).folded)
                        && reading.word(*unit).case != Case::None
                };
                let before = (furthest..units.start).rev().take_while(free).filter(is_noun);
                let mark = units.end;
                let opened = mark + 1 < line.units.end
                    && !named(mark)
                    && !named(mark + 1)
                    && grammar.introduces(reading.word(mark).folded);
                let begin = mark + 1 + usize::from(opened && grammar.opening(reading, mark + 1).is_some());
                let run = if opened { grammar.run(reading, line, begin, named) } else { 0..0 };
                let behind = run.rev().find(is_noun);
                for unit in before.chain(behind) {
                    let noun = reading.word(unit).folded;
                    *self.counts.entry(saying(reading.phrase(units.clone()), noun)).or_default() += 1;
                    if KINDS[kind] == EntityKind::Person && units.len() > 1 {
                        let last = reading.phrase(units.end - 1..units.end);
                        *self.counts.entry(saying(last, noun)).or_default() += 1;
                    }
                }
            }
        }
    }

    /// Those of the usual ones, sorted, with the binary logarithms of their numbers.
    pub fn usual(&self) -> (Vec<u32>, Vec<u8>) {
        const LEAST: u32 = 3;
        let mut usual: Vec<(u32, u8)> = self
            .counts
            .iter()
            .filter(|(_, count)| **count >= LEAST)
            .map(|(&key, count)| (key, count.ilog2() as u8))
            .collect();
        usual.sort_unstable();
        usual.into_iter().unzip()
    }
}

/// The bits in [`Noun::kinds`] and [`Noun::sorts`] that a line of [`LISTED`] sets, by its heading.
fn meant_by(heading: &str) -> [u8; 2] {
    let kind = |kind| [1 << tags::kind_index(kind), 0];
    let sort = |sort| [0, 1 << sort as u8];
    match heading {
        "PERSON:" => kind(EntityKind::Person),
        "ORGANIZATION:" => kind(EntityKind::Organization),
        "LOCATION:" => kind(EntityKind::Location),
        "FACILITY:" => kind(EntityKind::Facility),
        "NORP:" => kind(EntityKind::Norp),
        "EVENT:" => kind(EntityKind::Event),
        "WORK_OF_ART:" => kind(EntityKind::WorkOfArt),
        "PRODUCT:" => kind(EntityKind::Product),
        "COUNTRY:" => sort(Sort::Country),
        "CITY:" => sort(Sort::City),
        "REGION:" => sort(Sort::Region),
        "COMPANY:" => sort(Sort::Company),
        _ => [0; 2],
    }
}
