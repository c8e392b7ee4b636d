//! Training. The same data gives the same bytes.

mod furniture;
mod latent;
mod naming;
mod report;

use std::cmp::Reverse;
use std::error::Error;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::features::{Hash, Occurrence, Reader, Vocabulary};
use super::latent::Latent;
use super::naming::{Context, Named, Names};
use super::taxonomy::{Concept, Place, Taxonomy};
use super::{Outputs, SIGNS, VERSION};
use crate::document::Article;
use crate::entities::train::gazetteers;
use crate::model::ModelWriter;
use crate::model::linear::{Calibration, Example, Judged, Ridge, Weights};
use crate::text::segment_article;
use crate::text::stem::stem_hash;

/// Read by people, all topics named: what the model is trained, calibrated and measured on.
const READ: &str = "iptc_read.train.jsonl";
/// Texts with the label of the section or issue they were published under: more words for the
/// topics.
struct Sectioned {
    file: &'static str,
    /// How much a text counts beside a read one.
    weight: f32,
    /// How sure a topic outside the section can be at most.
    others: f32,
}

/// The BBC's sections are what an article is first about, and where readers disagree with its
/// editors, the many texts are to win; the rest were mapped from labels that name one topic of
/// several.
const SECTIONED: [Sectioned; 6] = [
    Sectioned { file: "allsides.dev.jsonl", weight: 0.15, others: 1.0 },
    Sectioned { file: "bbc.dev.jsonl", weight: 3.0, others: 0.1 },
    Sectioned { file: "huffpost.dev.jsonl", weight: 0.15, others: 1.0 },
    Sectioned { file: "reuters21578.dev.jsonl", weight: 0.15, others: 1.0 },
    Sectioned { file: "tgcontest.dev.jsonl", weight: 0.15, others: 1.0 },
    Sectioned { file: "ag_extra.dev.jsonl", weight: 0.15, others: 1.0 },
];

const FOLDS: u32 = 5;
/// A topic of the second level needs so many examples to be learnt.
const LEAST_EXAMPLES: usize = 5;
/// How much a concept's definition counts beside a read text.
const DEFINITION_WEIGHT: f32 = 0.1;
/// How many words and pairs of words the model keeps.
const VOCABULARY: usize = 40_000;
/// Passes and penalty at which the cross-validated scores were best.
const RIDGE: Ridge = Ridge { penalty: 0.08, epochs: 10, seed: 1 };
/// How far the label of its section is taken for true.
const SECTION_TRUST: f32 = 0.9;
/// How strongly a topic's calibration is held to what all topics of its level share.
const SHARED_CALIBRATION: f64 = 1.0;
/// How much a text with a section calibrates beside a read one: twice keeps the section first.
const SECTIONED_CALIBRATION: f32 = 2.0;

/// A labelled text of the data set.
#[derive(Deserialize)]
struct Record {
    id: String,
    title: String,
    text: String,
    #[serde(default)]
    l1: Vec<String>,
    #[serde(default)]
    l2: Vec<String>,
}

/// A record read into its words; [`Sectioned`] has what the numbers mean.
struct Text {
    id: String,
    weight: f32,
    others: f32,
    words: Vec<Occurrence>,
    labels: Vec<String>,
}

fn read(path: &Path, weight: f32, others: f32, reader: &Reader) -> Result<Vec<Text>, Box<dyn Error>> {
    let lines = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    lines
        .lines()
        .map(|line| {
            let record: Record = serde_json::from_str(line)?;
            let article = Article { title: record.title, text: record.text, ..Article::default() };
            let words = reader.read(&segment_article(&article));
            Ok(Text { id: record.id, weight, others, words, labels: [record.l1, record.l2].concat() })
        })
        .collect()
}

/// The titles of the texts, each as a text of its own.
fn headlines(path: &Path, reader: &Reader) -> Result<Vec<Text>, Box<dyn Error>> {
    let mut texts = Vec::new();
    for line in std::fs::read_to_string(path)?.lines() {
        let record: Record = serde_json::from_str(line)?;
        if !record.title.is_empty() {
            let article = Article { text: record.title, ..Article::default() };
            let words = reader.read(&segment_article(&article));
            let labels = [record.l1, record.l2].concat();
            texts.push(Text { id: record.id, weight: 1.0, others: 1.0, words, labels });
        }
    }
    Ok(texts)
}

