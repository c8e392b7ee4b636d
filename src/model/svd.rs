//! The main directions of many sparse vectors.

use super::linear::{Sparse, random};

/// Columns that span what the vectors vary in most.
#[derive(Clone, Debug, PartialEq)]
pub struct Directions {
    pub count: usize,
    /// One row of `count` values a feature; the columns are orthonormal, the main one first.
    pub values: Vec<f32>,
    /// The length of the projections on each direction, over all vectors.
    pub lengths: Vec<f32>,
}

/// How many directions are carried beyond those wanted, which makes the last wanted ones exact.
const SPARE: usize = 12;

impl Directions {
    /// The truncated singular value decomposition, by subspace iteration from a seeded random
    /// start: Halko, Martinsson and Tropp, "Finding Structure with Randomness", SIAM Review 53
    /// (2011). Each of the `rounds` passes over the vectors once.
    ///
    /// # Panics
    /// If a vector has a feature beyond `features`.
    pub fn of(vectors: &[Sparse], features: usize, count: usize, rounds: usize) -> Self {
        let carried = (count + SPARE).min(features);
        let mut state = 1;
        let mut basis: Vec<f32> = (0..features * carried)
            .map(|_| (random(&mut state) >> 40) as f32 / (1u32 << 23) as f32 - 1.0)
            .collect();
        orthonormalize(&mut basis, carried);
        for _ in 0..rounds {
            basis = times_covariance(vectors, &basis, carried);
            orthonormalize(&mut basis, carried);
        }
        // Within the space found, the eigenvectors of the covariance are the directions.
        let mut covariance = vec![0.0f64; carried * carried];
        let mut projection = vec![0.0f32; carried];
        for vector in vectors {
            project(vector, &basis, &mut projection);
            for (row, &a) in covariance.chunks_exact_mut(carried).zip(&projection) {
                row.iter_mut().zip(&projection).for_each(|(sum, &b)| *sum += f64::from(a * b));
            }
        }
        let eigenvectors = diagonalize(&mut covariance, carried);
        let variance = |at: usize| covariance[at * carried + at];
        let mut order: Vec<usize> = (0..carried).collect();
        order.sort_by(|&a, &b| variance(b).total_cmp(&variance(a)));
        order.truncate(count);
        let rotated = basis.chunks_exact(carried).flat_map(|row| {
            order.iter().map(|&to| {
                row.iter()
                    .enumerate()
                    .map(|(at, &value)| value * eigenvectors[at * carried + to] as f32)
                    .sum()
            })
        });
        Self {
            count: order.len(),
            values: rotated.collect(),
            lengths: order.iter().map(|&at| variance(at).max(0.0).sqrt() as f32).collect(),
        }
    }
}

/// A vector in terms of the columns of `basis`.
fn project(vector: &Sparse, basis: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    for &(feature, value) in vector {
        let row = &basis[feature as usize * out.len()..][..out.len()];
        out.iter_mut().zip(row).for_each(|(sum, column)| *sum += value * column);
    }
}

/// The sum over the vectors x of x xᵀ, times the columns of `basis`.
fn times_covariance(vectors: &[Sparse], basis: &[f32], columns: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; basis.len()];
    let mut projection = vec![0.0f32; columns];
    for vector in vectors {
        project(vector, basis, &mut projection);
        for &(feature, value) in vector {
            let row = &mut out[feature as usize * columns..][..columns];
            row.iter_mut().zip(&projection).for_each(|(sum, column)| *sum += value * column);
        }
    }
    out
}

/// Makes the columns orthonormal, keeping the space they span: by the inverse of the
/// Cholesky factor of their inner products, twice, since once loses digits.
fn orthonormalize(basis: &mut [f32], columns: usize) {
    for _ in 0..2 {
        let mut products = vec![0.0f64; columns * columns];
        for row in basis.chunks_exact(columns) {
            for (at, &a) in row.iter().enumerate() {
                let sums = &mut products[at * columns..][..=at];
                sums.iter_mut().zip(row).for_each(|(sum, &b)| *sum += f64::from(a * b));
            }
        }
        let factor = cholesky(products, columns);
        let mut solved = vec![0.0f64; columns];
        for row in basis.chunks_exact_mut(columns) {
            for at in 0..columns {
                let known: f64 = factor[at * columns..][..at]
                    .iter()
                    .zip(&solved)
                    .map(|(factor, value)| factor * value)
                    .sum();
                solved[at] = (f64::from(row[at]) - known) / factor[at * columns + at];
            }
            row.iter_mut().zip(&solved).for_each(|(value, &solved)| *value = solved as f32);
        }
    }
}

/// The lower triangle L of a symmetric matrix L Lᵀ, of which the lower triangle is given.
fn cholesky(mut matrix: Vec<f64>, size: usize) -> Vec<f64> {
    for row in 0..size {
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| matrix[row * size + k] * matrix[column * size + k]).sum();
            let rest = matrix[row * size + column] - known;
            matrix[row * size + column] = if row == column {
                // A column that the others span is left out by being made long.
                if rest > 1e-20 { rest.sqrt() } else { f64::MAX.sqrt() }
            } else {
                rest / matrix[column * size + column]
            };
        }
    }
    matrix
}

/// Makes a symmetric matrix diagonal by Jacobi's rotations and returns the eigenvectors as
/// columns.
fn diagonalize(matrix: &mut [f64], size: usize) -> Vec<f64> {
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|at| vectors[at * size + at] = 1.0);
    // Ten sweeps over all pairs are past convergence.
    for _ in 0..10 {
        for p in 0..size {
            for q in p + 1..size {
                let off = matrix[p * size + q];
                if off.abs() < 1e-300 {
                    continue;
                }
                let ratio = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * off);
                let tangent = ratio.signum() / (ratio.abs() + (ratio * ratio + 1.0).sqrt());
                let cosine = (tangent * tangent + 1.0).sqrt().recip();
                let sine = tangent * cosine;
                let rotate = |values: &mut [f64], a: usize, b: usize| {
                    let (x, y) = (values[a], values[b]);
                    values[a] = cosine * x - sine * y;
                    values[b] = sine * x + cosine * y;
                };
                for k in 0..size {
                    rotate(matrix, k * size + p, k * size + q);
                    rotate(&mut vectors, k * size + p, k * size + q);
                }
                for k in 0..size {
                    rotate(matrix, p * size + k, q * size + k);
                }
            }
        }
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_those_that_the_vectors_vary_in() {
        // Features 0 and 1 go together, 2 stands alone and is weaker, 3 is weaker still.
        let vectors: Vec<Sparse> = (0..60)
            .map(|at| match at % 3 {
                0 => vec![(0, 3.0), (1, 4.0)],
                1 => vec![(2, 2.0)],
                _ => vec![(3, 1.0)],
            })
            .collect();
        let found = Directions::of(&vectors, 4, 2, 8);
        assert_eq!(found, Directions::of(&vectors, 4, 2, 8));
        let size = |feature: usize, direction: usize| found.values[feature * 2 + direction].abs();
        for (feature, direction, expected) in
            [(0, 0, 0.6), (1, 0, 0.8), (2, 0, 0.0), (2, 1, 1.0), (3, 1, 0.0)]
        {
            assert!((size(feature, direction) - expected).abs() < 1e-3, "{found:?}");
        }
        assert!(
            (found.lengths[0] - 500f32.sqrt()).abs() < 1e-2 && (found.lengths[1] - 80f32.sqrt()).abs() < 1e-2
        );
    }
}
