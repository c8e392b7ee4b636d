//! Where sentences end: rules over the tokens, and the layout of the lines they stand on.

use super::abbreviations::{self, Abbreviation};
use super::{Sentence, Token, TokenKind};
use crate::document::Span;

/// Groups the tokens of `text` into sentences. No sentence runs over one of `breaks`.
/// `has_ordinals` says whether the language writes a full stop behind them ("3. März") and
/// between the letters of an abbreviation ("z. B.").
pub(super) fn split(text: &str, tokens: &[Token], breaks: &[usize], has_ordinals: bool) -> Vec<Sentence> {
    let splitter = Splitter { text, tokens, has_ordinals };
    let mut sentences = Vec::with_capacity(tokens.len() / 20 + 1);
    let mut lines = Lines::new(text);
    let mut breaks = breaks.iter().copied().peekable();
    let (mut first, mut paragraph) = (0, 0);
    for next in 1..=tokens.len() {
        let (new_sentence, new_paragraph) = if next == tokens.len() {
            (true, false)
        } else {
            let (end, begin) = (tokens[next - 1].end as usize, tokens[next].begin as usize);
            let forced = forced_between(&mut breaks, end, begin);
            let line_ends = end < begin && lines.end_between(end, begin);
            let hard = forced || line_ends;
            (hard || splitter.ends_before(first, next), hard)
        };
        if new_sentence {
            let span = Span::new(tokens[first].begin as usize, tokens[next - 1].end as usize);
            sentences.push(Sentence { span, tokens: first..next, paragraph });
            first = next;
        }
        paragraph += usize::from(new_paragraph);
    }
    sentences
}

/// Whether a break lies after `end` and not after `begin`; earlier ones are done with.
fn forced_between(
    breaks: &mut std::iter::Peekable<impl Iterator<Item = usize>>,
    end: usize,
    begin: usize,
) -> bool {
    let mut forced = false;
    while let Some(at) = breaks.next_if(|at| *at <= begin) {
        forced |= at >= end;
    }
    forced
}

/// Tells line feeds that end a paragraph, heading or list item from those where prose was
/// wrapped to a width. Asked from the text's begin to its end.
struct Lines<'a> {
    text: &'a str,
    /// End of the block (lines up to a blank one) that was looked at last, and whether it is wrapped.
    block_end: usize,
    width: Option<usize>,
}

/// Widths that prose is wrapped to by hand or by mail programs, in bytes.
const WRAP_WIDTHS: std::ops::RangeInclusive<usize> = 45..=100;
/// How far short of the width a wrapped line may stay beyond the word that did not fit.
const WRAP_SLACK: usize = 12;

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, block_end: 0, width: None }
    }

    /// Whether a line that ends between two tokens ends its paragraph.
    fn end_between(&mut self, end: usize, begin: usize) -> bool {
        let gap = &self.text[end..begin];
        if gap == " " {
            return false;
        }
        let mut feeds = gap.bytes().filter(|byte| *byte == b'\n').count();
        if feeds == 0 {
            feeds = if gap.contains(['\u{2029}', '\u{b}', '\u{c}']) {
                2
            } else {
                gap.matches(['\r', '\u{2028}', '\u{85}']).count()
            };
        }
        match feeds {
            0 => false,
            1 => !self.is_wrapped_at(end, begin),
            _ => true,
        }
    }

    /// Whether the line that ends at `end` was wrapped before the word at `begin`.
    fn is_wrapped_at(&mut self, end: usize, begin: usize) -> bool {
        if begin >= self.block_end {
            self.measure_block(end);
        }
        let Some(width) = self.width else { return false };
        let line_begin = self.text[..end].rfind('\n').map_or(0, |at| at + 1);
        is_full(&self.text[line_begin..end], &self.text[begin..], width)
    }

    /// Finds the width that the block around `at` is wrapped to, if it is: then every line
    /// but the last of a paragraph is so long that the next word would not have fitted.
    fn measure_block(&mut self, at: usize) {
        let begin = self.text[..at].rfind("\n\n").map_or(0, |at| at + 2).max(self.block_end.min(at));
        let end = self.text[at..].find("\n\n").map_or(self.text.len(), |length| at + length);
        self.block_end = end;
        let block = &self.text[begin..end];
        let width = block.lines().map(|line| line.trim_end().len()).max().unwrap_or(0);
        let wrapped = WRAP_WIDTHS.contains(&width) && {
            let pairs = || block.lines().zip(block.lines().skip(1));
            let goes_on = |next: &str| next.trim_start().starts_with(char::is_lowercase);
            pairs().any(|(_, next)| goes_on(next))
                && pairs().all(|(line, next)| {
                    is_full(line, next, width) || line.trim_end().ends_with(['.', '!', '?', ':', '"', '”'])
                })
        };
        self.width = wrapped.then_some(width);
    }
}

