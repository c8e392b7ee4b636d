//! Training of the entity model. The same data gives the same bytes.
//!
//! 1. Gazetteers, word clusters and the usual case of words make a lexicon.
//! 2. A first tagger labels the unlabelled news; the names it finds there join the lexicon, and
//!    so do the words that it finds before people's names and at the end of others.
//! 3. The local weights are learned. Taggers trained on one half of the texts label the
//!    other half, and from these labellings the weights of the document's evidence are learned.
//! 4. In articles that were annotated whole, read by the same taggers, it is learned which
//!    descriptions stand for an entity, and which entities an article is about.

pub mod clusters;
pub mod corpus;
pub mod crf;
mod facts;
pub mod gazetteers;
mod news;
mod nouns;
mod roles;
mod stories;

use std::error::Error;
use std::path::Path;

use corpus::Sample;
use crf::{Instances, Settings};
use rustc_hash::FxHashMap;

use super::features::{self, Evidence, LineFacts};
use super::lexicon::{Lexicon, LexiconParts, List};
use super::link::{LinkParts, Links};
use super::nouns::{NounParts, Nouns};
use super::reading::Reading;
use super::tagger::{DOCUMENT, LOCAL, Scores, Tagger, WeightParts, Weights};
use super::tags::{OUTSIDE, TAGS, Tag};
use crate::model::ModelWriter;
use crate::text::segment_article;
use gazetteers::Phrases;
use news::News;
use stories::Reviewed;

const LOCAL_SETTINGS: Settings =
    Settings { orders: 3, epochs: 6, least_count: 2, learning_rate: 0.1, penalty: 6e-6, dropout: 0.12 };
/// For the taggers that read the unlabelled news and the other texts.
const FIRST_SETTINGS: Settings = Settings { epochs: 4, ..LOCAL_SETTINGS };
const DOCUMENT_SETTINGS: Settings = Settings {
    epochs: 4,
    least_count: 5,
    learning_rate: 0.05,
    penalty: 5e-6,
    dropout: 0.0,
    ..LOCAL_SETTINGS
};

/// Parts of the texts, each labelled by a tagger that learned from the others.
const FOLDS: usize = 2;

/// Kinds of evidence that training can leave out, to show what each of them gives.
const EVIDENCE: [&str; 7] = ["clusters", "case", "gazetteers", "known", "news", "document", "orders"];

/// Trains on the data sets under `data` and returns the model file. The kinds of evidence named
/// in `without` are left out: word clusters, the usual case of words, open gazetteers, our own
/// table of known names, names found in the news, the rest of the document, all orders but one.
pub fn train(data: &Path, without: &[String]) -> Result<Vec<u8>, Box<dyn Error>> {
    if let Some(unknown) = without.iter().find(|name| !EVIDENCE.contains(&name.as_str())) {
        return Err(format!("{unknown:?} is none of {EVIDENCE:?}").into());
    }
    let with = |evidence: &str| without.iter().all(|name| name != evidence);
    let orders = |settings| if with("orders") { settings } else { Settings { orders: 1, ..settings } };
    let mut phrases = gazetteers::phrases(&data.join("gazetteers"))?;
    let samples = corpus::read(data, &|text| phrases.holds(text, List::Demonym))?;
    if !with("gazetteers") {
        phrases = Phrases::default();
    }
    if with("known") {
        phrases.add_known();
    }
    let mut lists: FxHashMap<u32, u32> = phrases.0.into_iter().collect();
    let news = News::read(&data.join("unlabelled/news.txt.xz"))?;
    let mut parts = news.lexicon();
    if !with("clusters") {
        parts = LexiconParts { used: parts.used, usage: parts.usage, ..LexiconParts::default() };
    }
    if !with("case") {
        (parts.used, parts.usage) = Default::default();
    }
    set_phrases(&mut parts, &lists);

    eprintln!("learning from {} texts", samples.len());
    if with("news") {
        let lexicon = Lexicon::new(parts.clone())?;
        let local = learn_local(&samples, &lexicon, orders(FIRST_SETTINGS), |_| true);
        let first = Tagger { lexicon, local: Weights::new(&local)?, document: None };
        for (phrase, list) in news.lists(&first) {
            *lists.entry(phrase).or_default() |= list.bit();
        }
        set_phrases(&mut parts, &lists);
    }

    let lexicon = Lexicon::new(parts.clone())?;
    let local = learn_local(&samples, &lexicon, orders(LOCAL_SETTINGS), |_| true);
    let mut taggers = learn_crosswise(&samples, &parts, orders(FIRST_SETTINGS))?;
    let document = if with("document") {
        learn_document(&samples, &lexicon, &label_crosswise(&samples, &taggers), orders(DOCUMENT_SETTINGS))
    } else {
        WeightParts { transitions: vec![0; TAGS * TAGS], ..WeightParts::default() }
    };

    let links = gazetteers::links(&data.join("gazetteers"))?;
    let tagger = Tagger { lexicon, local: Weights::new(&local)?, document: Some(Weights::new(&document)?) };
    let mut nouns = news.nouns(&tagger)?;
    for tagger in &mut taggers {
        tagger.document = Some(Weights::new(&document)?);
    }
    let roles = roles::learn(review(&samples, &taggers, links.clone(), nouns.clone())?, &mut nouns);

    let mut file = ModelWriter::new("entities", "1");
    parts.write(&mut file);
    local.write(&mut file, &LOCAL);
    document.write(&mut file, &DOCUMENT);
    links.write(&mut file);
    nouns.write(&mut file);
    roles.write(&mut file);
    Ok(file.finish())
}

