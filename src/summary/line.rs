//! A weighted sum of features.

use crate::model::linear::solve;
use crate::model::{ModelError, ModelFile, ModelWriter};

/// A feature further from its mean than this many standard deviations counts as no further.
const REACH: f32 = 3.0;

/// Linear regression over standardised features. Where few documents teach, it errs elsewhere
/// than trees do, so that the mean of both is better than either.
#[derive(Clone, Debug)]
pub struct Line {
    base: f32,
    terms: Vec<Term>,
}

#[derive(Clone, Copy, Debug)]
struct Term {
    mean: f32,
    /// Standard deviations in a unit of the feature.
    scale: f32,
    weight: f32,
}

impl Line {
    /// The expected target of a row.
    pub fn score(&self, row: &[f32]) -> f32 {
        self.terms
            .iter()
            .zip(row)
            .fold(self.base, |sum, (term, &value)| sum + term.weight * term.place(value))
    }

    /// Ridge regression on `rows`, laid end to end, `width` finite features each, one target and
    /// weight a row; `penalty` in rows.
    pub fn fit(rows: &[f32], width: usize, targets: &[f32], weights: &[f32], penalty: f64) -> Self {
        let total: f64 = weights.iter().copied().map(f64::from).sum();
        let mean = |value: &dyn Fn(usize) -> f64| {
            weights.iter().enumerate().map(|(row, &weight)| f64::from(weight) * value(row)).sum::<f64>()
                / total
        };
        let base = mean(&|row| f64::from(targets[row]));
        let mut terms: Vec<Term> = (0..width)
            .map(|feature| {
                let value = |row: usize| f64::from(rows[row * width + feature]);
                let middle = mean(&value);
                let deviation = mean(&|row| (value(row) - middle).powi(2)).sqrt();
                let scale = if deviation > 1e-6 { deviation.recip() } else { 0.0 };
                Term { mean: middle as f32, scale: scale as f32, weight: 0.0 }
            })
            .collect();
        let mut products = vec![vec![0.0; width]; width];
        let mut targets_by = vec![0.0; width];
        for ((row, &target), &weight) in rows.chunks_exact(width).zip(targets).zip(weights) {
            let row: Vec<f64> =
                terms.iter().zip(row).map(|(term, &value)| f64::from(term.place(value))).collect();
            for (a, &left) in row.iter().enumerate() {
                let left = left * f64::from(weight);
                targets_by[a] += left * (f64::from(target) - base);
                for (product, &right) in products[a].iter_mut().zip(&row) {
                    *product += left * right;
                }
            }
        }
        for (feature, row) in products.iter_mut().enumerate() {
            row[feature] += penalty;
        }
        for (term, weight) in terms.iter_mut().zip(solve(products, targets_by)) {
            term.weight = weight as f32;
        }
        Self { base: base as f32, terms }
    }

    /// Reads what [`Line::write`] wrote; refuses a line over rows that have not `width` features.
    pub fn read(file: &ModelFile, section: &str, width: usize) -> Result<Self, ModelError> {
        let values = file.f32s(section)?;
        let Some((&base, terms)) = values.split_first() else { return Err(ModelError::Damaged(0)) };
        let terms: Vec<Term> = terms
            .chunks_exact(3)
            .map(|term| Term { mean: term[0], scale: term[1], weight: term[2] })
            .collect();
        if terms.len() == width { Ok(Self { base, terms }) } else { Err(ModelError::Damaged(0)) }
    }

    pub fn write<'a>(&self, writer: &mut ModelWriter<'a>, section: &'a str) {
        let terms = self.terms.iter().flat_map(|term| [term.mean, term.scale, term.weight]);
        let values: Vec<f32> = std::iter::once(self.base).chain(terms).collect();
        writer.f32s(section, &values);
    }
}

impl Term {
    /// How far a value is from the mean.
    fn place(&self, value: f32) -> f32 {
        ((value - self.mean) * self.scale).clamp(-REACH, REACH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_again() {
        let rows: Vec<f32> =
            (0_u8..200).flat_map(|nth| [f32::from(nth % 7), f32::from(nth % 11), 4.0]).collect();
        let targets: Vec<f32> = rows.chunks_exact(3).map(|row| 1.0 + 2.0 * row[0] - 0.5 * row[1]).collect();
        let line = Line::fit(&rows, 3, &targets, &[1.0; 200], 1e-3);
        for (row, target) in rows.chunks_exact(3).zip(targets) {
            assert!((line.score(row) - target).abs() < 1e-2);
        }
    }
}
