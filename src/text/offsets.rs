//! Offsets in other units than UTF-8 bytes.

/// What an offset counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OffsetUnit {
    /// Bytes of UTF-8, the engine's own unit.
    #[default]
    Utf8,
    /// Code units of UTF-16, as Java, C# and JavaScript index strings.
    Utf16,
    /// Unicode code points, as Python indexes strings.
    Utf32,
}

/// Converts byte offsets into one text to another unit, in constant time.
///
/// Takes a sixteenth of the text's size in memory, and none where a byte is a unit already:
/// for UTF-8, and for texts that are all ASCII.
#[derive(Clone, Debug)]
pub struct OffsetConverter<'a> {
    text: &'a [u8],
    unit: OffsetUnit,
    /// Units before every byte at a multiple of [`STRIDE`]; empty where bytes are units.
    samples: Vec<u32>,
}

/// Bytes between two samples.
const STRIDE: usize = 64;

impl<'a> OffsetConverter<'a> {
    /// Reads the text once.
    pub fn new(text: &'a str, unit: OffsetUnit) -> Self {
        let bytes = text.as_bytes();
        let samples =
            if unit == OffsetUnit::Utf8 || bytes.is_ascii() { Vec::new() } else { sample(bytes, unit) };
        Self { text: bytes, unit, samples }
    }

    /// The offset of the character that begins at byte `offset`, in the converter's unit; the
    /// text's length in it for the text's end. Offsets beyond the end count as the end.
    pub fn convert(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        match self.samples.get(offset / STRIDE) {
            Some(before) => {
                *before as usize + units(&self.text[offset / STRIDE * STRIDE..offset], self.unit) as usize
            }
            None => offset,
        }
    }
}

/// One more sample than whole strides, so that every offset has one before it.
fn sample(text: &[u8], unit: OffsetUnit) -> Vec<u32> {
    let mut before = 0;
    let mut samples = Vec::with_capacity(text.len() / STRIDE + 1);
    samples.push(0);
    for stride in text.chunks_exact(STRIDE) {
        before += units(stride, unit);
        samples.push(before);
    }
    samples
}

/// The units of the characters whose first byte is among `bytes`.
fn units(bytes: &[u8], unit: OffsetUnit) -> u32 {
    let per_byte = |byte: u8| match unit {
        OffsetUnit::Utf8 => 1,
        // A character of four bytes lies beyond the basic plane: a surrogate pair.
        OffsetUnit::Utf16 => u32::from(is_first(byte)) + u32::from(byte >= 0xf0),
        OffsetUnit::Utf32 => u32::from(is_first(byte)),
    };
    bytes.iter().map(|byte| per_byte(*byte)).sum()
}

/// Whether a byte begins a character.
const fn is_first(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_character_is_where_counting_from_the_begin_finds_it(text in ".{0,300}") {
            let utf8 = OffsetConverter::new(&text, OffsetUnit::Utf8);
            let utf16 = OffsetConverter::new(&text, OffsetUnit::Utf16);
            let utf32 = OffsetConverter::new(&text, OffsetUnit::Utf32);
            for offset in text.char_indices().map(|(offset, _)| offset).chain([text.len()]) {
                prop_assert_eq!(utf8.convert(offset), offset);
                prop_assert_eq!(utf16.convert(offset), text[..offset].encode_utf16().count());
                prop_assert_eq!(utf32.convert(offset), text[..offset].chars().count());
            }
        }
    }

    #[test]
    fn plain_texts_need_no_table() {
        let converter = OffsetConverter::new("plain words only", OffsetUnit::Utf16);
        assert!(converter.samples.is_empty());
        assert_eq!(converter.convert(5), 5);
        assert_eq!(converter.convert(1_000), 16);
    }
}
