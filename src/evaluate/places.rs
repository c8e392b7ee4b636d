//! Carries offsets in the text that an analysis kept back to the text that was sent.

use rustc_hash::FxHashMap;

use super::gold::Span;
use super::prediction::{Document, in_body};

/// Where the code points of the kept text stand in the record's text.
///
/// Where an analysis kept the whole text, offsets stay as they are. Otherwise each block's span
/// in the kept text is tied to its span in the text as sent; where no block says where it came
/// from, the lines of the kept text are looked for in the record's text, one after the other.
pub(super) enum Places {
    Same,
    /// For each code point of the kept text its place, if it has one.
    Table(Vec<Option<usize>>),
}

impl Places {
    /// `text` is the record's.
    pub fn new(document: &Document, text: &str) -> Self {
        let Some(kept) = document.text.as_ref().filter(|kept| *kept != text) else { return Self::Same };
        let kept_chars: Vec<char> = kept.chars().collect();
        let mut table = vec![None; kept_chars.len()];
        let places = document.blocks.iter();
        let tied: Vec<(Span, Span)> =
            places.filter_map(|block| in_body(&block.span).zip(in_body(&block.source_span))).collect();
        if tied.is_empty() {
            tie_lines(kept, text, &mut table);
        } else {
            let text: Vec<char> = text.chars().collect();
            for (inner, outer) in tied {
                let begin = (inner.begin.min(table.len()), outer.begin);
                tie(inner.of(&kept_chars), outer.of(&text), begin, &mut table);
            }
        }
        Self::Table(table)
    }

    /// The place in the record's text of a span of the kept text; none where one of its ends
    /// has no place.
    pub fn of(&self, span: Span) -> Option<Span> {
        let Self::Table(table) = self else { return Some(span) };
        let covered = table.get(span.begin..span.end)?;
        let (first, last) = ((*covered.first()?)?, (*covered.last()?)?);
        (first <= last).then_some(Span::new(first, last + 1))
    }

    /// For each code point of a text of that length whether the analysis kept it.
    pub fn kept(&self, length: usize) -> Vec<bool> {
        let Self::Table(table) = self else { return vec![true; length] };
        let mut kept = vec![false; length];
        for &place in table.iter().flatten() {
            kept[place] = true;
        }
        kept
    }
}

/// Ties the code points of a block to those of its source. Where the two differ, white space is
/// left out of account, since it may have been collapsed.
fn tie(inner: &[char], outer: &[char], begin: (usize, usize), table: &mut [Option<usize>]) {
    let same = inner == outer;
    let printed = |text: &[char]| -> Vec<usize> {
        (0..text.len()).filter(|&at| same || !text[at].is_whitespace()).collect()
    };
    let (left, right) = (printed(inner), printed(outer));
    let runs = if left.len() == right.len() {
        vec![Run { left: 0, right: 0, length: left.len() }]
    } else {
        let characters =
            |text: &[char], places: &[usize]| places.iter().map(|&at| text[at]).collect::<Vec<_>>();
        matching_runs(&characters(inner, &left), &characters(outer, &right))
    };
    for run in runs {
        for at in 0..run.length {
            table[begin.0 + left[run.left + at]] = Some(begin.1 + right[run.right + at]);
        }
    }
}

/// Looks for each line of the kept text after the one before it. A line that is not found as it
/// is is taken to stand, changed, where the one before it ended.
fn tie_lines(kept: &str, text: &str, table: &mut [Option<usize>]) {
    let chars: Vec<char> = text.chars().collect();
    // Where the last line that was found ends in the text: in bytes, and in code points.
    let (mut byte, mut at) = (0, 0);
    let mut start = 0;
    for line in kept.split_inclusive('\n') {
        let (body, length) = (line.trim(), line.chars().count());
        let lead = length - line.trim_start().chars().count();
        if body.is_empty() {
            start += length;
            continue;
        }
        let line: Vec<char> = line.chars().collect();
        if let Some(found) = text[byte..].find(body) {
            let begin = at + text[byte..byte + found].chars().count();
            let length = body.chars().count();
            tie(&line[lead..lead + length], &chars[begin..begin + length], (start + lead, begin), table);
            (byte, at) = (byte + found + body.len(), begin + length);
        } else {
            let near = Span::new(at, at + 3 * length + 400).of(&chars);
            tie(&line, near, (start, at), table);
        }
        start += length;
    }
}

