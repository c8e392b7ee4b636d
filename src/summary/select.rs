//! Chooses sentences: the best ones, nothing twice, inside the budget.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::centrality::Vectors;

/// How much may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub sentences: usize,
    /// Code points.
    pub characters: usize,
}

/// A sentence that was chosen, with its worth beside those chosen before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    pub sentence: usize,
    pub worth: f32,
}

/// Chooses by worth less what the chosen ones have said already, best first (Carbonell and
/// Goldstein, "MMR", 1998; what is said is words covered, as in Lin and Bilmes 2011).
///
/// `worth` is each sentence's alone, none for one that must not be chosen; `characters` its
/// length; `redundancy` how much a sentence loses that says nothing new. A word is covered once or not at all, so a sentence's worth only ever falls, and each of
/// its words can lower it once: the cost stays linear but for the queue.
pub fn choose(
    worth: &[Option<f32>],
    characters: &[usize],
    vectors: &Vectors,
    redundancy: f32,
    mut budget: Budget,
) -> Vec<Choice> {
    let mut covered = vec![false; vectors.stems()];
    let mut queue: BinaryHeap<Candidate> = worth
        .iter()
        .enumerate()
        .filter_map(|(sentence, worth)| worth.map(|worth| Candidate { worth, sentence }))
        .collect();
    let mut choices = Vec::new();
    while budget.sentences > 0
        && let Some(best) = queue.pop()
    {
        if characters[best.sentence] > budget.characters {
            continue;
        }
        let now = worth[best.sentence].unwrap_or(0.0) - redundancy * said(best.sentence, vectors, &covered);
        if now < best.worth {
            queue.push(Candidate { worth: now, ..best });
            continue;
        }
        for &(stem, _) in vectors.sentence(best.sentence) {
            covered[stem as usize] = true;
        }
        budget.sentences -= 1;
        budget.characters -= characters[best.sentence];
        choices.push(Choice { sentence: best.sentence, worth: best.worth });
    }
    choices
}

/// Share of a sentence's content that is covered.
fn said(sentence: usize, vectors: &Vectors, covered: &[bool]) -> f32 {
    let covered = vectors.sentence(sentence).iter().filter(|&&(stem, _)| covered[stem as usize]);
    let share: f32 = covered.map(|&(_, weight)| weight * weight).sum();
    share * share
}

/// Orders by worth, the earlier sentence first among equals.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    worth: f32,
    sentence: usize,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then_with(|| other.sentence.cmp(&self.sentence))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}
