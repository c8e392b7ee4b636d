//! Training. The same data gives the same bytes.
//!
//! Four steps: how rare words are, from paragraphs of unlabelled news; how openings are worded,
//! from the same articles; how much of the summaries that people wrote is in a sentence, from
//! articles with such; and from sentences graded by readers, what grade a sentence deserves and
//! whether it does harm. Where an article has both, its grades are learned beside what a model of
//! the other articles' references says of it. The last two steps are cross-validated by document,
//! and the figures are printed as the scorers would print them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::hash::Hash;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::features::{COUNT, Prepared};
use super::judge::{Reference, WIDTH};
use super::lead::{self, LeadModel};
use super::line::Line;
use super::words::{self, Lexicon, RARITY_BUCKETS, RARITY_STEP, Words};
use super::{Budget, Judge, Reader, select};
use crate::document::{Article, Section, Span};
use crate::entities::EntityModel;
use crate::model::ModelWriter;
use crate::model::trees::{Forest, Objective, Params};
use crate::readings;
use crate::text::{TokenKind, segment, segment_article};

/// Trains on the data sets under `data` and returns the model file. Writes to standard error how good
/// summaries of articles are that were not trained on.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let Learnt { rarity, lead, step, referenced, references, reference, documents } = Learnt::of(data)?;
    compare_with_lead(&referenced, &choices_left_out(&referenced, &references, &documents));
    cross_validate(&documents, &reference);
    let judge = train_judge(documents.iter(), reference);
    let mut writer = ModelWriter::new("summary", "1");
    writer.bytes("rarity", rarity).i8s("lead", &lead).f32s("lead step", &[step]);
    judge.write(&mut writer);
    Ok(writer.finish())
}

/// An article with a reference, and the sentences that a model chooses which has seen neither.
pub struct LeftOut {
    pub id: String,
    pub text: String,
    /// Where in `text`, in order.
    pub sentences: Vec<Span>,
}

/// Summaries of the articles of `summaries` under `data` (three sentences, of xsum's one), each by models
/// that have not seen its reference or its grades: the articles are parted in ten.
///
/// # Errors
/// As of [`train`].
pub fn left_out(data: &Path) -> Result<Vec<LeftOut>, Box<dyn Error>> {
    let Learnt { referenced, references, documents, .. } = Learnt::of(data)?;
    let choices = choices_left_out(&referenced, &references, &documents);
    let chosen = referenced.into_iter().zip(choices).map(|(document, choice)| LeftOut {
        sentences: choice.iter().map(|&sentence| document.spans[sentence]).collect(),
        id: document.record.id,
        text: document.record.text,
    });
    Ok(chosen.collect())
}

/// All that the judge learns from, and what was learnt on the way there.
struct Learnt {
    rarity: Vec<u8>,
    lead: Vec<i8>,
    /// What one of `lead` counts.
    step: f32,
    referenced: Vec<Referenced>,
    /// For each fold, what was learnt from the references of the others.
    references: Vec<Reference>,
    reference: Reference,
    documents: Vec<Graded>,
}

impl Learnt {
    fn of(data: &Path) -> Result<Self, Box<dyn Error>> {
        let articles = unlabelled(&data.join("unlabelled/news.txt.xz"))?;
        eprintln!("{} unlabelled articles", articles.len());
        let rarity = rarity(&articles);
        let (lead, step) = train_lead(&articles, &Lexicon::new(rarity.clone()));
        let reader =
            Reader { lexicon: Lexicon::new(rarity.clone()), lead: LeadModel::new(lead.clone(), step) };

        let entities = EntityModel::load()?;
        let mut referenced = Vec::new();
        for (set, weight) in REFERENCE_SETS {
            referenced.extend(with_references(data, set, weight, &reader, &entities)?);
        }
        let without = |fold| train_reference(referenced.iter().filter(|document| document.fold != fold));
        let references: Vec<Reference> = (0..FOLDS).map(without).collect();
        let reference = train_reference(referenced.iter());
        let folds: FxHashMap<String, usize> =
            referenced.iter().map(|document| (document.key(), document.fold)).collect();
        let mut documents = graded(data, &reader, &entities)?;
        for document in &mut documents {
            document.reference_fold = folds.get(&document.id).copied();
            let unseen = document.reference_fold.map_or(&reference, |fold| &references[fold]);
            document.judged = unseen.rows(&document.prepared);
        }
        Ok(Self { rarity, lead, step, referenced, references, reference, documents })
    }
}

