//! Descriptions and pronouns that stand for a named entity: "the party chief", "he".
//!
//! Only what is safe: a description whose noun was said of a name beforehand ("the airline
//! Ryanair", "Mr Trong, the party chief"), or one whose sort only one near entity has.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::reading::{Line, Reading};
use super::resolve::{Cluster, Name};
use super::words::{self, Case};
use crate::document::{EntityKind, MentionKind};

/// Nouns that describe a person.
const PERSON_NOUNS: [&str; 62] = [
    "president", "minister", "chancellor", "senator", "governor", "mayor", "secretary", "chairman",
    "chairwoman", "chief", "leader", "king", "queen", "prince", "princess", "pope", "coach", "manager",
    "striker", "captain", "actor", "actress", "singer", "author", "writer", "director", "judge", "lawyer",
    "politician", "congressman", "congresswoman", "ambassador", "general", "executive", "star", "defendant",
    "teenager", "midfielder", "defender", "goalkeeper", "player", "champion", "candidate", "billionaire",
    "businessman", "journalist", "professor", "scientist", "economist", "analyst", "spokesman",
    "spokeswoman", "commander", "lawmaker", "premier", "bishop", "archbishop", "footballer", "rapper",
    "comedian", "suspect", "mp",
];
/// Nouns that mostly mean the organisation the text is about.
const COMPANY_NOUNS: [&str; 16] = [
    "company", "firm", "airline", "carrier", "bank", "group", "club", "corporation", "retailer",
    "manufacturer", "broadcaster", "automaker", "carmaker", "band", "charity", "council",
];
/// Nouns that as often mean an organisation which the text has not named.
const BODY_NOUNS: [&str; 18] = [
    "agency", "team", "party", "league", "committee", "union", "newspaper", "university", "organisation",
    "organization", "federation", "association", "court", "ministry", "bureau", "regulator", "commission",
    "department",
];
/// Nouns after which a name is the organisation's and not that of somebody in it.
const INTRODUCING_NOUNS: [&str; 14] = [
    "company", "firm", "airline", "carrier", "bank", "retailer", "manufacturer", "broadcaster", "automaker",
    "carmaker", "newspaper", "magazine", "website", "tabloid",
];
/// Before a noun these make it mean somebody else than the noun alone.
const LESSER: [&str; 6] = ["vice", "deputy", "former", "ex", "acting", "assistant"];
const COUNTRY_NOUNS: [&str; 3] = ["country", "nation", "kingdom"];
const PLACE_NOUNS: [&str; 5] = ["city", "town", "island", "village", "state"];
const FACILITY_NOUNS: [&str; 10] =
    ["building", "stadium", "airport", "hospital", "prison", "bridge", "venue", "school", "church", "museum"];
const EVENT_NOUNS: [&str; 6] = ["race", "storm", "tournament", "hurricane", "festival", "war"];
const WORK_NOUNS: [&str; 8] = ["film", "book", "album", "movie", "novel", "show", "song", "bill"];
const MALE: [&str; 3] = ["he", "him", "his"];
const FEMALE: [&str; 3] = ["she", "her", "hers"];

/// What is needed to tell descriptions; built once with the model.
pub struct Nouns {
    kinds: FxHashMap<u32, EntityKind>,
    pronouns: FxHashMap<u32, Gender>,
    titles: FxHashMap<u32, Gender>,
    determiners: [u32; 3],
    lesser: FxHashSet<u32>,
    /// Nouns that do not mean a name only because it is near and of their type.
    not_alone: FxHashSet<u32>,
    countries: FxHashSet<u32>,
    introducing: FxHashSet<u32>,
    comma: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gender {
    Male,
    Female,
}

/// A description or pronoun: the units it covers and the cluster it stands for.
pub struct Description {
    pub line: usize,
    pub units: Range<usize>,
    pub cluster: usize,
    pub kind: MentionKind,
}

impl Nouns {
    pub fn new() -> Self {
        let lists: [(&[&str], EntityKind); 8] = [
            (&PERSON_NOUNS, EntityKind::Person),
            (&COMPANY_NOUNS, EntityKind::Organization),
            (&BODY_NOUNS, EntityKind::Organization),
            (&COUNTRY_NOUNS, EntityKind::Location),
            (&PLACE_NOUNS, EntityKind::Location),
            (&FACILITY_NOUNS, EntityKind::Facility),
            (&EVENT_NOUNS, EntityKind::Event),
            (&WORK_NOUNS, EntityKind::WorkOfArt),
        ];
        let kinds =
            lists.iter().flat_map(|(nouns, kind)| nouns.iter().map(|noun| (words::folded_hash(noun), *kind)));
        let gendered = |male: &[&str], female: &[&str]| {
            let male = male.iter().map(|word| (words::folded_hash(word), Gender::Male));
            let female = female.iter().map(|word| (words::folded_hash(word), Gender::Female));
            male.chain(female).collect()
        };
        Self {
            kinds: kinds.collect(),
            pronouns: gendered(&MALE, &FEMALE),
            titles: gendered(
                &["mr", "mr.", "king", "prince", "sir", "lord"],
                &["mrs", "mrs.", "ms", "ms.", "queen", "princess", "miss", "lady"],
            ),
            determiners: ["the", "this", "that"].map(words::folded_hash),
            lesser: hashes(&LESSER),
            not_alone: hashes(&PERSON_NOUNS).into_iter().chain(hashes(&BODY_NOUNS)).collect(),
            countries: hashes(&COUNTRY_NOUNS),
            introducing: hashes(&INTRODUCING_NOUNS),
            comma: words::folded_hash(","),
        }
    }