/// Everything that training works on.
struct Corpus {
    taxonomy: Taxonomy,
    outputs: Outputs,
    /// What countries are called, and which country that is.
    countries: Vec<(Hash, u16)>,
    /// The words and pairs of words that the model learns, in order, with their idf.
    hashes: Vec<Hash>,
    idf: Vec<f32>,
    latent: Latent,
    /// The concepts' own definitions.
    described: Vec<Learnable>,
    read: Vec<Learnable>,
    sectioned: Vec<Learnable>,
    /// The titles of the read texts alone: short, and about something.
    headlines: Vec<Learnable>,
    /// Texts about nothing.
    blank: Vec<Learnable>,
}

/// A text as a vector, with its labels as targets.
struct Learnable {
    id: String,
    labels: Vec<String>,
    /// The concepts below the first level that the text calls by their name.
    named: Vec<Named>,
    /// How sure another topic than the labelled ones can be at most.
    others: f32,
    example: Example,
}

/// Every text's scores from a model that has not seen it.
struct HeldOut {
    read: Vec<Scores>,
    sectioned: Vec<Scores>,
    headlines: Vec<Scores>,
    blank: Vec<Scores>,
}

/// What a model says of a text.
#[derive(Clone, Default)]
struct Scores {
    /// Of each output.
    topics: Vec<f32>,
    /// How far it is about nothing.
    blank: f32,
}

/// Trains on the data sets under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let corpus = Corpus::read(data)?;
    println!(
        "{} read texts, {} sectioned, {} about nothing, {} topics, {} words and pairs",
        corpus.read.len(),
        corpus.sectioned.len(),
        corpus.blank.len(),
        corpus.outputs.concepts.len(),
        corpus.hashes.len()
    );
    let held_out = corpus.cross_validated_scores();
    report::print(&corpus, &held_out)?;

    let places: Vec<u16> = corpus.outputs.concepts.iter().map(|&place| place as u16).collect();
    let calibration = corpus.calibrate(&held_out, |_| true);
    let weights = corpus.learn(|_| false).quantized();
    let blank = corpus.learn_blank(|_| false).quantized();
    let judge = naming::learn(&corpus, |_| false)?;
    let mut model = ModelWriter::new("topics", VERSION);
    model
        .lines("taxonomy", corpus.taxonomy.lines())
        .u16s("outputs", &places)
        .u32s("country_names", &corpus.countries.iter().map(|country| country.0).collect::<Vec<_>>())
        .u16s("countries", &corpus.countries.iter().map(|country| country.1).collect::<Vec<_>>())
        .u32s("words", &corpus.hashes)
        .f32s("idf", &corpus.idf)
        .f32s("latent_scales", &corpus.latent.scales)
        .i8s("latent", &corpus.latent.values)
        .f32s("scales", &weights.scales)
        .i8s("weights", &weights.values)
        .f32s("calibration", &calibration.iter().flat_map(Calibration::weights).collect::<Vec<_>>())
        .f32s("naming", &judge.weights)
        .f32s("leanings", &judge.leanings)
        .f32s("blank_scales", &blank.scales)
        .i8s("blank_weights", &blank.values)
        .f32s("blank", &corpus.calibrate_blank(&held_out, |_| true).weights().collect::<Vec<_>>());
    Ok(model.finish())
}

