//! Bags: things with how often each occurs.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::counts::Counts;

/// A multiset.
#[derive(Clone, Debug)]
pub(super) struct Bag<T> {
    counts: FxHashMap<T, usize>,
    total: usize,
}

impl<T: Hash + Eq> Bag<T> {
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Takes the predicted bag against this gold one: a thing is found as often as it is in both.
    pub fn compare(&self, predicted: &Self) -> Counts {
        let often = |thing| predicted.counts.get(thing).copied().unwrap_or(0);
        let found = self.counts.iter().map(|(thing, &count)| count.min(often(thing))).sum();
        Counts::new(found, predicted.total, self.total)
    }
}

impl<T: Hash + Eq> FromIterator<T> for Bag<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let (mut counts, mut total) = (FxHashMap::default(), 0);
        for thing in things {
            *counts.entry(thing).or_default() += 1;
            total += 1;
        }
        Self { counts, total }
    }
}
