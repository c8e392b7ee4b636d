//! From names in the text to entities: which names mean the same somebody or something.
//!
//! Names with the same words are one entity. A shorter name joins the longer one that it is
//! part of, an acronym the name whose initials it has, and names that the table of links
//! knows under one id join each other. Everything is found by hashes, so that time grows
//! with the number of names and not with its square.

use std::ops::Range;
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use super::lexicon::{LONGEST_PHRASE, List, Usage};
use super::link::{Link, Links};
use super::reading::{Line, Reading, Style};
use super::tagger::Labelling;
use super::tags::{self, KINDS, OUTSIDE, Tag};
use super::words::{self, Case, mix};
use crate::document::{EntityKind, Section};

/// A name found by the tagger.
#[derive(Clone, Debug)]
pub struct Name {
    /// Place in [`Reading::lines`].
    pub line: usize,
    /// Places in [`Reading::units`].
    pub units: Range<usize>,
    pub kind: EntityKind,
    /// That it is a name of this type.
    pub confidence: f32,
}

/// Names that mean the same.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub kind: EntityKind,
    /// In the order of the text.
    pub names: Vec<Name>,
    /// The fullest of `names`.
    pub fullest: usize,
    pub link: Option<Link>,
    /// Whether it is a country that the table knows.
    pub country: bool,
}

/// Confidence in a headline's name for which only the same name in the running text speaks.
const AGAIN: f32 = 0.8;
/// From this confidence on the name of a country is that of its team or government.
const SURE: f32 = 0.9;
/// A word that more entities than this share says nothing about which of them is meant.
const MOST_CANDIDATES: usize = 32;

/// The names in a labelled article, in order.
pub fn names(reading: &Reading, labelling: &Labelling) -> Vec<Name> {
    let tags = &labelling.tags[..];
    let in_line = |line: usize| {
        let units = reading.lines[line].units.clone();
        let base = units.start;
        tags::names(&tags[units]).map(move |(units, kind)| {
            let units = units.start + base..units.end + base;
            let confidence = labelling.confidence(units.clone(), kind);
            Name { line, units, kind: KINDS[kind], confidence }
        })
    };
    let mut names: Vec<Name> = (0..reading.lines.len()).flat_map(in_line).collect();
    names.retain_mut(|name| trim(reading, name));
    for name in names.iter_mut().filter(|name| name.kind == EntityKind::Person) {
        while takes_word_before(reading, tags, name) {
            name.units.start -= 1;
        }
    }
    take_in_particles(reading, tags, &mut names);
    take_speakers_for_people(reading, &mut names);
    take_known_for_organizations(reading, &mut names);
    if let Some(place) = names.iter_mut().find(|name| is_dateline(reading, name)) {
        place.kind = EntityKind::Location;
    }
    let mut known: FxHashMap<u32, EntityKind> = FxHashMap::default();
    for name in names.iter().filter(|name| reading.lines[name.line].style == Style::Normal) {
        known.entry(reading.phrase(name.units.clone())).or_insert(name.kind);
    }
    let mut names: Vec<Name> = names
        .into_iter()
        .flat_map(|name| match reading.lines[name.line].style {
            Style::Normal => vec![name],
            _ => cut_to_known(reading, &known, name),
        })
        .collect();
    names.extend(named_again(reading, &names, &known));
    names.extend(adherents(reading, tags));
    names.sort_by_key(|name| name.units.start);
    names
}

/// "Von der Leyen" at the beginning of a sentence is more than Leyen if the text knows Ursula
/// von der Leyen: people's names grow to the left as long as they are the end of another one.
fn take_in_particles(reading: &Reading, tags: &[Tag], names: &mut [Name]) {
    let mut ends: FxHashSet<u32> = FxHashSet::default();
    let people = |name: &&Name| name.kind == EntityKind::Person && name.units.len() > 2;
    for name in names.iter().filter(people) {
        let whole = name.units.clone();
        let beginnings = whole.end.saturating_sub(LONGEST_PHRASE).max(whole.start + 1)..whole.end - 1;
        ends.extend(beginnings.map(|begin| reading.phrase(begin..whole.end)));
    }
    if ends.is_empty() {
        return;
    }
    for name in names.iter_mut().filter(|name| name.kind == EntityKind::Person) {
        let line = reading.lines[name.line].units.start;
        let furthest = name.units.end.saturating_sub(LONGEST_PHRASE).max(line);
        let free = (furthest..name.units.start).rev().take_while(|&unit| tags[unit] == OUTSIDE).count();
        let longest = (name.units.start - free..name.units.start)
            .find(|&begin| ends.contains(&reading.phrase(begin..name.units.end)));
        name.units.start = longest.unwrap_or(name.units.start);
    }
}