/// A text's labels by local evidence, and the scores that they were chosen by.
type Labelled = (Vec<Scores>, Vec<Tag>);

/// For each part of the texts a tagger that learned from the others.
fn learn_crosswise(
    samples: &[Sample],
    parts: &LexiconParts,
    settings: Settings,
) -> Result<Vec<Tagger>, Box<dyn Error>> {
    let lexicon = Lexicon::new(parts.clone())?;
    let tagger = |fold: usize| {
        let weights = learn_local(samples, &lexicon, settings, |i| i % FOLDS != fold);
        Ok(Tagger { lexicon: Lexicon::new(parts.clone())?, local: Weights::new(&weights)?, document: None })
    };
    (0..FOLDS).map(tagger).collect()
}

/// Labels each text by the tagger that did not learn from it.
fn label_crosswise(samples: &[Sample], taggers: &[Tagger]) -> Vec<Labelled> {
    let labelled = |(sample, tagger): (&Sample, &Tagger)| {
        tagger.tag_locally(&Reading::new(&segment_article(&sample.article), &tagger.lexicon))
    };
    samples.iter().zip(taggers.iter().cycle()).map(labelled).collect()
}

/// What the engine finds in the articles that were annotated whole, with the names as the tagger
/// that did not learn from them finds them.
fn review(
    samples: &[Sample],
    taggers: &[Tagger],
    links: LinkParts,
    nouns: NounParts,
) -> Result<Vec<Reviewed>, Box<dyn Error>> {
    let (links, nouns) = (Links::new(links)?, Nouns::new(nouns)?);
    let stories = samples.iter().zip(taggers.iter().cycle());
    let stories = stories.filter_map(|(sample, tagger)| Some((sample.story.as_ref()?, tagger)));
    Ok(stories.map(|(story, tagger)| Reviewed::of(story, tagger, &links, &nouns)).collect())
}

fn set_phrases(parts: &mut LexiconParts, lists: &FxHashMap<u32, u32>) {
    let mut sorted: Vec<(u32, u32)> = lists.iter().map(|(&hash, &lists)| (hash, lists)).collect();
    sorted.sort_unstable();
    (parts.phrases, parts.masks) = sorted.into_iter().unzip();
}

fn learn_local(
    samples: &[Sample],
    lexicon: &Lexicon,
    settings: Settings,
    chosen: impl Fn(usize) -> bool,
) -> WeightParts {
    let mut instances = Instances::default();
    let mut facts = LineFacts::default();
    let mut found = Vec::new();
    for (_, sample) in samples.iter().enumerate().filter(|(i, _)| chosen(*i)) {
        let segmented = segment_article(&sample.article);
        let reading = Reading::new(&segmented, lexicon);
        let allowed = allowed(sample, &reading);
        for line in &reading.lines {
            facts.read(&reading, lexicon, line);
            for units in reading.stretches(line) {
                for unit in units.clone() {
                    found.clear();
                    features::local_features(&reading, line, &facts, unit, &mut found);
                    instances.push_unit(&found, allowed[unit], None);
                }
                let followed = units.end < line.units.end;
                instances.end_stretch(units.len(), followed, sample.weight);
            }
        }
    }
    eprintln!("{} units", instances.units());
    crf::train(instances, settings)
}

fn learn_document(
    samples: &[Sample],
    lexicon: &Lexicon,
    labelled: &[Labelled],
    settings: Settings,
) -> WeightParts {
    let mut instances = Instances::default();
    let mut found = Vec::new();
    for (sample, (scores, tags)) in samples.iter().zip(labelled) {
        let segmented = segment_article(&sample.article);
        let reading = Reading::new(&segmented, lexicon);
        let allowed = allowed(sample, &reading);
        let evidence = Evidence::new(&reading, tags);
        for line in &reading.lines {
            for units in reading.stretches(line) {
                for unit in units.clone() {
                    found.clear();
                    features::document_features(&reading, line, &evidence, tags, unit, &mut found);
                    instances.push_unit(&found, allowed[unit], Some(scores[unit]));
                }
                let followed = units.end < line.units.end;
                instances.end_stretch(units.len(), followed, sample.weight);
            }
        }
    }
    crf::train(instances, settings)
}

fn allowed(sample: &Sample, reading: &Reading) -> Vec<crf::TagSet> {
    let mut allowed = sample.allowed(reading);
    if sample.norp_unlabelled {
        for (unit, set) in allowed.iter_mut().enumerate() {
            if *set == 1 << OUTSIDE && reading.word(unit).lists & List::Demonym.bit() != 0 {
                *set = crf::ANY;
            }
        }
    }
    allowed
}
