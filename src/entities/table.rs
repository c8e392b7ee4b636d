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

    /// What stands where the search for a key begins: the number of this key or of another, or
    /// none. To ask brings the place near, for [`Table::get`] to find.
    #[inline]
    pub fn first(&self, key: u32) -> u32 {
        self.slots[self.home(key)].1
    }

    /// Writes the numbers of those `keys` that are known to `numbers`, in order, and says how
    /// many they are. Faster than [`Table::get`] for keys from all over a large table: it asks for
    /// all slots before it looks at one, so that they come from memory together.
    #[inline]
    pub fn get_all<const N: usize>(&self, keys: &[u32], numbers: &mut [u32; N]) -> usize {
        let mut slots = [(0, Self::EMPTY); N];
        for (slot, &key) in slots.iter_mut().zip(keys) {
            *slot = self.slots[self.home(key)];
        }
        let mut found = 0;
        for (&(first, number), &key) in slots.iter().zip(keys) {
            let number =
                if first == key || number == Self::EMPTY { number } else { self.slots[self.slot(key)].1 };
            numbers[found] = number;
            found += usize::from(number != Self::EMPTY);
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
        assert!(keys.iter().zip(0..).all(|(&key, i)| table.get(key) == Some(i)));
        assert_eq!(table.get(77), None);
        let mut numbers = [0; 4];
        assert_eq!(table.get_all(&[keys[7], 77, keys[999], 78], &mut numbers), 2);
        assert_eq!(numbers[..2], [7, 999]);
        assert_eq!(Table::new(&[]).get(0), None);
    }
}
