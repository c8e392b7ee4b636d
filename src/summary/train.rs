//! Training. The same data gives the same bytes.
//!
//! Three steps: how rare words are, from paragraphs of unlabelled news; how openings are worded,
//! from the same articles; and from sentences graded by readers, what grade a sentence deserves
//! and whether it does harm. The last step is cross-validated by document first, and the figures
//! are printed as `score_summary_choice.py` would print them.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::features::{COUNT, Prepared};
use super::lead::{self, LeadModel};
use super::words::{self, Lexicon, RARITY_BUCKETS, RARITY_STEP, Words};
use super::{Budget, Judge, Reader, select};
use crate::document::{Article, Section, Span};
use crate::model::ModelWriter;
use crate::model::trees::{Forest, Objective, Params};
use crate::text::{TokenKind, segment, segment_article};

/// Trains on the data sets under `data` and returns the model file.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let articles = unlabelled(&data.join("unlabelled/news.txt.xz"))?;
    eprintln!("{} unlabelled articles", articles.len());
    let rarity = rarity(&articles);
    let (lead, step) = train_lead(&articles, &Lexicon::new(rarity.clone()));
    let reader = Reader { lexicon: Lexicon::new(rarity.clone()), lead: LeadModel::new(lead.clone(), step) };

    let documents = graded(&data.join("summary_choice/choice.dev.jsonl"), &reader)?;
    cross_validate(&documents);
    let judge = train_judge(documents.iter().collect());

    let mut writer = ModelWriter::new("summary", "1");
    writer.bytes("rarity", rarity).i8s("lead", &lead).f32s("lead step", &[step]);
    judge.grade.write(&mut writer, "grade");
    judge.harm.write(&mut writer, "harm");
    Ok(writer.finish())
}

/// Articles of paragraphs, one a line, divided by blank lines; unpacked by the `xz` program.
fn unlabelled(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut xz = Command::new("xz").arg("-dc").arg(path).stdout(Stdio::piped()).spawn()?;
    let mut text = String::new();
    xz.stdout.take().ok_or("xz has no output")?.read_to_string(&mut text)?;
    if !xz.wait()?.success() {
        return Err(format!("xz cannot unpack {}", path.display()).into());
    }
    Ok(text.split("\n\n").filter(|article| !article.trim().is_empty()).map(str::to_owned).collect())
}

/// How rare each bucket's commonest stem is among paragraphs.
fn rarity(articles: &[String]) -> Vec<u8> {
    let mut counts = rustc_hash::FxHashMap::<u32, u32>::default();
    let mut paragraphs = 0;
    for paragraph in articles.iter().flat_map(|article| article.lines()) {
        let text = segment(paragraph, Section::Body, &[]);
        let is_word = |token: &usize| matches!(text.tokens[*token].kind, TokenKind::Word | TokenKind::Number);
        let mut stems: Vec<u32> =
            (0..text.tokens.len()).filter(is_word).map(|token| words::stem(text.word(token))).collect();
        stems.sort_unstable();
        stems.dedup();
        stems.iter().for_each(|stem| *counts.entry(*stem).or_default() += 1);
        paragraphs += 1;
    }
    let mut commonest = vec![0; RARITY_BUCKETS];
    for (stem, count) in counts {
        let bucket = &mut commonest[words::bucket(stem)];
        *bucket = count.max(*bucket);
    }
    let rarity =
        |count: u32| (f64::from(paragraphs) / (f64::from(count) + 0.5)).ln() / f64::from(RARITY_STEP);
    commonest.into_iter().map(|count| rarity(count).clamp(0.0, 255.0) as u8).collect()
}

/// Sentences of an article that count as its opening.
const OPENING: usize = 2;
/// Other sentences taken from an article to tell the opening from.
const OTHERS: usize = 6;
const LEAD_ROUNDS: usize = 3;
const LEAD_RATE: f32 = 0.2;
const LEAD_PENALTY: f32 = 2e-6;

