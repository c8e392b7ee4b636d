//! Descriptions that stand for a named entity: "the party chief", "the airline".
//!
//! Every definite phrase with a known noun is held against the few entities that it may mean:
//! those of a fitting type that were named just now or most of all, and those of which its noun
//! was said ("the airline Ryanair", "Mr Trong, the party chief"). A forest says of each pair how
//! likely the phrase means the entity.

use std::cmp::Reverse;
use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::lexicon::{List, Usage};
use super::nouns::{Noun, Nouns, Opening, Sort};
use super::reading::{Line, Reading};
use super::resolve::Cluster;
use super::tags::{self, KINDS};
use super::words::{self, Case};
use crate::document::{EntityKind, Section};
use crate::model::trees::{self, Forest};

/// The forest's section in the model file.
pub const FOREST: &str = "description forest";
/// From this probability on a description is taken to be right.
pub const LEAST: f32 = 0.55;
/// A word that is written with a capital more often than this is as good as a name.
const COMMON: Usage = 3;
/// The longest title in words: "Secretary of State", "Chief Medical Officer".
const LONGEST_TITLE: usize = 4;
/// So many entities of a type, and of all types, are kept in mind: those named last, and
/// those named most.
const KEPT: usize = 3;
/// Where the entities of all types are kept.
const ALL: usize = KINDS.len();

/// A description: the units it covers and the cluster it stands for.
pub struct Description {
    pub line: usize,
    pub units: Range<usize>,
    pub cluster: usize,
    /// That it stands for this cluster.
    pub confidence: f32,
}

/// Judges which descriptions stand for which entities. Immutable.
pub struct Describer {
    pub nouns: Nouns,
    pub forest: Forest,
}

impl Describer {
    /// The descriptions of the article, in order. `cluster_of` says for each unit in which
    /// cluster's name it lies, plus one.
    pub fn find(&self, reading: &Reading, clusters: &[Cluster], cluster_of: &[u32]) -> Vec<Description> {
        let pairs = Pairs::of(&self.nouns, reading, clusters, cluster_of);
        pairs.choose(&self.forest.scores(&pairs.rows))
    }
}

/// A phrase and an entity that it may mean.
pub struct Pair {
    pub line: usize,
    pub units: Range<usize>,
    pub cluster: usize,
    /// The phrase's noun, as a key of [`Nouns`].
    pub noun: u32,
}

/// Phrases and entities with the numbers that tell of them.
#[derive(Default)]
pub struct Pairs {
    pub pairs: Vec<Pair>,
    /// [`WIDTH`] numbers a pair, see [`Search::row`].
    pub rows: Vec<f32>,
}

/// How many numbers tell of a pair.
pub const WIDTH: usize = 39;
/// The place of a noun's [`Noun::prior`] in a row.
pub const PRIOR: usize = 0;
/// The place of the number of definite phrases with the noun in the whole article.
const PHRASES: usize = 1;

impl Pairs {
    /// All pairs of the article that are worth a look, phrase by phrase in order.
    pub fn of(nouns: &Nouns, reading: &Reading, clusters: &[Cluster], cluster_of: &[u32]) -> Self {
        let mut search = Search {
            nouns,
            reading,
            clusters,
            cluster_of,
            traces: vec![Trace::default(); clusters.len()],
            kinds: Default::default(),
            tops: tops(clusters),
            said: FxHashMap::default(),
            said_of: FxHashSet::default(),
            phrases: FxHashMap::default(),
            read: 0,
            found: Self::default(),
        };
        // The title comes last in the reading, but is read first.
        let body = reading.lines.partition_point(|line| line.section == Section::Body);
        for line in (body..reading.lines.len()).chain(0..body) {
            search.line(line);
        }
        let Search { mut found, phrases, .. } = search;
        for (pair, row) in found.pairs.iter().zip(found.rows.chunks_exact_mut(WIDTH)) {
            row[PHRASES] = phrases.get(&pair.noun).map_or(0.0, |&count| count.min(8) as f32);
        }
        found
    }