/// Articles of paragraphs, one a line, divided by blank lines; unpacked by the `xz` program.
pub fn unlabelled(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
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
    let mut counts = FxHashMap::<u32, u32>::default();
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
    id: String,
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
    id: String,
    prepared: Prepared,
    /// What the judge sees of it, by a model of references that has not seen its own.
    judged: Vec<f32>,
    /// One a sentence of ours; none where no graded sentence overlaps it.
    grades: Vec<Option<i8>>,
    /// The readers' sentences, and for each of ours, which of them it covers.
    gold: Vec<GradedSentence>,
    covers: Vec<Vec<usize>>,
    /// Which fold tests it; none for our own readings.
    fold: Option<usize>,
    /// The fold of its reference, if it has one.
    reference_fold: Option<usize>,
}

/// The graded articles under `data`, and those of our own readings.
fn graded(data: &Path, reader: &Reader, entities: &EntityModel) -> Result<Vec<Graded>, Box<dyn Error>> {
    let mut documents = Vec::new();
    let choices = File::open(data.join("summary_choice/choice.dev.jsonl"))?;
    for (number, line) in BufReader::new(choices).lines().enumerate() {
        let record: Record = serde_json::from_str(&line?)?;
        documents.push(grade(record, Some(number % FOLDS), reader, entities));
    }
    for reading in readings::all(data)?.into_iter().filter(|reading| !reading.sentences.is_empty()) {
        let sentences =
            reading.sentences.iter().map(|&(begin, end, grade)| GradedSentence { begin, end, grade });
        let (id, sentences) = (reading.key(), sentences.collect());
        let record = Record { id, title: reading.title, text: reading.text, sentences };
        documents.push(grade(record, None, reader, entities));
    }
    Ok(documents)
}

fn grade(record: Record, fold: Option<usize>, reader: &Reader, entities: &EntityModel) -> Graded {
    let byte: Vec<usize> = record.text.char_indices().map(|(at, _)| at).chain([record.text.len()]).collect();
    let gold_spans: Vec<Span> =
        record.sentences.iter().map(|gold| Span::new(byte[gold.begin], byte[gold.end])).collect();
    let article = Article { title: record.title, text: record.text, ..Article::default() };
    let segmented = segment_article(&article);
    let prepared = reader.read(&segmented, &entities.find(&segmented));
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
    Graded {
        id: record.id,
        prepared,
        judged: Vec::new(),
        grades,
        gold: record.sentences,
        covers,
        fold,
        reference_fold: None,
    }
}

/// An article with a summary that people wrote, not taken from it.
struct Referenced {
    set: &'static str,
    record: ReferenceRecord,
    fold: usize,
    /// How much its sentences count in training.
    weight: f32,
    prepared: Prepared,
    reference: Grams,
    sentences: Vec<Grams>,
    /// Where in the text each stands.
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct ReferenceRecord {
    id: String,
    text: String,
    reference: String,
}

/// The sets with references, and how much each of their sentences counts. A summary of one sentence
/// leans on the references most, and xsum's are single sentences.
const REFERENCE_SETS: [(&str, f32); 2] = [("cnndm", 1.0), ("xsum", 3.0)];

/// The articles of one set.
fn with_references(
    data: &Path,
    set: &'static str,
    weight: f32,
    reader: &Reader,
    entities: &EntityModel,
) -> Result<Vec<Referenced>, Box<dyn Error>> {
    let mut documents = Vec::new();
    for line in BufReader::new(File::open(data.join(format!("summaries/{set}.dev.jsonl")))?).lines() {
        let record: ReferenceRecord = serde_json::from_str(&line?)?;
        let article = Article { text: record.text.clone(), ..Article::default() };
        let segmented = segment_article(&article);
        let spans: Vec<Span> = segmented.body.sentences.iter().map(|sentence| sentence.span).collect();
        documents.push(Referenced {
            set,
            fold: documents.len() % FOLDS,
            weight,
            reference: Grams::of(&record.reference),
            sentences: spans.iter().map(|span| Grams::of(span.of(&article.text))).collect(),
            spans,
            prepared: reader.read(&segmented, &entities.find(&segmented)),
            record,
        });
    }
    Ok(documents)
}

/// How often each word and each pair of words stands in a text.
#[derive(Default)]
struct Grams {
    words: FxHashMap<u32, u32>,
    pairs: FxHashMap<(u32, u32), u32>,
}

impl Grams {
    fn of(text: &str) -> Self {
        let text = segment(text, Section::Body, &[]);
        let is_word = |token: &usize| matches!(text.tokens[*token].kind, TokenKind::Word | TokenKind::Number);
        let stems: Vec<u32> =
            (0..text.tokens.len()).filter(is_word).map(|token| words::stem(text.word(token))).collect();
        let mut grams = Self::default();
        stems.iter().for_each(|&stem| *grams.words.entry(stem).or_default() += 1);
        stems.windows(2).for_each(|pair| *grams.pairs.entry((pair[0], pair[1])).or_default() += 1);
        grams
    }

