//! Phrases for the lexicon, and ids for links, from public tables.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::facts::{CAPITALS, CITIES, LAST_NAMES, LEADERS, ORGANIZATIONS, REGIONS};
use crate::document::Section;
use crate::entities::lexicon::{LONGEST_PHRASE, List};
use crate::entities::link::{LinkParts, LinkSort};
use crate::entities::tags::KINDS;
use crate::entities::words;
use crate::text::segment;

/// Phrases by hash, with the lists that hold them.
#[derive(Default)]
pub struct Phrases(pub BTreeMap<u32, u32>);

impl Phrases {
    pub fn add(&mut self, phrase: &str, list: List) {
        let text = segment(phrase, Section::Body, &[]);
        if (1..=LONGEST_PHRASE).contains(&text.tokens.len()) {
            let words = (0..text.tokens.len()).map(|token| words::folded_hash(text.word(token)));
            *self.0.entry(words.fold(0, words::phrase)).or_default() |= list.bit();
        }
    }

    /// Adds the names of our own table.
    pub fn add_known(&mut self) {
        for (kind, name) in known() {
            self.add(name, List::Known(kind));
        }
    }

    pub fn holds(&self, word: &str, list: List) -> bool {
        let hash = words::phrase(0, words::folded_hash(word));
        self.0.get(&hash).is_some_and(|lists| lists & list.bit() != 0)
    }
}

/// Reads every gazetteer under `folder`.
pub fn phrases(folder: &Path) -> Result<Phrases, Box<dyn Error>> {
    let mut phrases = Phrases::default();
    for country in countries(folder)? {
        for name in &country.names {
            phrases.add(name, List::Country);
        }
        for demonym in &country.demonyms {
            phrases.add(demonym, List::Demonym);
            phrases.add(&format!("{demonym}s"), List::Demonym);
        }
        for capital in &country.capitals {
            phrases.add(capital, List::City);
        }
    }
    for row in csv(&fs::read_to_string(folder.join("world-cities.csv"))?).skip(1) {
        if let [name, _, region, ..] = row.as_slice() {
            phrases.add(name, List::City);
            phrases.add(region, List::Region);
        }
    }
    for row in csv(&fs::read_to_string(folder.join("sp500.csv"))?).skip(1) {
        if let [_, name, ..] = row.as_slice() {
            phrases.add(name, List::Company);
            phrases.add(company_core(name), List::Company);
        }
    }
    for file in ["given-names-male.txt", "given-names-female.txt"] {
        for name in fs::read_to_string(folder.join(file))?.lines() {
            phrases.add(name.trim(), List::GivenName);
        }
    }
    for person in people(folder)? {
        phrases.add(&person.family, List::FamilyName);
        for name in &person.names {
            phrases.add(name, List::Person);
        }
    }
    for (title, _) in wiki_titles(folder)? {
        phrases.add(&title, List::Title);
    }
    Ok(phrases)
}

/// The well-known names of our own table, with the place of their type in [`KINDS`].
fn known() -> impl Iterator<Item = (usize, &'static str)> {
    let sections = include_str!("known.txt").split("\n[").skip(1);
    sections.flat_map(|section| {
        let (heading, names) = section.split_once('\n').unwrap_or_default();
        let kind = KINDS.iter().position(|kind| heading.starts_with(&format!("{kind:?}]")));
        let names = names.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
        kind.into_iter().flat_map(move |kind| names.clone().map(move |name| (kind, name)))
    })
}

/// "Apple Inc." is also called Apple.
fn company_core(name: &str) -> &str {
    const FORMS: [&str; 12] = [
        " Inc.", " Inc", " Corporation", " Corp.", " Company", " plc", " Group", " Ltd.", " Companies",
        " (The)", ", Inc.", " Holdings",
    ];
    FORMS.iter().fold(name, |name, form| name.strip_suffix(form).unwrap_or(name))
}

pub struct Country {
    pub code: String,
    pub names: Vec<String>,
    pub demonyms: Vec<String>,
    pub capitals: Vec<String>,
}

