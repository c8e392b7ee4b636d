//! Gradient-boosted regression trees: histogram training and fast scoring.
//!
//! Trees grow best split first on binned features (Ke et al., "LightGBM", NIPS 2017) and
//! fit the gradient and curvature of the objective (Friedman, "Greedy function
//! approximation", 2001). Training is deterministic: the same rows give the same forest,
//! on any number of threads.
//!
//! A forest is scored without walking: every question of a tree is asked, for several rows
//! at once, and each answer shuts the leaves that it rules out (Lucchese et al.,
//! "QuickScorer", SIGIR 2015, and "Exploiting CPU SIMD extensions to speed-up document
//! scoring with tree ensembles", SIGIR 2016).

mod train;

pub use train::{Objective, Params};

use super::{ModelError, ModelFile, ModelWriter};

/// The probability that belongs to a [`Objective::Logistic`] score.
pub fn probability(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

/// A node of a tree as it grows. The children of an inner node stand side by side behind it.
#[derive(Clone, Copy, Debug)]
struct Node {
    feature: u16,
    /// Place of the left child in its tree; 0 for a leaf, since the root is nobody's child.
    child: u16,
    /// The largest feature value that goes left, or a leaf's contribution to the score.
    value: f32,
}

/// An inner node of a tree: whether a feature's value goes left.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Question {
    feature: u32,
    /// The largest value that goes left.
    most: f32,
    /// The leaves that stay open where the value goes right, one bit each, the leftmost leaf
    /// the lowest: all but those of the left subtree.
    right: u32,
}

/// A set of leaves is the bits of a `u32`.
const MOST_LEAVES: usize = 32;

/// How many rows are scored side by side, for vector registers to share.
const ABREAST: usize = 16;

/// A sum of trees. Immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    width: usize,
    base: f32,
    /// How many questions each tree has; its leaves are one more.
    sizes: Vec<u32>,
    /// Tree after tree.
    questions: Vec<Question>,
    /// What each leaf adds to the score, tree after tree, from left to right.
    leaves: Vec<f32>,
}

impl Forest {
    fn new(width: usize, base: f32) -> Self {
        Self { width, base, sizes: Vec::new(), questions: Vec::new(), leaves: Vec::new() }
    }

    /// Adds a tree.
    fn plant(&mut self, tree: &[Node]) {
        let questions = self.questions.len();
        self.plant_subtree(tree, 0, self.leaves.len());
        self.sizes.push((self.questions.len() - questions) as u32);
    }

    /// Adds the questions and leaves at and below `place`; the tree's leaves begin at `first`.
    fn plant_subtree(&mut self, tree: &[Node], place: usize, first: usize) {
        let Node { feature, child, value } = tree[place];
        if child == 0 {
            self.leaves.push(value);
            return;
        }
        let question = self.questions.len();
        self.questions.push(Question { feature: feature.into(), most: value, right: u32::MAX });
        let before = self.leaves.len() - first;
        self.plant_subtree(tree, child.into(), first);
        let left = (before..self.leaves.len() - first).fold(0, |set, leaf| set | 1 << leaf);
        self.questions[question].right = !left;
        self.plant_subtree(tree, usize::from(child) + 1, first);
    }

    /// The scores of rows laid end to end, [`Forest::read`]'s `width` each; their meaning is the objective's.
    pub fn scores(&self, rows: &[f32]) -> Vec<f32> {
        let rows: Vec<&[f32]> = rows.chunks_exact(self.width.max(1)).collect();
        let mut scores = vec![self.base; rows.len()];
        let mut columns = vec![[0.0; ABREAST]; self.width];
        for (rows, scores) in rows.chunks(ABREAST).zip(scores.chunks_mut(ABREAST)) {
            for (place, row) in rows.iter().enumerate() {
                for (column, &value) in columns.iter_mut().zip(*row) {
                    column[place] = value;
                }
            }
            let (mut questions, mut leaves) = (&self.questions[..], &self.leaves[..]);
            for &size in &self.sizes {
                let (tree, other_questions) = questions.split_at(size as usize);
                let (values, other_leaves) = leaves.split_at(size as usize + 1);
                for (score, open) in scores.iter_mut().zip(open_leaves(tree, &columns)) {
                    *score += values[open.trailing_zeros() as usize];
                }
                (questions, leaves) = (other_questions, other_leaves);
            }
        }
        scores
    }