impl Corpus {
    fn read(data: &Path) -> Result<Self, Box<dyn Error>> {
        let labelled = data.join("topics");
        let taxonomy = Taxonomy::from_json(&std::fs::read_to_string(labelled.join("media_topics.json"))?)?;
        let countries = countries(&data.join("gazetteers"))?;
        let reader = Reader::new(countries.iter().copied().collect());
        let read_texts = read(&labelled.join(READ), 1.0, 1.0, &reader)?;
        let mut sectioned_texts = Vec::new();
        for source in &SECTIONED {
            let path = labelled.join(source.file);
            sectioned_texts.extend(read(&path, source.weight, source.others, &reader)?);
        }
        // A selection's ids are those of its sources with the source's file name before them.
        let chosen: FxHashSet<&str> =
            read_texts.iter().filter_map(|text| text.id.split_once('/')).map(|(_, id)| id).collect();
        sectioned_texts.retain(|text| !chosen.contains(text.id.as_str()));

        let outputs = Outputs::new(&taxonomy, learnt_topics(&taxonomy, &read_texts));
        let vocabulary = count_words(read_texts.iter().chain(&sectioned_texts));
        let single = vocabulary.iter().filter(|word| !word.pair).count();
        let hashes: Vec<Hash> = vocabulary.iter().map(|word| word.hash).collect();
        let idf: Vec<f32> = vocabulary.iter().map(|word| word.idf).collect();
        let words = Vocabulary::new(&hashes, idf.clone());
        let mut texts = latent::read(&data.join("unlabelled/news.txt.xz"), &read_texts, &reader, &words)?;
        texts.extend(sectioned_texts.iter().map(|text| words.vector(&text.words).0));
        let latent = latent::learn(texts, single);
        let (learnt, others): (Vec<Place>, Vec<Place>) =
            (0..taxonomy.concepts().len()).partition(|&place| outputs.output(place).is_some());
        let second = learnt.into_iter().filter(|&place| taxonomy.concept(place).level == 2);
        let names = [others, second.collect()].map(|of| Names::new(&taxonomy, &reader, of.into_iter()));
        let described = descriptions(&labelled, &taxonomy, &reader)?;
        let headlines = headlines(&labelled.join(READ), &reader)?;
        let blank = furniture::read(&data.join("extraction_text/train.jsonl"), &reader)?;
        let vector = |text: &Text| {
            let mut vector = words.vector(&text.words).0;
            latent.add_to(&mut vector, &words);
            vector
        };
        let learnable = |texts: Vec<Text>| {
            let learn = |text: Text| {
                let vector = vector(&text);
                let context = Context { words: &words, latent: &latent, vector: &vector };
                let named = names.iter().flat_map(|names| names.find(&text.words, context, &taxonomy));
                Learnable {
                    named: named.collect(),
                    example: Example {
                        vector,
                        targets: targets(&taxonomy, &outputs.concepts, &text.labels),
                        weight: text.weight,
                    },
                    labels: text.labels,
                    others: text.others,
                    id: text.id,
                }
            };
            texts.into_iter().map(learn).collect()
        };
        let (described, read, sectioned) =
            (learnable(described), learnable(read_texts), learnable(sectioned_texts));
        let (headlines, blank) = (learnable(headlines), learnable(blank));
        Ok(Self {
            taxonomy,
            outputs,
            countries,
            hashes,
            idf,
            latent,
            described,
            read,
            sectioned,
            headlines,
            blank,
        })
    }

    /// Learns from all texts but those held out.
    ///
    /// The read texts teach first. What they taught then says which topics, beside that of
    /// its section, a sectioned text has, and both kinds of text are learnt from together.
    fn learn(&self, held_out: impl Fn(&Learnable) -> bool) -> Weights {
        let read = self.read.iter().filter(|text| !held_out(text)).chain(&self.described);
        let read: Vec<&Example> = read.map(|text| &text.example).collect();
        let (features, outputs) = (self.hashes.len() + self.latent.dimensions, self.outputs.concepts.len());
        let teacher = RIDGE.fit(&read, features, outputs);
        let teach = |text: &Learnable| {
            let mut example = text.example.clone();
            let scores = teacher.scores(&example.vector);
            for (output, &score) in scores.iter().enumerate() {
                let labelled = |output: usize| text.example.targets[output] > 0.5;
                // What is below the section's topic is left to the teacher.
                let within = labelled(output) || self.outputs.parents[output].is_some_and(labelled);
                let most = if within { 1.0 } else { text.others };
                let least = text.example.targets[output] * SECTION_TRUST;
                example.targets[output] = score.clamp(0.0, most).max(least);
            }
            example
        };
        let taught: Vec<Example> = self.sectioned.iter().filter(|text| !held_out(text)).map(teach).collect();
        RIDGE.fit(&read.into_iter().chain(&taught).collect::<Vec<_>>(), features, outputs)
    }