    /// The likely ones, the most likely of each phrase, given their scores.
    pub fn choose(&self, scores: &[f32]) -> Vec<Description> {
        let mut found: Vec<Description> = Vec::new();
        for (pair, &score) in self.pairs.iter().zip(scores) {
            let confidence = trees::probability(score);
            if confidence < LEAST {
                continue;
            }
            let Pair { line, cluster, .. } = *pair;
            let description = Description { line, units: pair.units.clone(), cluster, confidence };
            match found.last_mut().filter(|other| other.units.start == pair.units.start) {
                Some(other) if other.confidence >= confidence => {}
                Some(other) => *other = description,
                None => found.push(description),
            }
        }
        found
    }
}

/// For each type the two entities named most in the whole article.
fn tops(clusters: &[Cluster]) -> [[Option<usize>; 2]; KINDS.len()] {
    let mut tops = [[None; 2]; KINDS.len()];
    let total = |cluster: Option<usize>| cluster.map_or(0, |cluster| clusters[cluster].names.len());
    for (number, cluster) in clusters.iter().enumerate() {
        let [first, second] = &mut tops[tags::kind_index(cluster.kind)];
        if cluster.names.len() > total(*first) {
            (*first, *second) = (Some(number), *first);
        } else if cluster.names.len() > total(*second) {
            *second = Some(number);
        }
    }
    tops
}

/// What the text has said of an entity so far.
#[derive(Clone, Copy, Default)]
struct Trace {
    names: usize,
    /// Its last name: the number of its sentence as read, and the unit.
    line: usize,
    unit: usize,
    in_title: bool,
}

/// Entities named so far.
#[derive(Default)]
struct Named {
    count: usize,
    /// The last ones named, the last first.
    last: Vec<usize>,
    /// Those named most.
    most: Vec<usize>,
}

impl Named {
    fn add(&mut self, cluster: usize, traces: &[Trace]) {
        self.count += usize::from(traces[cluster].names == 1);
        self.last.retain(|&other| other != cluster);
        self.last.insert(0, cluster);
        self.last.truncate(KEPT);
        if !self.most.contains(&cluster) {
            self.most.push(cluster);
        }
        self.most.sort_by_key(|&other| Reverse(traces[other].names));
        self.most.truncate(KEPT);
    }
}

/// The place in a short list, or how many it may hold.
fn place(list: &[usize], cluster: usize) -> usize {
    list.iter().position(|&other| other == cluster).unwrap_or(KEPT)
}

struct Search<'a> {
    nouns: &'a Nouns,
    reading: &'a Reading<'a>,
    clusters: &'a [Cluster],
    cluster_of: &'a [u32],
    /// For each entity.
    traces: Vec<Trace>,
    /// For each type, and last for all of them.
    kinds: [Named; KINDS.len() + 1],
    tops: [[Option<usize>; 2]; KINDS.len()],
    /// For each noun and longer title, the entity that it was last said of.
    said: FxHashMap<u32, usize>,
    /// All that was said: hashes of phrase and entity.
    said_of: FxHashSet<u32>,
    /// How often each noun ended a definite phrase.
    phrases: FxHashMap<u32, u32>,
    /// How many sentences were read.
    read: usize,
    found: Pairs,
}

/// A definite phrase.
struct Phrase<'n> {
    line: usize,
    units: Range<usize>,
    opening: Opening,
    /// Where the words end that may belong to it.
    limit: usize,
    noun: &'n Noun,
    /// Hashes of all its words but the first, and of its noun.
    words: u32,
    head: u32,
}

impl<'a> Search<'a> {
    fn line(&mut self, number: usize) {
        let line = &self.reading.lines[number];
        self.read += 1;
        let mut unit = line.units.start;
        while unit < line.units.end {
            if let Some(cluster) = self.named(unit) {
                let begin = unit;
                while unit < line.units.end && self.named(unit) == Some(cluster) {
                    unit += 1;
                }
                self.name(line, begin..unit, cluster);
                continue;
            }
            let opening = self.nouns.grammar.opening(self.reading, unit);
            let run = opening.map_or(unit..unit + 1, |_| self.run(line, unit + 1));
            if let Some(opening) = opening.filter(|_| line.section == Section::Body) {
                for end in run.start + 1..=run.end {
                    self.phrase(number, unit..end, opening, run.end);
                }
            }
            unit = run.end;
        }
    }

    fn named(&self, unit: usize) -> Option<usize> {
        (self.cluster_of[unit] as usize).checked_sub(1)
    }