/// The countries with their English names, short names of capitals alone left out.
pub fn countries(folder: &Path) -> Result<Vec<Country>, Box<dyn Error>> {
    let table: Vec<Value> = serde_json::from_str(&fs::read_to_string(folder.join("countries.json"))?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| -> Vec<String> { value.as_array().into_iter().flatten().map(text).collect() };
    Ok(table
        .iter()
        .map(|country| {
            let mut names = vec![text(&country["name"]["common"]), text(&country["name"]["official"])];
            names.extend(texts(&country["altSpellings"]).into_iter().filter(|name| name.chars().count() > 3));
            let mut demonyms: Vec<String> =
                ["m", "f"].map(|form| text(&country["demonyms"]["eng"][form])).into();
            demonyms.dedup();
            demonyms.retain(|demonym| !demonym.is_empty());
            Country {
                code: text(&country["cca3"]),
                names,
                demonyms: demonyms.iter().flat_map(|all| all.split(", ")).map(str::to_owned).collect(),
                capitals: texts(&country["capital"]),
            }
        })
        .collect())
}

#[derive(Default)]
pub struct Politician {
    pub family: String,
    pub names: Vec<String>,
    pub wikidata: Option<String>,
}

/// Members of the US Congress, presidents and vice-presidents.
pub fn people(folder: &Path) -> Result<Vec<Politician>, Box<dyn Error>> {
    let mut people: Vec<Politician> = Vec::new();
    for file in ["legislators-current.yaml", "executive.yaml"] {
        let (mut given, mut nickname) = (String::new(), String::new());
        for line in fs::read_to_string(folder.join(file))?.lines() {
            if line.starts_with("- ") {
                people.push(Politician::default());
                (given, nickname) = Default::default();
            }
            let Some(person) = people.last_mut() else { continue };
            let Some((key, value)) = line.trim_start_matches(['-', ' ']).split_once(": ") else { continue };
            let value = value.trim_matches(['\'', '"']).to_owned();
            match key {
                "wikidata" => person.wikidata = Some(value),
                "first" => given = value,
                "nickname" => nickname = value,
                "official_full" => person.names.push(value),
                "last" => {
                    person.names.push(format!("{given} {value}"));
                    person.family = value;
                }
                "birthday" if !nickname.is_empty() => {
                    person.names.push(format!("{} {}", std::mem::take(&mut nickname), person.family));
                }
                _ => {}
            }
        }
    }
    Ok(people)
}

/// Ids for names, from tables that state them. A name that two of them know differently is left out.
pub fn links(folder: &Path) -> Result<LinkParts, Box<dyn Error>> {
    /// Short names in everyday use; the table's other short names are mostly codes.
    const SHORT: [(&str, &[&str]); 9] = [
        ("USA", &["US", "USA", "America", "United States"]),
        ("GBR", &["UK", "Britain", "Great Britain"]),
        ("ARE", &["UAE"]),
        ("NLD", &["Holland"]),
        ("MMR", &["Burma"]),
        ("CZE", &["Czech Republic"]),
        ("TUR", &["Turkey"]),
        ("BIH", &["Bosnia"]),
        ("CPV", &["Cabo Verde"]),
    ];
    let codes = fs::read_to_string(folder.join("country-codes.csv"))?;
    let header: Vec<String> = csv(&codes).next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|field| field == name).ok_or("no such column");
    let (code, id) = (column("ISO3166-1-Alpha-3")?, column("wikidata_id")?);
    let by_code: BTreeMap<String, u32> =
        csv(&codes).skip(1).filter_map(|row| Some((row.get(code)?.clone(), number(row.get(id)?)?))).collect();

    let mut links = LinkTable::default();
    for country in countries(folder)? {
        let Some(&id) = by_code.get(&country.code) else { continue };
        let short = SHORT
            .iter()
            .filter(|(code, _)| *code == country.code)
            .flat_map(|(_, names)| names.iter().copied());
        for name in country.names.iter().map(String::as_str).chain(short) {
            links.add(name, id, LinkSort::Country);
        }
    }
    // It has no code of the standard's.
    links.add("Kosovo", 1246, LinkSort::Country);
    for person in people(folder)? {
        let Some(id) = person.wikidata.as_deref().and_then(number) else { continue };
        for name in &person.names {
            links.add(name, id, LinkSort::Person);
        }
    }
    let facts: [(&[(&str, u32)], LinkSort); 6] = [
        (&CAPITALS, LinkSort::City),
        (&CITIES, LinkSort::City),
        (&ORGANIZATIONS, LinkSort::Organization),
        (&LEADERS, LinkSort::Person),
        (&LAST_NAMES, LinkSort::LastName),
        (&REGIONS, LinkSort::Region),
    ];
    for (table, sort) in facts {
        table.iter().for_each(|&(name, id)| links.add(name, id, sort));
    }
    let cities = fs::read_to_string(folder.join("world-cities.csv"))?;
    let mut seen: BTreeMap<u32, u32> = BTreeMap::new();
    for row in csv(&cities).skip(1) {
        if let Some(hash) = row.first().and_then(|name| plain_phrase(name)) {
            *seen.entry(hash).or_default() += 1;
        }
    }
    for (title, id) in wiki_titles(folder)? {
        let (Some(hash), Some(id)) = (plain_phrase(&title), number(&id)) else { continue };
        // A single word may be the name of many things, unless it is that of one city.
        let single = !title.contains(' ');
        match seen.get(&hash) {
            Some(1) => links.add(&title, id, LinkSort::City),
            None if !single => links.add(&title, id, LinkSort::Title),
            _ => {}
        }
    }
    // A state of the same name as a country leaves both in doubt, unless our own table has it.
    for row in csv(&cities).skip(1).filter(|row| row.get(1).is_some_and(|country| country == "United States"))
    {
        if let Some(hash) = row.get(2).and_then(|region| plain_phrase(region)) {
            let known = |entry: &Option<(u32, LinkSort)>| matches!(entry, Some((_, LinkSort::Region)));
            if !links.0.get(&hash).is_some_and(known) {
                links.0.remove(&hash);
            }
        }
    }
    let mut parts = LinkParts::default();
    for (hash, entry) in links.0 {
        if let Some((id, sort)) = entry {
            parts.names.push(hash);
            parts.ids.push(id);
            parts.sorts.push(sort as u8);
        }
    }
    Ok(parts)
}

