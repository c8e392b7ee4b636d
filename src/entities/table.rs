//! A fixed table from hashes to places, for what a model knows about words, phrases and features.

/// Open addressing over 32-bit hashes; at least a third empty, so a look-up is one or two steps.
pub struct Table {
    /// Hash and place; [`Table::EMPTY`] as the place marks a free slot.
    slots: Vec<(u32, u32)>,
    mask: usize,
}

impl Table {
    const EMPTY: u32 = u32::MAX;

    /// Finds `keys[i]` at place `i`; of equal keys the first.
    pub fn new(keys: &[u32]) -> Self {
        Self::with_places(keys, 0..)
    }

    /// Finds each key at its place, a number below `u32::MAX`; of equal keys the first.
    pub fn with_places(keys: &[u32], places: impl IntoIterator<Item = u32>) -> Self {
        let size = (keys.len() + keys.len() / 2).next_power_of_two().max(2);
        let mut table = Self { slots: vec![(0, Self::EMPTY); size], mask: size - 1 };
        for (&key, place) in keys.iter().zip(places) {
            let slot = table.slot(key);
            if table.slots[slot].1 == Self::EMPTY {
                table.slots[slot] = (key, place);
            }
        }
        table
    }

    #[inline]
    pub fn get(&self, key: u32) -> Option<usize> {
        let place = self.slots[self.slot(key)].1;
        (place != Self::EMPTY).then_some(place as usize)
    }

    /// Writes the places of those `keys` that are known to `places`, in order, and says how
    /// many they are. Faster than [`Table::get`] for keys from all over a large table: it asks for
    /// all slots before it looks at one, so that they come from memory together.
    #[inline]
    pub fn get_all<const N: usize>(&self, keys: &[u32], places: &mut [usize; N]) -> usize {
        let mut slots = [(0, Self::EMPTY); N];
        for (slot, &key) in slots.iter_mut().zip(keys) {
            *slot = self.slots[self.home(key)];
        }
        let mut found = 0;
        for (&(first, place), &key) in slots.iter().zip(keys) {
            let place =
                if first == key || place == Self::EMPTY { place } else { self.slots[self.slot(key)].1 };
            places[found] = place as usize;
            found += usize::from(place != Self::EMPTY);
        }
        found
    }

    /// The slot where the search for `key` begins.
    #[inline]
    fn home(&self, key: u32) -> usize {
        (key.wrapping_mul(0x9E37_79B1) >> 7) as usize & self.mask
    }

    /// The slot of `key`, or the free one where it would go. The table is never full.
    #[inline]
    fn slot(&self, key: u32) -> usize {
        let mut slot = self.home(key);
        while self.slots[slot].1 != Self::EMPTY && self.slots[slot].0 != key {
            slot = (slot + 1) & self.mask;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_nothing_else() {
        let keys: Vec<u32> = (0..1000).map(|i: u32| i.wrapping_mul(2_654_435_761)).collect();
        let table = Table::new(&keys);
        assert!(keys.iter().enumerate().all(|(i, &key)| table.get(key) == Some(i)));
        assert_eq!(table.get(77), None);
        let mut places = [0; 4];
        assert_eq!(table.get_all(&[keys[7], 77, keys[999], 78], &mut places), 2);
        assert_eq!(places[..2], [7, 999]);
        assert_eq!(Table::new(&[]).get(0), None);
    }
}