    fn folded(&self, unit: usize) -> u32 {
        self.reading.word(unit).folded
    }

    fn run(&self, line: &Line, begin: usize) -> Range<usize> {
        self.nouns.grammar.run(self.reading, line, begin, |unit| self.named(unit).is_some())
    }

    /// A name was met: remember it, and what is said of it.
    fn name(&mut self, line: &Line, units: Range<usize>, cluster: usize) {
        let kind = self.clusters[cluster].kind;
        let Trace { names, in_title, .. } = self.traces[cluster];
        let in_title = in_title || line.section == Section::Title;
        self.traces[cluster] = Trace { names: names + 1, line: self.read, unit: units.start, in_title };
        for kind in [tags::kind_index(kind), ALL] {
            self.kinds[kind].add(cluster, &self.traces);
        }
        if kind != EntityKind::Person {
            self.say_own_words(&units, cluster);
        }
        self.say_before(line, units.start, cluster);
        self.say_behind(line, units.end, cluster);
    }

    /// Whether the unit is a noun that is said of entities like this one.
    fn fits(&self, unit: usize, cluster: usize) -> bool {
        let kind = tags::kind_index(self.clusters[cluster].kind);
        self.nouns.get(self.folded(unit)).is_some_and(|noun| noun.fits(kind))
    }

    /// All phrases within `units` that end with the last of them are said of an entity.
    fn say(&mut self, units: Range<usize>, cluster: usize) {
        for begin in units.clone() {
            self.say_phrase(self.reading.phrase(begin..units.end), cluster);
        }
    }

    fn say_phrase(&mut self, phrase: u32, cluster: usize) {
        self.said.insert(phrase, cluster);
        self.said_of.insert(words::mix(phrase, cluster as u32));
    }

    /// Rother District Council is "the council" from here on, "the district council" as well.
    fn say_own_words(&mut self, name: &Range<usize>, cluster: usize) {
        let last = name.end - 1;
        let common = (1..=COMMON).contains(&self.reading.word(last).usage);
        if name.len() > 1 && (common || self.fits(last, cluster)) {
            let first = name.start.max(name.end.saturating_sub(LONGEST_TITLE)) + 1;
            // Of the Queen of the Sky nobody says "the sky".
            let closed = |unit: usize| self.nouns.grammar.is_closed(self.folded(unit));
            let plain = (first..name.end).rev().take_while(|&unit| !closed(unit - 1)).count();
            self.say(name.end - plain..name.end, cluster);
        }
    }

    /// "President Biden", "Secretary of State Antony Blinken", "the airline Ryanair".
    fn say_before(&mut self, line: &Line, end: usize, cluster: usize) {
        let furthest = end.saturating_sub(LONGEST_TITLE).max(line.units.start);
        let joins = |unit: &usize| {
            let word = self.reading.word(*unit);
            let closed = self.nouns.grammar.is_closed(word.folded);
            let inside = unit + 1 < end && self.nouns.grammar.opening(self.reading, *unit).is_none();
            word.case != Case::None && (!closed || inside) && self.named(*unit).is_none()
        };
        let begin = end - (furthest..end).rev().take_while(joins).count();
        // "party chief X" has its noun beside the name, "Secretary of State X" has capitals.
        let title = || self.reading.word(end - 1).case.has_capital();
        let told = |unit: usize| self.fits(unit, cluster) && (unit + 1 == end || title());
        if (begin..end).any(told) {
            self.say(begin..end, cluster);
        }
    }

    /// "Biden, the president of ..., said", "Ryanair is an airline", "Donald Lock, 79,".
    fn say_behind(&mut self, line: &Line, mark: usize, cluster: usize) {
        let begin = mark + 1;
        let introduced = begin < line.units.end
            && self.named(mark).is_none()
            && self.nouns.grammar.introduces(self.folded(mark));
        if !introduced {
            return;
        }
        if let (EntityKind::Person, Some(age)) = (self.clusters[cluster].kind, self.age(line, begin)) {
            let described = words::folded_hash(&format!("{age}-year-old"));
            self.say_phrase(words::phrase(0, described), cluster);
        }
        let opened = usize::from(self.nouns.grammar.opening(self.reading, begin).is_some());
        let run = self.run(line, begin + opened);
        if let Some(head) = run.clone().rev().find(|&unit| self.fits(unit, cluster)) {
            self.say(run.start..head + 1, cluster);
        }
    }

