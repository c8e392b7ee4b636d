//! Types that the words beside a name tell better than the name.

use rustc_hash::FxHashSet;

use super::lexicon::Usage;
use super::reading::{Reading, Style};
use super::resolve::Name;
use super::words::{self, Case};
use crate::document::EntityKind;

/// Nouns after which a name is the organisation's and not that of somebody in it.
const INTRODUCING: [&str; 14] = [
    "company", "firm", "airline", "carrier", "bank", "retailer", "manufacturer", "broadcaster", "automaker",
    "carmaker", "newspaper", "magazine", "website", "tabloid",
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

/// Words before the name of a storm.
const STORMS: [&str; 4] = ["hurricane", "typhoon", "cyclone", "storm"];
/// Before the names of ships.
const SHIPS: [&str; 6] = ["HMS", "USS", "INS", "MV", "BRP", "HMAS"];
/// Confidence in a storm or ship found by the word before it.
const ANNOUNCED: f32 = 0.9;
/// The longest name of a ship behind its prefix, in words.
const LONGEST_SHIP: usize = 4;

/// The lists above as hashes; built once with the model.
pub struct Hints {
    introducing: FxHashSet<u32>,
    held: FxHashSet<u32>,
    buildings: FxHashSet<u32>,
    storms: FxHashSet<u32>,
    ships: FxHashSet<u32>,
    of: u32,
    within: u32,
    comma: u32,
}

impl Hints {
    pub fn new() -> Self {
        Self {
            introducing: words::folded_hashes(&INTRODUCING),
            held: words::folded_hashes(&HELD),
            buildings: words::folded_hashes(&BUILDINGS),
            storms: words::folded_hashes(&STORMS),
            ships: words::folded_hashes(&SHIPS),
            of: words::folded_hash("of"),
            within: words::folded_hash("in"),
            comma: words::folded_hash(","),
        }
    }

    /// Takes for an organisation who is introduced as one: "the airline Ryanair", "the
    /// party's newspaper, Nhan Dan, said", "shares in Aviva". Such names are often of few words
    /// and look like those of people. Takes for a building, a storm or a ship what is called one.
    pub fn typed(&self, reading: &Reading, mut names: Vec<Name>) -> Vec<Name> {
        let phrase = |name: &Name| reading.phrase(name.units.clone());
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
        self.announced(reading, names)
    }

    /// "Hurricane Melissa" and "HMS Prince of Wales" in full, whatever names have been found in
    /// them; and Melissa, where she is later no more than that.
    fn announced(&self, reading: &Reading, mut names: Vec<Name>) -> Vec<Name> {
        // Who plays for Melbourne Storm is no storm.
        let mut within = vec![false; reading.units.len()];
        names.iter().for_each(|name| within[name.units.start + 1..name.units.end].fill(true));
        let mut end = 0;
        let found: Vec<Name> = (0..reading.lines.len())
            .filter(|&line| reading.lines[line].style == Style::Normal)
            .flat_map(|line| reading.lines[line].units.clone().map(move |unit| (line, unit)))
            .filter(|&(_, unit)| !within[unit])
            .filter_map(|(line, unit)| self.announcement(reading, line, unit))
            .filter(|name| {
                let free = name.units.start >= end;
                end = end.max(name.units.end);
                free
            })
            .collect();
        if found.is_empty() {
            return names;
        }
        let mut taken = vec![false; reading.units.len()];
        found.iter().for_each(|name| taken[name.units.clone()].fill(true));
        names.retain(|name| !taken[name.units.clone()].contains(&true));
        let storms = found.iter().filter(|name| name.kind == EntityKind::Event);
        let storms: FxHashSet<u32> = storms.map(|name| reading.word(name.units.end - 1).folded).collect();
        let alone = |name: &&mut Name| name.kind == EntityKind::Person && name.units.len() == 1;
        for name in names.iter_mut().filter(alone) {
            if storms.contains(&reading.word(name.units.start).folded) {
                name.kind = EntityKind::Event;
            }
        }
        names.extend(found);
        names.sort_by_key(|name| name.units.start);
        names
    }

    /// The storm or ship that a word announces, the word with it.
    fn announcement(&self, reading: &Reading, number: usize, unit: usize) -> Option<Name> {
        const UNKNOWN: Usage = 0;
        const MOSTLY_CAPITAL: Usage = 4;
        let line = &reading.lines[number];
        let word = reading.word(unit);
        let capital = |offset| reading.word_near(line, unit, offset).filter(|word| word.case.has_capital());
        let (length, kind) = if word.case == Case::Title && self.storms.contains(&word.folded) {
            // Only a name of one word, so that the Hurricane Center and Storm Prediction are none.
            let next = capital(1).filter(|next| next.usage == UNKNOWN || next.usage >= MOSTLY_CAPITAL)?;
            if next.case != Case::Title || capital(2).is_some() {
                return None;
            }
            (1, EntityKind::Event)
        } else if word.case == Case::Upper && self.ships.contains(&word.folded) {
            let mut length = 0;
            for next in 1..=LONGEST_SHIP {
                let of =
                    reading.word_near(line, unit, next as isize).is_some_and(|word| word.folded == self.of);
                match capital(next as isize) {
                    Some(_) => length = next,
                    None if of => {}
                    None => break,
                }
            }
            (length, EntityKind::Product)
        } else {
            return None;
        };
        (length > 0).then(|| Name {
            line: number,
            units: unit..unit + length + 1,
            kind,
            confidence: ANNOUNCED,
        })
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
}
