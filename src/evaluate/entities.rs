//! People, organisations and places: names found with the right span and type.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::counts::{Counts, Documents, ratio};
use super::gold::{self, Span};
use super::places::Places;
use super::prediction::{Prediction, in_body};
use super::{Report, Scorer};

/// The types that are scored.
const TYPES: [&str; 3] = ["PER", "ORG", "LOC"];

#[derive(Deserialize)]
struct Gold {
    text: String,
    entities: Vec<Entity>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(flatten)]
    span: Span,
    #[serde(rename = "type")]
    kind: String,
}

/// A name's place and type.
type Name = (Span, &'static str);

/// Compares names over all documents together; a match has the same begin, end and type.
///
/// `span_only` forgets the type. Names that the analysis has in a part of its text without a
/// place in the record's are wrong. Gold names in parts that it left out are missed;
/// `recall_inside_kept_text` sets them aside.
#[derive(Default)]
pub struct Entities {
    documents: Documents,
    by_type: BTreeMap<&'static str, Counts>,
    span_only: Counts,
    unplaced: usize,
    outside: usize,
}

impl Scorer for Entities {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let text: Vec<char> = gold.text.chars().collect();
        gold::check("entities", gold.entities.iter().map(|entity| entity.span), &text)?;
        let scored = |kind: &str| TYPES.into_iter().find(|scored| *scored == kind);
        let want: BTreeSet<Name> =
            gold.entities.iter().filter_map(|e| Some((e.span, scored(&e.kind)?))).collect();
        let prediction = self.documents.count(prediction);
        let places = Places::new(&prediction.document, &gold.text);
        let (have, unplaced) = predicted(&prediction, &places);

        let of = |names: &BTreeSet<Name>, kind| -> BTreeSet<Name> {
            names.iter().filter(|name| name.1 == kind).copied().collect()
        };
        for kind in TYPES {
            let counts = self.by_type.entry(kind).or_default();
            *counts += Counts::of_sets(&of(&want, kind), &of(&have, kind));
            counts.wrong += of(&unplaced, kind).len() as f64;
        }
        let spans = |names: &BTreeSet<Name>| names.iter().map(|name| name.0).collect::<BTreeSet<_>>();
        self.span_only += Counts::of_sets(&spans(&want), &spans(&have));
        self.span_only.wrong += spans(&unplaced).len() as f64;
        self.unplaced += unplaced.len();
        let kept = places.kept(text.len());
        self.outside += want.iter().filter(|(span, _)| !kept[span.begin..span.end].contains(&true)).count();
        Ok(())
    }

    fn report(&self) -> Report {
        let total: Counts = self.by_type.values().copied().sum();
        let by_type = TYPES.into_iter().fold(Report::default(), |report, kind| {
            let counts = self.by_type.get(kind).copied().unwrap_or_default();
            let row = counts.report().count("gold", counts.gold()).count("predicted", counts.predicted());
            report.group(kind, row)
        });
        let inside = total.found + total.missed - self.outside as f64;
        self.documents
            .report()
            .count("gold_entities", total.gold())
            .count("predicted_entities", total.predicted())
            .and(total.report())
            .group("span_only", self.span_only.report())
            .group("by_type", by_type)
            .count("unplaced_mentions", self.unplaced)
            .count("gold_outside_kept_text", self.outside)
            .share("recall_inside_kept_text", ratio(total.found, inside))
    }
}

/// The predicted names of the scored types, with their places in the record's text; and those
/// without one, with their places in the kept text.
fn predicted(prediction: &Prediction, places: &Places) -> (BTreeSet<Name>, BTreeSet<Name>) {
    let (mut found, mut unplaced) = (BTreeSet::new(), BTreeSet::new());
    for entity in &prediction.entities {
        let kind = match entity.kind() {
            "PERSON" => "PER",
            "ORGANIZATION" => "ORG",
            "LOCATION" | "FACILITY" => "LOC",
            _ => continue,
        };
        let names = entity.mentions.iter().filter(|mention| {
            // Descriptions and pronouns are no names.
            matches!(mention.kind(), "" | "PROPER" | "UNSPECIFIED" | "UNKNOWN")
        });
        for span in names.filter_map(|mention| in_body(&mention.span)) {
            match places.of(span) {
                Some(place) => found.insert((place, kind)),
                None => unplaced.insert((span, kind)),
            };
        }
    }
    (found, unplaced)
}