/// Whether a name is where a report was written, as in "GENEVA, June 3 (Reuters) - Talks".
fn is_dateline(reading: &Reading, name: &Name) -> bool {
    let line = &reading.lines[name.line];
    let mark = reading.units.get(name.units.end).filter(|_| name.units.end < line.units.end);
    let text = reading.text(line.section);
    let opens = name.units.start == 0 && line.section == Section::Body;
    let marked = mark
        .is_some_and(|mark| matches!(&text[mark.begin as usize..mark.end as usize], "," | "(" | "–" | "—"));
    let capitals = name.units.clone().all(|unit| reading.word(unit).case == Case::Upper);
    opens && marked && capitals && reading.span(name.units.clone()).len() > 3
}

/// "Washington said" is the man if the text has named a Denzel Washington before, and so is
/// whoever was taken for an organisation of two uncommon words.
fn take_speakers_for_people(reading: &Reading, names: &mut [Name]) {
    const SPEECH: [&str; 8] = ["said", "says", "told", "tells", "added", "asked", "recalled", "joked"];
    const UNKNOWN: Usage = 0;
    const ALWAYS_CAPITAL: Usage = 5;
    let speech = SPEECH.map(words::folded_hash);
    let mut full: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for number in 0..names.len() {
        let Name { line, units, kind, .. } = names[number].clone();
        if reading.lines[line].style != Style::Normal {
            continue;
        }
        let last = reading.word(units.end - 1);
        if units.len() > 1 {
            let usage = reading.word(units.start).usage;
            let two_names = units.len() == 2 && (usage == UNKNOWN || usage == ALWAYS_CAPITAL);
            let country = last.lists & List::Country.bit() != 0;
            if kind == EntityKind::Person || kind == EntityKind::Organization && two_names && !country {
                full.entry(last.folded).or_default().push(number);
            }
            continue;
        }
        let beside = |offset| reading.word_near(&reading.lines[line], units.start, offset);
        let speaks = [-1, 1].into_iter().filter_map(beside).any(|word| speech.contains(&word.folded));
        if let (true, EntityKind::Location, Some(full)) = (speaks, kind, full.get_mut(&last.folded)) {
            full.drain(..).chain([number]).for_each(|name| names[name].kind = EntityKind::Person);
        }
    }
}

/// "Kenya Signs" in a headline is Kenya, and "Kenyan Farmers Sue Shell" Kenyan and Shell, if the
/// running text names them and the rest are words that are hardly ever written with a capital.
fn cut_to_known(reading: &Reading, known: &FxHashMap<u32, EntityKind>, name: Name) -> Vec<Name> {
    const SELDOM: Usage = 2;
    let Range { start, end } = name.units;
    if known.contains_key(&reading.phrase(start..end)) {
        return vec![name];
    }
    let common = |unit: &usize| (1..=SELDOM).contains(&reading.word(*unit).usage);
    let from = (start..end).find(|unit| !common(unit)).unwrap_or(end);
    let to = (from..end).rev().find(|unit| !common(unit)).map_or(from, |unit| unit + 1);
    let named = |units: Range<usize>| {
        let demonym = units.len() == 1 && reading.word(units.start).lists & List::Demonym.bit() != 0;
        let kind = known.get(&reading.phrase(units.clone())).copied();
        kind.or(demonym.then_some(EntityKind::Norp)).map(|kind| Name { units, kind, ..name })
    };
    if let Some(whole) = named(from..to) {
        return vec![whole];
    }
    let units: Vec<usize> = (from..to).collect();
    let pieces = units.split(|unit| common(unit) && reading.word(*unit).case.has_capital());
    let cut: Vec<Name> = pieces.filter_map(|piece| named(*piece.first()?..piece.last()? + 1)).collect();
    if cut.is_empty() { vec![name] } else { cut }
}

/// A single word that is known as an organisation's name is no person's, unless the text has one
/// who is called so in full, or it is surely a name that people have.
fn take_known_for_organizations(reading: &Reading, names: &mut [Name]) {
    let people = names.iter().filter(|name| name.kind == EntityKind::Person && name.units.len() > 1);
    let in_full: FxHashSet<u32> =
        people.flat_map(|name| name.units.clone()).map(|unit| reading.word(unit).folded).collect();
    let organization = List::Known(tags::kind_index(EntityKind::Organization)).bit();
    let given = List::GivenName.bit() | List::FamilyName.bit();
    for name in names.iter_mut().filter(|name| name.kind == EntityKind::Person && name.units.len() == 1) {
        let word = reading.word(name.units.start);
        let surely = word.lists & given != 0 && name.confidence >= SURE;
        if word.lists & organization != 0 && !surely && !in_full.contains(&word.folded) {
            name.kind = EntityKind::Organization;
        }
    }
}

