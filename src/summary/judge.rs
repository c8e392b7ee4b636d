//! From features to the worth of a sentence.

use super::features::{self, Prepared};
use super::line::Line;
use crate::model::trees::{Forest, probability};
use crate::model::{ModelError, ModelFile, ModelWriter};

/// A sentence that is likelier than this to be a caption, a credit, a fragment or the like is
/// left out, unless there is no other.
const HARMFUL: f32 = 0.4;

/// What is left of the worth of a sentence that means nothing without the one before it: grades, given with
/// the whole article in sight, do not tell.
const DANGLING: f32 = 0.7;

/// How much of a sentence's worth is its share of a summary that people wrote, in a summary of so
/// many sentences; the rest is the grade that readers would give. A sentence that stands alone has
/// to hold most of what there is to say, which grades given beside other sentences do not tell.
fn reference_share(sentences: usize) -> f32 {
    if sentences == 1 { 0.9 } else { 0.3 }
}

/// What the judge sees of a sentence: its surest features, what [`Reference`] says of it, and its
/// place among the sentences of the document by that.
pub const WIDTH: usize = features::SURE + 4;

/// How much of a summary that people wrote themselves is in a sentence, 0 to 1.
#[derive(Clone)]
pub struct Reference {
    pub forest: Forest,
    pub line: Line,
}

pub struct Judge {
    pub reference: Reference,
    /// The grade that readers would give, 0 to 2: the mean of both.
    pub grade: Forest,
    pub line: Line,
    /// Log-odds that the sentence must not appear.
    pub harm: Forest,
}

impl Judge {
    pub fn read(file: &ModelFile) -> Result<Self, ModelError> {
        Ok(Self {
            reference: Reference {
                forest: Forest::read(file, "reference", features::COUNT)?,
                line: Line::read(file, "reference line", features::COUNT)?,
            },
            grade: Forest::read(file, "grade", WIDTH)?,
            line: Line::read(file, "line", WIDTH)?,
            harm: Forest::read(file, "harm", WIDTH)?,
        })
    }

    pub fn write<'a>(&self, writer: &mut ModelWriter<'a>) {
        self.reference.forest.write(writer, "reference");
        self.reference.line.write(writer, "reference line");
        self.grade.write(writer, "grade");
        self.line.write(writer, "line");
        self.harm.write(writer, "harm");
    }

    /// The worth of every sentence for a summary of at most so many, 0 to about 2; none for one
    /// that must not appear: what readers would say of it, and what it has of a summary that people
    /// wrote, as each steadies the other.
    pub fn worth(&self, prepared: &Prepared, sentences: usize) -> Vec<Option<f32>> {
        self.worth_of(&self.reference.rows(prepared), prepared, sentences)
    }

    /// The same, from what [`Reference::rows`] gave.
    pub fn worth_of(&self, rows: &[f32], prepared: &Prepared, sentences: usize) -> Vec<Option<f32>> {
        let reference_share = reference_share(sentences);
        let grades = self.grade.scores(rows);
        let harms: Vec<f32> = self.harm.scores(rows).into_iter().map(probability).collect();
        let is_fit = |(&harm, &caption): (&f32, &bool)| harm <= HARMFUL && !caption;
        let fit: Vec<bool> = harms.iter().zip(&prepared.captions).map(is_fit).collect();
        // A text of fragments only still has a summary.
        let none_fit = !fit.contains(&true);
        rows.chunks_exact(WIDTH)
            .zip(grades.into_iter().zip(harms))
            .zip(fit.iter().zip(&prepared.dangling))
            .map(|((row, (grade, harm)), (&fit, &dangling))| {
                let grade = (grade + self.line.score(row)) / 2.0;
                // Twice a mean: a grade is up to 2, a share of a reference up to 1.
                let share = row[features::SURE] + row[features::SURE + 2];
                let worth = (1.0 - reference_share) * grade + reference_share * share;
                let standing = if dangling { DANGLING } else { 1.0 };
                (fit || none_fit).then_some(worth * (1.0 - harm) * standing)
            })
            .collect()
    }
}

impl Reference {
    /// What the judge sees of each sentence, [`WIDTH`] numbers laid end to end.
    pub fn rows(&self, prepared: &Prepared) -> Vec<f32> {
        let forest = self.forest.scores(prepared.rows.as_flattened());
        let line: Vec<f32> = prepared.rows.iter().map(|row| self.line.score(row)).collect();
        let (forest_order, line_order) = (features::order(&forest), features::order(&line));
        let mut rows = Vec::with_capacity(prepared.rows.len() * WIDTH);
        for (place, row) in prepared.rows.iter().enumerate() {
            rows.extend_from_slice(&row[..features::SURE]);
            rows.extend([forest[place], forest_order[place], line[place], line_order[place]]);
        }
        rows
    }
}
