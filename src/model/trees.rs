//! Gradient-boosted regression trees: histogram training and fast scoring.
//!
//! Trees grow best split first on binned features (Ke et al., "LightGBM", NIPS 2017) and
//! fit the gradient and curvature of the objective (Friedman, "Greedy function
//! approximation", 2001). Training is deterministic: the same rows give the same forest,
//! on any number of threads.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::{ModelError, ModelFile, ModelWriter};

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
    /// At most this many leaves a tree, 2 to 16384.
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

/// The probability that belongs to a [`Objective::Logistic`] score.
pub fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// A node of a tree. The children of an inner node stand side by side behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Node {
    feature: u16,
    /// Place of the left child in its tree; 0 for a leaf, since the root is nobody's child.
    child: u16,
    /// The largest feature value that goes left, or a leaf's contribution to the score.
    value: f32,
}

/// What a tree adds to the score of a row.
fn leaf(tree: &[Node], row: &[f32]) -> f32 {
    let mut node = tree[0];
    while node.child != 0 {
        let left = row[node.feature as usize] <= node.value;
        node = tree[node.child as usize + usize::from(!left)];
    }
    node.value
}

/// How many rows go down a tree side by side.
const ABREAST: usize = 16;

/// As [`leaf`], for several rows. Each step of a row waits for the one before it, but not for
/// the other rows' steps; and there is no branch to guess before all rows are down.
fn leaves_abreast(tree: &[Node], rows: [&[f32]; ABREAST]) -> [f32; ABREAST] {
    let mut places = [0_usize; ABREAST];
    loop {
        let mut under_way = false;
        for (place, row) in places.iter_mut().zip(rows) {
            let node = tree[*place];
            let left = row[node.feature as usize] <= node.value;
            let next = node.child as usize + usize::from(!left);
            *place = if node.child == 0 { *place } else { next };
            under_way |= node.child != 0;
        }
        if !under_way {
            return places.map(|place| tree[place].value);
        }
    }
}

/// A sum of trees. Immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    width: usize,
    base: f32,
    /// Where each tree begins in `nodes`.
    roots: Vec<u32>,
    nodes: Vec<Node>,
}

impl Forest {
    /// The score of one row; its meaning is the objective's.
    ///
    /// # Panics
    /// If `row` has fewer than [`Forest::width`] features.
    pub fn score(&self, row: &[f32]) -> f32 {
        let row = &row[..self.width];
        self.roots.iter().fold(self.base, |score, &root| score + leaf(&self.nodes[root as usize..], row))
    }

