//! How much a sentence is worded like the opening of a news story.
//!
//! Openings name people in full, give days and places, and stand on their own. A linear model
//! over words and pairs of words learns this from articles without any summaries: the sentences
//! of their first lines against all others.

use super::words::Words;

/// How many numbers words and pairs are hashed to.
pub const BUCKETS: usize = 1 << 16;

/// Hashed weights of words and pairs of neighbouring words.
pub struct LeadModel {
    weights: Vec<i8>,
    /// What a step of a weight is worth.
    step: f32,
}

impl LeadModel {
    /// `weights` has [`BUCKETS`] entries.
    pub fn new(weights: Vec<i8>, step: f32) -> Self {
        Self { weights, step }
    }

    /// Log-odds, up to a constant, that the sentence stands at the beginning.
    pub fn score(&self, words: &Words, place: usize) -> f32 {
        let mut sum = 0;
        let mut count = 0_u32;
        features(words, place, |bucket| {
            sum += i32::from(self.weights[bucket]);
            count += 1;
        });
        sum as f32 * self.step * scale(count as usize)
    }
}

/// What one of `count` features counts.
pub fn scale(count: usize) -> f32 {
    (count.max(1) as f32).sqrt().recip()
}

/// Tells `take` the bucket of every feature of a sentence.
pub fn features(words: &Words, place: usize, mut take: impl FnMut(usize)) {
    let mut before = 1_u32;
    for word in words.sentence(place) {
        let shape = word.shape as u32;
        let hash = words.stems[word.stem as usize].hash ^ shape.wrapping_mul(0x85eb_ca6b);
        take(bucket(hash));
        take(bucket(hash.rotate_left(13) ^ before.wrapping_mul(0xc2b2_ae35)));
        before = hash;
    }
    take(bucket(before.wrapping_mul(0x27d4_eb2f)));
}

fn bucket(hash: u32) -> usize {
    (hash.wrapping_mul(0x9e37_79b1) >> 16) as usize % BUCKETS
}
