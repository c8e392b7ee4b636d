//! Words as the tagger sees them: folded, hashed, with their shapes.
//!
//! Hashes are part of the model file, so they are spelt out here and never change with a
//! library or a platform.

use rustc_hash::FxHashSet;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// No letters.
    None,
    Lower,
    /// "House"
    Title,
    /// One capital, with or without a full stop.
    Initial,
    /// "NATO", "U.S."
    Upper,
    /// "McDonald", "iPhone"
    Mixed,
}

impl Case {
    pub fn of(word: &str) -> Self {
        let (mut upper, mut lower, mut first_upper) = (0, 0, false);
        for (i, c) in word.chars().enumerate() {
            if c.is_uppercase() {
                upper += 1;
                first_upper |= i == 0;
            } else if c.is_alphabetic() {
                lower += 1;
            }
        }
        match (upper, lower) {
            (0, 0) => Self::None,
            (0, _) => Self::Lower,
            (1, 0) => Self::Initial,
            (_, 0) => Self::Upper,
            (1, _) if first_upper => Self::Title,
            _ => Self::Mixed,
        }
    }

    pub fn has_capital(self) -> bool {
        self >= Self::Title
    }
}

/// A character without its accents.
fn unaccented(c: char) -> char {
    match c {
        _ if c.is_ascii() => c,
        'đ' => 'd',
        'Đ' => 'D',
        'ł' => 'l',
        'Ł' => 'L',
        'ø' => 'o',
        'Ø' => 'O',
        'ı' => 'i',
        '’' | '‘' => '\'',
        '–' | '‑' => '-',
        _ => {
            let mut base = None;
            decompose_canonical(c, |part| {
                if base.is_none() && !is_combining_mark(part) {
                    base = Some(part);
                }
            });
            base.unwrap_or(c)
        }
    }
}

/// The word's characters in lower case and without accents.
pub fn folded(word: &str) -> impl DoubleEndedIterator<Item = char> + '_ {
    word.chars().map(|c| if c.is_ascii() { c.to_ascii_lowercase() } else { lower(unaccented(c)) })
}

/// The first character of the lower case; one is enough for a hash.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// FNV-1a over characters.
pub fn hash(chars: impl Iterator<Item = char>) -> u32 {
    chars.fold(FNV_START, with)
}

const FNV_START: u32 = 0x811C_9DC5;

const fn with(hash: u32, c: char) -> u32 {
    (hash ^ c as u32).wrapping_mul(0x0100_0193)
}

/// The [`hash`]es of the first `least` characters, of one more, and so on, or of all there are.
pub fn growing_hashes<const N: usize>(least: usize, mut chars: impl Iterator<Item = char>) -> [u32; N] {
    let mut hashed = hash(chars.by_ref().take(least - 1));
    std::array::from_fn(|_| {
        hashed = chars.next().map_or(hashed, |c| with(hashed, c));
        hashed
    })
}

/// Two hashes in one, in order.
#[inline]
pub const fn mix(a: u32, b: u32) -> u32 {
    let mut h = a.wrapping_mul(0x85EB_CA6B).rotate_left(13) ^ b;
    h = (h ^ (h >> 16)).wrapping_mul(0xC2B2_AE35);
    h ^ (h >> 13)
}

/// Hash of the word with its case but without accents; digits are alike.
pub fn cased_hash(word: &str) -> u32 {
    hash(word.chars().map(|c| if c.is_ascii_digit() { '0' } else { unaccented(c) }))
}

/// As [`cased_hash`], of the word written in Title case.
pub fn title_hash(word: &str) -> u32 {
    let mut chars = word.chars().map(unaccented);
    let first = chars.next().and_then(|c| c.to_uppercase().next());
    hash(first.into_iter().chain(chars.map(lower)))
}

pub fn folded_hash(word: &str) -> u32 {
    hash(folded(word))
}

pub fn folded_hashes(words: &[&str]) -> FxHashSet<u32> {
    words.iter().map(|word| folded_hash(word)).collect()
}

/// Hash of the letters and digits alone, folded ("U.S." is US); none where there are none.
pub fn plain_hash(word: &str) -> Option<u32> {
    let mut letters = folded(word).filter(|c| c.is_alphanumeric()).peekable();
    letters.peek()?;
    Some(hash(letters))
}

/// A hash of the shape: "Trong" is Xx, "U.S." X.X., "737-800" d-d.
pub fn shape(word: &str) -> u32 {
    let class = |c: char| match c {
        _ if c.is_uppercase() => 'X',
        _ if c.is_alphabetic() => 'x',
        _ if c.is_numeric() => 'd',
        _ => c,
    };
    let (mut hash, mut last, mut length) = (FNV_START, '\0', 0);
    for c in word.chars().map(class) {
        if c != last && length < 8 {
            hash = with(hash, c);
            length += 1;
        }
        last = c;
    }
    hash
}

/// The phrase's hash, grown word by word from 0.
pub const fn phrase(hash: u32, folded_word: u32) -> u32 {
    mix(hash.wrapping_add(0x51ED_270B), folded_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_case_are_folded() {
        assert_eq!(folded_hash("Nguyễn"), folded_hash("NGUYEN"));
        assert_eq!(folded_hash("Đỗ"), folded_hash("do"));
        assert_eq!(title_hash("VIỆT"), cased_hash("Viet"));
        assert_ne!(cased_hash("Turkey"), cased_hash("turkey"));
        assert_eq!(shape("Trong"), shape("Hà"));
        assert_ne!(shape("US"), shape("Us"));
        assert_eq!(growing_hashes(2, "one".chars()), ["on", "one", "one"].map(folded_hash));
    }

    #[test]
    fn cases() {
        let cases = ["12", "house", "House", "J.", "U.S.", "McCain"].map(Case::of);
        assert_eq!(cases, [Case::None, Case::Lower, Case::Title, Case::Initial, Case::Upper, Case::Mixed]);
    }
}