    /// Takes for an organisation who is introduced as one: "the airline Ryanair", "the
    /// party's newspaper, Nhan Dan, said". Such names are often of few words and look like
    /// those of people.
    pub fn typed(&self, reading: &Reading, mut names: Vec<Name>) -> Vec<Name> {
        let phrase =
            |name: &Name| name.units.clone().map(|unit| reading.word(unit).folded).fold(0, words::phrase);
        let introduced: FxHashSet<u32> =
            names.iter().filter(|name| self.introduced(reading, name)).map(phrase).collect();
        for name in &mut names {
            if name.kind == EntityKind::Person && introduced.contains(&phrase(name)) {
                name.kind = EntityKind::Organization;
            }
        }
        names
    }

    fn introduced(&self, reading: &Reading, name: &Name) -> bool {
        let line = &reading.lines[name.line].units;
        let folded = |unit: Option<usize>| {
            unit.filter(|unit| line.contains(unit)).map(|unit| reading.word(unit).folded)
        };
        let before = folded(name.units.start.checked_sub(1));
        let enclosed = before == Some(self.comma) && folded(Some(name.units.end)) == Some(self.comma);
        let noun = if enclosed { folded(name.units.start.checked_sub(2)) } else { before };
        noun.is_some_and(|noun| self.introducing.contains(&noun))
    }

    /// The descriptions and pronouns of the article, in order.
    pub fn find(&self, reading: &Reading, clusters: &[Cluster]) -> Vec<Description> {
        let mut search = Search {
            nouns: self,
            reading,
            clusters,
            cluster_of: cluster_of(reading, clusters),
            said: FxHashMap::default(),
            genders: vec![None; clusters.len()],
            near: Vec::new(),
            found: Vec::new(),
        };
        for (number, line) in reading.lines.iter().enumerate() {
            search.line(number, line);
        }
        search.found
    }
}

fn hashes(words: &[&str]) -> FxHashSet<u32> {
    words.iter().map(|word| words::folded_hash(word)).collect()
}

/// For each unit, the cluster of the name it lies in, plus one.
fn cluster_of(reading: &Reading, clusters: &[Cluster]) -> Vec<u32> {
    let mut of = vec![0; reading.units.len()];
    for (number, cluster) in clusters.iter().enumerate() {
        for name in &cluster.names {
            of[name.units.clone()].fill(number as u32 + 1);
        }
    }
    of
}

struct Search<'a> {
    nouns: &'a Nouns,
    reading: &'a Reading<'a>,
    clusters: &'a [Cluster],
    cluster_of: Vec<u32>,
    /// For each noun, the cluster that it was last said of.
    said: FxHashMap<u32, usize>,
    genders: Vec<Option<Gender>>,
    /// The clusters named in this sentence and the one before it, with the sentence's number.
    near: Vec<(usize, usize)>,
    found: Vec<Description>,
}

