//! How a forest is grown.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::{Forest, MOST_LEAVES, Node};

/// What a forest learns to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// Targets are 0 or 1 (or in between); the score is the log-odds of 1, see [`probability`].
    Logistic,
    /// Targets are any numbers; the score is the expected one.
    Squared,
}

/// How a forest grows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Params {
    pub trees: usize,
    /// At most this many leaves a tree, 2 to 32.
    pub leaves: usize,
    pub learning_rate: f64,
    /// A leaf stands on at least this many rows.
    pub min_rows: usize,
    /// Ridge penalty on the leaves' values.
    pub l2: f64,
    /// Share of the rows that each tree sees.
    pub row_share: f64,
    /// Share of the features that each tree sees.
    pub feature_share: f64,
    pub seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            trees: 200,
            leaves: 31,
            learning_rate: 0.1,
            min_rows: 20,
            l2: 1.0,
            row_share: 0.8,
            feature_share: 0.6,
            seed: 1,
        }
    }
}

impl Forest {
    /// Trains on `rows`, laid end to end, `width` finite features each, one target a row.
    /// `weights` say how much each row counts; where there are none, all count 1.
    ///
    /// # Panics
    /// If `rows`, `targets` and `weights` do not fit each other, or `width` is over 65536.
    pub fn train(
        rows: &[f32],
        width: usize,
        targets: &[f32],
        weights: Option<&[f32]>,
        objective: Objective,
        params: &Params,
    ) -> Self {
        assert_eq!(rows.len(), width * targets.len(), "one target a row");
        assert!(weights.is_none_or(|weights| weights.len() == targets.len()), "one weight a row");
        assert!(width <= 1 << 16 && (2..=MOST_LEAVES).contains(&params.leaves));
        Trainer::new(rows, width, targets, weights, objective, params).run()
    }
}

/// At most this many bins a feature, so that a bin's number fits a byte.
const BINS: usize = 255;

/// A feature's values as bins: bin `b` holds the values up to `edges[b]`.
struct Column {
    bins: Vec<u8>,
    edges: Vec<f32>,
}

impl Column {
    fn new(rows: &[f32], width: usize, feature: usize) -> Self {
        let values = || rows.iter().skip(feature).step_by(width).copied();
        let mut sorted: Vec<f32> = values().collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut distinct = sorted.clone();
        distinct.dedup();
        let mut edges: Vec<f32> = if distinct.len() <= BINS {
            distinct.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2.0).collect()
        } else {
            (1..BINS).map(|bin| sorted[bin * sorted.len() / BINS]).collect()
        };
        edges.dedup();
        edges.push(f32::INFINITY);
        let bins = values().map(|value| edges.partition_point(|&edge| edge < value) as u8).collect();
        Self { bins, edges }
    }
}

/// Gradient and curvature summed over rows, and how many rows they are.
#[derive(Clone, Copy, Default)]
struct Sum {
    gradient: f64,
    curvature: f64,
    rows: u32,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
        self.rows += other.rows;
    }

    fn minus(self, other: Sum) -> Sum {
        Sum {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            rows: self.rows - other.rows,
        }
    }
}

/// The best cut of a leaf: rows with a bin up to `bin` go left.
#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    feature: usize,
    bin: usize,
}

/// A leaf while its tree grows.
struct Leaf {
    node: usize,
    rows: Vec<u32>,
    sum: Sum,
    /// One histogram a feature that the tree sees.
    histograms: Vec<Vec<Sum>>,
    split: Option<Split>,
}

struct Trainer<'a> {
    targets: &'a [f32],
    weights: Option<&'a [f32]>,
    objective: Objective,
    params: &'a Params,
    columns: Vec<Column>,
    /// The score of every row so far.
    scores: Vec<f64>,
    /// Gradient and curvature of every row.
    slopes: Vec<(f32, f32)>,
    random: SplitMix,
    forest: Forest,
}