    /// Learns from all texts but those held out which are about nothing.
    ///
    /// Learnt as a lack of topics instead, with no label as their targets, the texts about
    /// nothing took a seventh of the headlines their topics (`docs/experiments.md`).
    fn learn_blank(&self, held_out: impl Fn(&Learnable) -> bool) -> Weights {
        let mut examples = Vec::new();
        for (texts, target) in
            [(&self.blank, 1.0), (&self.headlines, 0.0), (&self.read, 0.0), (&self.sectioned, 0.0)]
        {
            examples.extend(texts.iter().filter(|text| !held_out(text)).map(|text| Example {
                vector: text.example.vector.clone(),
                targets: vec![target],
                // The weights of other texts are meant for their labels.
                weight: if target > 0.5 { text.example.weight } else { 1.0 },
            }));
        }
        let features = self.hashes.len() + self.latent.dimensions;
        RIDGE.fit(&examples.iter().collect::<Vec<_>>(), features, 1)
    }

    /// The scores of every text from models that have not seen its fold.
    fn cross_validated_scores(&self) -> HeldOut {
        let unknown = |texts: &[Learnable]| vec![Scores::default(); texts.len()];
        let mut held_out = HeldOut {
            read: unknown(&self.read),
            sectioned: unknown(&self.sectioned),
            headlines: unknown(&self.headlines),
            blank: unknown(&self.blank),
        };
        for fold in 0..FOLDS {
            let weights = self.learn(|text| fold_of(&text.id) == fold);
            let blank_weights = self.learn_blank(|text| fold_of(&text.id) == fold);
            let HeldOut { read, sectioned, headlines, blank } = &mut held_out;
            for (texts, scores) in [
                (&self.read, read),
                (&self.sectioned, sectioned),
                (&self.headlines, headlines),
                (&self.blank, blank),
            ] {
                for (text, scores) in texts.iter().zip(scores).filter(|(text, _)| fold_of(&text.id) == fold) {
                    let vector = &text.example.vector;
                    *scores =
                        Scores { topics: weights.scores(vector), blank: blank_weights.scores(vector)[0] };
                }
            }
        }
        held_out
    }

    /// From the held-out scores of the texts in `used`, what each output's signs mean: of the read texts, and
    /// for the topics that are sections of the BBC of its texts, so that the first section is the surest.
    ///
    /// All topics of a level are fitted together first; what they share stands in for the
    /// examples that the rare ones lack.
    fn calibrate(&self, held_out: &HeldOut, used: impl Fn(&Learnable) -> bool) -> Vec<Calibration<SIGNS>> {
        let mut judged = vec![Vec::new(); self.outputs.concepts.len()];
        let exclusive = |text: &Learnable| text.others < 1.0;
        let is_section = |output: usize| {
            self.sectioned.iter().any(|text| exclusive(text) && text.example.targets[output] > 0.5)
        };
        let sections: Vec<bool> = (0..judged.len()).map(is_section).collect();
        for (texts, scores, sectioned) in
            [(&self.read, &held_out.read, false), (&self.sectioned, &held_out.sectioned, true)]
        {
            let used = |(text, _): &(&Learnable, _)| used(text) && (!sectioned || exclusive(text));
            for (text, scores) in texts.iter().zip(scores).filter(used) {
                let weight = if sectioned { SECTIONED_CALIBRATION } else { 1.0 };
                for (output, scores) in self.outputs.signs(&scores.topics).into_iter().enumerate() {
                    if !sectioned || sections[output] {
                        judged[output].push(Judged {
                            scores,
                            right: text.example.targets[output] > 0.5,
                            weight,
                        });
                    }
                }
            }
        }
        let level = |output: usize| self.taxonomy.concept(self.outputs.concepts[output]).level;
        let shared = [1, 2].map(|wanted| {
            let outputs = (0..judged.len()).filter(|&output| level(output) == wanted);
            let all: Vec<_> = outputs.flat_map(|output| judged[output].iter().copied()).collect();
            Calibration::fit(&all, Calibration { slopes: [0.0; SIGNS], offset: 0.0 }, 0.0)
        });
        let fit =
            |output: usize| Calibration::fit(&judged[output], shared[level(output) - 1], SHARED_CALIBRATION);
        (0..judged.len()).map(fit).collect()
    }

    /// From the held-out scores of the texts in `used`, how surely a text is about nothing.
    fn calibrate_blank(&self, held_out: &HeldOut, used: impl Fn(&Learnable) -> bool) -> Calibration<1> {
        let mut scored = Vec::new();
        for (texts, scores, blank) in [
            (&self.blank, &held_out.blank, true),
            (&self.headlines, &held_out.headlines, false),
            (&self.read, &held_out.read, false),
        ] {
            let used = texts.iter().zip(scores).filter(|(text, _)| used(text));
            scored.extend(used.map(|(_, scores)| Judged {
                scores: [scores.blank],
                right: blank,
                weight: 1.0,
            }));
        }
        Calibration::fit(&scored, Calibration { slopes: [0.0], offset: 0.0 }, 0.0)
    }
}