    fn add(&mut self, other: &Self) {
        other.words.iter().for_each(|(&stem, count)| *self.words.entry(stem).or_default() += count);
    }
}

/// ROUGE (Lin 2004) as F1, but for its stemmer and its words.
fn rouge<K: Eq + Hash>(ours: &FxHashMap<K, u32>, theirs: &FxHashMap<K, u32>) -> f32 {
    let shared: u32 =
        ours.iter().map(|(gram, count)| theirs.get(gram).map_or(0, |other| *count.min(other))).sum();
    let all: u32 = ours.values().chain(theirs.values()).sum();
    if all > 0 { 2.0 * shared as f32 / all as f32 } else { 0.0 }
}

/// Learns from each sentence's share of the reference, the document's best one having 1.
fn train_reference<'a>(documents: impl Iterator<Item = &'a Referenced>) -> Reference {
    let (mut rows, mut targets, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        let shared: Vec<f32> = document
            .sentences
            .iter()
            .map(|ours| {
                rouge(&ours.words, &document.reference.words) + rouge(&ours.pairs, &document.reference.pairs)
            })
            .collect();
        let most = shared.iter().fold(1e-6, |most: f32, &share| most.max(share));
        for (row, share) in document.prepared.rows.iter().zip(&shared) {
            rows.extend_from_slice(row);
            targets.push(share / most);
            weights.push(document.weight * weight(shared.len()));
        }
    }
    let params = Params { trees: 200, leaves: 8, learning_rate: 0.05, ..PARAMS };
    Reference {
        forest: Forest::train(&rows, COUNT, &targets, Some(&weights), Objective::Squared, &params),
        line: Line::fit(&rows, COUNT, &targets, &weights, LINE_PENALTY),
    }
}

/// Long documents have more sentences but no more to say.
fn weight(sentences: usize) -> f32 {
    (20.0 / sentences.max(1) as f32).sqrt()
}

/// How much an article of the set counts beside one of our own readings: its readers are those whose
/// grades are asked for.
const SET_WEIGHT: f32 = 4.0;

const LINE_PENALTY: f64 = 300.0;

const PARAMS: Params = Params {
    trees: 300,
    leaves: 12,
    learning_rate: 0.025,
    min_rows: 30,
    l2: 5.0,
    row_share: 0.6,
    feature_share: 0.3,
    seed: 1,
};

fn train_judge<'a>(documents: impl Iterator<Item = &'a Graded>, reference: Reference) -> Judge {
    let mut rows = Vec::new();
    let (mut grades, mut harms, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        let graded = document.grades.iter().filter(|grade| grade.is_some()).count();
        for (row, grade) in document.judged.chunks_exact(WIDTH).zip(&document.grades) {
            let Some(grade) = *grade else { continue };
            rows.extend_from_slice(row);
            grades.push(f32::from(grade.max(0)));
            harms.push(f32::from(u8::from(grade < 0)));
            weights.push(weight(graded) * if document.fold.is_some() { SET_WEIGHT } else { 1.0 });
        }
    }
    let harm_params = Params { trees: 100, leaves: 4, learning_rate: 0.06, ..PARAMS };
    Judge {
        grade: Forest::train(&rows, WIDTH, &grades, Some(&weights), Objective::Squared, &PARAMS),
        line: Line::fit(&rows, WIDTH, &grades, &weights, LINE_PENALTY),
        harm: Forest::train(&rows, WIDTH, &harms, Some(&weights), Objective::Logistic, &harm_params),
        reference,
    }
}

/// Parts of the articles, each judged by models of the others.
const FOLDS: usize = 10;
/// As many sentences as the scorer takes.
const SENTENCES: usize = 3;

