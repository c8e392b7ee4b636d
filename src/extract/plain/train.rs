//! Training. The same data gives the same bytes.
//!
//! What a stage reads of the stage before it was given by a model that had not seen the
//! page's site (stacking, Wolpert 1992), so that training pages look as unseen pages will.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::features::{FIRST, FunctionWords, HEADS, HeadScores, Line, PageFeatures, SECOND};
use super::flat::FlatPage;
use super::lines::{KINDS, THIRD, WORD_BUCKETS, WordModel, third_stage};
use crate::document::BlockKind;
use crate::model::ModelWriter;
use crate::model::trees::{Forest, Objective, Params, probability};

const VERSION: &str = "1";
const FOLDS: usize = 3;
/// How much a page counts that was made up from another.
const VARIANT_WEIGHT: f32 = 0.3;
/// How much an article alone counts, once with its title and once without. With more, short pages
/// are kept whole.
const ALONE_WEIGHT: f32 = 0.5;

const FIRST_PARAMS: Params = Params {
    trees: 260,
    leaves: 16,
    learning_rate: 0.08,
    min_rows: 80,
    l2: 5.0,
    row_share: 0.5,
    feature_share: 0.25,
    seed: 1,
};
const SECOND_PARAMS: Params = Params { trees: 400, learning_rate: 0.03, seed: 2, ..FIRST_PARAMS };
const KIND_PARAMS: Params =
    Params { trees: 80, leaves: 12, min_rows: 10, row_share: 0.8, seed: 3, ..FIRST_PARAMS };

/// Every page has a title, and many lines that could be one.
const TITLE_PARAMS: Params =
    Params { trees: 200, leaves: 16, learning_rate: 0.05, min_rows: 20, ..KIND_PARAMS };

/// Trains on the data sets under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let function_words = FunctionWords::load();
    let pages = read(data)?;
    let promotion: Vec<(&str, Line<'_>)> = pages.iter().flat_map(LabelledPage::promotion).collect();
    let examples: Vec<Example> = pages
        .iter()
        .flat_map(|page| {
            let whole = page.example(&function_words);
            let alone = page.without_boilerplate(false, &function_words);
            let titled = page.without_boilerplate(true, &function_words);
            let interrupted = page.with_promotion(&promotion, &function_words);
            [Some(whole), alone, titled, interrupted].into_iter().flatten()
        })
        .collect();
    let mut writer = ModelWriter::new("lines", VERSION);

    eprintln!("{} pages, {} lines of promotion", examples.len(), promotion.len());
    let heads = out_of_fold(&examples, |chosen| {
        let words = train_words(chosen);
        move |example: &Example| -> Vec<HeadScores> {
            example.features.hashes().map(|hashes| words.scores(hashes)).collect()
        }
    });
    let first_rows: Vec<Vec<f32>> =
        examples.iter().zip(&heads).map(|(example, heads)| example.features.first_stage(heads)).collect();
    train_words(&all(&examples)).write(&mut writer);

    let first = stage(&examples, &first_rows, FIRST, &FIRST_PARAMS, "first");
    first.forest.write(&mut writer, "first");
    let second_rows: Vec<Vec<f32>> = examples
        .iter()
        .zip(first_rows.iter().zip(&first.out_of_fold))
        .map(|(example, (rows, likely))| example.features.second_stage(rows, likely))
        .collect();
    drop(first_rows);
    let second = stage(&examples, &second_rows, SECOND, &SECOND_PARAMS, "second");
    second.forest.write(&mut writer, "second");

    let third_rows: Vec<Vec<f32>> =
        second_rows.iter().zip(&second.out_of_fold).map(|(rows, body)| third_stage(rows, body)).collect();
    for (kind, section) in KINDS {
        train_kind(&examples, &third_rows, kind).write(&mut writer, section);
    }
    Ok(writer.finish())
}

/// A page as the data sets give it.
struct LabelledPage {
    site: String,
    page: FlatPage,
    labels: Vec<Label>,
}

/// What is known of a line.
#[derive(Clone, Copy, Default)]
struct Label {
    /// Whether the line is the article; none where it is not to be learnt.
    body: Option<bool>,
    /// None where the page was not read line by line.
    kind: Option<BlockKind>,
    /// Whether the line is the title; none where no line of the page is known to be.
    title: Option<bool>,
}

/// A page ready to learn from.
struct Example {
    fold: usize,
    site: u32,
    /// A page as it came in, not a variant of one.
    original: bool,
    features: PageFeatures,
    labels: Vec<Label>,
    /// How much each line counts.
    weights: Vec<f32>,
}