impl Search<'_> {
    fn line(&mut self, number: usize, line: &Line) {
        self.near.retain(|&(_, at)| at + 1 >= number && self.reading.lines[at].section == line.section);
        let mut unit = line.units.start;
        while unit < line.units.end {
            if let Some(cluster) = self.named(unit) {
                let begin = unit;
                while unit < line.units.end && self.named(unit) == Some(cluster) {
                    unit += 1;
                }
                self.name(number, line, begin..unit, cluster);
            } else {
                let end = self.description(number, line, unit);
                unit = end.max(unit + 1);
            }
        }
    }

    fn named(&self, unit: usize) -> Option<usize> {
        (self.cluster_of[unit] as usize).checked_sub(1)
    }

    /// A name was met: remember it, and the nouns said of it.
    fn name(&mut self, number: usize, line: &Line, units: Range<usize>, cluster: usize) {
        self.near.retain(|&(other, _)| other != cluster);
        self.near.push((cluster, number));
        let kind = self.clusters[cluster].kind;
        let before = units.start.checked_sub(1).filter(|&unit| unit >= line.units.start);
        if let (EntityKind::Person, Some(unit)) = (kind, before) {
            let gender = self.nouns.titles.get(&self.reading.word(unit).folded);
            self.genders[cluster] = gender.copied().or(self.genders[cluster]);
        }
        let noun = |unit: usize| {
            let folded = self.reading.word(unit).folded;
            let lesser =
                unit > line.units.start && self.nouns.lesser.contains(&self.reading.word(unit - 1).folded);
            (self.nouns.kinds.get(&folded) == Some(&kind) && self.named(unit).is_none() && !lesser)
                .then_some(folded)
        };
        // "President Biden", "the airline Ryanair"
        let before = before.and_then(noun);
        // "Biden, the president of ..., said"
        let comma = |unit: usize| {
            self.reading.units[unit].end - self.reading.units[unit].begin == 1
                && self.reading.word(unit).case == Case::None
        };
        let behind = if units.end < line.units.end && comma(units.end) {
            (units.end + 1..line.units.end.min(units.end + 5))
                .take_while(|&unit| !comma(unit) && self.named(unit).is_none())
                .find_map(noun)
        } else {
            None
        };
        for noun in [before, behind].into_iter().flatten() {
            self.said.insert(noun, cluster);
        }
    }

    /// A pronoun or description at `unit`; where it ends, or `unit` if there is none.
    fn description(&mut self, number: usize, line: &Line, unit: usize) -> usize {
        let folded = self.reading.word(unit).folded;
        if let Some(&gender) = self.nouns.pronouns.get(&folded) {
            self.pronoun(number, unit, gender);
            return unit + 1;
        }
        if !self.nouns.determiners.contains(&folded) || unit + 1 >= line.units.end {
            return unit;
        }
        let head = unit + 1;
        let noun = self.reading.word(head).folded;
        let Some(&kind) = self.nouns.kinds.get(&noun) else { return unit };
        // "the company's" is a description, "the company secretary" and "the club of" are not.
        let more = head + 1 < line.units.end
            && (self.named(head + 1).is_some()
                || self.continues(head + 1)
                || self.nouns.kinds.contains_key(&self.reading.word(head + 1).folded));
        if self.named(head).is_some() || more {
            return unit;
        }
        if let Some(cluster) = self.meant(noun, kind) {
            self.found.push(Description {
                line: number,
                units: unit..head + 1,
                cluster,
                kind: MentionKind::Common,
            });
        }
        head + 1
    }

    /// Whether a word behind a noun makes it mean something else or something more.
    fn continues(&self, unit: usize) -> bool {
        const MORE: [&str; 5] = ["of", "that", "which", "who", "for"];
        let span = self.reading.units[unit];
        let word = self.reading.word(unit);
        word.case.has_capital()
            || span.end - span.begin < 6 && MORE.iter().any(|more| words::folded_hash(more) == word.folded)
    }

    fn meant(&self, noun: u32, kind: EntityKind) -> Option<usize> {
        if let Some(&cluster) = self.said.get(&noun) {
            return Some(cluster);
        }
        if self.nouns.not_alone.contains(&noun) {
            return None;
        }
        let country = self.nouns.countries.contains(&noun);
        let mut of_kind = self.near.iter().filter(|(cluster, _)| {
            let cluster = &self.clusters[*cluster];
            cluster.kind == kind && (!country || cluster.link.is_some())
        });
        match (of_kind.next(), of_kind.next()) {
            (Some(&(cluster, _)), None) => Some(cluster),
            _ => None,
        }
    }

    /// A pronoun means the only person near who may be of its gender.
    fn pronoun(&mut self, number: usize, unit: usize, gender: Gender) {
        let fits = |&&(cluster, _): &&(usize, usize)| {
            self.clusters[cluster].kind == EntityKind::Person
                && self.genders[cluster].is_none_or(|own| own == gender)
        };
        let mut persons = self.near.iter().filter(fits);
        if let (Some(&(cluster, _)), None) = (persons.next(), persons.next()) {
            self.genders[cluster] = Some(gender);
            self.near.retain(|&(other, _)| other != cluster);
            self.near.push((cluster, number));
            self.found.push(Description {
                line: number,
                units: unit..unit + 1,
                cluster,
                kind: MentionKind::Pronoun,
            });
        }
    }
}