impl<'a> Trainer<'a> {
    fn new(
        rows: &[f32],
        width: usize,
        targets: &'a [f32],
        weights: Option<&'a [f32]>,
        objective: Objective,
        params: &'a Params,
    ) -> Self {
        let columns = (0..width).into_par_iter().map(|feature| Column::new(rows, width, feature)).collect();
        let weight = |row: usize| weights.map_or(1.0, |weights| f64::from(weights[row]));
        let total: f64 = (0..targets.len()).map(weight).sum();
        let mean =
            targets.iter().enumerate().map(|(row, &target)| weight(row) * f64::from(target)).sum::<f64>()
                / total.max(f64::MIN_POSITIVE);
        let base = match objective {
            Objective::Squared => mean,
            Objective::Logistic => {
                let mean = mean.clamp(1e-6, 1.0 - 1e-6);
                (mean / (1.0 - mean)).ln()
            }
        };
        Self {
            targets,
            weights,
            objective,
            params,
            columns,
            scores: vec![base; targets.len()],
            slopes: vec![(0.0, 0.0); targets.len()],
            random: SplitMix(params.seed),
            forest: Forest::new(width, base as f32),
        }
    }

    fn run(mut self) -> Forest {
        for _ in 0..self.params.trees {
            self.find_slopes();
            let rows: Vec<u32> = (0..self.targets.len() as u32)
                .filter(|_| self.random.unit() < self.params.row_share)
                .collect();
            let features: Vec<usize> =
                (0..self.columns.len()).filter(|_| self.random.unit() < self.params.feature_share).collect();
            let (tree, bins) = self.grow(rows, &features);
            self.add(&tree, &bins);
        }
        self.forest
    }

    fn find_slopes(&mut self) {
        for (row, slope) in self.slopes.iter_mut().enumerate() {
            let weight = self.weights.map_or(1.0, |weights| f64::from(weights[row]));
            let target = f64::from(self.targets[row]);
            let (gradient, curvature) = match self.objective {
                Objective::Squared => (self.scores[row] - target, 1.0),
                Objective::Logistic => {
                    let probability = 1.0 / (1.0 + (-self.scores[row]).exp());
                    (probability - target, (probability * (1.0 - probability)).max(1e-6))
                }
            };
            *slope = ((gradient * weight) as f32, (curvature * weight) as f32);
        }
    }

    /// One tree, and beside each of its inner nodes the bin that it cuts behind.
    fn grow(&self, rows: Vec<u32>, features: &[usize]) -> (Vec<Node>, Vec<u8>) {
        let mut nodes = vec![Node { feature: 0, child: 0, value: 0.0 }];
        let mut bins = vec![0];
        let root = self.leaf(0, rows, features, None);
        let mut leaves = vec![root];
        while leaves.len() < self.params.leaves {
            let best = leaves
                .iter()
                .enumerate()
                .filter_map(|(place, leaf)| leaf.split.map(|split| (place, split)))
                .max_by(|(_, a), (_, b)| a.gain.partial_cmp(&b.gain).unwrap_or(Ordering::Equal));
            let Some((place, split)) = best else { break };
            let leaf = leaves.swap_remove(place);
            let child = nodes.len();
            let column = &self.columns[split.feature];
            nodes[leaf.node] =
                Node { feature: split.feature as u16, child: child as u16, value: column.edges[split.bin] };
            bins[leaf.node] = split.bin as u8;
            nodes.extend([Node { feature: 0, child: 0, value: 0.0 }; 2]);
            bins.extend([0; 2]);
            let (left, right): (Vec<u32>, Vec<u32>) =
                leaf.rows.iter().partition(|&&row| usize::from(column.bins[row as usize]) <= split.bin);
            leaves.extend(self.children(leaf, [(child, left), (child + 1, right)], features));
        }
        for leaf in &leaves {
            nodes[leaf.node].value = (self.value(leaf.sum) * self.params.learning_rate) as f32;
        }
        (nodes, bins)
    }

