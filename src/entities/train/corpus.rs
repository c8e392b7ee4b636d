//! Annotated texts, their label schemes brought to the eight types and "other".

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::crf::{ANY, Random, TagSet};
use super::stories::{Story, annotated_span};
use crate::document::{Article, EntityKind, Section, Span};
use crate::entities::reading::Reading;
use crate::entities::tags::{self, KINDS, OUTSIDE, Position};
use crate::readings;
use crate::text::segment_article;

/// A set of entity types, as bits by place in [`KINDS`].
type KindSet = u16;

const fn set(kinds: &[EntityKind]) -> KindSet {
    let (mut bits, mut i) = (0, 0);
    while i < kinds.len() {
        let mut place = 0;
        while place < KINDS.len() {
            if KINDS[place] as u8 == kinds[i] as u8 {
                bits |= 1 << place;
            }
            place += 1;
        }
        i += 1;
    }
    bits
}

use EntityKind::{Event, Facility, Location, Norp, Organization, Other, Person, Product, WorkOfArt};

const PERSON: KindSet = set(&[Person]);
const ORGANIZATION: KindSet = set(&[Organization]);
const LOCATION: KindSet = set(&[Location]);
const FACILITY: KindSet = set(&[Facility]);
const NORP: KindSet = set(&[Norp]);
const EVENT: KindSet = set(&[Event]);
const WORK: KindSet = set(&[WorkOfArt]);
const PRODUCT: KindSet = set(&[Product]);
const OTHER: KindSet = set(&[Other]);
/// Where a source does not tell buildings from places.
const PLACE: KindSet = LOCATION | FACILITY;
/// Where a source has one label for all that is neither a person, organisation or place.
const MISC: KindSet = NORP | EVENT | WORK | PRODUCT | OTHER;
const THING: KindSet = EVENT | WORK | PRODUCT | OTHER;

/// The data sets, with the weight of each one's lines: its closeness to news as a desk
/// reads it, and the care of its annotation.
const SOURCES: [(&str, f32); 7] = [
    ("entity_desk/desk.dev.jsonl", 2.0),
    ("entities/worldwide_newswire.train.jsonl", 1.0),
    ("entities/conll2003.train.jsonl", 1.0),
    ("entities/crossner.train.jsonl", 1.0),
    ("entities/gum.train.jsonl", 1.0),
    ("entities/wnut17.train.jsonl", 0.5),
    ("entities/gmb.train.jsonl", 0.4),
];

/// The weight of our own readings' lines.
const READINGS_WEIGHT: f32 = 1.0;

/// An annotated text.
pub struct Sample {
    pub article: Article,
    pub weight: f32,
    /// In order.
    names: Vec<Name>,
    /// Whether the source leaves out nationalities and the like.
    pub norp_unlabelled: bool,
    /// The article as a whole, where that was annotated.
    pub story: Option<Story>,
}

struct Name {
    section: Section,
    span: Span,
    kinds: KindSet,
    /// Whether the name may as well be none; for labels known to be noisy.
    doubtful: bool,
}

/// Reads our own readings and every source found under `data`.
pub fn read(data: &Path, demonym: &dyn Fn(&str) -> bool) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut samples = Vec::new();
    for reading in readings::all(data)?.into_iter().filter(|reading| reading.read > 0) {
        let text: String = reading.text.chars().take(reading.read).collect();
        let record = json!({ "title": reading.title, "text": text, "entities": reading.entities });
        samples.push(sample(&record, "readings", READINGS_WEIGHT, demonym)?);
    }
    for (file, weight) in SOURCES {
        let Ok(lines) = fs::read_to_string(data.join(file)) else {
            eprintln!("{file} is not there");
            continue;
        };
        // Of the silver labels a third will do: they are many, and often wrong.
        let step = if file.contains("gmb") { 3 } else { 1 };
        for line in lines.lines().step_by(step) {
            samples.push(sample(&serde_json::from_str(line)?, file, weight, demonym)?);
        }
    }
    add_headlines(&mut samples);
    Ok(samples)
}

fn sample(
    record: &Value,
    file: &str,
    weight: f32,
    demonym: &dyn Fn(&str) -> bool,
) -> Result<Sample, Box<dyn Error>> {
    let text = record["text"].as_str().ok_or("a record without text")?;
    let offsets: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let mut names = Vec::new();
    for entity in record["entities"].as_array().into_iter().flatten() {
        let whole = entity["mentions"].as_array();
        let native = entity["native_type"].as_str().or_else(|| entity["type"].as_str()).unwrap_or_default();
        for mention in whole.map_or(std::slice::from_ref(entity), Vec::as_slice) {
            let Some(span) = annotated_span(mention, &offsets) else { continue };
            let mut kinds = kinds(native, file);
            if kinds & NORP != 0 && kinds != NORP && demonym(span.of(text)) {
                kinds = NORP;
            }
            names.push(Name {
                section: Section::Body,
                span,
                kinds,
                doubtful: native == "abstract" || native == "object",
            });
        }
    }
    names.sort_by_key(|name| name.span);
    let article = Article { text: text.to_owned(), language_code: "en".into(), ..Article::default() };
    let story = Story::of(record, &offsets);
    Ok(Sample { article, weight, names, norp_unlabelled: file.contains("wnut"), story })
}

