//! Entities whole: names of eight types, which of them are the same entity, what it is called,
//! how it is described, and how much the article is about it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::counts::{Counts, Documents, Share, mean, precision_recall};
use super::gold::{self, Span, number};
use super::places::Places;
use super::prediction::{Prediction, in_body};
use super::words::fold_case;
use super::{Report, Scorer};

const TYPES: [&str; 8] =
    ["PERSON", "ORGANIZATION", "LOCATION", "FACILITY", "NORP", "EVENT", "WORK_OF_ART", "PRODUCT"];

#[derive(Deserialize)]
struct Gold {
    text: String,
    entities: Vec<GoldEntity>,
}

#[derive(Deserialize)]
struct GoldEntity {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// 2 where the story is about it, 1 where it plays a part, 0 in passing.
    #[serde(deserialize_with = "number")]
    salience: usize,
    mentions: BTreeSet<Span>,
    /// Descriptions that surely mean it.
    #[serde(default)]
    roles: BTreeSet<Span>,
}

/// A predicted entity with its mentions that have a place in the record's text.
struct Guess<'a> {
    name: &'a str,
    kind: &'a str,
    salience: f64,
    named: BTreeSet<Span>,
    common: BTreeSet<Span>,
}

/// Scores entities on five counts: `recognition`, `resolution`, `name`, `roles`, and their
/// ranking (`protagonists`, `ndcg`). Each is defined where it is computed.
#[derive(Default)]
pub struct EntityDesk {
    documents: Documents,
    all_types: Counts,
    people_organizations_places: Counts,
    by_type: BTreeMap<&'static str, Counts>,
    resolution: Resolution,
    name: Share,
    roles: Counts,
    protagonists: Share,
    rankings: Vec<f64>,
}

impl Scorer for EntityDesk {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let text: Vec<char> = gold.text.chars().collect();
        for (at, entity) in gold.entities.iter().enumerate() {
            gold::check(&format!("entities[{at}].mentions"), entity.mentions.iter().copied(), &text)?;
            gold::check(&format!("entities[{at}].roles"), entity.roles.iter().copied(), &text)?;
        }
        let prediction = self.documents.count(prediction);
        let guesses = predicted(&prediction, &gold.text);
        let want = gold.entities.as_slice();
        self.recognize(want, &guesses);

        let clusters: FxHashMap<Span, usize> = guesses
            .iter()
            .enumerate()
            .flat_map(|(g, guess)| guess.named.iter().map(move |s| (*s, g)))
            .collect();
        self.resolution.add(want, &clusters);
        let found: Vec<Option<usize>> = want.iter().map(|entity| counterpart(entity, &clusters)).collect();
        for (entity, guess) in want.iter().zip(&found).filter_map(|(e, g)| Some((e, (*g)?))) {
            self.name.count(fold_case(guesses[guess].name) == fold_case(&entity.name));
        }
        // The gold entity that each guess is the counterpart of, the last if there are several.
        let mut meant = vec![None; guesses.len()];
        for (k, guess) in found.iter().enumerate().filter_map(|(k, guess)| Some((k, (*guess)?))) {
            meant[guess] = Some(k);
        }
        self.describe(want, &guesses, &meant);
        self.rank(want, &guesses, &found, &meant);
        Ok(())
    }

    fn report(&self) -> Report {
        let mut recognition = Report::default()
            .group("micro", self.all_types.report())
            .group("plo", self.people_organizations_places.report());
        for kind in TYPES {
            let counts = self.by_type.get(kind).copied().unwrap_or_default();
            recognition = recognition.group(kind, counts.report());
        }
        self.documents
            .report()
            .group("recognition", recognition)
            .group("resolution", self.resolution.report())
            .share("name", self.name.value())
            .group("roles", self.roles.report())
            .share("protagonists", self.protagonists.value())
            .share("ndcg", mean(self.rankings.iter().copied()))
    }
}