    /// The scores of rows laid end to end. Faster than one by one: some rows go down a tree
    /// side by side, and those rows and the tree stay in the cache.
    pub fn scores(&self, rows: &[f32]) -> Vec<f32> {
        let rows: Vec<&[f32]> = rows.chunks_exact(self.width.max(1)).collect();
        let mut scores = vec![self.base; rows.len()];
        for (rows, scores) in rows.chunks(ABREAST).zip(scores.chunks_mut(ABREAST)) {
            // The places of a last, shorter group are filled with its first row.
            let rows: [&[f32]; ABREAST] = std::array::from_fn(|i| *rows.get(i).unwrap_or(&rows[0]));
            for &root in &self.roots {
                let leaves = leaves_abreast(&self.nodes[root as usize..], rows);
                for (score, leaf) in scores.iter_mut().zip(leaves) {
                    *score += leaf;
                }
            }
        }
        scores
    }

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
        assert!(width <= 1 << 16 && (2..=1 << 14).contains(&params.leaves));
        Trainer::new(rows, width, targets, weights, objective, params).run()
    }

    /// Adds the forest to a model file as one section.
    pub fn write<'a>(&self, writer: &mut ModelWriter<'a>, section: &'a str) {
        let mut words = vec![self.width as u32, self.base.to_bits(), self.roots.len() as u32];
        words.extend(&self.roots);
        for node in &self.nodes {
            words.push(u32::from(node.feature) | u32::from(node.child) << 16);
            words.push(node.value.to_bits());
        }
        writer.u32s(section, &words);
    }

    /// Reads what [`Forest::write`] wrote; refuses a forest of rows that have not `width` features.
    pub fn read(file: &ModelFile<'_>, section: &str, width: usize) -> Result<Self, ModelError> {
        let words = file.u32s(section)?;
        Self::from_words(&words).filter(|forest| forest.width == width).ok_or(ModelError::Damaged(0))
    }

    /// None where a score could leave the forest or never end.
    fn from_words(words: &[u32]) -> Option<Self> {
        let [width, base, trees, rest @ ..] = words else { return None };
        let (roots, nodes) = rest.split_at_checked(*trees as usize)?;
        let (nodes, []) = nodes.as_chunks::<2>() else { return None };
        let nodes: Vec<Node> = nodes
            .iter()
            .map(|&[place, value]| Node {
                feature: (place & 0xffff) as u16,
                child: (place >> 16) as u16,
                value: f32::from_bits(value),
            })
            .collect();
        for (tree, &root) in roots.iter().enumerate() {
            let end = roots.get(tree + 1).map_or(nodes.len(), |&next| next as usize);
            let tree = nodes.get(root as usize..end).filter(|tree| !tree.is_empty())?;
            let sound = tree.iter().enumerate().all(|(place, node)| {
                let child = node.child as usize;
                child == 0 || (child > place && child + 1 < tree.len() && u32::from(node.feature) < *width)
            });
            if !sound {
                return None;
            }
        }
        Some(Self { width: *width as usize, base: f32::from_bits(*base), roots: roots.to_vec(), nodes })
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
            forest: Forest { width, base: base as f32, roots: Vec::new(), nodes: Vec::new() },
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
        self.forest.roots.push(self.forest.nodes.len() as u32);
        self.forest.nodes.extend(tree);
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
struct SplitMix(u64);

impl SplitMix {
    /// Uniform in 0..1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of three features; the target is whether the first two are both over a half.
    fn corner(rows: usize) -> (Vec<f32>, Vec<f32>) {
        let mut random = SplitMix(7);
        let features: Vec<f32> = (0..rows * 3).map(|_| random.unit() as f32).collect();
        let targets =
            features.chunks(3).map(|row| f32::from(u8::from(row[0] > 0.5 && row[1] > 0.5))).collect();
        (features, targets)
    }

    fn params() -> Params {
        Params { trees: 30, leaves: 6, feature_share: 1.0, ..Params::default() }
    }

    #[test]
    fn a_corner_is_learnt() {
        let (rows, targets) = corner(2000);
        let forest = Forest::train(&rows, 3, &targets, None, Objective::Logistic, &params());
        assert!(probability(forest.score(&[0.9, 0.8, 0.1])) > 0.9);
        assert!(probability(forest.score(&[0.9, 0.2, 0.9])) < 0.1);
        assert!(probability(forest.score(&[0.1, 0.9, 0.9])) < 0.1);
        let each: Vec<f32> = rows.chunks(3).map(|row| forest.score(row)).collect();
        assert_eq!(forest.scores(&rows), each);
    }

    #[test]
    fn a_number_is_learnt_and_a_row_without_weight_does_not_count() {
        let rows: Vec<f32> = (0..1000).map(|row| (row % 100) as f32).collect();
        let mut targets: Vec<f32> = rows.iter().map(|value| value * 2.0).collect();
        let mut weights = vec![1.0; 1000];
        targets.extend([-1000.0; 50]);
        weights.extend([0.0; 50]);
        let rows: Vec<f32> = rows.into_iter().chain([50.0; 50]).collect();
        let forest = Forest::train(&rows, 1, &targets, Some(&weights), Objective::Squared, &params());
        assert!((forest.score(&[50.0]) - 100.0).abs() < 15.0, "{}", forest.score(&[50.0]));
        assert!((forest.score(&[10.0]) - 20.0).abs() < 15.0);
    }

    #[test]
    fn a_forest_is_read_back_as_written_and_the_same_rows_give_the_same_forest() {
        let (rows, targets) = corner(500);
        let forest = Forest::train(&rows, 3, &targets, None, Objective::Logistic, &params());
        assert_eq!(forest, Forest::train(&rows, 3, &targets, None, Objective::Logistic, &params()));
        let mut writer = ModelWriter::new("toy", "1");
        forest.write(&mut writer, "forest");
        let bytes = writer.finish();
        assert_eq!(Forest::read(&ModelFile::parse(&bytes).unwrap(), "forest", 3).unwrap(), forest);
        assert!(Forest::read(&ModelFile::parse(&bytes).unwrap(), "forest", 4).is_err());
    }

    #[test]
    fn a_forest_that_would_not_end_is_refused() {
        let node = |feature: u32, child: u32| feature | child << 16;
        let good = [1, 0, 1, 0, node(0, 1), 0, node(0, 0), 0, node(0, 0), 0];
        assert!(Forest::from_words(&good).is_some());
        for (place, word) in [(4, node(1, 1)), (4, node(0, 2)), (6, node(0, 1)), (3, 9), (2, 99)] {
            let mut bad = good;
            bad[place] = word;
            assert!(Forest::from_words(&bad).is_none(), "word {place} = {word:#x}");
        }
    }

    #[test]
    fn no_rows_give_a_forest_too() {
        let forest = Forest::train(&[], 2, &[], None, Objective::Squared, &params());
        assert_eq!(forest.score(&[1.0, 2.0]), 0.0);
    }
}
