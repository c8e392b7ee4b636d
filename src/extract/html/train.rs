//! Training of the model of HTML pages. The same data gives the same bytes.

use std::error::Error;
use std::hash::{Hash as _, Hasher as _};
use std::io::Read as _;
use std::mem;
use std::path::Path;
use std::process::{Command, Stdio};

use rustc_hash::{FxHashMap, FxHasher};
use serde_json::Value;

use super::PageReading;
use super::metadata::model::MetadataModel;
use super::metadata::train::Cases;
use super::metadata::{self, titles};
use super::model::{FEATURES, PageModel, rows};
use super::page::PageBlock;
use super::shape::Shape;
use crate::document::{Article, Content, MimeType, Source};
use crate::model::trees::{Forest, Objective, Params};
use crate::model::{ModelFile, ModelWriter};

const VERSION: &str = "1";

const PARAMS: Params = Params {
    trees: 120,
    leaves: 16,
    learning_rate: 0.1,
    min_rows: 60,
    l2: 10.0,
    row_share: 0.6,
    feature_share: 0.4,
    seed: 7,
};

/// How much a page counts, and how much once more with a short article: there are few short ones.
const WEIGHT: f32 = 100.0;
const SHORTENED_WEIGHT: f32 = 10.0;

/// Bytes from which on a shortened article ends.
const SHORTENED: usize = 1000;

/// Words in a run that is looked for in the article.
const RUN: usize = 4;

/// Parts of the sites, each of which is left out once to see how well its pages are read.
const FOLDS: usize = 10;

/// Trains on the training part of `extraction_html` under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let records = records(data)?;
    let pages: Vec<Examples> =
        records.iter().filter(|record| record["part"] == "train").map(examples).collect();
    Ok(fit(pages.iter()))
}

/// The articles of all pages of `extraction_html` under `data`, by their ids, each found by models of
/// blocks and metadata that never saw its site: the sites are parted in ten, and each part is read by
/// models of the nine others.
///
/// # Errors
/// As of [`train`].
pub fn left_out(data: &Path) -> Result<Vec<(String, Article)>, Box<dyn Error>> {
    let records = records(data)?;
    let mut articles = vec![Article::default(); records.len()];
    let all: Vec<(Examples, Cases)> =
        records.iter().map(|record| (examples(record), metadata::train::cases(record))).collect();
    for fold in 0..FOLDS {
        let is_in = |record: &Value| self::fold(record) == fold;
        let others = records.iter().zip(&all).filter(|(record, _)| !is_in(record)).map(|(_, learnt)| learnt);
        let model = fit(others.clone().map(|(examples, _)| examples));
        let chooser = metadata::train::fit(others.map(|(_, cases)| cases));
        let model = PageModel::read(&ModelFile::parse(&model)?)?;
        let chooser = MetadataModel::read(&ModelFile::parse(&chooser)?)?;
        for (record, article) in records.iter().zip(&mut articles).filter(|(record, _)| is_in(record)) {
            *article = super::extract(&source(record), &model, &chooser).article;
        }
        eprintln!("{} of {FOLDS} parts", fold + 1);
    }
    Ok(records.iter().map(|record| text(record, "id")).zip(articles).collect())
}