/// Ids by name; none where tables differ.
#[derive(Default)]
struct LinkTable(BTreeMap<u32, Option<(u32, LinkSort)>>);

impl LinkTable {
    fn add(&mut self, name: &str, id: u32, sort: LinkSort) {
        let Some(hash) = plain_phrase(name) else { return };
        match self.0.entry(hash).or_insert(Some((id, sort))) {
            Some((first, known)) if *first != id && *known == sort => {
                self.0.insert(hash, None);
            }
            _ => {}
        }
    }
}

/// The hash of a name's plain words, as in resolution.
fn plain_phrase(name: &str) -> Option<u32> {
    let text = segment(name, Section::Body, &[]);
    let hashes: Vec<u32> =
        (0..text.tokens.len()).filter_map(|token| words::plain_hash(text.word(token))).collect();
    (!hashes.is_empty()).then(|| hashes.into_iter().fold(0, words::phrase))
}

/// The number in an id, "Q881" or the address that ends in it.
fn number(id: &str) -> Option<u32> {
    id.rsplit('Q').next()?.trim().parse().ok()
}

/// Wikipedia titles, words apart, with their Wikidata ids.
pub fn wiki_titles(folder: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let table = fs::read_to_string(folder.join("wiki_map.tab"))?;
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split('\t');
        let (title, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        Some((title.replace('_', " "), id.to_owned()))
    });
    Ok(rows.collect())
}

/// The rows of a table with commas, fields in quotation marks where they hold one.
pub fn csv(table: &str) -> impl Iterator<Item = Vec<String>> + '_ {
    table.lines().map(|line| {
        let mut fields = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                _ => {
                    if let Some(field) = fields.last_mut() {
                        field.push(c);
                    }
                }
            }
        }
        fields
    })
}