/// Leaves "-led" out of "Russian-led"; whether anything is left that may be a name.
fn trim(reading: &Reading, name: &mut Name) -> bool {
    let case = |unit: usize| reading.word(unit).case;
    if let (EntityKind::Norp, [.., mark, _]) = (name.kind, &reading.units[name.units.clone()]) {
        let end = name.units.end;
        let joined = mark.end == reading.units[end - 1].begin && case(end - 2) == Case::None;
        if joined && case(end - 1) == Case::Lower {
            name.units.end -= 2;
        }
    }
    name.units.clone().any(|unit| case(unit) != Case::Lower)
}

/// "Security Minister To Lam" is called To Lam: whether a word right before a person's name is part of it.
/// It is if it has a capital and is short, nearly always written so or not known at all, unless it is a
/// title or a day. Where a sentence begins with it, it has to be a name that people have: "April Haines".
fn takes_word_before(reading: &Reading, tags: &[Tag], name: &Name) -> bool {
    const UNKNOWN: Usage = 0;
    const MOSTLY_CAPITAL: Usage = 4;
    const ALWAYS_CAPITAL: Usage = 5;
    const OTHERS: [&str; 44] = [
        "mr", "ms", "mrs", "dr", "sir", "gen", "col", "lt", "sgt", "rev", "hon", "sen", "rep", "gov", "cpl",
        "pte", "det", "maj", "st", "the", "dame", "lord", "lady", "pope", "prince", "princess", "saint",
        "ayatollah", "sheikh", "rabbi", "imam", "monsignor", "monday", "tuesday", "wednesday", "thursday",
        "friday", "saturday", "sunday", "january", "february", "october", "november", "december",
    ];
    let line = &reading.lines[name.line];
    let Some(unit) = name.units.start.checked_sub(1).filter(|unit| line.units.contains(unit)) else {
        return false;
    };
    let (before, word) = (reading.units[unit], reading.word(unit));
    let text = &reading.text(line.section)[before.begin as usize..before.end as usize];
    let listed = |list: List| word.lists & list.bit() != 0;
    let fits = if before.context.initial {
        listed(List::GivenName) && word.usage >= MOSTLY_CAPITAL
    } else {
        let usual = word.usage == UNKNOWN || word.usage >= ALWAYS_CAPITAL;
        !listed(List::Title) && (text.len() <= 3 || usual)
    };
    fits && line.style == Style::Normal
        && word.case == Case::Title
        && tags[unit] == OUTSIDE
        && text.chars().all(char::is_alphabetic)
        && !OTHERS.iter().any(|other| text.eq_ignore_ascii_case(other))
}

/// Names of the running text that stand unlabelled in headlines, where capitals tell little.
fn named_again(reading: &Reading, names: &[Name], known: &FxHashMap<u32, EntityKind>) -> Vec<Name> {
    let mut named = vec![false; reading.units.len()];
    names.iter().for_each(|name| named[name.units.clone()].fill(true));
    let mut found = Vec::new();
    for (number, line) in reading.lines.iter().enumerate().filter(|(_, line)| line.style != Style::Normal) {
        let mut unit = line.units.start;
        while unit < line.units.end {
            let end = line.units.end.min(unit + LONGEST_PHRASE);
            let free = (unit..end).take_while(|&unit| !named[unit]).count();
            let longest = (1..=free).rev().find_map(|length| {
                let kind = *known.get(&reading.phrase(unit..unit + length))?;
                reading.word(unit).case.has_capital().then_some((length, kind))
            });
            if let Some((length, kind)) = longest {
                found.push(Name { line: number, units: unit..unit + length, kind, confidence: AGAIN });
            }
            unit += longest.map_or(1, |(length, _)| length);
        }
    }
    found
}

