//! A fixed table from hashes to numbers, for what a model knows about words, phrases and features.

/// Open addressing over 32-bit hashes; at least a third empty, so a look-up is one or two steps.
pub struct Table {
    /// Hash and number; [`Table::EMPTY`] as the number marks a free slot.
    slots: Vec<(u32, u32)>,
    mask: usize,
}

impl Table {
    const EMPTY: u32 = u32::MAX;

    /// Gives each key its place; of equal keys the first.
    pub fn new(keys: &[u32]) -> Self {
        Self::with_numbers(keys, 0..)
    }

    /// Gives each key its number, below `u32::MAX`; of equal keys the first.
    pub fn with_numbers(keys: &[u32], numbers: impl IntoIterator<Item = u32>) -> Self {
        let size = (keys.len() + keys.len() / 2).next_power_of_two().max(2);
        let mut table = Self { slots: vec![(0, Self::EMPTY); size], mask: size - 1 };
        for (&key, number) in keys.iter().zip(numbers) {
            let slot = table.slot(key);
            if table.slots[slot].1 == Self::EMPTY {
                table.slots[slot] = (key, number);
            }
        }
        table
    }

    #[inline]
    pub fn get(&self, key: u32) -> Option<u32> {
        let number = self.slots[self.slot(key)].1;
        (number != Self::EMPTY).then_some(number)
    }

    /// Brings the slots of many keys near. They lie all over memory: asked for together they come
    /// together, and [`Table::get`] need not wait for each.
    pub fn fetch(&self, keys: impl Iterator<Item = u32>) {
        let all = keys.fold(0, |all, key| all ^ self.slots[self.home(key)].0);
        // What was read is of no use, but has to be.
        std::hint::black_box(all);
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
        assert!(keys.iter().zip(0..).all(|(&key, i)| table.get(key) == Some(i)));
        assert_eq!(table.get(77), None);
        table.fetch([keys[7], 77].into_iter());
        let asked = [keys[7], 77, keys[999], 78].map(|key| table.get(key));
        assert_eq!(asked, [Some(7), None, Some(999), None]);
        assert_eq!(Table::new(&[]).get(0), None);
    }
}
