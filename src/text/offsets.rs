//! Offsets in other units than UTF-8 bytes.
/// Stand-in until the text room lands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OffsetUnit {
    #[default]
    Utf8,
    Utf16,
    Utf32,
}
pub struct OffsetConverter<'a>(&'a str, OffsetUnit);
impl<'a> OffsetConverter<'a> {
    pub fn new(text: &'a str, unit: OffsetUnit) -> Self {
        Self(text, unit)
    }
    pub fn offset(&self, byte: usize) -> usize {
        match self.1 {
            OffsetUnit::Utf8 => byte,
            OffsetUnit::Utf16 => self.0[..byte].encode_utf16().count(),
            OffsetUnit::Utf32 => self.0[..byte].chars().count(),
        }
    }
}
