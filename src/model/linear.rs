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

    /// The weights of several features for `output`, in units of its scale.
    pub fn column(&self, features: std::ops::Range<usize>, output: usize) -> impl Iterator<Item = i8> {
        features.map(move |feature| self.values[feature * self.scales.len() + output])
    }

    /// Brings the rows of a vector's features near, as [`Table::fetch`] does slots.
    ///
    /// [`Table::fetch`]: super::table::Table::fetch
    pub fn fetch(&self, vector: &[(u32, f32)]) {
        let outputs = self.scales.len();
        let row = |feature: u32| &self.values[feature as usize * outputs..][..outputs];
        fetch(vector.iter().map(|&(feature, _)| row(feature)));
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

/// Brings rows near that lie all over memory: asked for together they come together.
pub fn fetch<'a>(rows: impl Iterator<Item = &'a [i8]>) {
    /// How many bytes come at once.
    const LINE: usize = 64;
    let of_lines =
        |row: &[i8]| row.chunks(LINE).fold(row.last().copied().unwrap_or(0), |all, line| all ^ line[0]);
    // What was read is of no use, but has to be.
    std::hint::black_box(rows.fold(0, |all, row| all ^ of_lines(row)));
}

/// Turns scores into a probability by logistic regression. Of one score: Platt, "Probabilistic
/// Outputs for Support Vector Machines" (1999); of several: Wolpert, "Stacked Generalization" (1992).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration<const SCORES: usize> {
    pub slopes: [f32; SCORES],
    pub offset: f32,
}

/// Held-out scores of something that is right or wrong.
#[derive(Clone, Copy, Debug)]
pub struct Judged<const SCORES: usize> {
    pub scores: [f32; SCORES],
    pub right: bool,
    /// How much it counts; 1 is usual.
    pub weight: f32,
}

impl<const SCORES: usize> Calibration<SCORES> {
    /// Fits what was judged. The further from `prior` a weight is, the worse, by half of `penalty` times
    /// the square.
    pub fn fit(judged: &[Judged<SCORES>], prior: Self, penalty: f64) -> Self {
        /// Newton's method on a convex loss: so many steps are past convergence, and longer ones, in
        /// any weight, would leave where the curvature is known.
        const STEPS: usize = 25;
        const LONGEST_STEP: f64 = 4.0;
        let around: Vec<f64> = prior.weights().map(f64::from).collect();
        let mut weights = around.clone();
        for _ in 0..STEPS {
            let (mut slope, mut curvature) = (vec![0.0; SCORES + 1], vec![vec![0.0; SCORES + 1]; SCORES + 1]);
            for (at, row) in curvature.iter_mut().enumerate() {
                slope[at] = penalty * (weights[at] - around[at]);
                row[at] = penalty + 1e-6;
            }
            for Judged { scores, right, weight } in judged {
                let scores: Vec<f64> = scores.iter().copied().chain([1.0]).map(f64::from).collect();
                let score: f64 = weights.iter().zip(&scores).map(|(weight, score)| weight * score).sum();
                let (p, weight) = (1.0 / (1.0 + (-score).exp()), f64::from(*weight));
                let (error, spread) = (weight * (p - f64::from(u8::from(*right))), weight * p * (1.0 - p));
                for (at, &one) in scores.iter().enumerate() {
                    slope[at] += error * one;
                    for (sum, &other) in curvature[at].iter_mut().zip(&scores) {
                        *sum += spread * one * other;
                    }
                }
            }
            let step = solve(curvature, slope);
            let longest = step.iter().fold(LONGEST_STEP, |longest, step| longest.max(step.abs()));
            weights.iter_mut().zip(step).for_each(|(weight, step)| *weight -= step * LONGEST_STEP / longest);
        }
        Self { slopes: std::array::from_fn(|at| weights[at] as f32), offset: weights[SCORES] as f32 }
    }

    /// The slopes, then the offset: as model files keep them.
    pub fn weights(&self) -> impl Iterator<Item = f32> {
        self.slopes.into_iter().chain([self.offset])
    }

    /// Takes what [`Calibration::weights`] gave of many, one after the other.
    pub fn from_weights(weights: &[f32]) -> Vec<Self> {
        let read =
            |weights: &[f32]| Self { slopes: std::array::from_fn(|at| weights[at]), offset: weights[SCORES] };
        weights.chunks_exact(SCORES + 1).map(read).collect()
    }

    pub fn probability(&self, scores: [f32; SCORES]) -> f32 {
        let score: f32 = self.slopes.iter().zip(scores).map(|(slope, score)| slope * score).sum();
        1.0 / (1.0 + (-(score + self.offset)).exp())
    }
}

/// Solves a positive definite system by elimination; such a one needs no pivots.
pub fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let width = right.len();
    for pivot in 0..width {
        let (done, below) = matrix.split_at_mut(pivot + 1);
        let pivot_row = &done[pivot];
        for (offset, row) in below.iter_mut().enumerate() {
            let factor = row[pivot] / pivot_row[pivot];
            for (value, &above) in row[pivot..].iter_mut().zip(&pivot_row[pivot..]) {
                *value -= factor * above;
            }
            right[pivot + 1 + offset] -= factor * right[pivot];
        }
    }
    for pivot in (0..width).rev() {
        let known: f64 = (pivot + 1..width).map(|column| matrix[pivot][column] * right[column]).sum();
        right[pivot] = (right[pivot] - known) / matrix[pivot][pivot];
    }
    right
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
    fn a_calibration_gives_the_share_that_was_right() {
        let judged: Vec<Judged<1>> = (0..1000)
            .map(|i| Judged {
                scores: [if i < 500 { 0.8 } else { 0.2 }],
                right: i % 500 < if i < 500 { 400 } else { 50 },
                weight: 1.0,
            })
            .collect();
        let prior = Calibration { slopes: [2.0], offset: -1.0 };
        let fitted = Calibration::fit(&judged, prior, 0.0);
        assert!((fitted.probability([0.8]) - 0.8).abs() < 0.01);
        assert!((fitted.probability([0.2]) - 0.1).abs() < 0.01);
        // With nothing to learn from the prior stands.
        assert_eq!(Calibration::fit(&[], prior, 1.0), prior);
        assert_eq!(Calibration::from_weights(&fitted.weights().collect::<Vec<_>>()), [fitted]);
    }

    #[test]
    fn a_second_score_that_speaks_against_lowers_the_probability() {
        let judged: Vec<Judged<2>> = (0..400)
            .map(|i| Judged { scores: [1.0, (i % 2) as f32], right: i % 2 == 0 && i % 10 > 0, weight: 1.0 })
            .collect();
        let fitted = Calibration::fit(&judged, Calibration { slopes: [1.0, 0.0], offset: 0.0 }, 0.1);
        let [alone, beside] = [[1.0, 0.0], [1.0, 1.0]].map(|scores| fitted.probability(scores));
        assert!((alone - 0.8).abs() < 0.02 && beside < 0.02, "{alone} {beside}");
    }
}
