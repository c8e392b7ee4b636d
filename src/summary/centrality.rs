//! How near each sentence is to all the others.

use super::words::Words;

/// How many rounds of voting; the order of the sentences settles well before.
const ROUNDS: usize = 12;

/// Share of a sentence's rank that comes from its neighbours.
const DAMPING: f32 = 0.85;

/// The content words of every sentence as vectors of length 1 (or 0, for a sentence without any).
pub struct Vectors {
    /// Stem and weight, by sentence, sorted by stem within it.
    terms: Vec<(u32, f32)>,
    starts: Vec<u32>,
    stems: usize,
}

impl Vectors {
    pub fn new(words: &Words) -> Self {
        let mut vectors = Self { terms: Vec::new(), starts: vec![0], stems: words.stems.len() };
        for place in 0..words.len() {
            let start = vectors.terms.len();
            let weights =
                words.sentence(place).iter().map(|word| (word.stem, words.stems[word.stem as usize].weight));
            vectors.terms.extend(weights.filter(|&(_, weight)| weight > 0.0));
            vectors.terms[start..].sort_unstable_by_key(|&(stem, _)| stem);
            // A word said twice in one sentence counts once: lists would win otherwise.
            let mut kept = start;
            for read in start..vectors.terms.len() {
                if kept == start || vectors.terms[kept - 1].0 != vectors.terms[read].0 {
                    vectors.terms[kept] = vectors.terms[read];
                    kept += 1;
                }
            }
            vectors.terms.truncate(kept);
            normalise(&mut vectors.terms[start..]);
            vectors.starts.push(kept as u32);
        }
        vectors
    }

    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many distinct stems the document has.
    pub fn stems(&self) -> usize {
        self.stems
    }

    pub fn sentence(&self, place: usize) -> &[(u32, f32)] {
        &self.terms[self.starts[place] as usize..self.starts[place + 1] as usize]
    }

    /// The sum of the sentences' vectors, each times its weight, by stem.
    pub fn blend(&self, weights: impl Iterator<Item = f32>) -> Vec<f32> {
        let mut sum = vec![0.0; self.stems];
        for (place, weight) in weights.enumerate() {
            for &(stem, value) in self.sentence(place) {
                sum[stem as usize] += weight * value;
            }
        }
        sum
    }

    /// The product of a sentence with a vector by stem.
    pub fn dot(&self, place: usize, by_stem: &[f32]) -> f32 {
        self.sentence(place).iter().map(|&(stem, value)| value * by_stem[stem as usize]).sum()
    }

    /// The cosine of two sentences.
    pub fn cosine(&self, left: usize, right: usize) -> f32 {
        let (mut left, mut right) = (self.sentence(left), self.sentence(right));
        let mut sum = 0.0;
        while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
            if a.0 == b.0 {
                sum += a.1 * b.1;
            }
            if a.0 <= b.0 {
                left = left_rest;
            }
            if b.0 <= a.0 {
                right = right_rest;
            }
        }
        sum
    }

    /// The cosines of a sentence with each of the `count` next ones, added up.
    pub fn cosine_with_next(&self, place: usize, count: usize) -> f32 {
        (place + 1..self.len().min(place + 1 + count)).map(|next| self.cosine(place, next)).sum()
    }

    /// LexRank with continuous weights (Erkan and Radev 2004): the share of attention that a reader
    /// gives each sentence who goes from sentence to similar sentence, times the number of
    /// sentences, so that 1 is usual.
    ///
    /// The matrix of similarities is the vectors times their transpose, so that one round costs two
    /// passes over the words and not all pairs of sentences.
    pub fn rank(&self) -> Vec<f32> {
        let count = self.len();
        let around = self.neighbours(&vec![1.0; count]);
        let share: Vec<f32> = around.iter().map(|&sum| if sum > 1e-6 { sum.recip() } else { 0.0 }).collect();
        let mut rank = vec![1.0_f32; count];
        for _ in 0..ROUNDS {
            let given: Vec<f32> = rank.iter().zip(&share).map(|(rank, share)| rank * share).collect();
            let taken = self.neighbours(&given);
            for (rank, taken) in rank.iter_mut().zip(taken) {
                *rank = 1.0 - DAMPING + DAMPING * taken;
            }
        }
        rank
    }

    /// For each sentence, the weights of all others times their similarity to it.
    fn neighbours(&self, weights: &[f32]) -> Vec<f32> {
        let all = self.blend(weights.iter().copied());
        let own = |place: usize| if self.sentence(place).is_empty() { 0.0 } else { weights[place] };
        (0..self.len()).map(|place| (self.dot(place, &all) - own(place)).max(0.0)).collect()
    }
}

fn normalise(vector: &mut [(u32, f32)]) {
    let length = vector.iter().map(|&(_, value)| value * value).sum::<f32>().sqrt();
    for (_, value) in vector {
        *value /= length;
    }
}