/// Whether the first word of `next` would have made `line` longer than `width`, or nearly.
fn is_full(line: &str, next: &str, width: usize) -> bool {
    let word = next.trim_start().bytes().take(width).take_while(|byte| !byte.is_ascii_whitespace()).count();
    line.trim_end().len() + 1 + word + WRAP_SLACK > width
}

struct Splitter<'a> {
    text: &'a str,
    tokens: &'a [Token],
    has_ordinals: bool,
}

impl<'a> Splitter<'a> {
    fn word(&self, token: usize) -> &'a str {
        self.tokens.get(token).map_or("", |token| token.span().of(self.text))
    }

    fn touches(&self, next: usize) -> bool {
        self.tokens[next - 1].end == self.tokens[next].begin
    }

    /// Whether the sentence that begins at token `first` ends before token `next`, on one line.
    fn ends_before(&self, first: usize, next: usize) -> bool {
        if self.is_bullet(next) {
            return !self.touches(next);
        }
        if self.is_reference(next) || self.belongs_before(next) {
            return false;
        }
        let Some((stop, quoted)) = self.terminator(first, next) else { return false };
        let mark = self.word(stop);
        if mark.starts_with(is_unspaced_stop) {
            return !self.is_closing(next);
        }
        if self.touches(next) {
            return mark == "." && stop + 1 == next && self.runs_on(stop);
        }
        let Some(opening) = self.opening(next) else { return true };
        match mark.as_bytes()[mark.len() - 1] {
            b'!' | b'?' => self.ends_after_cry(stop, next, quoted),
            _ if mark.starts_with(['؟', '۔', '।', '॥', '።', '։']) => true,
            b'.' if mark.len() == 1 => self.ends_after_full_stop(first, stop, opening, quoted),
            b'.' if mark.starts_with("..") => !self.starts_low(opening),
            b'.' => quoted && !self.starts_low(opening) || self.ends_after_abbreviation(first, stop, opening),
            _ => !self.starts_low(opening),
        }
    }

    /// The token before `next`, or before the closing quotes and brackets there, that could
    /// end a sentence, and whether there are such.
    fn terminator(&self, first: usize, next: usize) -> Option<(usize, bool)> {
        let mut at = self.before_references(first, next) - 1;
        if at > first && self.is_emoticon(at) {
            at -= 1;
        }
        // More than a few closing marks in a row are no sentence's end, but some ornament.
        for _ in 0..4 {
            let word = self.word(at);
            if is_stop(word) {
                return Some((at, at + 1 < next && self.is_closing(at + 1)));
            }
            if at == first || !self.touches(at) || !self.is_closing(at) {
                return None;
            }
            at -= 1;
        }
        None
    }

    /// Whether a reference such as "[12]" stands at `token`; it belongs to the sentence before it.
    fn is_reference(&self, token: usize) -> bool {
        self.word(token) == "["
            && self.tokens.get(token + 1).is_some_and(|inner| inner.kind == TokenKind::Number)
            && self.word(token + 2) == "]"
    }

    /// The end of what comes before the references that end at `next`.
    fn before_references(&self, first: usize, mut next: usize) -> usize {
        while next >= first + 4 && self.is_reference(next - 3) {
            next -= 3;
        }
        next
    }

    fn is_closing(&self, token: usize) -> bool {
        match self.word(token) {
            "”" | "’" | "»" | "›" | ")" | "]" | "}" | "」" | "』" | "）" | "】" => true,
            "\"" | "'" => token > 0 && self.touches(token) && !self.touches_word(token + 1),
            _ => false,
        }
    }

    /// Whether a word or number stands at `token` without a space before it.
    fn touches_word(&self, token: usize) -> bool {
        self.tokens.get(token).is_some_and(|next| {
            self.touches(token) && !matches!(next.kind, TokenKind::Punctuation | TokenKind::Symbol)
        })
    }

    fn is_emoticon(&self, token: usize) -> bool {
        self.tokens[token].kind == TokenKind::Symbol && self.word(token).starts_with([':', ';'])
    }

    /// Marks that no sentence begins with, even where a space stands before them.
    fn belongs_before(&self, token: usize) -> bool {
        self.is_emoticon(token)
            || matches!(self.word(token), "." | "," | ";" | ":" | "?" | "!" | ")" | "]" | "}" | "”" | "»")
    }

    fn is_bullet(&self, token: usize) -> bool {
        matches!(self.word(token), "•" | "‣" | "▪" | "◦" | "●" | "■")
    }

    /// The first word of what begins at `next`, behind opening quotes, brackets and dashes.
    fn opening(&self, next: usize) -> Option<usize> {
        (next..self.tokens.len().min(next + 4)).find(|token| {
            matches!(self.tokens[*token].kind, TokenKind::Word | TokenKind::Number | TokenKind::Address)
        })
    }

    fn starts_low(&self, token: usize) -> bool {
        self.word(token).starts_with(char::is_lowercase)
    }

    /// "end.The": a full stop without a space behind it, between a small word and a capital.
    fn runs_on(&self, stop: usize) -> bool {
        let after = self.word(stop + 1);
        stop > 0
            && self.word(stop - 1).len() > 2
            && self.word(stop - 1).ends_with(char::is_lowercase)
            && after.len() > 1
            && after.starts_with(char::is_uppercase)
            && self.tokens[stop + 1].kind == TokenKind::Word
    }

    /// `"Why?" he asked.` and `Yahoo! shares` go on; so does `"Why?" Smith asked.`
    fn ends_after_cry(&self, stop: usize, next: usize, quoted: bool) -> bool {
        if quoted {
            return !self.starts_low(next) && !(next + 1..next + 4).any(|token| is_saying(self.word(token)));
        }
        let in_name =
            self.word(stop) == "!" && stop > 0 && self.word(stop - 1).starts_with(char::is_uppercase);
        !(in_name && self.starts_low(next))
    }

    fn ends_after_full_stop(&self, first: usize, stop: usize, opening: usize, quoted: bool) -> bool {
        // "1. The first thing": the number of a list item.
        if stop <= first + 1 && self.tokens[first].kind == TokenKind::Number {
            return false;
        }
        let before = self.word(stop.max(1) - 1);
        let is_short = before.len() <= 2 && self.tokens[stop.max(1) - 1].kind == TokenKind::Number;
        let is_letter = before.len() == 1 && before.starts_with(char::is_alphabetic);
        if self.has_ordinals && (is_short || is_letter) && !quoted {
            return false;
        }
        if before.len() == 1 && before.starts_with(char::is_lowercase) {
            // "c. 1230", "(b. March 2009)"
            let bracketed = stop >= 2 && matches!(self.word(stop - 2), "(" | ";" | ",");
            return !(bracketed || self.tokens[opening].kind == TokenKind::Number);
        }
        if is_short && self.starts_low(opening) {
            return false;
        }
        // What a small letter follows is the end of a whole word, or no end.
        !self.starts_low(opening) || !quoted && is_whole_word(before)
    }

    fn ends_after_abbreviation(&self, first: usize, stop: usize, opening: usize) -> bool {
        let (word, after) = (self.word(stop), self.word(opening));
        let stem = &word[..word.len() - 1];
        let number_next = self.tokens[opening].kind == TokenKind::Number;
        if self.starts_low(opening) {
            return false;
        }
        match abbreviations::kind(stem) {
            Some(Abbreviation::Leading) => false,
            Some(Abbreviation::Numbered) => !number_next && is_opener(after),
            Some(Abbreviation::Trailing) => !number_next && (stem == "etc" || is_opener(after)),
            None if matches!(stem, "e.g" | "i.e" | "E.g" | "I.e") => false,
            None if matches!(stem, "a.m" | "p.m" | "A.M" | "P.M") => !number_next && !is_zone_or_day(after),
            // An initial, or a letter at the sentence's end: "Plan B. The".
            None if stem.len() == 1 => stop > first && !number_next && is_opener(after) && after != "A",
            None => !number_next && is_opener(after),
        }
    }
}