/// Nationalities and adherents that the tagger has passed over.
fn adherents(reading: &Reading, tags: &[Tag]) -> Vec<Name> {
    const ADHERENTS: [&str; 34] = [
        "muslim", "muslims", "christian", "christians", "catholic", "catholics", "protestant", "protestants",
        "jew", "jews", "jewish", "hindu", "hindus", "buddhist", "buddhists", "sikh", "sikhs", "sunni",
        "sunnis", "shiite", "shiites", "republican", "republicans", "democrat", "democrats", "tory",
        "tories", "islamist", "islamists", "kurd", "kurds", "kurdish", "arab", "arabs",
    ];
    let listed: FxHashSet<u32> = ADHERENTS.iter().map(|word| words::folded_hash(word)).collect();
    let is_one = |unit: usize| {
        let word = reading.word(unit);
        let demonym = word.lists & List::Demonym.bit() != 0;
        tags[unit] == OUTSIDE && word.case == Case::Title && (demonym || listed.contains(&word.folded))
    };
    let lines = reading.lines.iter().enumerate().filter(|(_, line)| line.style == Style::Normal);
    lines
        .flat_map(|(number, line)| line.units.clone().map(move |unit| (number, unit)))
        .filter(|&(_, unit)| is_one(unit))
        .map(|(line, unit)| Name { line, units: unit..unit + 1, kind: EntityKind::Norp, confidence: AGAIN })
        .collect()
}

/// Brings together the names that mean the same; clusters in order of their first names.
pub fn resolve(reading: &Reading, links: &Links, names: Vec<Name>) -> Vec<Cluster> {
    let names = with_listed(reading, links, names);
    let mut resolver = Resolver::new(reading, links, &names);
    resolver.settle_types();
    resolver.join_links();
    resolver.join_acronyms(reading, &names);
    resolver.join_shorter();
    resolver.clusters(reading, names)
}

/// Adds the countries and organisations of several words that the table of links knows, where
/// the tagger has passed over them or seen only parts; lets the table settle what is an
/// organisation. A country's name may be that of its team, so its type stays.
fn with_listed(reading: &Reading, links: &Links, mut names: Vec<Name>) -> Vec<Name> {
    // For each unit the number of the name that it lies in, plus one.
    let mut name_of = vec![0; reading.units.len()];
    for (number, name) in names.iter().enumerate() {
        name_of[name.units.clone()].fill(number + 1);
    }
    let mut parts = vec![false; names.len()];
    let mut found = Vec::new();
    for (number, line) in reading.lines.iter().enumerate().filter(|(_, line)| line.style == Style::Normal) {
        let mut unit = line.units.start;
        while unit < line.units.end {
            let Some((end, kind)) = listed_at(reading, links, line, unit) else {
                unit += 1;
                continue;
            };
            let whole = std::mem::replace(&mut unit, end)..end;
            let within: Vec<usize> = whole.clone().filter_map(|unit| name_of[unit].checked_sub(1)).collect();
            if let Some(&same) = within.first().filter(|&&name| names[name].units == whole) {
                if kind == EntityKind::Organization {
                    names[same].kind = kind;
                }
            } else if within
                .iter()
                .all(|&name| names[name].units.start >= whole.start && names[name].units.end <= whole.end)
            {
                within.iter().for_each(|&name| parts[name] = true);
                found.push(Name { line: number, units: whole, kind, confidence: AGAIN });
            }
        }
    }
    let mut parts = parts.into_iter();
    names.retain(|_| parts.next() != Some(true));
    names.extend(found);
    names.sort_by_key(|name| name.units.start);
    names
}

/// The end and type of the longest name of two words or more that begins at `unit` and that the
/// table knows as a country's or an organisation's.
fn listed_at(reading: &Reading, links: &Links, line: &Line, unit: usize) -> Option<(usize, EntityKind)> {
    const LONGEST_SMALL: usize = 3;
    let capital = |unit: usize| reading.word(unit).case.has_capital();
    if !capital(unit) {
        return None;
    }
    let (mut hash, mut longest) = (0, None);
    for at in unit..line.units.end.min(unit + LONGEST_PHRASE) {
        let word = reading.unit_text(line.section, at);
        if !capital(at) && word.len() > LONGEST_SMALL {
            break;
        }
        let Some(plain) = words::plain_hash(word) else { break };
        hash = words::phrase(hash, plain);
        if at > unit && capital(at) {
            longest = links.listed(hash).map(|kind| (at + 1, kind)).or(longest);
        }
    }
    longest
}

/// For each unit, the cluster of the name it lies in, plus one; 0 where there is none.
pub fn cluster_of(reading: &Reading, clusters: &[Cluster]) -> Vec<u32> {
    let mut of = vec![0; reading.units.len()];
    for (number, cluster) in clusters.iter().enumerate() {
        for name in &cluster.names {
            of[name.units.clone()].fill(number as u32 + 1);
        }
    }
    of
}

