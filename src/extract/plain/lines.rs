//! What each line of a page is: a trained model of lines in their neighbourhood.
//!
//! A word model reads a line's words; the first stage, boosted trees, reads the line with
//! its neighbours; the second reads what the first gave around the line, which is how a
//! short line inside the article is told from the same line in a menu. Small forests then
//! name the kinds.

use super::features::{FIRST, FunctionWords, HEADS, HeadScores, Line, PageFeatures, SECOND};
use crate::document::BlockKind;
use crate::model::trees::{Forest, probability};
use crate::model::{ModelError, ModelFile, ModelInfo, ModelWriter};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    pub kind: BlockKind,
    /// How likely the line is the article, 0 to 1.
    pub body: f32,
    /// How likely the line is the article's title, 0 to 1.
    pub title: f32,
}

/// Kinds with a forest of their own; the others are paragraphs or boilerplate.
pub const KINDS: [(BlockKind, &str); 6] = [
    (BlockKind::Title, "title"),
    (BlockKind::Heading, "heading"),
    (BlockKind::ListItem, "list"),
    (BlockKind::Caption, "caption"),
    (BlockKind::Byline, "byline"),
    (BlockKind::Dateline, "dateline"),
];

/// Features of a line for the forests of the kinds.
pub const THIRD: usize = SECOND + AMONG_BODY;
/// Features that tell where a line stands among those found to be the article.
const AMONG_BODY: usize = 11;
/// A line at least this likely is the article.
const BODY: f32 = 0.5;
/// A kind at least this likely is named.
const NAMED: f32 = 0.5;

/// The trained model. Immutable.
pub struct LineModel {
    info: ModelInfo,
    function_words: FunctionWords,
    words: WordModel,
    first: Forest,
    second: Forest,
    kinds: Vec<Forest>,
}