/// Whether the word has a vowel and is longer than most abbreviations that are not in the list.
fn is_whole_word(word: &str) -> bool {
    word.len() > 1 && word.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        || word.ends_with(|c: char| c.is_ascii_digit())
}

fn is_unspaced_stop(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡')
}

fn is_stop(word: &str) -> bool {
    word.ends_with('.')
        || word.starts_with(['!', '?', '…', '؟', '۔', '।', '॥', '።', '։'])
        || word.starts_with(is_unspaced_stop)
}

/// Words that begin sentences and hardly ever names: after an abbreviation they tell a new
/// sentence ("in the U.S. The") from a name that goes on ("U.S. Secretary").
fn is_opener(word: &str) -> bool {
    const OPENERS: &[&str] = &[
        "A", "About", "According", "After", "Again", "All", "Also", "Although", "Among", "An", "And",
        "Another", "Any", "Are", "As", "At", "Back", "Because", "Before", "Besides", "Both", "But", "By",
        "Can", "Could", "Despite", "Did", "Do", "Does", "During", "Each", "Earlier", "Even", "Every",
        "Everyone", "Few", "Finally", "First", "For", "Former", "From", "Given", "Had", "Has", "Have", "He",
        "Her", "Here", "His", "How", "However", "I", "If", "In", "Indeed", "Instead", "Is", "It", "Its",
        "Just", "Last", "Later", "Let", "Like", "Many", "Maybe", "Meanwhile", "More", "Moreover", "Most",
        "Much", "My", "Neither", "Never", "Nevertheless", "Next", "No", "Nobody", "None", "Nor", "Not",
        "Nothing", "Now", "Of", "On", "Once", "One", "Only", "Or", "Other", "Others", "Our", "Over",
        "People", "Perhaps", "Please", "Rather", "Several", "She", "Should", "Since", "So", "Some", "Soon",
        "Still", "Such", "Than", "That", "The", "Their", "Then", "There", "Therefore", "These", "They",
        "This", "Those", "Though", "Through", "Throughout", "Thus", "To", "Today", "Two", "Under", "Unlike",
        "Until", "Was", "We", "Were", "What", "Whatever", "When", "Where", "Whether", "Which", "While",
        "Who", "Whoever", "Why", "Will", "With", "Within", "Without", "Would", "Yet", "You", "Your",
    ];
    let word = word.split(['\'', '’']).next().unwrap_or(word);
    OPENERS.binary_search(&word).is_ok()
}