/// Logistic regression by AdaGrad (Duchi, Hazan and Singer 2011); weights as whole steps.
fn train_lead(articles: &[String], lexicon: &Lexicon) -> (Vec<i8>, f32) {
    let mut examples: Vec<(bool, Vec<u32>)> = Vec::new();
    for article in articles {
        let body = segment(article, Section::Body, &[]);
        let words = Words::read(&body, lexicon);
        let prose: Vec<usize> =
            (0..body.sentences.len()).filter(|&place| words.sentence(place).len() >= 8).collect();
        let stride = (prose.len().saturating_sub(OPENING) / OTHERS).max(1);
        let others = prose.iter().skip(OPENING).step_by(stride).take(OTHERS);
        let opening = prose.iter().take(OPENING).map(|place| (true, place));
        for (is_opening, &place) in opening.chain(others.map(|place| (false, place))) {
            let mut buckets = Vec::new();
            lead::features(&words, place, |bucket| buckets.push(bucket as u32));
            examples.push((is_opening, buckets));
        }
    }
    let mut weights = vec![0.0_f32; lead::BUCKETS];
    let mut squares = vec![1e-3_f32; lead::BUCKETS];
    let mut bias = -1.0_f32;
    for round in 0..LEAD_ROUNDS {
        let mut loss = 0.0_f64;
        for (is_opening, buckets) in &examples {
            let scale = lead::scale(buckets.len());
            let sum: f32 = buckets.iter().map(|&bucket| weights[bucket as usize]).sum();
            let score = bias + sum * scale;
            let probability = 1.0 / (1.0 + (-score).exp());
            let slope = probability - f32::from(u8::from(*is_opening));
            loss -= f64::from(if *is_opening { probability } else { 1.0 - probability }.max(1e-6).ln());
            bias -= 0.01 * slope;
            for &bucket in buckets {
                let bucket = bucket as usize;
                let slope = slope * scale + LEAD_PENALTY * weights[bucket];
                squares[bucket] += slope * slope;
                weights[bucket] -= LEAD_RATE * slope / squares[bucket].sqrt();
            }
        }
        eprintln!(
            "lead model, round {round}: log loss {:.4} over {} sentences",
            loss / examples.len() as f64,
            examples.len()
        );
    }
    let step = weights.iter().fold(0.0_f32, |most, weight| most.max(weight.abs())) / 127.0;
    (weights.iter().map(|weight| (weight / step).round() as i8).collect(), step)
}

/// One line of `choice.dev.jsonl`; offsets are code points.
#[derive(Deserialize)]
struct Record {
    title: String,
    text: String,
    sentences: Vec<GradedSentence>,
}

#[derive(Clone, Copy, Deserialize)]
struct GradedSentence {
    begin: usize,
    end: usize,
    grade: i8,
}

/// A document that readers graded.
struct Graded {
    prepared: Prepared,
    /// One a sentence of ours; none where no graded sentence overlaps it.
    grades: Vec<Option<i8>>,
    /// The readers' sentences, and for each of ours, which of them it covers.
    gold: Vec<GradedSentence>,
    covers: Vec<Vec<usize>>,
    /// Which fold tests it.
    fold: usize,
}

fn graded(path: &Path, reader: &Reader) -> Result<Vec<Graded>, Box<dyn Error>> {
    let mut documents = Vec::new();
    for (number, line) in BufReader::new(File::open(path)?).lines().enumerate() {
        let record: Record = serde_json::from_str(&line?)?;
        documents.push(grade(record, number % FOLDS, reader));
    }
    Ok(documents)
}

fn grade(record: Record, fold: usize, reader: &Reader) -> Graded {
    let byte: Vec<usize> = record.text.char_indices().map(|(at, _)| at).chain([record.text.len()]).collect();
    let gold_spans: Vec<Span> =
        record.sentences.iter().map(|gold| Span::new(byte[gold.begin], byte[gold.end])).collect();
    let article = Article { title: record.title, text: record.text, ..Article::default() };
    let segmented = segment_article(&article);
    let prepared = reader.read(&segmented);
    let mut grades = Vec::new();
    let mut covers = Vec::new();
    for sentence in &segmented.body.sentences {
        let shared =
            |gold: &Span| gold.end.min(sentence.span.end).saturating_sub(gold.begin.max(sentence.span.begin));
        let most = (0..gold_spans.len()).max_by_key(|&gold| shared(&gold_spans[gold]));
        let most = most.filter(|&gold| shared(&gold_spans[gold]) > 0);
        grades.push(most.map(|gold| record.sentences[gold].grade));
        covers.push(
            (0..gold_spans.len())
                .filter(|&gold| shared(&gold_spans[gold]) * 2 >= gold_spans[gold].len())
                .collect(),
        );
    }
    Graded { prepared, grades, gold: record.sentences, covers, fold }
}