    /// Counts the smaller child; what is left of the parent is the other.
    fn children(&self, parent: Leaf, sides: [(usize, Vec<u32>); 2], features: &[usize]) -> [Leaf; 2] {
        let [left, right] = sides;
        let left_is_small = left.1.len() <= right.1.len();
        let (small, large) = if left_is_small { (left, right) } else { (right, left) };
        let small = self.leaf(small.0, small.1, features, None);
        let mut histograms = parent.histograms;
        for (whole, part) in histograms.iter_mut().zip(&small.histograms) {
            for (whole, &part) in whole.iter_mut().zip(part) {
                *whole = whole.minus(part);
            }
        }
        let large = self.leaf(large.0, large.1, features, Some(histograms));
        if left_is_small { [small, large] } else { [large, small] }
    }

    fn leaf(
        &self,
        node: usize,
        rows: Vec<u32>,
        features: &[usize],
        histograms: Option<Vec<Vec<Sum>>>,
    ) -> Leaf {
        let slopes: Vec<(f32, f32)> = rows.iter().map(|&row| self.slopes[row as usize]).collect();
        let mut sum = Sum::default();
        for &(gradient, curvature) in &slopes {
            sum.add(Sum { gradient: gradient.into(), curvature: curvature.into(), rows: 1 });
        }
        let histograms = histograms.unwrap_or_else(|| {
            features.par_iter().map(|&feature| histogram(&self.columns[feature], &rows, &slopes)).collect()
        });
        let split = if rows.len() >= 2 * self.params.min_rows.max(1) {
            features
                .iter()
                .zip(&histograms)
                .filter_map(|(&feature, histogram)| self.best_split(feature, histogram, sum))
                .max_by(|a, b| a.gain.partial_cmp(&b.gain).unwrap_or(Ordering::Equal))
        } else {
            None
        };
        Leaf { node, rows, sum, histograms, split }
    }

    fn best_split(&self, feature: usize, histogram: &[Sum], whole: Sum) -> Option<Split> {
        let mut best: Option<Split> = None;
        let mut left = Sum::default();
        let unsplit = self.gain(whole);
        let least = self.params.min_rows.max(1) as u32;
        for (bin, &here) in histogram[..histogram.len() - 1].iter().enumerate() {
            left.add(here);
            if here.rows == 0 || left.rows < least || whole.rows - left.rows < least {
                continue;
            }
            let gain = self.gain(left) + self.gain(whole.minus(left)) - unsplit;
            if gain > best.map_or(1e-9, |best| best.gain) {
                best = Some(Split { gain, feature, bin });
            }
        }
        best
    }

    fn gain(&self, sum: Sum) -> f64 {
        sum.gradient * sum.gradient / (sum.curvature + self.params.l2)
    }

    fn value(&self, sum: Sum) -> f64 {
        -sum.gradient / (sum.curvature + self.params.l2)
    }

    /// Adds a tree to the forest and to the scores of all rows, also those it did not see.
    fn add(&mut self, tree: &[Node], bins: &[u8]) {
        for (row, score) in self.scores.iter_mut().enumerate() {
            let mut node = 0;
            while tree[node].child != 0 {
                let column = &self.columns[tree[node].feature as usize];
                node = tree[node].child as usize + usize::from(column.bins[row] > bins[node]);
            }
            *score += f64::from(tree[node].value);
        }
        self.forest.plant(tree);
    }
}

fn histogram(column: &Column, rows: &[u32], slopes: &[(f32, f32)]) -> Vec<Sum> {
    let mut histogram = vec![Sum::default(); column.edges.len()];
    for (&row, &(gradient, curvature)) in rows.iter().zip(slopes) {
        let bin = usize::from(column.bins[row as usize]);
        histogram[bin].add(Sum { gradient: gradient.into(), curvature: curvature.into(), rows: 1 });
    }
    histogram
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct SplitMix(pub u64);

impl SplitMix {
    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}
