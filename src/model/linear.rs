//! Linear models over sparse vectors: many outputs trained at once, and scores turned into
//! probabilities.

/// A vector as its features and their values, each feature once.
pub type Sparse = Vec<(u32, f32)>;

/// One text to learn from.
#[derive(Clone, Debug)]
pub struct Example {
    pub vector: Sparse,
    /// For each output how true it is, 0 to 1.
    pub targets: Vec<f32>,
    /// How much the example counts; 1 is usual.
    pub weight: f32,
}

/// Ridge regression on the targets, by dual coordinate ascent.
///
/// For text with few labels the squared loss ranks better than the logistic one, and the
/// dual has a closed step without a learning rate: Shalev-Shwartz and Zhang, "Stochastic
/// Dual Coordinate Ascent Methods for Regularized Loss Minimization", JMLR 14 (2013).
#[derive(Clone, Copy, Debug)]
pub struct Ridge {
    /// Strength of the L2 penalty; vectors have length 1, so 0.1 is little and 1 is much.
    pub penalty: f32,
    /// Passes over the examples.
    pub epochs: usize,
    /// Decides the order of the examples.
    pub seed: u64,
}

impl Ridge {
    /// Fits `outputs` functions of `features` features.
    ///
    /// # Panics
    /// If an example has a feature or a number of targets beyond those.
    pub fn fit(&self, examples: &[&Example], features: usize, outputs: usize) -> Weights {
        let mut weights = Weights { outputs, values: vec![0.0; features * outputs] };
        let mut dual = vec![0.0f32; examples.len() * outputs];
        let mut order: Vec<usize> = (0..examples.len()).collect();
        let mut random = self.seed;
        let mut scores = vec![0.0f32; outputs];
        for _ in 0..self.epochs {
            shuffle(&mut order, &mut random);
            for &at in &order {
                let example = examples[at];
                weights.scores_into(&example.vector, &mut scores);
                let square: f32 = example.vector.iter().map(|(_, value)| value * value).sum();
                let step = 1.0 / (self.penalty + example.weight * square);
                let dual = &mut dual[at * outputs..][..outputs];
                // From here on `scores` holds the step along each output's dual variable.
                for ((score, target), dual) in scores.iter_mut().zip(&example.targets).zip(dual) {
                    *score = (example.weight * (target - *score) - self.penalty * *dual) * step;
                    *dual += *score;
                }
                weights.add(&example.vector, &scores);
            }
        }
        weights
    }
}

/// A matrix of weights, one row of outputs a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    pub outputs: usize,
    pub values: Vec<f32>,
}

impl Weights {
    pub fn row(&self, feature: u32) -> &[f32] {
        &self.values[feature as usize * self.outputs..][..self.outputs]
    }

    /// Each output's score for a vector.
    pub fn scores(&self, vector: &[(u32, f32)]) -> Vec<f32> {
        let mut scores = vec![0.0; self.outputs];
        self.scores_into(vector, &mut scores);
        scores
    }

    fn scores_into(&self, vector: &[(u32, f32)], scores: &mut [f32]) {
        scores.fill(0.0);
        for &(feature, value) in vector {
            for (score, weight) in scores.iter_mut().zip(self.row(feature)) {
                *score += weight * value;
            }
        }
    }

    fn add(&mut self, vector: &[(u32, f32)], steps: &[f32]) {
        for &(feature, value) in vector {
            let row = &mut self.values[feature as usize * self.outputs..][..self.outputs];
            for (weight, step) in row.iter_mut().zip(steps) {
                *weight += step * value;
            }
        }
    }

    /// The same weights in a quarter of the space: one scale an output, eight bits a weight.
    pub fn quantized(&self) -> QuantizedWeights {
        let mut largest = vec![f32::MIN_POSITIVE; self.outputs];
        for row in self.values.chunks_exact(self.outputs) {
            for (largest, weight) in largest.iter_mut().zip(row) {
                *largest = largest.max(weight.abs());
            }
        }
        let scales: Vec<f32> = largest.iter().map(|largest| largest / 127.0).collect();
        let values = self
            .values
            .chunks_exact(self.outputs)
            .flat_map(|row| row.iter().zip(&scales).map(|(weight, scale)| (weight / scale).round() as i8))
            .collect();
        QuantizedWeights { scales, values }
    }
}

/// [`Weights`] as a model file keeps them.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedWeights {
    /// What one unit of each output's weights is worth.
    pub scales: Vec<f32>,
    /// One row of outputs a feature.
    pub values: Vec<i8>,
}

impl QuantizedWeights {
    pub fn features(&self) -> usize {
        self.values.len() / self.scales.len().max(1)
    }

    /// The weight of `feature` for `output`.
    pub fn weight(&self, feature: u32, output: usize) -> f32 {
        f32::from(self.values[feature as usize * self.scales.len() + output]) * self.scales[output]
    }

    /// Each output's score for a vector.
    pub fn scores(&self, vector: &[(u32, f32)]) -> Vec<f32> {
        let outputs = self.scales.len();
        let mut scores = vec![0.0; outputs];
        for &(feature, value) in vector {
            let row = &self.values[feature as usize * outputs..][..outputs];
            for (score, &weight) in scores.iter_mut().zip(row) {
                *score += f32::from(weight) * value;
            }
        }
        scores.iter_mut().zip(&self.scales).for_each(|(score, scale)| *score *= scale);
        scores
    }
}