/// Names with the same words and the same sort of type.
struct Group {
    sort: Sort,
    /// Hashes of the words, letters and digits alone.
    words: Vec<u32>,
    /// The words' first characters in lower case, without and with those of small words.
    initials: [String; 2],
    /// Whether it is a single word written as letters, as "WHO" and "BoJ".
    acronym: bool,
    /// Whether the first word is a nationality.
    national: bool,
    /// Whether the last word is the name of a town, region or country.
    place: bool,
    /// By type, how many names.
    votes: [u32; KINDS.len()],
    count: u32,
    /// The first name's number.
    first: usize,
    link: Option<Link>,
    /// Whom the name means if the text has no fuller one.
    by_last_name: Option<Link>,
    /// Whether the text means another place than the one that everyone knows.
    namesake: bool,
    country: bool,
}

/// Types between which the same words are one entity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Sort {
    Person,
    Norp,
    Thing,
}

impl Sort {
    fn of(kind: EntityKind) -> Self {
        match kind {
            EntityKind::Person => Self::Person,
            EntityKind::Norp => Self::Norp,
            _ => Self::Thing,
        }
    }
}

struct Resolver {
    groups: Vec<Group>,
    /// For each name its group.
    group_of: Vec<usize>,
    /// For each group the one it joined, or itself.
    joined: Vec<usize>,
    /// For a short name with several readings, the groups it may mean.
    ambiguous: FxHashMap<usize, Vec<usize>>,
}

/// Ends of the names of what is a part of, or called after, what their first word names.
static PARTS: LazyLock<FxHashSet<u32>> =
    LazyLock::new(|| words::folded_hashes(&["committee", "subcommittee", "caucus", "square"]));
/// Ends of the names of what may be called after its town.
static SCHOOLS: LazyLock<FxHashSet<u32>> =
    LazyLock::new(|| words::folded_hashes(&["university", "college", "school", "institute"]));
/// Ends of the names of a son or grandson of the same name.
static GENERATIONS: LazyLock<FxHashSet<u32>> = LazyLock::new(|| words::folded_hashes(&["jr", "ii", "iii"]));
const PLACES: u32 = List::Country.bit() | List::City.bit() | List::Region.bit();