fn train_judge(documents: Vec<&Graded>) -> Judge {
    let mut rows = Vec::new();
    let (mut grades, mut harms, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        let graded = document.grades.iter().filter(|grade| grade.is_some()).count();
        for (row, grade) in document.prepared.rows.iter().zip(&document.grades) {
            let Some(grade) = *grade else { continue };
            rows.extend_from_slice(row);
            grades.push(f32::from(grade.max(0)));
            harms.push(f32::from(u8::from(grade < 0)));
            // Long documents have more sentences but no more to say.
            weights.push((20.0 / graded as f32).sqrt());
        }
    }
    let params = |trees, leaves, learning_rate| Params {
        trees,
        leaves,
        learning_rate,
        min_rows: 20,
        l2: 5.0,
        row_share: 0.6,
        feature_share: 0.3,
        seed: 1,
    };
    Judge {
        grade: Forest::train(
            &rows,
            COUNT,
            &grades,
            Some(&weights),
            Objective::Squared,
            &params(150, 4, 0.06),
        ),
        harm: Forest::train(&rows, COUNT, &harms, Some(&weights), Objective::Logistic, &params(100, 4, 0.06)),
    }
}

const FOLDS: usize = 10;
/// As many sentences as the scorer takes.
const SENTENCES: usize = 3;

/// Trains on nine tenths of the documents and scores the summaries of the last, ten times.
fn cross_validate(documents: &[Graded]) {
    let (mut gains, mut leads, mut harmful, mut chosen) = (0.0, 0.0, 0, 0);
    for fold in 0..FOLDS {
        let (test, train): (Vec<&Graded>, Vec<&Graded>) =
            documents.iter().partition(|document| document.fold == fold);
        let judge = train_judge(train);
        for document in test {
            let choice = document.choose(&judge);
            gains += document.gain(&choice);
            harmful += choice.iter().filter(|&&gold| document.gold[gold].grade < 0).count();
            chosen += choice.len();
            let lead: Vec<usize> = (0..document.gold.len())
                .filter(|&gold| document.gold[gold].grade >= 0)
                .take(SENTENCES)
                .collect();
            leads += document.gain(&lead);
        }
    }
    let count = documents.len() as f64;
    eprintln!(
        "cross-validated over {count} documents, {SENTENCES} sentences: gain {:.4}, first clean ones {:.4}, harmful {:.4}",
        gains / count,
        leads / count,
        f64::from(u32::try_from(harmful).unwrap_or(0)) / f64::from(u32::try_from(chosen).unwrap_or(1)),
    );
}

impl Graded {
    /// The readers' sentences that our summary stands for, best first.
    fn choose(&self, judge: &Judge) -> Vec<usize> {
        let worth = judge.worth(&self.prepared);
        let budget = Budget { sentences: SENTENCES, characters: usize::MAX };
        let choices = select::choose(&worth, &vec![0; worth.len()], &self.prepared.vectors, budget);
        let mut gold = Vec::new();
        for covered in choices.iter().flat_map(|choice| &self.covers[choice.sentence]) {
            if !gold.contains(covered) {
                gold.push(*covered);
            }
        }
        gold.truncate(SENTENCES);
        gold
    }

    /// The grades of the chosen sentences over the best that as many could reach.
    fn gain(&self, chosen: &[usize]) -> f64 {
        let worth = |gold: &GradedSentence| f64::from(gold.grade.max(0));
        let mut best: Vec<f64> = self.gold.iter().map(worth).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        let ideal: f64 = best.iter().take(SENTENCES).sum();
        if ideal > 0.0 {
            chosen.iter().map(|&gold| worth(&self.gold[gold])).sum::<f64>() / ideal
        } else {
            1.0
        }
    }
}