fn is_zone_or_day(word: &str) -> bool {
    matches!(
        word,
        "ET" | "EST"
            | "EDT"
            | "CT"
            | "CST"
            | "CDT"
            | "MT"
            | "MST"
            | "MDT"
            | "PT"
            | "PST"
            | "PDT"
            | "GMT"
            | "BST"
            | "UTC"
            | "CET"
            | "CEST"
            | "Eastern"
            | "Central"
            | "Pacific"
            | "Mountain"
            | "Monday"
            | "Tuesday"
            | "Wednesday"
            | "Thursday"
            | "Friday"
            | "Saturday"
            | "Sunday"
            | "January"
            | "February"
            | "March"
            | "April"
            | "May"
            | "June"
            | "July"
            | "August"
            | "September"
            | "October"
            | "November"
            | "December"
    )
}

fn is_saying(word: &str) -> bool {
    matches!(
        word,
        "said"
            | "says"
            | "asked"
            | "asks"
            | "added"
            | "wrote"
            | "tweeted"
            | "shouted"
            | "told"
            | "replied"
            | "exclaimed"
            | "cried"
            | "yelled"
            | "wondered"
            | "joked"
            | "quipped"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_are_sorted_for_search() {
        assert!(is_opener("A") && is_opener("Your") && is_opener("It’s") && !is_opener("Secretary"));
    }
}