    /// The age that a unit is or begins with, as in "79-year-old".
    fn age(&self, line: &Line, unit: usize) -> Option<u8> {
        let text = self.reading.unit_text(line.section, unit);
        let digits = text.strip_suffix(AGED).unwrap_or(text);
        digits.parse().ok().filter(|age| (1..120).contains(age))
    }

    /// Holds the phrase against the entities that it may mean.
    fn phrase(&mut self, line: usize, units: Range<usize>, opening: Opening, limit: usize) {
        let last = units.end - 1;
        let text = self.reading.unit_text(Section::Body, last);
        let key = if text.ends_with(AGED) { Noun::AGED } else { self.folded(last) };
        let nouns = self.nouns;
        let Some(noun) = nouns.get(key).filter(|_| opening != Opening::Indefinite) else { return };
        *self.phrases.entry(key).or_default() += 1;
        let words = self.reading.phrase(units.start + 1..units.end);
        let head = words::phrase(0, self.folded(last));
        let phrase = Phrase { line, units, opening, limit, noun, words, head };
        let kinds = (0..KINDS.len()).filter(|&kind| noun.fits(kind));
        let named = kinds.clone().chain([ALL]).map(|kind| &self.kinds[kind]);
        let near = named.flat_map(|named| named.last.iter().chain(&named.most)).copied();
        let tops = kinds.filter_map(|kind| self.tops[kind][0]);
        let said = [words, head].into_iter().filter_map(|phrase| self.said.get(&phrase)).copied();
        let mut held = [usize::MAX; 2 + (2 * KEPT + 1) * (KINDS.len() + 1)];
        let mut count = 0;
        for cluster in said.chain(near).chain(tops) {
            if !held[..count].contains(&cluster) && self.may_mean(&phrase, cluster) {
                held[count] = cluster;
                count += 1;
            }
        }
        for &cluster in &held[..count] {
            let row = self.row(&phrase, cluster);
            self.found.rows.extend_from_slice(&row);
            self.found.pairs.push(Pair { line, units: phrase.units.clone(), cluster, noun: key });
        }
    }

    /// The tagger mistakes types: an entity of another one is held against the phrase where
    /// something else speaks for it.
    fn may_mean(&self, phrase: &Phrase, cluster: usize) -> bool {
        phrase.noun.fits(tags::kind_index(self.clusters[cluster].kind))
            || self.said_of.contains(&words::mix(phrase.head, cluster as u32))
            || self.traces[cluster].in_title
            || self.is_own_word(phrase, cluster)
    }

    /// Whether the phrase's noun is part of the entity's name.
    fn is_own_word(&self, phrase: &Phrase, cluster: usize) -> bool {
        let noun = self.folded(phrase.units.end - 1);
        self.fullest(cluster).any(|unit| self.folded(unit) == noun)
    }

    fn fullest(&self, cluster: usize) -> Range<usize> {
        let Cluster { names, fullest, .. } = &self.clusters[cluster];
        names[*fullest].units.clone()
    }

    /// As far as the name tells.
    fn sort(&self, cluster: usize) -> Option<Sort> {
        let entity = &self.clusters[cluster];
        let name = self.fullest(cluster);
        let lists = if name.len() == 1 { self.reading.word(name.start).lists } else { 0 };
        let listed = |list: List| lists & list.bit() != 0;
        match entity.kind {
            EntityKind::Location if entity.country => Some(Sort::Country),
            EntityKind::Location if listed(List::Region) => Some(Sort::Region),
            EntityKind::Location if listed(List::City) => Some(Sort::City),
            EntityKind::Organization => {
                let company = listed(List::Company) || self.nouns.ends_company(self.folded(name.end - 1));
                company.then_some(Sort::Company)
            }
            _ => None,
        }
    }

    /// How usual it is in the news to say this noun of this name or, of people, of its last word.
    fn usually_said(&self, phrase: &Phrase, cluster: usize) -> u8 {
        let noun = self.folded(phrase.units.end - 1);
        let name = self.fullest(cluster);
        let whole = self.nouns.said(self.reading.phrase(name.clone()), noun);
        match self.clusters[cluster].kind {
            EntityKind::Person => {
                whole.max(self.nouns.said(self.reading.phrase(name.end - 1..name.end), noun))
            }
            _ => whole,
        }
    }