impl EntityDesk {
    /// Recognition: named mentions with the same span and type, over all documents together.
    /// `plo` are people, organisations and locations with facilities among the locations.
    fn recognize(&mut self, want: &[GoldEntity], guesses: &[Guess]) {
        type Names<'a> = BTreeSet<(Span, &'a str)>;
        let scored = guesses.iter().filter(|guess| TYPES.contains(&guess.kind));
        let have: Names = scored.flat_map(|guess| guess.named.iter().map(|s| (*s, guess.kind))).collect();
        let want: Names =
            want.iter().flat_map(|e| e.mentions.iter().map(|s| (*s, e.kind.as_str()))).collect();
        self.all_types += Counts::of_sets(&want, &have);
        let plo = |names: &Names<'_>| -> BTreeSet<(Span, u8)> {
            let fold = |kind| match kind {
                "PERSON" => Some(0),
                "ORGANIZATION" => Some(1),
                "LOCATION" | "FACILITY" => Some(2),
                _ => None,
            };
            names.iter().filter_map(|(span, kind)| Some((*span, fold(kind)?))).collect()
        };
        self.people_organizations_places += Counts::of_sets(&plo(&want), &plo(&have));
        for kind in TYPES {
            let of = |names: &Names<'_>| -> BTreeSet<Span> {
                names.iter().filter(|name| name.1 == kind).map(|name| name.0).collect()
            };
            *self.by_type.entry(kind).or_default() += Counts::of_sets(&of(&want), &of(&have));
        }
    }

    /// Roles: descriptions of an entity that the gold has for its counterpart.
    fn describe(&mut self, want: &[GoldEntity], guesses: &[Guess], meant: &[Option<usize>]) {
        let mut counts = Counts::default();
        for (guess, gold) in guesses.iter().zip(meant) {
            let right = gold.map_or(0, |k| guess.common.intersection(&want[k].roles).count());
            counts += Counts::new(right, guess.common.len(), right);
        }
        counts.missed = want.iter().map(|entity| entity.roles.len()).sum::<usize>() as f64 - counts.found;
        self.roles += counts;
    }

    /// Ranking of the predicted entities by salience. Protagonists: of the n gold entities of
    /// salience 2, the share found among the first n. nDCG: the discounted gain of the ranking
    /// over that of the ideal one (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of
    /// IR techniques", 2002), the gain being the gold's salience.
    fn rank(
        &mut self,
        want: &[GoldEntity],
        guesses: &[Guess],
        found: &[Option<usize>],
        meant: &[Option<usize>],
    ) {
        let mut order: Vec<usize> = (0..guesses.len()).collect();
        order.sort_by(|&a, &b| guesses[b].salience.total_cmp(&guesses[a].salience));
        let stars = want.iter().filter(|entity| entity.salience == 2).count();
        let first = &order[..stars.min(order.len())];
        for (_, guess) in want.iter().zip(found).filter(|(entity, _)| entity.salience == 2) {
            self.protagonists.count(guess.is_some_and(|guess| first.contains(&guess)));
        }
        let grades = order.iter().map(|&g| meant[g].map_or(0, |k| want[k].salience));
        let mut ideal: Vec<usize> = want.iter().map(|entity| entity.salience).collect();
        ideal.sort_by_key(|&grade| Reverse(grade));
        let best = discounted_gain(ideal);
        self.rankings.push(if best > 0.0 { discounted_gain(grades) / best } else { 1.0 });
    }
}

fn predicted<'a>(prediction: &'a Prediction, text: &str) -> Vec<Guess<'a>> {
    let places = Places::new(&prediction.document, text);
    let guess = |entity: &'a super::prediction::Entity| {
        let (mut named, mut common) = (BTreeSet::new(), BTreeSet::new());
        for mention in &entity.mentions {
            let Some(place) = in_body(&mention.span).and_then(|span| places.of(span)) else { continue };
            match mention.kind() {
                "COMMON" => _ = common.insert(place),
                "PRONOUN" => {}
                _ => _ = named.insert(place),
            }
        }
        Guess { name: &entity.name, kind: entity.kind(), salience: entity.salience, named, common }
    };
    prediction.entities.iter().map(guess).collect()
}

/// The predicted entity that has most of a gold entity's names, and at least half of them.
fn counterpart(entity: &GoldEntity, clusters: &FxHashMap<Span, usize>) -> Option<usize> {
    let mut hits: BTreeMap<usize, usize> = BTreeMap::new();
    for cluster in entity.mentions.iter().filter_map(|span| clusters.get(span)) {
        *hits.entry(*cluster).or_default() += 1;
    }
    let (guess, hits) = hits.into_iter().max_by_key(|&(guess, hits)| (hits, Reverse(guess)))?;
    (hits * 2 >= entity.mentions.len()).then_some(guess)
}

fn discounted_gain(grades: impl IntoIterator<Item = usize>) -> f64 {
    grades.into_iter().enumerate().map(|(place, grade)| grade as f64 / ((place + 2) as f64).log2()).sum()
}

/// B-cubed (Bagga and Baldwin, "Algorithms for scoring coreference chains", 1998): for each named
/// mention of the gold, the share of its predicted cluster that is of its entity, and the share
/// of its entity that is in the cluster; then the mean of each over all mentions. A mention that
/// was not predicted with its very span is a cluster by itself.
#[derive(Default)]
struct Resolution {
    precision: f64,
    recall: f64,
    mentions: usize,
}

impl Resolution {
    fn add(&mut self, want: &[GoldEntity], clusters: &FxHashMap<Span, usize>) {
        #[derive(PartialEq, Eq, PartialOrd, Ord)]
        enum Cluster {
            Predicted(usize),
            Alone(Span),
        }
        let cluster =
            |span: &Span| clusters.get(span).map_or(Cluster::Alone(*span), |g| Cluster::Predicted(*g));
        let mut members: BTreeMap<Cluster, BTreeSet<Span>> = BTreeMap::new();
        for span in want.iter().flat_map(|entity| &entity.mentions) {
            members.entry(cluster(span)).or_default().insert(*span);
        }
        for entity in want {
            for span in &entity.mentions {
                let together = &members[&cluster(span)];
                let shared = entity.mentions.intersection(together).count() as f64;
                self.precision += shared / together.len() as f64;
                self.recall += shared / entity.mentions.len() as f64;
                self.mentions += 1;
            }
        }
    }

    fn report(&self) -> Report {
        let mentions = self.mentions.max(1) as f64;
        precision_recall(self.precision / mentions, self.recall / mentions)
    }
}