    /// Adds the forest to a model file as one section.
    pub fn write<'a>(&self, writer: &mut ModelWriter<'a>, section: &'a str) {
        let mut words = vec![self.width as u32, self.base.to_bits(), self.sizes.len() as u32];
        words.extend(&self.sizes);
        words.extend(self.questions.iter().flat_map(|q| [q.feature, q.most.to_bits(), q.right]));
        words.extend(self.leaves.iter().map(|leaf| leaf.to_bits()));
        writer.u32s(section, &words);
    }

    /// Reads what [`Forest::write`] wrote; refuses a forest of rows that have not `width` features.
    pub fn read(file: &ModelFile<'_>, section: &str, width: usize) -> Result<Self, ModelError> {
        let words = file.u32s(section)?;
        Self::from_words(&words).filter(|forest| forest.width == width).ok_or(ModelError::Damaged(0))
    }

    /// None where a question is about no feature or a row could end at no leaf.
    fn from_words(words: &[u32]) -> Option<Self> {
        let [width, base, trees, rest @ ..] = words else { return None };
        let (sizes, rest) = rest.split_at_checked(*trees as usize)?;
        let total: usize = sizes.iter().map(|&size| size as usize).sum();
        let (questions, leaves) = rest.split_at_checked(total.checked_mul(3)?)?;
        let questions: Vec<Question> = questions
            .as_chunks()
            .0
            .iter()
            .map(|&[feature, most, right]| Question { feature, most: f32::from_bits(most), right })
            .collect();
        let mut others = &questions[..];
        for &size in sizes {
            let (tree, behind) = others.split_at(size as usize);
            // The rightmost leaf is in nobody's left subtree: where it stays open, some leaf does.
            let last = 1_u32.checked_shl(size)?;
            if !tree.iter().all(|question| question.feature < *width && question.right & last != 0) {
                return None;
            }
            others = behind;
        }
        (leaves.len() == total + sizes.len()).then(|| Self {
            width: *width as usize,
            base: f32::from_bits(*base),
            sizes: sizes.to_vec(),
            questions,
            leaves: leaves.iter().map(|&leaf| f32::from_bits(leaf)).collect(),
        })
    }
}

/// For each row, the leaves that no answer of its rules out; it ends at the lowest.
#[inline(never)] // Inlined, the rows no longer share vector registers.
fn open_leaves(tree: &[Question], columns: &[[f32; ABREAST]]) -> [u32; ABREAST] {
    let mut open = [u32::MAX; ABREAST];
    for &Question { feature, most, right } in tree {
        for (open, &value) in open.iter_mut().zip(&columns[feature as usize]) {
            // All ones or none.
            let goes_left = u32::from(value <= most).wrapping_neg();
            *open &= goes_left | right;
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uniform in 0..1, SplitMix64.
    fn numbers(count: usize) -> Vec<f32> {
        let mut random = train::SplitMix(7);
        (0..count).map(|_| random.unit() as f32).collect()
    }

    /// Rows of three features; the target is whether the first two are both over a half.
    fn corner(rows: usize) -> (Vec<f32>, Vec<f32>) {
        let features = numbers(rows * 3);
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
        assert!(probability(forest.scores(&[0.9, 0.8, 0.1])[0]) > 0.9);
        assert!(probability(forest.scores(&[0.9, 0.2, 0.9])[0]) < 0.1);
        assert!(probability(forest.scores(&[0.1, 0.9, 0.9])[0]) < 0.1);
        let each: Vec<f32> = rows.chunks(3).flat_map(|row| forest.scores(row)).collect();
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
        assert!((forest.scores(&[50.0])[0] - 100.0).abs() < 15.0, "{}", forest.scores(&[50.0])[0]);
        assert!((forest.scores(&[10.0])[0] - 20.0).abs() < 15.0);
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

    /// Goes down a tree step by step, as [`Node`] says.
    fn walk(tree: &[Node], row: &[f32]) -> f32 {
        let mut node = tree[0];
        while node.child != 0 {
            let right = usize::from(row[node.feature as usize] > node.value);
            node = tree[node.child as usize + right];
        }
        node.value
    }

    #[test]
    fn asking_all_questions_ends_where_walking_does() {
        let inner = |feature, child, value| Node { feature, child, value };
        let leaf = |value| Node { feature: 0, child: 0, value };
        let one = [
            inner(0, 1, 0.5),
            inner(1, 3, 0.3),
            inner(1, 5, 0.7),
            leaf(1.0),
            inner(0, 7, 0.2),
            leaf(2.0),
            leaf(3.0),
            leaf(4.0),
            leaf(5.0),
        ];
        let other = [leaf(7.0)];
        let mut forest = Forest::new(2, 0.25);
        forest.plant(&one);
        forest.plant(&other);
        let rows = numbers(2 * 100);
        let walked: Vec<f32> = rows.chunks(2).map(|row| 0.25 + walk(&one, row) + walk(&other, row)).collect();
        assert_eq!(forest.scores(&rows), walked);
    }

    #[test]
    fn a_forest_that_would_leave_its_leaves_is_refused() {
        // One tree of one question and two leaves.
        let good = [1, 0, 1, 1, 0, 0, 0b10, 0, 0];
        assert!(Forest::from_words(&good).is_some());
        for (place, word) in [(4, 1), (6, 0b01), (3, 2), (3, 0), (3, 32), (2, 9), (2, 0)] {
            let mut bad = good;
            bad[place] = word;
            assert!(Forest::from_words(&bad).is_none(), "word {place} = {word:#x}");
        }
        assert!(Forest::from_words(&good[..8]).is_none());
    }

    #[test]
    fn no_rows_give_a_forest_too() {
        let forest = Forest::train(&[], 2, &[], None, Objective::Squared, &params());
        assert_eq!(forest.scores(&[1.0, 2.0])[0], 0.0);
    }
}