impl LineModel {
    pub fn read(file: &ModelFile<'_>) -> Result<Self, ModelError> {
        Ok(Self {
            info: file.info().clone(),
            function_words: FunctionWords::load(),
            words: WordModel::read(file)?,
            first: Forest::read(file, "first", FIRST)?,
            second: Forest::read(file, "second", SECOND)?,
            kinds: KINDS
                .iter()
                .map(|(_, section)| Forest::read(file, section, THIRD))
                .collect::<Result<_, _>>()?,
        })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Judges the lines of one page, in order: flattened text line by line, or the blocks of
    /// an HTML page.
    pub fn judge(&self, lines: &[Line<'_>]) -> Vec<Judgement> {
        let page = PageFeatures::new(lines, &self.function_words);
        let heads: Vec<HeadScores> = page.hashes().map(|hashes| self.words.scores(hashes)).collect();
        let first = page.first_stage(&heads);
        let likely = probabilities(&self.first, &first);
        let second = page.second_stage(&first, &likely);
        let body = probabilities(&self.second, &second);
        let third = third_stage(&second, &body);
        let near = near_body(&body);
        let near_rows = &third[near.start * THIRD..near.end * THIRD];
        let kinds: Vec<Vec<f32>> = self.kinds.iter().map(|forest| probabilities(forest, near_rows)).collect();
        let judge = |(line, body): (usize, f32)| match line.checked_sub(near.start) {
            Some(place) if near.contains(&line) => named(body, |kind| kinds[kind][place]),
            _ => Judgement { kind: BlockKind::Boilerplate, body, title: 0.0 },
        };
        body.into_iter().enumerate().map(judge).collect()
    }
}

/// A line that is in the article with `body` probability, and of a kind of [`KINDS`] with a `chance`.
fn named(body: f32, chance: impl Fn(usize) -> f32) -> Judgement {
    let is_body = body >= BODY;
    let title = chance(0);
    let (among, otherwise) =
        if is_body { (1..3, BlockKind::Paragraph) } else { (3..KINDS.len(), BlockKind::Boilerplate) };
    let (mut kind, mut best) = (otherwise, NAMED);
    for place in among {
        let chance = chance(place);
        if chance >= best {
            (kind, best) = (KINDS[place].0, chance);
        }
    }
    Judgement { kind, body, title }
}

fn probabilities(forest: &Forest, rows: &[f32]) -> Vec<f32> {
    forest.scores(rows).into_iter().map(probability).collect()
}

/// The lines where a title, caption or byline of the article may stand.
fn near_body(body: &[f32]) -> std::ops::Range<usize> {
    const BEFORE: usize = 40;
    const AFTER: usize = 15;
    let is_body = |&p: &f32| p >= BODY;
    match (body.iter().position(is_body), body.iter().rposition(is_body)) {
        (Some(first), Some(last)) => first.saturating_sub(BEFORE)..(last + 1 + AFTER).min(body.len()),
        _ => 0..0,
    }
}

/// The rows that the kinds are told from, [`THIRD`] features each: those of the second stage
/// and where a line stands among the lines found to be the article with `body` probability.
pub fn third_stage(second: &[f32], body: &[f32]) -> Vec<f32> {
    const FAR: f32 = 60.0;
    let near = near_body(body);
    let first_body = body.iter().position(|&p| p >= BODY).unwrap_or(body.len());
    let mut rows = Vec::with_capacity(body.len() * THIRD);
    for (line, row) in second.chunks_exact(SECOND).enumerate() {
        let at = |offset: isize| {
            line.checked_add_signed(offset).and_then(|at| body.get(at)).copied().unwrap_or(-1.0)
        };
        rows.extend_from_slice(row);
        rows.extend([
            body[line],
            at(-3),
            at(-2),
            at(-1),
            at(1),
            at(2),
            at(3),
            (line as f32 - first_body as f32).clamp(-FAR, FAR),
            (near.end as f32 - line as f32).clamp(-FAR, FAR),
            body[line.saturating_sub(6)..line].iter().sum(),
            body[(line + 1).min(body.len())..(line + 7).min(body.len())].iter().sum(),
        ]);
    }
    rows
}

/// A linear model over hashed words and pairs of words, one column a [`HEADS`].
pub struct WordModel {
    /// `WORD_BUCKETS` times `HEADS` weights, in steps of `scales`.
    weights: Vec<i8>,
    scales: HeadScores,
    biases: HeadScores,
}

pub const WORD_BUCKETS: usize = 1 << 15;

impl WordModel {
    /// Rounds trained weights, [`HEADS`] for every bucket.
    pub fn new(weights: &[f32], biases: HeadScores) -> Self {
        let mut scales = [f32::MIN_POSITIVE; HEADS];
        for row in weights.chunks_exact(HEADS) {
            for (scale, weight) in scales.iter_mut().zip(row) {
                *scale = scale.max(weight.abs() / 127.0);
            }
        }
        let weights = weights
            .chunks_exact(HEADS)
            .flat_map(|row| row.iter().zip(scales).map(|(weight, scale)| (weight / scale).round() as i8))
            .collect();
        Self { weights, scales, biases }
    }

    /// The log-odds of every head for a line with these hashes.
    pub fn scores(&self, hashes: &[u32]) -> HeadScores {
        let mut sums = [0i32; HEADS];
        for &hash in hashes {
            let bucket = hash as usize % WORD_BUCKETS * HEADS;
            for (sum, &weight) in sums.iter_mut().zip(&self.weights[bucket..bucket + HEADS]) {
                *sum += i32::from(weight);
            }
        }
        let norm = (hashes.len().max(1) as f32).sqrt();
        std::array::from_fn(|head| self.biases[head] + sums[head] as f32 * self.scales[head] / norm)
    }

    pub fn write(&self, writer: &mut ModelWriter<'_>) {
        writer
            .i8s("words", &self.weights)
            .f32s("word scales", &self.scales)
            .f32s("word biases", &self.biases);
    }

    fn read(file: &ModelFile<'_>) -> Result<Self, ModelError> {
        let heads = |section: &str| {
            let found = file.f32s(section)?;
            found.try_into().map_err(|found: Vec<f32>| ModelError::SectionSize {
                section: section.to_owned(),
                found: found.len() * 4,
                width: HEADS * 4,
            })
        };
        let weights = file.i8s("words")?;
        if weights.len() != WORD_BUCKETS * HEADS {
            return Err(ModelError::SectionSize {
                section: "words".to_owned(),
                found: weights.len(),
                width: WORD_BUCKETS * HEADS,
            });
        }
        Ok(Self { weights, scales: heads("word scales")?, biases: heads("word biases")? })
    }
}
