//! Training of the model of HTML pages. The same data gives the same bytes.

use std::error::Error;
use std::io::Read as _;
use std::mem;
use std::path::Path;
use std::process::{Command, Stdio};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::PageReading;
use super::metadata::titles;
use super::model::{FEATURES, rows};
use super::page::PageBlock;
use super::shape::Shape;
use crate::model::ModelWriter;
use crate::model::trees::{Forest, Objective, Params};

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

/// Trains on the training part of `extraction_html` under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut examples = Examples::default();
    for line in unpacked(&data.join("extraction_html/train.jsonl.xz"))?.lines() {
        let record: Value = serde_json::from_str(line)?;
        if record["part"] != "train" {
            continue;
        }
        let field = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
        let mut reading = PageReading::of(&field("content"), false);
        let shape = Shape::of(&reading.page);
        let mut labels = labels(&reading.page.blocks, &shape.core, &field("article_text"));
        examples.add(&reading, &shape, &labels, WEIGHT);
        shorten(&mut reading, &mut labels);
        examples.add(&reading, &Shape::of(&reading.page), &labels, SHORTENED_WEIGHT);
    }
    eprintln!("{} blocks", examples.targets.len());
    let Examples { features, targets, weights } = examples;
    let forest = Forest::train(&features, FEATURES, &targets, Some(&weights), Objective::Logistic, &PARAMS);
    let mut writer = ModelWriter::new("pages", VERSION);
    forest.write(&mut writer, "blocks");
    Ok(writer.finish())
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

pub(in crate::extract) fn unpacked(path: &Path) -> Result<String, Box<dyn Error>> {
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