impl Resolver {
    fn new(reading: &Reading, links: &Links, names: &[Name]) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_words: FxHashMap<(u32, Sort), usize> = FxHashMap::default();
        let mut group_of = Vec::with_capacity(names.len());
        for (number, name) in names.iter().enumerate() {
            let Words { hashes: words, initials, acronym } = Words::of(reading, name);
            let phrase = words.iter().copied().fold(0, words::phrase);
            let kind = match name.kind {
                EntityKind::Person if may_be_person(reading, name) => name.kind,
                EntityKind::Person if links.is_country(phrase) => EntityKind::Location,
                EntityKind::Organization if name.confidence < SURE && links.is_country(phrase) => {
                    EntityKind::Location
                }
                kind => kind,
            };
            let sort = Sort::of(kind);
            let group = *by_words.entry((phrase, sort)).or_insert_with(|| {
                let (mut link, mut by_last_name) = (links.get(phrase, kind), None);
                if kind == EntityKind::Person {
                    link = link.or_else(|| links.get(without_initials(&words), kind));
                    by_last_name = links.by_last_name(phrase);
                }
                groups.push(Group {
                    sort,
                    words,
                    initials,
                    acronym,
                    national: reading.word(name.units.start).lists & List::Demonym.bit() != 0,
                    place: reading.word(name.units.end - 1).lists & PLACES != 0,
                    votes: [0; KINDS.len()],
                    count: 0,
                    first: number,
                    link,
                    by_last_name,
                    country: false,
                    namesake: false,
                });
                groups.len() - 1
            });
            groups[group].namesake |= is_namesake(reading, links, &names[number..], phrase);
            groups[group].country |= kind == EntityKind::Location && links.is_country(phrase);
            // A headline's types are less sure than the body's.
            let sure = reading.lines[name.line].style == Style::Normal;
            groups[group].votes[tags::kind_index(kind)] += if sure { 4 } else { 1 };
            groups[group].count += 1;
            group_of.push(group);
        }
        let joined = (0..groups.len()).collect();
        Self { groups, group_of, joined, ambiguous: FxHashMap::default() }
    }

    fn root(&self, mut group: usize) -> usize {
        while self.joined[group] != group {
            group = self.joined[group];
        }
        group
    }

    /// Lets `group` mean the same as `other`, which stays the head of both.
    fn join(&mut self, group: usize, other: usize) {
        let (group, other) = (self.root(group), self.root(other));
        if group != other {
            self.joined[group] = other;
            let (votes, link) = (self.groups[group].votes, self.groups[group].link);
            for (sum, votes) in self.groups[other].votes.iter_mut().zip(votes) {
                *sum += votes;
            }
            self.groups[other].link = self.groups[other].link.or(link);
            self.groups[other].first = self.groups[other].first.min(self.groups[group].first);
        }
    }

    /// The same words now a person and now a thing are mostly the tagger's mistake: the
    /// rare reading joins a much more frequent one. A single word joins the more frequent one
    /// in any case, unless the text has a person who is called so in full.
    fn settle_types(&mut self) {
        let full = self.groups.iter().filter(|group| group.sort == Sort::Person && group.words.len() > 1);
        let in_full: FxHashSet<u32> = full.flat_map(|group| group.words.iter().copied()).collect();
        let mut by_words: FxHashMap<u32, usize> = FxHashMap::default();
        for group in 0..self.groups.len() {
            let phrase = self.groups[group].words.iter().copied().fold(0, words::phrase);
            let Some(&other) = by_words.get(&phrase) else {
                by_words.insert(phrase, group);
                continue;
            };
            let votes = |group: usize| self.groups[group].votes.iter().sum::<u32>();
            let (few, many) = if votes(group) < votes(other) { (group, other) } else { (other, group) };
            let never_in_full = |group: &Group| {
                group.sort != Sort::Norp && matches!(group.words[..], [word] if !in_full.contains(&word))
            };
            let alone = never_in_full(&self.groups[few]) && never_in_full(&self.groups[many]);
            if alone || votes(few) * 3 <= votes(many) {
                self.join(few, many);
                by_words.insert(phrase, many);
            }
        }
    }

    fn join_links(&mut self) {
        let mut by_link: FxHashMap<u32, usize> = FxHashMap::default();
        for group in 0..self.groups.len() {
            if let Some(link) = self.groups[group].link {
                let first = *by_link.entry(link.number).or_insert(group);
                self.join(group, first);
            }
        }
    }

    /// "World Health Organization (WHO)", and later WHO alone; also without brackets where
    /// one name alone has the initials, be it with its small words, as MoD.
    fn join_acronyms(&mut self, reading: &Reading, names: &[Name]) {
        let mut by_initials: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (group, facts) in self.groups.iter().enumerate() {
            if facts.words.len() > 1 && facts.sort == Sort::Thing {
                for initials in &facts.initials {
                    let list = by_initials.entry(initials).or_default();
                    if list.last() != Some(&group) {
                        list.push(group);
                    }
                }
            }
        }
        let mut pairs = Vec::new();
        for (group, facts) in self.groups.iter().enumerate() {
            if !facts.acronym || facts.sort != Sort::Thing {
                continue;
            }
            if let Some([long]) = by_initials.get(facts.initials[0].as_str()).map(Vec::as_slice)
                && usual(&facts.votes) == usual(&self.groups[*long].votes)
            {
                pairs.push((group, *long));
            }
        }
        // Right behind a name, the letters need not be its initials one by one; in brackets
        // they may be those of its name in another language.
        for (i, pair) in names.windows(2).enumerate() {
            let (long, short) = (self.group_of[i], self.group_of[i + 1]);
            let near = pair[0].line == pair[1].line && pair[0].units.end + 1 == pair[1].units.start;
            let (long_facts, short_facts) = (&self.groups[long], &self.groups[short]);
            if !near || !short_facts.acronym || long_facts.words.len() < 2 || long_facts.sort == Sort::Person
            {
                continue;
            }
            let organizations =
                [long_facts, short_facts].iter().all(|facts| usual(&facts.votes) == EntityKind::Organization);
            let translated = organizations && short_facts.link.is_none() && is_bracketed(reading, &pair[1]);
            if translated || short_facts.initials[0].chars().next() == long_facts.initials[0].chars().next() {
                pairs.push((short, long));
            }
        }
        for (short, long) in pairs {
            self.join(short, long);
        }
    }

    /// "Trong" joins "Nguyen Phu Trong", "Red Cross" joins "International Red Cross".
    fn join_shorter(&mut self) {
        let mut by_word: FxHashMap<(u32, Sort), Vec<usize>> = FxHashMap::default();
        for (group, facts) in self.groups.iter().enumerate().filter(|(_, facts)| facts.words.len() > 1) {
            for &word in &facts.words {
                let list = by_word.entry((word, facts.sort)).or_default();
                if list.len() <= MOST_CANDIDATES && list.last() != Some(&group) {
                    list.push(group);
                }
            }
        }
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_by_key(|&group| std::cmp::Reverse(self.groups[group].words.len()));
        for group in order {
            let facts = &self.groups[group];
            if facts.sort == Sort::Norp || facts.words.is_empty() {
                continue;
            }
            let lists = facts.words.iter().map(|&word| by_word.get(&(word, facts.sort)));
            let Some(list) = lists.flatten().min_by_key(|list| list.len()) else { continue };
            let mut candidates: Vec<usize> = list
                .iter()
                .copied()
                .filter(|&long| long != group && self.shortens(group, long))
                .map(|long| self.root(long))
                .collect();
            candidates.sort_unstable();
            candidates.dedup();
            candidates.retain(|&long| long != self.root(group));
            match candidates[..] {
                [] => {}
                [long] => self.join(group, long),
                _ if self.groups[group].sort == Sort::Person => {
                    self.ambiguous.insert(group, candidates);
                }
                _ => {}
            }
        }
    }

    /// Whether `short` may be a shorter form of the name `long`.
    fn shortens(&self, short: usize, long: usize) -> bool {
        let (short, long) = (&self.groups[short], &self.groups[long]);
        if short.words.len() >= long.words.len() {
            return false;
        }
        let kind = |group: &Group| usual(&group.votes);
        let ends_in = |words: &FxHashSet<u32>| long.words.last().is_some_and(|word| words.contains(word));
        match short.sort {
            // The Donald Trump whom the tables know is not Donald Trump Jr.
            Sort::Person if short.link.is_some() && ends_in(&GENERATIONS) => false,
            Sort::Person => {
                // In order, though not side by side: "Joe Biden" is "Joseph R. Biden" no
                // longer, but "Joe Biden" is "Joe R. Biden".
                let mut rest = long.words.iter();
                short.words.iter().all(|word| rest.any(|other| other == word))
            }
            Sort::Norp => false,
            Sort::Thing => {
                let place = |kind| matches!(kind, EntityKind::Location);
                let same = kind(short) == kind(long) && !place(kind(short));
                // BBC North is a part of the BBC and not what it is called in full, and so is the
                // Senate Judiciary Committee one of the Senate; Oxford University is in Oxford.
                let of_word = short.words.len() == 1 && long.words.starts_with(&short.words);
                let part = of_word && (short.acronym || ends_in(&PARTS) || short.place && ends_in(&SCHOOLS));
                // Nobody calls the White House the House.
                let house = [words::folded_hash("house")];
                let house = short.words == house && long.words.ends_with(&house);
                // The Communist Party of which a text has told is not the Chinese one that it
                // names later.
                let another = long.national && short.first < long.first;
                same && short.link.is_none()
                    && !another
                    && !part
                    && !house
                    && (long.words.starts_with(&short.words) || long.words.ends_with(&short.words))
            }
        }
    }

    fn clusters(&self, reading: &Reading, names: Vec<Name>) -> Vec<Cluster> {
        let mut clusters: Vec<Cluster> = Vec::new();
        let mut cluster_of: FxHashMap<usize, usize> = FxHashMap::default();
        // For each group that leads a cluster, how many names have meant it.
        let mut meant: FxHashMap<usize, u32> = FxHashMap::default();
        for (number, name) in names.into_iter().enumerate() {
            let group = self.group_of[number];
            let mut root = self.root(group);
            if let Some(candidates) = self.ambiguous.get(&root) {
                let candidates = candidates.iter().map(|&long| self.root(long));
                // Of namesakes the one is meant whom the text has spoken of most, or first.
                root = candidates
                    .max_by_key(|long| {
                        (meant.get(long).copied().unwrap_or(0), usize::MAX - self.groups[*long].first)
                    })
                    .unwrap_or(root);
            }
            *meant.entry(root).or_default() += 1;
            let cluster = *cluster_of.entry(root).or_insert_with(|| {
                let votes = &self.groups[root].votes;
                clusters.push(Cluster {
                    kind: usual(votes),
                    names: Vec::new(),
                    fullest: 0,
                    link: None,
                    country: false,
                });
                clusters.len() - 1
            });
            let cluster = &mut clusters[cluster];
            cluster.names.push(name);
            let fullest = &cluster.names[cluster.fullest];
            let length = |name: &Name| (name.units.len(), reading.span(name.units.clone()).len());
            if length(&cluster.names[cluster.names.len() - 1]) > length(fullest) {
                cluster.fullest = cluster.names.len() - 1;
            }
            let link = self.groups[root].link.or(self.groups[root].by_last_name);
            cluster.link = link.filter(|link| link.fits(cluster.kind) && !self.groups[root].namesake);
            cluster.country |= self.groups[group].country;
        }
        clusters
    }
}

