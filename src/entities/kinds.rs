//! Types that the words beside a name tell better than the name.

use rustc_hash::FxHashSet;

use super::reading::Reading;
use super::resolve::Name;
use super::words;
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

/// The lists above as hashes; built once with the model.
pub struct Hints {
    introducing: FxHashSet<u32>,
    held: FxHashSet<u32>,
    buildings: FxHashSet<u32>,
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
            of: words::folded_hash("of"),
            within: words::folded_hash("in"),
            comma: words::folded_hash(","),
        }
    }

    /// Takes for an organisation who is introduced as one: "the airline Ryanair", "the
    /// party's newspaper, Nhan Dan, said", "shares in Aviva". Such names are often of few words
    /// and look like those of people. Takes for a building what is called one.
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
}