/// The types a source's label may stand for.
fn kinds(native: &str, file: &str) -> KindSet {
    match native {
        "PERSON" | "PER" | "per" | "person" | "Person" | "politician" | "scientist" | "musicalartist"
        | "writer" | "researcher" => PERSON,
        "ORGANIZATION" | "ORG" | "org" | "organization" | "Organization" | "organisation"
        | "politicalparty" | "band" | "university" | "group" | "corporation" => ORGANIZATION,
        "LOCATION" | "Location" | "country" => LOCATION,
        "FACILITY" | "Facility" => FACILITY,
        "LOC" | "geo" | "location" | "place" => PLACE,
        "NORP" => NORP,
        "gpe" if file.contains("gmb") => LOCATION | NORP,
        "EVENT" | "event" | "eve" | "election" | "conference" => EVENT,
        "WORK_OF_ART" | "creative-work" | "book" | "poem" | "song" | "album" | "magazine"
        | "academicjournal" => WORK,
        "PRODUCT" | "Product" | "product" => PRODUCT,
        "art" => WORK | PRODUCT | FACILITY,
        "award" => EVENT | WORK | OTHER,
        "object" => WORK | PRODUCT | OTHER,
        "theory" | "programlang" | "astronomicalobject" => PRODUCT | OTHER,
        "Misc" => THING,
        _ => MISC,
    }
}

impl Sample {
    /// The labels that each unit may have.
    pub fn allowed(&self, reading: &Reading) -> Vec<TagSet> {
        let mut allowed = vec![1_u64 << OUTSIDE; reading.units.len()];
        for line in &reading.lines {
            let units = &reading.units[line.units.clone()];
            let Some(last) = units.last() else { continue };
            let (from, to) = (units[0].begin as usize, last.end as usize);
            let of_line = self
                .names
                .iter()
                .filter(|name| name.section == line.section && name.span.begin < to && name.span.end > from);
            for name in of_line {
                let begin = units.partition_point(|unit| unit.end as usize <= name.span.begin);
                let end = units.partition_point(|unit| (unit.begin as usize) < name.span.end);
                if begin >= end {
                    continue;
                }
                let fits = units[begin].begin as usize == name.span.begin
                    && (units[end - 1].end as usize).abs_diff(name.span.end) <= 1
                    && name.span.end <= to;
                let sets = &mut allowed[line.units.start + begin..line.units.start + end];
                if fits { name.allow(sets) } else { sets.fill(ANY) }
            }
        }
        allowed
    }
}

impl Name {
    fn allow(&self, sets: &mut [TagSet]) {
        let last = sets.len() - 1;
        for (i, set) in sets.iter_mut().enumerate() {
            let position = match (i, last) {
                (0, 0) => Position::Unit,
                (0, _) => Position::Begin,
                _ if i == last => Position::Last,
                _ => Position::Inside,
            };
            let kinds = (0..KINDS.len()).filter(|kind| self.kinds & (1 << kind) != 0);
            *set = kinds.fold(0, |set, kind| set | 1 << tags::tag(kind, position));
            if self.doubtful {
                *set |= 1 << OUTSIDE;
            }
        }
    }
}

/// Gives every third text a headline: one of its sentences in Title Case or in capitals,
/// since the data sets have few headlines.
fn add_headlines(samples: &mut [Sample]) {
    let mut random = Random(0xBEAD);
    for sample in samples.iter_mut().filter(|sample| sample.weight >= 1.0) {
        if !random.draw().is_multiple_of(3) {
            continue;
        }
        let sentences: Vec<Span> =
            segment_article(&sample.article).body.sentences.iter().map(|sentence| sentence.span).collect();
        if sentences.is_empty() {
            continue;
        }
        let span = sentences[(random.draw() % sentences.len() as u64) as usize];
        let sentence = sample.article.text[span.range()].trim_end_matches('.');
        if sentence.len() > 250 {
            continue;
        }
        sample.article.title =
            if random.draw().is_multiple_of(4) { recased(sentence, |_| true) } else { title_cased(sentence) };
        let names = sample.names.iter().filter(|name| span.contains(name.span));
        let moved: Vec<Name> = names
            .map(|name| Name {
                section: Section::Title,
                span: Span::new(name.span.begin - span.begin, name.span.end - span.begin),
                ..*name
            })
            .collect();
        sample.names.extend(moved);
    }
}

fn title_cased(text: &str) -> String {
    const SMALL: [&str; 16] = [
        "a", "an", "the", "of", "in", "on", "at", "to", "for", "and", "or", "but", "by", "with", "as", "from",
    ];
    let mut starts = vec![false; text.len()];
    for (i, _) in text.char_indices() {
        let before = text[..i].chars().next_back();
        let word = text[i..].split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        starts[i] = !before.is_some_and(|c| c.is_alphanumeric() || c == '\'' || c == '’')
            && (i == 0 || !SMALL.contains(&word));
    }
    recased(text, |i| starts[i])
}

/// `text` with the characters at chosen offsets in upper case, where that has the same length.
fn recased(text: &str, chosen: impl Fn(usize) -> bool) -> String {
    text.char_indices()
        .map(|(i, c)| {
            let mut upper = c.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(u), None) if chosen(i) && u.len_utf8() == c.len_utf8() => u,
                _ => c,
            }
        })
        .collect()
}