/// Trains on nine tenths of the documents and scores the summaries of the last, ten times.
fn cross_validate(documents: &[Graded], reference: &Reference) {
    let (mut count, mut gains, mut leads, mut harmful, mut chosen) = (0.0, 0.0, 0.0, 0, 0);
    let mut alone = 0.0;
    for fold in 0..FOLDS {
        let train = documents.iter().filter(|document| document.fold != Some(fold));
        let judge = train_judge(train, reference.clone());
        for document in documents.iter().filter(|document| document.fold == Some(fold)) {
            let choice = document.choose(&judge, SENTENCES);
            alone += document.gain(&document.choose(&judge, 1), 1);
            count += 1.0;
            gains += document.gain(&choice, SENTENCES);
            harmful += choice.iter().filter(|&&gold| document.gold[gold].grade < 0).count();
            chosen += choice.len();
            let lead: Vec<usize> = (0..document.gold.len())
                .filter(|&gold| document.gold[gold].grade >= 0)
                .take(SENTENCES)
                .collect();
            leads += document.gain(&lead, SENTENCES);
        }
    }
    eprintln!(
        "cross-validated over {count} documents, {SENTENCES} sentences: gain {:.4}, first clean ones {:.4}, harmful {:.4}; one sentence: gain {:.4}",
        gains / count,
        leads / count,
        f64::from(u32::try_from(harmful).unwrap_or(0)) / f64::from(u32::try_from(chosen).unwrap_or(1)),
        alone / count,
    );
}

/// The sentences chosen from each article with a reference by models that have not seen it, in order.
fn choices_left_out(
    documents: &[Referenced],
    references: &[Reference],
    graded: &[Graded],
) -> Vec<Vec<usize>> {
    let mut choices = vec![Vec::new(); documents.len()];
    for (fold, reference) in references.iter().enumerate() {
        let train = graded.iter().filter(|document| document.reference_fold != Some(fold));
        let judge = train_judge(train, reference.clone());
        let left_out = documents.iter().zip(&mut choices).filter(|(document, _)| document.fold == fold);
        for (Referenced { prepared, set, .. }, choice) in left_out {
            let count = sentences_of(set);
            let chosen = choose(&judge.worth(prepared, count), prepared, count);
            choice.extend(chosen.iter().map(|choice| choice.sentence));
            choice.sort_unstable();
        }
    }
    choices
}

/// How many sentences a summary has that is compared with a set's references.
fn sentences_of(set: &str) -> usize {
    if set == "xsum" { 1 } else { SENTENCES }
}

/// Prints how the chosen summaries do beside those of the articles' first sentences.
fn compare_with_lead(documents: &[Referenced], choices: &[Vec<usize>]) {
    let mut sums: BTreeMap<&str, [f32; 3]> = BTreeMap::new();
    for (document, choice) in documents.iter().zip(choices) {
        let ours = document.rouge(choice.iter().copied());
        let lead = document.rouge(0..sentences_of(document.set).min(document.sentences.len()));
        let sum = sums.entry(document.set).or_default();
        sum.iter_mut().zip([1.0, ours, lead]).for_each(|(sum, value)| *sum += value);
    }
    for (set, [count, ours, lead]) in sums {
        eprintln!(
            "{set}, cross-validated over {count} documents: ROUGE-1 {:.2}, first sentences {:.2}",
            100.0 * ours / count,
            100.0 * lead / count
        );
    }
}

impl Referenced {
    /// As [`Graded`] articles are named.
    fn key(&self) -> String {
        format!("{}/{}", self.set, self.record.id)
    }

    fn rouge(&self, chosen: impl Iterator<Item = usize>) -> f32 {
        let mut ours = Grams::default();
        chosen.for_each(|sentence| ours.add(&self.sentences[sentence]));
        rouge(&ours.words, &self.reference.words)
    }
}

fn choose(worth: &[Option<f32>], prepared: &Prepared, sentences: usize) -> Vec<select::Choice> {
    let budget = Budget { sentences, characters: usize::MAX };
    select::choose(worth, &vec![0; worth.len()], &prepared.vectors, super::REDUNDANCY, budget)
}

impl Graded {
    /// The readers' sentences that our summary of so many stands for, best first.
    fn choose(&self, judge: &Judge, sentences: usize) -> Vec<usize> {
        let worth = judge.worth_of(&self.judged, &self.prepared, sentences);
        let choices = choose(&worth, &self.prepared, sentences);
        let mut gold = Vec::new();
        for covered in choices.iter().flat_map(|choice| &self.covers[choice.sentence]) {
            if !gold.contains(covered) {
                gold.push(*covered);
            }
        }
        gold.truncate(sentences);
        gold
    }

    /// The grades of the chosen sentences over the best that as many could reach.
    fn gain(&self, chosen: &[usize], sentences: usize) -> f64 {
        let worth = |gold: &GradedSentence| f64::from(gold.grade.max(0));
        let mut best: Vec<f64> = self.gold.iter().map(worth).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        let ideal: f64 = best.iter().take(sentences).sum();
        if ideal > 0.0 {
            chosen.iter().map(|&gold| worth(&self.gold[gold])).sum::<f64>() / ideal
        } else {
            1.0
        }
    }
}