/// Pages with their lines' kinds read one by one win over the same pages labelled by rule.
fn read(data: &Path) -> Result<Vec<LabelledPage>, Box<dyn Error>> {
    let mut pages = Vec::new();
    let mut ids = Vec::new();
    for file in ["extraction_lines/kinds.train.jsonl", "extraction_text/train.jsonl"] {
        let known = ids.len();
        for line in fs::read_to_string(data.join(file))?.lines() {
            let record: Value = serde_json::from_str(line)?;
            let id = record["id"].as_str().unwrap_or_default().to_owned();
            if !ids[..known].contains(&id) {
                pages.push(labelled(&record));
                ids.push(id);
            }
        }
    }
    Ok(pages)
}

fn labelled(record: &Value) -> LabelledPage {
    let content = record["content"].as_str().unwrap_or_default();
    let page = FlatPage::of_text(content);
    let mut offsets: Vec<usize> = content.char_indices().map(|(at, _)| at).collect();
    offsets.push(content.len());
    let golds: Vec<(usize, Label)> = record["lines"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|gold| (offsets[gold["end"].as_u64().unwrap_or_default() as usize], label(gold)))
        .collect();
    let has_title = golds.iter().any(|(_, label)| label.title == Some(true));
    // A line has the label of the gold line that its first byte lies in.
    let labels = page
        .lines
        .iter()
        .map(|line| {
            let gold = golds.partition_point(|&(end, _)| end <= line.source.begin);
            golds.get(gold).filter(|_| line.known_kind.is_none()).map_or(Label::default(), |&(_, label)| {
                Label { title: label.title.filter(|_| has_title), ..label }
            })
        })
        .collect();
    LabelledPage { site: record["site"].as_str().unwrap_or_default().to_owned(), page, labels }
}

fn label(gold: &Value) -> Label {
    let read_kind = match gold["kind"].as_str() {
        Some("partial") => return Label::default(),
        Some("body") => Some(BlockKind::Paragraph),
        Some("heading") => Some(BlockKind::Heading),
        Some("list") => Some(BlockKind::ListItem),
        Some("title") if gold["label"] == "skip" => Some(BlockKind::Title),
        Some("caption") => Some(BlockKind::Caption),
        Some("byline") => Some(BlockKind::Byline),
        Some("dateline") => Some(BlockKind::Dateline),
        Some("other") => Some(BlockKind::Boilerplate),
        _ => None,
    };
    let body = match gold["label"].as_str() {
        Some("body") => Some(true),
        Some("not_body") => Some(false),
        _ => None,
    };
    Label { body, kind: read_kind, title: Some(read_kind == Some(BlockKind::Title)) }
}

impl LabelledPage {
    fn example(&self, function_words: &FunctionWords) -> Example {
        let whole = self.example_of(&self.page.for_features(), self.labels.clone(), function_words);
        Example { original: true, ..whole }
    }

    /// Sentences outside of the article in which the site speaks to the reader.
    fn promotion(&self) -> impl Iterator<Item = (&str, Line<'_>)> {
        const WORDS: std::ops::RangeInclusive<usize> = 10..=60;
        const THE_READER: [&str; 2] = ["you", "your"];
        const THE_SITE: [&str; 3] = ["our", "we", "us"];
        let names = |text: &str, words: &[&str]| {
            text.split(|c: char| !c.is_alphanumeric())
                .any(|word| words.contains(&word.to_lowercase().as_str()))
        };
        let speaks = move |text: &str| names(text, &THE_READER) && names(text, &THE_SITE);
        self.page
            .for_features()
            .into_iter()
            .zip(&self.labels)
            .filter(move |(line, label)| {
                label.body == Some(false)
                    && line.text.ends_with(['.', '!', '?'])
                    && WORDS.contains(&line.text.split_whitespace().count())
                    && speaks(line.text)
            })
            .map(|(line, _)| (self.site.as_str(), line))
    }