/// The pages of `extraction_html` under `data`.
pub(in crate::extract) fn records(data: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let lines = unpacked(&data.join("extraction_html/train.jsonl.xz"))?;
    Ok(lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// A field of a page's record; empty where it has none.
pub(in crate::extract) fn text(record: &Value, field: &str) -> String {
    record[field].as_str().unwrap_or_default().to_owned()
}

/// A page as it would be sent.
pub(in crate::extract) fn source(record: &Value) -> Source {
    Source {
        content: Content::Text(text(record, "content")),
        mime_type: MimeType::Html,
        uri: text(record, "url"),
        ..Source::default()
    }
}

fn fold(record: &Value) -> usize {
    let mut site = FxHasher::default();
    text(record, "site").hash(&mut site);
    (site.finish() >> 32) as usize % FOLDS
}

/// What is learnt from a page: its blocks, and once more those of a short article.
fn examples(record: &Value) -> Examples {
    let mut examples = Examples::default();
    let mut reading = PageReading::of(&text(record, "content"), false);
    let shape = Shape::of(&reading.page);
    let mut labels = labels(&reading.page.blocks, &shape.core, &text(record, "article_text"));
    examples.add(&reading, &shape, &labels, WEIGHT);
    shorten(&mut reading, &mut labels);
    examples.add(&reading, &Shape::of(&reading.page), &labels, SHORTENED_WEIGHT);
    examples
}

/// The model file of what was learnt from pages.
fn fit<'a>(pages: impl Iterator<Item = &'a Examples>) -> Vec<u8> {
    let mut all = Examples::default();
    for page in pages {
        all.features.extend(&page.features);
        all.targets.extend(&page.targets);
        all.weights.extend(&page.weights);
    }
    let Examples { features, targets, weights } = all;
    let forest = Forest::train(&features, FEATURES, &targets, Some(&weights), Objective::Logistic, &PARAMS);
    let mut writer = ModelWriter::new("pages", VERSION);
    forest.write(&mut writer, "blocks");
    writer.finish()
}

/// What the forest learns from: blocks end to end.
#[derive(Default)]
struct Examples {
    features: Vec<f32>,
    targets: Vec<f32>,
    weights: Vec<f32>,
}

impl Examples {
    /// Long blocks weigh more, long pages do not.
    fn add(&mut self, reading: &PageReading, shape: &Shape, labels: &[f32], weight: f32) {
        let PageReading { page, anchor, .. } = reading;
        self.features.extend(rows(page, shape, *anchor));
        self.targets.extend(labels);
        let sizes: Vec<f32> = page.blocks.iter().map(|block| (block.text.len() as f32).sqrt()).collect();
        let whole: f32 = sizes.iter().sum();
        self.weights.extend(sizes.iter().map(|size| size / whole * weight));
    }
}

/// Takes the end off a page's article: what stands around a short one is not the article either,
/// however much of the page it is.
fn shorten(reading: &mut PageReading, labels: &mut Vec<f32>) {
    let mut article = 0;
    let blocks = mem::take(&mut reading.page.blocks).into_iter().zip(mem::take(labels));
    (reading.page.blocks, *labels) = blocks
        .filter(|(block, label)| {
            let stays = article < SHORTENED || *label == 0.0;
            article += if *label == 0.0 { 0 } else { block.text.len() };
            stays
        })
        .unzip();
    reading.anchor = titles::anchor(&reading.declared, &reading.page.blocks, &reading.publisher);
}

fn unpacked(path: &Path) -> Result<String, Box<dyn Error>> {
    let mut process = Command::new("xz").arg("-dc").arg(path).stdout(Stdio::piped()).spawn()?;
    let mut text = String::new();
    if let Some(mut output) = process.stdout.take() {
        output.read_to_string(&mut text)?;
    }
    if process.wait()?.success() { Ok(text) } else { Err(format!("cannot unpack {}", path.display()).into()) }
}

/// 1 for each block that is in the article: most of its runs of words are, each as often
/// as there.
fn labels<'a>(blocks: &'a [PageBlock], core: &[bool], article: &'a str) -> Vec<f32> {
    let mut left: FxHashMap<Vec<&'a str>, usize> = FxHashMap::default();
    let article = words(article);
    for run in 1..=RUN {
        for words in article.windows(run) {
            *left.entry(words.to_vec()).or_default() += 1;
        }
    }
    let mut label = |block: &'a PageBlock| {
        let words = words(&block.text);
        let (mut found, mut all) = (0, 0);
        for run in words.windows(RUN.min(words.len().max(1))) {
            all += 1;
            if let Some(left) = left.get_mut(run)
                && *left > 0
            {
                *left -= 1;
                found += 1;
            }
        }
        f32::from(u8::from(found * 2 >= all && all > 0))
    };
    // Runs are used up, so the blocks that surely are the article take theirs first.
    let mut labels = vec![0.0; blocks.len()];
    for in_core in [true, false] {
        for (number, block) in blocks.iter().enumerate().filter(|&(number, _)| core[number] == in_core) {
            labels[number] = label(block);
        }
    }
    labels
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect()
}