/// Whether the first of `names`, called `phrase`, is a town with its region behind it, and not the city that
/// everyone knows.
fn is_namesake(reading: &Reading, links: &Links, names: &[Name], phrase: u32) -> bool {
    let [town, region, ..] = names else { return false };
    let comma = town.units.end;
    if town.line != region.line || region.units.start != comma + 1 {
        return false;
    }
    if reading.unit_text(reading.lines[town.line].section, comma) != "," {
        return false;
    }
    let region = Words::of(reading, region).hashes.into_iter().fold(0, words::phrase);
    links.is_namesake(phrase, region)
}

/// The hash of a name's words but for single letters: "Donald J. Trump" is Donald Trump.
fn without_initials(words: &[u32]) -> u32 {
    let is_letter = |word: u32| ('a'..='z').any(|letter| words::hash([letter].into_iter()) == word);
    words.iter().copied().filter(|&word| !is_letter(word)).fold(0, words::phrase)
}

/// Whether a country's name is also one that people have, as Chad and Jordan.
fn may_be_person(reading: &Reading, name: &Name) -> bool {
    let given = List::GivenName.bit() | List::FamilyName.bit();
    name.units.len() == 1 && reading.word(name.units.start).lists & given != 0
}

/// The type with most votes; of equals the first in [`KINDS`].
fn usual(votes: &[u32; KINDS.len()]) -> EntityKind {
    let most = votes.iter().enumerate().max_by_key(|(kind, votes)| (**votes, KINDS.len() - kind));
    most.map_or(EntityKind::Other, |(kind, _)| KINDS[kind])
}