/// All of the first level, and what has examples enough of the second.
fn learnt_topics(taxonomy: &Taxonomy, texts: &[Text]) -> Vec<usize> {
    let examples =
        |code: &str| texts.iter().filter(|text| text.labels.iter().any(|label| label == code)).count();
    let learnt = |(place, concept): (usize, &Concept)| {
        let wanted = concept.level == 1 || concept.level == 2 && examples(&concept.code) >= LEAST_EXAMPLES;
        wanted.then_some(place)
    };
    taxonomy.concepts().iter().enumerate().filter_map(learnt).collect()
}

/// Each concept's definition as a text about it and what it is part of.
fn descriptions(data: &Path, taxonomy: &Taxonomy, reader: &Reader) -> Result<Vec<Text>, Box<dyn Error>> {
    #[derive(Deserialize)]
    struct Entry {
        code: String,
        name: String,
        definition: Option<String>,
    }
    let entries: Vec<Entry> =
        serde_json::from_str(&std::fs::read_to_string(data.join("media_topics.json"))?)?;
    let mut texts = Vec::new();
    for entry in entries {
        let Some(place) = taxonomy.place(&entry.code) else { continue };
        let about = taxonomy.ancestors(place).chain([place]);
        let labels = about.map(|place| taxonomy.concept(place).code.clone()).collect();
        let text = entry.definition.unwrap_or_default();
        let article = Article { title: entry.name, text, ..Article::default() };
        let words = reader.read(&segment_article(&article));
        texts.push(Text { id: entry.code, weight: DEFINITION_WEIGHT, others: 1.0, words, labels });
    }
    Ok(texts)
}

/// What the countries, their people and their capitals are called, in one or two words.
fn countries(gazetteers: &Path) -> Result<Vec<(Hash, u16)>, Box<dyn Error>> {
    let reader = Reader::new(FxHashMap::default());
    let mut names = Vec::new();
    for (mut country, number) in gazetteers::countries(gazetteers)?.into_iter().zip(0u16..) {
        // Too short for the table's other spellings to be trusted.
        match country.code.as_str() {
            "USA" => country.names.push("US".into()),
            "GBR" => country.names.push("UK".into()),
            _ => {}
        }
        let all = country.names.iter().chain(&country.demonyms).chain(&country.capitals);
        names.extend(all.filter_map(|name| reader.name_hash(name)).map(|name| (name, number)));
    }
    names.sort_unstable();
    names.dedup_by_key(|&mut (name, _)| name);
    Ok(names)
}

fn targets(taxonomy: &Taxonomy, outputs: &[usize], labels: &[String]) -> Vec<f32> {
    let labelled = |&place: &usize| labels.contains(&taxonomy.concept(place).code);
    outputs.iter().map(|place| f32::from(u8::from(labelled(place)))).collect()
}

/// A word or pair of words that the model learns.
struct Counted {
    pair: bool,
    hash: Hash,
    idf: f32,
}

/// The words and pairs of words in most texts, single words first, in the order of their hashes.
fn count_words<'a>(texts: impl Iterator<Item = &'a Text>) -> Vec<Counted> {
    let mut counts: FxHashMap<(bool, Hash), u32> = FxHashMap::default();
    let mut total = 0u32;
    for text in texts {
        total += 1;
        let mut found: Vec<(bool, Hash)> = text.words.iter().map(|word| (word.pair, word.hash)).collect();
        found.sort_unstable();
        found.dedup();
        for word in found {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by_key(|&(word, count)| (Reverse(count), word));
    counts.truncate(VOCABULARY);
    counts.sort_unstable();
    let counted = |((pair, hash), count)| Counted {
        pair,
        hash,
        idf: ((total + 1) as f32 / (count + 1) as f32).ln() + 1.0,
    };
    counts.into_iter().map(counted).collect()
}

/// Which fold a text is held out in: by its name, so that it stays there when texts are added.
fn fold_of(id: &str) -> u32 {
    stem_hash(id, &mut Vec::new()) % FOLDS
}