/// Turns a score into a probability: Platt, "Probabilistic Outputs for Support Vector
/// Machines" (1999).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Platt {
    pub slope: f32,
    pub offset: f32,
}

impl Platt {
    /// Fits held-out scores and whether each was right. `prior` counts like `strength`
    /// examples at scores from 0 to 1, for outputs that have few examples of their own.
    pub fn fit(scored: &[(f32, bool)], prior: Platt, strength: f64) -> Self {
        const PRIOR_SCORES: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
        let believed = PRIOR_SCORES.map(|score| (score, f64::from(prior.probability(score)), strength / 5.0));
        let seen = scored.iter().map(|&(score, right)| (score, f64::from(u8::from(right)), 1.0));
        let points: Vec<(f32, f64, f64)> = seen.chain(believed).collect();

        let (mut slope, mut offset) = (f64::from(prior.slope), f64::from(prior.offset));
        // Newton's method on a convex loss; 25 short steps are past convergence.
        for _ in 0..25 {
            let (mut ds, mut d0, mut ss, mut s0, mut oo) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
            for &(score, target, weight) in &points {
                let score = f64::from(score);
                let p = 1.0 / (1.0 + (-(slope * score + offset)).exp());
                let (error, spread) = (weight * (p - target), weight * p * (1.0 - p));
                ds += error * score;
                d0 += error;
                ss += spread * score * score;
                s0 += spread * score;
                oo += spread;
            }
            let determinant = ss * oo - s0 * s0;
            slope -= ((oo * ds - s0 * d0) / determinant).clamp(-4.0, 4.0);
            offset -= ((ss * d0 - s0 * ds) / determinant).clamp(-2.0, 2.0);
        }
        Self { slope: slope as f32, offset: offset as f32 }
    }

    pub fn probability(self, score: f32) -> f32 {
        1.0 / (1.0 + (-(self.slope * score + self.offset)).exp())
    }
}

/// Fisher-Yates.
fn shuffle(order: &mut [usize], state: &mut u64) {
    for last in (1..order.len()).rev() {
        order.swap(last, (random(state) % (last as u64 + 1)) as usize);
    }
}

/// The next number of the SplitMix64 generator.
pub(super) fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output 0 is feature 0 or 1; output 1 is feature 2.
    fn examples() -> Vec<Example> {
        let example = |features: &[u32], targets: [f32; 2]| Example {
            vector: features
                .iter()
                .map(|&feature| (feature, (features.len() as f32).sqrt().recip()))
                .collect(),
            targets: targets.to_vec(),
            weight: 1.0,
        };
        vec![
            example(&[0, 3], [1.0, 0.0]),
            example(&[1, 3], [1.0, 0.0]),
            example(&[2, 3], [0.0, 1.0]),
            example(&[0, 2], [1.0, 1.0]),
            example(&[3], [0.0, 0.0]),
        ]
    }

    #[test]
    fn ridge_meets_its_optimality_condition_and_repeats_itself() {
        let examples = examples();
        let examples: Vec<&Example> = examples.iter().collect();
        let ridge = Ridge { penalty: 0.1, epochs: 200, seed: 7 };
        let weights = ridge.fit(&examples, 4, 2);
        assert_eq!(weights, ridge.fit(&examples, 4, 2));
        // The gradient of the loss vanishes: penalty * w = sum of residual * x.
        for feature in 0..4 {
            for output in 0..2 {
                let pull: f32 = examples
                    .iter()
                    .map(|e| {
                        let value =
                            e.vector.iter().find(|(f, _)| *f == feature).map_or(0.0, |(_, value)| *value);
                        (e.targets[output] - weights.scores(&e.vector)[output]) * value
                    })
                    .sum();
                assert!((pull - 0.1 * weights.row(feature)[output]).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn quantized_weights_score_nearly_the_same() {
        let examples = examples();
        let weights =
            Ridge { penalty: 0.1, epochs: 50, seed: 7 }.fit(&examples.iter().collect::<Vec<_>>(), 4, 2);
        let quantized = weights.quantized();
        for example in &examples {
            for (a, b) in weights.scores(&example.vector).iter().zip(quantized.scores(&example.vector)) {
                assert!((a - b).abs() < 0.02, "{a} {b}");
            }
        }
    }

    #[test]
    fn platt_gives_the_share_that_was_right() {
        let scored: Vec<(f32, bool)> = (0..1000)
            .map(|i| (if i < 500 { 0.8 } else { 0.2 }, i % 500 < if i < 500 { 400 } else { 50 }))
            .collect();
        let platt = Platt::fit(&scored, Platt { slope: 1.0, offset: 0.0 }, 0.0);
        assert!((platt.probability(0.8) - 0.8).abs() < 0.01);
        assert!((platt.probability(0.2) - 0.1).abs() < 0.01);
        // With nothing to learn from the prior stands.
        let prior = Platt::fit(&[], Platt { slope: 2.0, offset: -1.0 }, 10.0);
        assert!((prior.slope - 2.0).abs() < 1e-3 && (prior.offset + 1.0).abs() < 1e-3);
    }
}