/// Whether a name stands alone between brackets.
fn is_bracketed(reading: &Reading, name: &Name) -> bool {
    let Line { section, ref units, .. } = reading.lines[name.line];
    let is = |unit: usize, mark: &str| units.contains(&unit) && reading.unit_text(section, unit) == mark;
    name.units.start.checked_sub(1).is_some_and(|unit| is(unit, "(")) && is(name.units.end, ")")
}

/// A name's words, as [`Group`] keeps them.
struct Words {
    hashes: Vec<u32>,
    initials: [String; 2],
    acronym: bool,
}

impl Words {
    fn of(reading: &Reading, name: &Name) -> Self {
        const SMALL: [&str; 6] = ["the", "of", "and", "for", "&", "in"];
        let section = reading.lines[name.line].section;
        let mut hashes = Vec::new();
        let mut initials = [String::new(), String::new()];
        for unit in name.units.clone() {
            let word = reading.unit_text(section, unit);
            let hash = words::plain_hash(word);
            let (Some(hash), false) = (hash, hashes.is_empty() && word.eq_ignore_ascii_case("the")) else {
                continue;
            };
            let hash = if name.kind == EntityKind::Norp { norp_hash(word).unwrap_or(hash) } else { hash };
            hashes.push(hash);
            let initial = words::folded(word).find(|c| c.is_alphanumeric());
            if !SMALL.contains(&word) {
                initials[0].extend(initial);
            }
            initials[1].extend(initial);
        }
        let acronym = hashes.len() == 1 && name.units.len() == 1 && {
            let word = reading.unit_text(section, name.units.start);
            let letters: String = words::folded(word).filter(|c| c.is_alphanumeric()).collect();
            let acronym = letters.chars().count() > 1 && is_written_as_letters(word);
            if acronym {
                initials = [letters.clone(), letters];
            }
            acronym
        };
        Self { hashes, initials, acronym }
    }
}

/// "WHO", "U.S." and "BoJ", whose small letter is that of a small word.
fn is_written_as_letters(word: &str) -> bool {
    const LONGEST: usize = 4;
    let mixed = || {
        word.len() <= LONGEST && word.starts_with(char::is_uppercase) && word.ends_with(char::is_uppercase)
    };
    !word.contains(char::is_lowercase) || mixed()
}

/// Americans are American, Democratic is Democrats.
fn norp_hash(word: &str) -> Option<u32> {
    let stem = word.strip_suffix('s').unwrap_or(word);
    words::plain_hash(stem.strip_suffix("ic").unwrap_or(stem)).map(|hash| mix(1, hash))
}
