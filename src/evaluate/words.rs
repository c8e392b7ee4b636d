//! Words as the measures count them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Whether a character is a letter or a digit of any script; marks that combine are neither.
pub(super) fn is_letter_or_digit(c: char) -> bool {
    c.is_alphanumeric() && !is_combining_mark(c)
}

/// Whether a character is part of a word: a letter, a digit or the low line.
pub(super) fn is_word_character(c: char) -> bool {
    is_letter_or_digit(c) || c == '_'
}

/// The words of a text, in its own case.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word_character(c)).filter(|word| !word.is_empty())
}

/// Without differences of case.
pub(super) fn fold_case(text: &str) -> String {
    // By way of the upper case, which folds "ß" with "ss" and "ς" with "σ".
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Letters and digits alone, compatibility- and case-folded, with a space between words.
pub(super) fn folded(text: &str) -> String {
    let text = fold_case(&text.nfkc().collect::<String>());
    let words = text.split(|c| !is_letter_or_digit(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// With single spaces in place of runs of white space.
pub(super) fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_leaves_only_what_was_said() {
        assert_eq!(folded("  STRASSE_1: Ｎｅｗ–York’s “ﬁnal” Ode"), "strasse 1 new york s final ode");
        assert_eq!(folded("Straße 1"), "strasse 1");
        assert_eq!(words("don't _stop_, 5½").collect::<Vec<_>>(), ["don", "t", "_stop_", "5½"]);
    }
}