/// Pairs of characters that are looked at to tie a block to its source: 16,384 by 16,384.
const MOST_PAIRS: usize = 1 << 28;

/// A run of characters that two texts share.
struct Run {
    left: usize,
    right: usize,
    length: usize,
}

/// The longest common run, then those to the left of it and those to the right of it (Ratcliff
/// and Metzener, "Pattern matching: the gestalt approach", 1988). This takes at least the product
/// of the two lengths, so that longer texts than blocks have no runs in common.
fn matching_runs(left: &[char], right: &[char]) -> Vec<Run> {
    if left.len().saturating_mul(right.len()) > MOST_PAIRS {
        return Vec::new();
    }
    let mut places: FxHashMap<char, Vec<usize>> = FxHashMap::default();
    for (at, &c) in right.iter().enumerate() {
        places.entry(c).or_default().push(at);
    }
    let mut runs = Vec::new();
    let mut open = vec![(0..left.len(), 0..right.len())];
    while let Some((a, b)) = open.pop() {
        let run = longest_run(left, &places, a.clone(), b.clone());
        if run.length > 0 {
            open.push((a.start..run.left, b.start..run.right));
            open.push((run.left + run.length..a.end, run.right + run.length..b.end));
            runs.push(run);
        }
    }
    runs
}

/// The longest common run within two ranges, the leftmost of several.
fn longest_run(
    left: &[char],
    places: &FxHashMap<char, Vec<usize>>,
    a: std::ops::Range<usize>,
    b: std::ops::Range<usize>,
) -> Run {
    let mut best = Run { left: a.start, right: b.start, length: 0 };
    // Lengths of the runs that end with the character before, by their place on the right.
    let mut before: FxHashMap<usize, usize> = FxHashMap::default();
    for i in a {
        let mut ending = FxHashMap::default();
        let on_the_right = places.get(&left[i]).map(Vec::as_slice).unwrap_or_default();
        for &j in on_the_right.iter().filter(|j| b.contains(j)) {
            let length = 1 + j.checked_sub(1).and_then(|j| before.get(&j)).copied().unwrap_or(0);
            ending.insert(j, length);
            if length > best.length {
                best = Run { left: i + 1 - length, right: j + 1 - length, length };
            }
        }
        before = ending;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::prediction::Prediction;

    /// Where each of some words of the kept text stands in the record's text.
    fn carried(prediction: &str, text: &str, words: &[&str]) -> Vec<Option<String>> {
        let prediction = Prediction::parse(prediction.as_bytes()).unwrap();
        let places = Places::new(&prediction.document, text);
        let kept = prediction.document.text.unwrap();
        let chars: Vec<char> = text.chars().collect();
        let carry = |word: &&str| {
            let begin = kept[..kept.find(word).unwrap()].chars().count();
            let place = places.of(Span::new(begin, begin + word.chars().count()))?;
            Some(place.of(&chars).iter().collect())
        };
        words.iter().map(carry).collect()
    }

    #[test]
    fn blocks_say_where_their_words_came_from() {
        let text = "Menu\nŁódź  votes today.\nShare this\nRain &amp; wind";
        let prediction = r#"{"document": {"text": "Łódź votes today.\n\nRain & wind", "blocks": [
            {"span": {"end": 17}, "sourceSpan": {"begin": "5", "end": 23}},
            {"span": {"begin": 19, "end": 30}, "sourceSpan": {"begin": 35, "end": 50}}]}}"#;
        let found = carried(prediction, text, &["Łódź votes", "today", "Rain", "wind"]);
        let expected = ["Łódź  votes", "today", "Rain", "wind"].map(|word| Some(word.to_owned()));
        assert_eq!(found, expected);
    }

    #[test]
    fn without_blocks_lines_are_looked_for() {
        let text = "Menu\nRain fell in Oslo.\nMenu\nSnow “fell” later.";
        let prediction = r#"{"document": {"text": "Rain fell in Oslo.\n\n  Snow \"fell\" later."}}"#;
        let found = carried(prediction, text, &["Oslo", "Snow", "later", "\"fell\""]);
        assert_eq!(found, [Some("Oslo".into()), Some("Snow".into()), Some("later".into()), None]);
    }
}