    /// The article alone, as a client sends it that has taken the page apart already, with or
    /// without its title: every line of it is to be kept, however the text is cut.
    fn without_boilerplate(&self, titled: bool, function_words: &FunctionWords) -> Option<Example> {
        let lines = self.page.for_features();
        let title = || self.labels.iter().position(|label| label.title == Some(true));
        let title = if titled { Some(title()?) } else { None };
        let body = (0..lines.len()).filter(|&line| self.labels[line].body == Some(true));
        let chosen: Vec<usize> = title.into_iter().chain(body).collect();
        let cut = hash(&self.site) as usize / FOLDS;
        let kept = match cut % 4 {
            0 => chosen.len(),
            1 => chosen.len().min(1),
            2 => chosen.len().min(2 + cut / 4 % 6),
            _ => chosen.len().min(12),
        };
        let kept = &chosen[..if titled { kept.max(3).min(chosen.len()) } else { kept }];
        let (lines, labels): (Vec<Line<'_>>, Vec<Label>) = kept
            .iter()
            .map(|&line| {
                let label = self.labels[line];
                (lines[line], Label { title: Some(Some(line) == title), ..label })
            })
            .unzip();
        let example = || self.example_of(&lines, labels, function_words).weighing(ALONE_WEIGHT);
        (!lines.is_empty()).then(example)
    }

    /// The page with promotion of other sites between the paragraphs of its article: the sets
    /// have little of it, and the news is full of it.
    fn with_promotion(
        &self,
        promotion: &[(&str, Line<'_>)],
        function_words: &FunctionWords,
    ) -> Option<Example> {
        const SPACING: usize = 5;
        let seed = hash(&self.site) as usize / FOLDS;
        let (mut lines, mut labels, mut paragraphs) = (Vec::new(), Vec::new(), seed % SPACING);
        let mut foreign = promotion.iter().cycle().skip(seed % promotion.len().max(1)).step_by(7);
        for (line, label) in self.page.for_features().into_iter().zip(&self.labels) {
            paragraphs += usize::from(label.body == Some(true));
            lines.push(line);
            labels.push(*label);
            if label.body == Some(true) && paragraphs % SPACING == 0 {
                let (_, line) = foreign.find(|(site, _)| *site != self.site)?;
                lines.push(*line);
                labels.push(Label { body: Some(false), ..Label::default() });
            }
        }
        let interrupted = self.example_of(&lines, labels, function_words);
        (lines.len() > self.labels.len()).then(|| interrupted.weighing(VARIANT_WEIGHT))
    }

    fn example_of(&self, lines: &[Line<'_>], labels: Vec<Label>, function_words: &FunctionWords) -> Example {
        let features = PageFeatures::new(lines, function_words);
        let site = hash(&self.site);
        let mut weights: Vec<f32> =
            (0..labels.len()).map(|line| 0.4 + features.width(line).min(800.0) / 250.0).collect();
        // A page of a thousand lines teaches less a line than a short one.
        let total: f32 = weights.iter().sum();
        let share = (200.0 / total.max(1.0)).powf(0.3);
        weights.iter_mut().for_each(|weight| *weight *= share);
        Example { fold: site as usize % FOLDS, site, original: false, features, labels, weights }
    }
}

impl Example {
    fn weighing(mut self, share: f32) -> Self {
        self.weights.iter_mut().for_each(|weight| *weight *= share);
        self
    }
}

/// FNV-1a.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn all(examples: &[Example]) -> Vec<&Example> {
    examples.iter().collect()
}

/// What models say that were trained without the fold of the page they speak of.
fn out_of_fold<T, M: Fn(&Example) -> T>(examples: &[Example], train: impl Fn(&[&Example]) -> M) -> Vec<T> {
    let models: Vec<M> = (0..FOLDS)
        .map(|fold| train(&examples.iter().filter(|example| example.fold != fold).collect::<Vec<_>>()))
        .collect();
    examples.iter().map(|example| models[example.fold](example)).collect()
}

/// Whether a line is what a head of the word model looks for.
fn head_target(label: Label, head: usize) -> Option<bool> {
    let is = |kinds: &[BlockKind]| label.kind.map(|kind| kinds.contains(&kind));
    match head {
        0 => label.body,
        1 => is(&[BlockKind::Heading, BlockKind::Title]),
        2 => is(&[BlockKind::Caption]),
        3 => is(&[BlockKind::Byline]),
        _ => is(&[BlockKind::Dateline]),
    }
}

/// Logistic regression by AdaGrad (Duchi, Hazan and Singer, 2011). Words that fewer than
/// three sites use get no weight: they would name the site, not the line.
fn train_words(examples: &[&Example]) -> WordModel {
    const EPOCHS: usize = 5;
    const RATE: f32 = 0.3;
    const RIDGE: f32 = 2e-4;
    let common = words_of_several_sites(examples);
    let mut weights = vec![0.0f32; WORD_BUCKETS * HEADS];
    let mut squares = vec![1e-2f32; WORD_BUCKETS * HEADS];
    let mut biases: HeadScores = [0.0; HEADS];
    let mut bias_squares = [1e-2f32; HEADS];
    for _ in 0..EPOCHS {
        for example in examples {
            for ((hashes, &label), &weight) in
                example.features.hashes().zip(&example.labels).zip(&example.weights)
            {
                let norm = (hashes.len().max(1) as f32).sqrt();
                for head in 0..HEADS {
                    let Some(target) = head_target(label, head) else { continue };
                    let places = || hashes.iter().map(|&hash| hash as usize % WORD_BUCKETS * HEADS + head);
                    let sum: f32 = places().map(|place| weights[place]).sum();
                    let slope = (probability(biases[head] + sum / norm) - f32::from(u8::from(target)))
                        * weight.min(1.5);
                    bias_squares[head] += slope * slope;
                    biases[head] -= RATE * slope / bias_squares[head].sqrt();
                    for place in places().filter(|place| common[place / HEADS]) {
                        let slope = slope / norm + RIDGE * weights[place];
                        squares[place] += slope * slope;
                        weights[place] -= RATE * slope / squares[place].sqrt();
                    }
                }
            }
        }
    }
    WordModel::new(&weights, biases)
}

fn words_of_several_sites(examples: &[&Example]) -> Vec<bool> {
    const SITES: u8 = 3;
    let mut last_site = vec![0u32; WORD_BUCKETS];
    let mut sites = vec![0u8; WORD_BUCKETS];
    for example in examples {
        for &hash in example.features.hashes().flatten() {
            let bucket = hash as usize % WORD_BUCKETS;
            if last_site[bucket] != example.site {
                last_site[bucket] = example.site;
                sites[bucket] = sites[bucket].saturating_add(1);
            }
        }
    }
    sites.iter().map(|&sites| sites >= SITES).collect()
}

/// A trained stage, and what it says of pages that it was not trained on.
struct Stage {
    forest: Forest,
    out_of_fold: Vec<Vec<f32>>,
}

fn stage(examples: &[Example], rows: &[Vec<f32>], width: usize, params: &Params, name: &str) -> Stage {
    let fit = |fold: Option<usize>| {
        let chosen = (0..examples.len()).filter(|&page| Some(examples[page].fold) != fold);
        let mut set = TrainingSet::default();
        for page in chosen {
            set.add(&examples[page], &rows[page], width, |label| label.body);
        }
        set.train(width, params)
    };
    let models: Vec<Forest> = (0..FOLDS).map(|fold| fit(Some(fold))).collect();
    let out_of_fold: Vec<Vec<f32>> = examples
        .iter()
        .zip(rows)
        .map(|(example, rows)| models[example.fold].scores(rows).into_iter().map(probability).collect())
        .collect();
    report(name, examples, &out_of_fold);
    Stage { forest: fit(None), out_of_fold }
}

#[derive(Default)]
struct TrainingSet {
    rows: Vec<f32>,
    targets: Vec<f32>,
    weights: Vec<f32>,
}

impl TrainingSet {
    fn add(&mut self, example: &Example, rows: &[f32], width: usize, target: impl Fn(Label) -> Option<bool>) {
        for (line, row) in rows.chunks_exact(width).enumerate() {
            if let Some(target) = target(example.labels[line]) {
                self.rows.extend_from_slice(row);
                self.targets.push(f32::from(u8::from(target)));
                self.weights.push(example.weights[line]);
            }
        }
    }

    fn train(&self, width: usize, params: &Params) -> Forest {
        Forest::train(&self.rows, width, &self.targets, Some(&self.weights), Objective::Logistic, params)
    }
}

/// Headings and list items are told from paragraphs, the other kinds from boilerplate; a
/// title from everything.
fn train_kind(examples: &[Example], rows: &[Vec<f32>], kind: BlockKind) -> Forest {
    let mut set = TrainingSet::default();
    for (example, rows) in examples.iter().zip(rows) {
        set.add(example, rows, THIRD, |label| match kind {
            BlockKind::Title => label.title,
            _ if label.body == Some(kind.in_text()) => label.kind.map(|found| found == kind),
            _ => None,
        });
    }
    set.weights.fill(1.0);
    set.train(THIRD, if kind == BlockKind::Title { &TITLE_PARAMS } else { &KIND_PARAMS })
}

/// Prints how well the lines of pages with boilerplate are told, by lines and by characters.
fn report(name: &str, examples: &[Example], probabilities: &[Vec<f32>]) {
    let (mut lines, mut characters) = ([0.0f64; 3], [0.0f64; 3]);
    for (example, probabilities) in examples.iter().zip(probabilities).filter(|(example, _)| example.original)
    {
        for (line, (label, &p)) in example.labels.iter().zip(probabilities).enumerate() {
            let outcome = match (label.body, p >= 0.5) {
                (Some(true), true) => 0,
                (Some(false), true) => 1,
                (Some(true), false) => 2,
                _ => continue,
            };
            lines[outcome] += 1.0;
            characters[outcome] += f64::from(example.features.width(line));
        }
    }
    let f1 = |[hits, wrong, missed]: [f64; 3]| 2.0 * hits / (2.0 * hits + wrong + missed);
    eprintln!("{name}: unseen sites, F1 by characters {:.4}, by lines {:.4}", f1(characters), f1(lines));
}
