//! What the words of a text have in common, whichever words they are: latent semantic analysis
//! (Deerwester and others, 1990). Words that stand in the same texts lie in the same directions,
//! so that a word rare among the labelled texts counts like its neighbours.

use super::features::Vocabulary;
use crate::model::linear::{self, Sparse};

/// How long the latent part of a text is beside its words.
pub(super) const SHARE: f32 = 0.6;

/// Each word's place in the latent space.
pub(super) struct Latent {
    pub dimensions: usize,
    /// What one unit of each word's values is worth.
    pub scales: Vec<f32>,
    /// One row of `dimensions` a word.
    pub values: Vec<i8>,
}

impl Latent {
    /// Adds the latent part to a text's vector, as features after those of `words`, and says
    /// what the sum of its words' places was multiplied by.
    pub fn add_to(&self, vector: &mut Sparse, words: &Vocabulary) -> f32 {
        let square: f32 = vector.iter().map(|(_, value)| value * value).sum();
        let place = |&(word, value): &(u32, f32)| self.row(word).map(|(row, scale)| (row, value * scale));
        let places: Vec<(&[i8], f32)> = vector.iter().filter_map(place).collect();
        linear::fetch(places.iter().map(|&(row, _)| row));
        let mut sum = vec![0.0f32; self.dimensions];
        for (row, value) in places {
            sum.iter_mut().zip(row).for_each(|(sum, &place)| *sum += value * f32::from(place));
        }
        let length = sum.iter().map(|value| value * value).sum::<f32>().sqrt();
        // A text of which the model knows little stays short.
        let factor = SHARE * square.sqrt() / length.max(f32::MIN_POSITIVE);
        let first = words.len() as u32;
        vector.extend((first..).zip(sum.iter().map(|value| value * factor)));
        factor
    }

    /// A word's place and the worth of its units. Rare words and pairs of words have none.
    pub fn row(&self, word: u32) -> Option<(&[i8], f32)> {
        let scale = *self.scales.get(word as usize)?;
        Some((&self.values[word as usize * self.dimensions..][..self.dimensions], scale))
    }
}
