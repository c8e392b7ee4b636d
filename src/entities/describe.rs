//! Descriptions and pronouns that stand for a named entity: "the party chief", "he".
//!
//! Only what is safe: a description whose noun was said of a name beforehand ("the airline
//! Ryanair", "Mr Trong, the party chief"), or one whose sort only one near entity has.

use std::cmp::Reverse;
use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::lexicon::Usage;
use super::reading::{Line, Reading};
use super::resolve::{Cluster, Name};
use super::tags::{self, KINDS};
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
/// Of these, nouns that mostly mean the person the text is about.
const FOREMOST_NOUNS: [&str; 13] = [
    "president", "chancellor", "senator", "governor", "mayor", "king", "queen", "singer", "star", "rapper",
    "comedian", "footballer", "teenager",
];
/// Nouns that as often mean one of many that the text has not named.
const COMMON_NOUNS: [&str; 3] = ["building", "school", "song"];
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
/// Ends of the names of organisations that are no companies; so are [`BODY_NOUNS`].
const BODIES: [&str; 17] = [
    "exchange", "police", "house", "senate", "congress", "parliament", "army", "navy", "office", "service",
    "authority", "government", "assembly", "institute", "college", "school", "force",
];
/// What only organisations have: "shares in Aviva", "the chief executive of Aviva".
const HELD: [&str; 12] = [
    "shares", "share", "stake", "stakes", "subsidiary", "subsidiaries", "shareholders", "shareholder",
    "executive", "acquisition", "takeover", "ceo",
];
/// Ends of the names of buildings and ways; sources that tell them from other places are few.
const BUILDINGS: [&str; 38] = [
    "road", "street", "avenue", "highway", "motorway", "lane", "stadium", "arena", "airport", "bridge",
    "hospital", "prison", "jail", "station", "museum", "mosque", "temple", "cathedral", "synagogue",
    "building", "library", "theatre", "theater", "mall", "zoo", "cemetery", "dam", "port", "canal", "tunnel",
    "hotel", "inn", "hall", "tower", "palace", "plant", "terminal", "airfield",
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
    articles: FxHashSet<u32>,
    lesser: FxHashSet<u32>,
    /// Nouns that do not mean a name only because it is near and of their type.
    not_alone: FxHashSet<u32>,
    countries: FxHashSet<u32>,
    introducing: FxHashSet<u32>,
    /// Behind a noun these say that it is not the whole description.
    continuing: FxHashSet<u32>,
    held: FxHashSet<u32>,
    buildings: FxHashSet<u32>,
    companies: FxHashSet<u32>,
    bodies: FxHashSet<u32>,
    /// "prime minister", who mostly is the person the text is about.
    premier: u32,
    of: u32,
    within: u32,
    the: u32,
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
            articles: hashes(&["the", "this", "that", "a", "an", "his", "her", "its", "their", "our"]),
            lesser: hashes(&LESSER),
            not_alone: hashes(&PERSON_NOUNS)
                .difference(&hashes(&FOREMOST_NOUNS))
                .copied()
                .chain(hashes(&BODY_NOUNS))
                .chain(hashes(&COMMON_NOUNS))
                .collect(),
            countries: hashes(&COUNTRY_NOUNS),
            introducing: hashes(&INTRODUCING_NOUNS),
            continuing: hashes(&["of", "that", "which", "who", "for"]),
            held: hashes(&HELD),
            buildings: hashes(&BUILDINGS),
            companies: hashes(&COMPANY_NOUNS),
            bodies: &hashes(&BODY_NOUNS) | &hashes(&BODIES),
            premier: ["prime", "minister"].into_iter().map(words::folded_hash).fold(0, words::phrase),
            of: words::folded_hash("of"),
            within: words::folded_hash("in"),
            the: words::folded_hash("the"),
            comma: words::folded_hash(","),
        }
    }

    fn is_lesser(&self, folded: u32) -> bool {
        self.lesser.contains(&folded)
    }

    /// Takes for an organisation who is introduced as one: "the airline Ryanair", "the
    /// party's newspaper, Nhan Dan, said", "shares in Aviva". Such names are often of few words
    /// and look like those of people. Takes for a building what is called one.
    pub fn typed(&self, reading: &Reading, mut names: Vec<Name>) -> Vec<Name> {
        let phrase =
            |name: &Name| name.units.clone().map(|unit| reading.word(unit).folded).fold(0, words::phrase);
        let introduced: FxHashSet<u32> =
            names.iter().filter(|name| self.introduced(reading, name)).map(phrase).collect();
        for name in &mut names {
            if name.kind == EntityKind::Person && introduced.contains(&phrase(name)) {
                name.kind = EntityKind::Organization;
            }
            let building = self.buildings.contains(&reading.word(name.units.end - 1).folded);
            if name.kind == EntityKind::Location && name.units.len() > 1 && building {
                name.kind = EntityKind::Facility;
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
        let holder = folded(name.units.start.checked_sub(2))
            .filter(|_| before == Some(self.of) || before == Some(self.within));
        let holds = holder.or(folded(Some(name.units.end))).is_some_and(|noun| self.held.contains(&noun));
        noun.is_some_and(|noun| self.introducing.contains(&noun)) || holds
    }

    /// The descriptions and pronouns of the article, in order.
    pub fn find(&self, reading: &Reading, clusters: &[Cluster]) -> Vec<Description> {
        let mut search = Search {
            nouns: self,
            reading,
            clusters,
            cluster_of: cluster_of(reading, clusters),
            said: FxHashMap::default(),
            ages: FxHashMap::default(),
            counts: vec![0; clusters.len()],
            leaders: Default::default(),
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
    /// For each noun and longer title, the cluster that it was last said of.
    said: FxHashMap<u32, usize>,
    /// Who is so many years old.
    ages: FxHashMap<u32, usize>,
    genders: Vec<Option<Gender>>,
    /// For each cluster how often it was named so far.
    counts: Vec<u32>,
    /// For each type the clusters named most so far, so that looking for the foremost takes
    /// the same time in every text.
    leaders: [Vec<usize>; KINDS.len()],
    /// The clusters named in this sentence and the one before it, with the sentence's number.
    near: Vec<(usize, usize)>,
    found: Vec<Description>,
}

/// A word that is written with a capital more often than this is as good as a name.
const COMMON: Usage = 3;
/// The longest title in words: "Secretary of State", "Chief Medical Officer".
const LONGEST_TITLE: usize = 4;

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

    /// The text has spoken of a cluster once more.
    fn count(&mut self, cluster: usize) {
        const MOST_LEADERS: usize = 8;
        self.counts[cluster] += 1;
        let leaders = &mut self.leaders[tags::kind_index(self.clusters[cluster].kind)];
        if !leaders.contains(&cluster) {
            leaders.push(cluster);
        }
        leaders.sort_by_key(|&leader| Reverse(self.counts[leader]));
        leaders.truncate(MOST_LEADERS);
    }

    fn folded(&self, unit: usize) -> u32 {
        self.reading.word(unit).folded
    }

    fn phrase(&self, units: Range<usize>) -> u32 {
        units.map(|unit| self.folded(unit)).fold(0, words::phrase)
    }

    /// A name was met: remember it, and what is said of it.
    fn name(&mut self, number: usize, line: &Line, units: Range<usize>, cluster: usize) {
        self.near.retain(|&(other, _)| other != cluster);
        self.near.push((cluster, number));
        self.count(cluster);
        let kind = self.clusters[cluster].kind;
        if kind == EntityKind::Person {
            let before = units.start.checked_sub(1).filter(|&unit| unit >= line.units.start);
            let gender = before.and_then(|unit| self.nouns.titles.get(&self.folded(unit)));
            self.genders[cluster] = gender.copied().or(self.genders[cluster]);
        } else {
            self.say_own_words(&units, cluster);
        }
        self.say_before(line, units.start, cluster, kind);
        self.say_behind(line, units.end, cluster, kind);
    }

    /// Rother District Council is "the council" from here on, "the district council" as well.
    fn say_own_words(&mut self, name: &Range<usize>, cluster: usize) {
        let last = name.end - 1;
        let kind = self.clusters[cluster].kind;
        let noun = self.nouns.kinds.get(&self.folded(last)) == Some(&kind);
        let common = (1..=COMMON).contains(&self.reading.word(last).usage);
        if name.len() > 1 && (noun || common && kind == EntityKind::Organization) {
            let first = name.start.max(name.end.saturating_sub(LONGEST_TITLE)) + 1;
            // Of the Queen of the Sky nobody says "the sky".
            let joins = |word: u32| word == self.nouns.of || word == self.nouns.the;
            let words = (first..name.end).rev().take_while(|&unit| !joins(self.folded(unit - 1)));
            for begin in words.collect::<Vec<_>>() {
                self.said.insert(self.phrase(begin..name.end), cluster);
            }
        }
    }

    /// "President Biden", "Secretary of State Antony Blinken", "the airline Ryanair".
    fn say_before(&mut self, line: &Line, end: usize, cluster: usize, kind: EntityKind) {
        let furthest = end.saturating_sub(LONGEST_TITLE).max(line.units.start);
        let mut holds_noun = false;
        for unit in (furthest..end).rev() {
            let word = self.reading.word(unit);
            let small = word.folded == self.nouns.of && unit + 1 < end;
            let other = word.case == Case::None || self.nouns.articles.contains(&word.folded);
            if other || self.named(unit).is_some() || self.nouns.is_lesser(word.folded) {
                break;
            }
            let noun = self.nouns.kinds.get(&word.folded) == Some(&kind);
            if unit + 1 == end && !noun && word.case == Case::Lower {
                break;
            }
            if noun && unit + 1 == end && self.lesser_before(line, unit) {
                break;
            }
            holds_noun |= noun;
            if holds_noun && !small {
                self.said.insert(self.phrase(unit..end), cluster);
            }
            // "party chief X" has one small word before its noun, a title any number of capitals.
            if word.case == Case::Lower && !small && unit + 1 < end {
                break;
            }
        }
    }

    /// "Biden, the president of ..., said", "Donald Lock, 79,".
    fn say_behind(&mut self, line: &Line, begin: usize, cluster: usize, kind: EntityKind) {
        if begin + 1 >= line.units.end || self.folded(begin) != self.nouns.comma {
            return;
        }
        let limit = line.units.end.min(begin + 6);
        if let (EntityKind::Person, Some(age)) = (kind, self.number(line, begin + 1)) {
            self.ages.insert(age, cluster);
        }
        for unit in begin + 1..limit {
            let word = self.reading.word(unit);
            if self.named(unit).is_some() || word.folded == self.nouns.comma {
                return;
            }
            if self.nouns.kinds.get(&word.folded) == Some(&kind) {
                if !self.lesser_before(line, unit) {
                    let begins = (begin + 1..=unit).rev().take_while(|&unit| {
                        !self.nouns.articles.contains(&self.folded(unit))
                            && self.reading.word(unit).case != Case::None
                    });
                    for begin in begins.collect::<Vec<_>>() {
                        self.said.insert(self.phrase(begin..unit + 1), cluster);
                    }
                }
                return;
            }
        }
    }

    fn lesser_before(&self, line: &Line, unit: usize) -> bool {
        unit > line.units.start && self.nouns.is_lesser(self.folded(unit - 1))
    }

    /// The number that a unit is or begins with, as in "79-year-old".
    fn number(&self, line: &Line, unit: usize) -> Option<u32> {
        let unit = self.reading.units[unit];
        let text = &self.reading.text(line.section)[unit.begin as usize..unit.end as usize];
        let digits = text.strip_suffix("-year-old").unwrap_or(text);
        digits.parse().ok().filter(|age| (1..120).contains(age))
    }

    /// A pronoun or description at `unit`; where it ends, or `unit` if there is none.
    fn description(&mut self, number: usize, line: &Line, unit: usize) -> usize {
        let folded = self.folded(unit);
        if let Some(&gender) = self.nouns.pronouns.get(&folded) {
            self.pronoun(number, unit, gender);
            return unit + 1;
        }
        if !self.nouns.determiners.contains(&folded) {
            return unit;
        }
        let limit = line.units.end.min(unit + 1 + LONGEST_TITLE);
        let free = (unit + 1..limit).take_while(|&unit| self.named(unit).is_none()).count();
        let ends = (unit + 2..=unit + 1 + free).rev();
        let meant = ends.filter(|&end| !self.continues(line, end)).find_map(|end| {
            let cluster = self.meant(line, unit + 1..end)?;
            Some((end, cluster))
        });
        let Some((end, cluster)) = meant else { return unit };
        self.count(cluster);
        self.found.push(Description { line: number, units: unit..end, cluster, kind: MentionKind::Common });
        end
    }

    /// Whether the word behind a noun makes it mean something else or something more: "the
    /// company's" is a description, "the company secretary" and "the club of" are not.
    fn continues(&self, line: &Line, unit: usize) -> bool {
        if unit >= line.units.end {
            return false;
        }
        let word = self.reading.word(unit);
        self.named(unit).is_some()
            || word.case.has_capital()
            || self.nouns.kinds.contains_key(&word.folded)
            || self.nouns.continuing.contains(&word.folded)
    }

    /// Whom the words behind "the" mean.
    fn meant(&self, line: &Line, words: Range<usize>) -> Option<usize> {
        if let Some(&cluster) = self.said.get(&self.phrase(words.clone())) {
            return Some(cluster);
        }
        if words.len() > 1 {
            let premier = self.phrase(words) == self.nouns.premier;
            return premier.then(|| self.foremost(EntityKind::Person, |_| true)).flatten();
        }
        let noun = self.folded(words.start);
        let Some(&kind) = self.nouns.kinds.get(&noun) else {
            let age = self.number(line, words.start)?;
            let whole = self.reading.units[words.start];
            let anyone = || (whole.end - whole.begin > 4).then(|| self.only_person()).flatten();
            return self.ages.get(&age).copied().or_else(anyone);
        };
        if self.nouns.not_alone.contains(&noun) {
            return None;
        }
        let country = self.nouns.countries.contains(&noun);
        let company = self.nouns.companies.contains(&noun);
        self.foremost(kind, |cluster| match kind {
            EntityKind::Organization => !company || !self.is_body(cluster),
            EntityKind::Location => country == cluster.country,
            EntityKind::Facility => !self.is_another(cluster),
            _ => true,
        })
    }

    /// Whether a name says of itself what it is, as St Helen's Road does.
    fn is_another(&self, cluster: &Cluster) -> bool {
        let last = cluster.names[cluster.fullest].units.end - 1;
        (1..=COMMON).contains(&self.reading.word(last).usage)
    }

    /// Whether a name says that the organisation is no company, as the London Stock Exchange does.
    fn is_body(&self, cluster: &Cluster) -> bool {
        let last = self.folded(cluster.names[cluster.fullest].units.end - 1);
        self.nouns.bodies.contains(&last)
    }

    /// The only person named in this sentence and the one before it.
    fn only_person(&self) -> Option<usize> {
        let person = |&(cluster, _): &(usize, usize)| {
            (self.clusters[cluster].kind == EntityKind::Person).then_some(cluster)
        };
        let mut persons = self.near.iter().filter_map(person);
        persons.next().filter(|_| persons.next().is_none())
    }

    /// The one of the clusters named so far that stands out: by how often it was named, and
    /// whether it was just now.
    fn foremost(&self, kind: EntityKind, fits: impl Fn(&Cluster) -> bool) -> Option<usize> {
        /// How much more a name counts that stands in this sentence or the one before it.
        const NEAR: f32 = 4.0;
        /// How far the foremost is ahead of the next, or nobody stands out.
        const AHEAD: f32 = 1.5;
        /// Who was named only some way back must have been named as often.
        const LEAST: f32 = 5.0;
        let mut best: Option<(f32, usize)> = None;
        let mut second = 0.0;
        let leaders = &self.leaders[tags::kind_index(kind)];
        let near = self.near.iter().map(|&(cluster, _)| cluster);
        let far = leaders.iter().copied().filter(|&cluster| near.clone().all(|other| other != cluster));
        let weighted = near.clone().map(|cluster| (cluster, NEAR)).chain(far.map(|cluster| (cluster, 0.0)));
        for (cluster, bonus) in weighted {
            let described = &self.clusters[cluster];
            if described.kind != kind || !fits(described) {
                continue;
            }
            let weight = self.counts[cluster] as f32 + bonus;
            match best {
                Some((most, _)) if weight <= most => second = weight.max(second),
                _ => {
                    second = best.map_or(0.0, |(most, _)| most);
                    best = Some((weight, cluster));
                }
            }
        }
        best.filter(|&(most, _)| most >= AHEAD * second && most >= LEAST).map(|(_, cluster)| cluster)
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