    /// What tells whether a phrase means an entity.
    fn row(&self, phrase: &Phrase, cluster: usize) -> [f32; WIDTH] {
        let reading = self.reading;
        let grammar = &self.nouns.grammar;
        let line = &reading.lines[phrase.line];
        let entity = &self.clusters[cluster];
        let kind = tags::kind_index(entity.kind);
        let Trace { names, in_title, line: last_line, unit: last_unit } = self.traces[cluster];
        let (of_kind, of_all) = (&self.kinds[kind], &self.kinds[ALL]);
        let sort = self.sort(cluster);
        let same_sort = match sort.and_then(|sort| phrase.noun.has_sort(sort)) {
            Some(true) => 1.0,
            Some(false) => -1.0,
            None => 0.0,
        };
        let flag = |value: bool| f32::from(u8::from(value));
        let log = |count: usize| (count as f32).ln_1p();

        // The words beside the phrase.
        let Range { start, end } = phrase.units;
        let next = reading.word_near(line, end - 1, 1);
        let next_named = next.is_some() && self.named(end).is_some();
        let goes_on = next.filter(|word| word.case != Case::None && !grammar.is_closed(word.folded));
        let goes_on = goes_on.map_or(0, |word| grammar.nominal(word));
        let before_named =
            (start.saturating_sub(2).max(line.units.start)..start).any(|unit| self.named(unit).is_some());

        // The other entities that may be meant.
        let is_other = |&other: &usize| other != cluster;
        let total = |cluster: usize| self.clusters[cluster].names.len();
        let most = |names: usize, rivals: Option<usize>| log(names) - log(rivals.unwrap_or(0));
        let rivals = || of_kind.most.iter().copied().filter(is_other);
        let fitting = || (0..KINDS.len()).filter(|&kind| phrase.noun.fits(kind));
        let tops = || fitting().flat_map(|kind| self.tops[kind]).flatten();
        let near = |&other: &usize| self.read - self.traces[other].line <= 2;
        let last_said = |words: u32| match self.said.get(&words) {
            Some(&other) if other == cluster => 1.0,
            Some(_) => -1.0,
            None => 0.0,
        };
        let ever_said = |words: u32| flag(self.said_of.contains(&words::mix(words, cluster as u32)));
        [
            f32::from(phrase.noun.prior),
            0.0, // PHRASES
            f32::from(phrase.noun.definite),
            phrase.units.len() as f32,
            phrase.opening as u8 as f32,
            flag(start <= line.units.start + 1),
            flag(end < phrase.limit),
            f32::from(goes_on),
            flag(next_named),
            flag(next.is_some_and(|word| grammar.continues(word.folded))),
            flag(before_named),
            log(phrase.line),
            kind as f32,
            flag(phrase.noun.fits(kind)),
            flag(entity.country),
            flag(in_title),
            self.fullest(cluster).len() as f32,
            log(total(cluster)),
            log(names),
            most(total(cluster), rivals().map(total).max()),
            most(names, rivals().map(|other| self.traces[other].names).max()),
            most(total(cluster), tops().filter(is_other).map(total).max()),
            log(of_kind.count),
            tops().count() as f32,
            fitting().map(|kind| self.kinds[kind].count).sum::<usize>() as f32,
            fitting()
                .flat_map(|kind| &self.kinds[kind].last)
                .filter(|other| is_other(other) && near(other))
                .count() as f32,
            (self.read - last_line).min(20) as f32,
            log(start.abs_diff(last_unit).min(400)),
            place(&of_kind.last, cluster) as f32,
            place(&of_all.last, cluster) as f32,
            place(&of_all.most, cluster) as f32,
            last_said(phrase.words),
            last_said(phrase.head),
            ever_said(phrase.words),
            ever_said(phrase.head),
            flag(self.is_own_word(phrase, cluster)),
            f32::from(self.usually_said(phrase, cluster)),
            same_sort,
            flag(sort == Some(Sort::Company)),
        ]
    }
}

/// How ages end.
const AGED: &str = "-year-old";
