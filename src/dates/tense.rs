//! Whether a clause tells of the past or the future: what a bare "Tuesday" or "in March" hangs on.

use std::ops::Range;

use crate::text::{Segmented, TokenKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tense {
    Past,
    Future,
    Unknown,
}

/// How many tokens before and after an expression are read for a verb.
const REACH: usize = 12;

/// Where an expression stands.
pub(super) struct Clause<'a> {
    pub(super) text: &'a Segmented<'a>,
    pub(super) sentence: Range<usize>,
    /// The expression's own tokens.
    pub(super) inner: Range<usize>,
}

impl Clause<'_> {
    /// The tense of the nearest verb before the expression in its clause, or else behind it.
    pub(super) fn tense(&self) -> Tense {
        around(self.text, self.sentence.clone(), self.inner.clone())
    }

    /// Whether an election stands beside the expression: "November's election", "primaries in
    /// June".
    pub(super) fn is_about_election(&self) -> bool {
        let around = self.sentence.start.max(self.inner.start.saturating_sub(3))
            ..self.sentence.end.min(self.inner.end + 3);
        around.into_iter().any(|token| {
            matches!(
                self.text.word(token),
                "election"
                    | "elections"
                    | "midterm"
                    | "midterms"
                    | "primary"
                    | "primaries"
                    | "ballot"
                    | "referendum"
                    | "runoff"
            )
        })
    }
}

fn around(text: &Segmented<'_>, sentence: Range<usize>, inner: Range<usize>) -> Tense {
    if let Some(first) = inner.start.checked_sub(1).filter(|first| *first >= sentence.start) {
        let led = text.word(first);
        if matches!(led, "effective" | "upcoming" | "until" | "till" | "by" | "through") {
            return Tense::Future;
        }
        if led == "of" && first > sentence.start && text.word(first - 1) == "as" {
            return Tense::Past;
        }
    }
    let before = sentence.start.max(inner.start.saturating_sub(REACH))..inner.start;
    for token in before.rev() {
        match tense_of(text, token, sentence.start) {
            Tense::Unknown if is_clause_end(text, token) => break,
            Tense::Unknown => {}
            tense => return tense,
        }
    }
    for token in inner.end..sentence.end.min(inner.end + REACH) {
        match tense_of(text, token, sentence.start) {
            Tense::Unknown if is_clause_end(text, token) && token > inner.end => break,
            // What may be says little of when the thing before it was.
            Tense::Future if is_modal(text.word(token)) => {}
            Tense::Unknown => {}
            tense => return tense,
        }
    }
    Tense::Unknown
}

fn is_clause_end(text: &Segmented<'_>, token: usize) -> bool {
    text.tokens[token].kind == TokenKind::Punctuation
        && matches!(text.word(token), ";" | ":" | "“" | "”" | "\"" | "—" | "–" | "--" | ",")
}

fn tense_of(text: &Segmented<'_>, token: usize, start: usize) -> Tense {
    if text.tokens[token].kind != TokenKind::Word {
        return Tense::Unknown;
    }
    let word = text.word(token);
    let before =
        token.checked_sub(1).filter(|before| *before >= start).map_or("", |before| text.word(before));
    let after = if token + 1 < text.tokens.len() { text.word(token + 1) } else { "" };
    match word {
        "will" | "shall" | "would" | "won't" | "won’t" | "upcoming" | "until" => Tense::Future,
        _ if is_modal(word) => Tense::Future,
        "expected" | "scheduled" | "slated" | "due" | "poised" | "likely" | "planned" | "planning"
        | "set" | "going" | "expires" | "ahead" => Tense::Future,
        "hopes" | "wants" | "aims" | "plans" | "expects" | "vows" | "vowed" | "hoping" | "is" | "are"
            if after == "to" =>
        {
            Tense::Future
        }
        _ if word.ends_with("'ll") || word.ends_with("’ll") => Tense::Future,
        // "expected to hit"
        _ if before == "to" || is_modal(before) => Tense::Unknown,
        _ if is_past(word) => Tense::Past,
        _ => Tense::Unknown,
    }
}

fn is_modal(word: &str) -> bool {
    matches!(word, "could" | "may" | "might" | "can" | "cannot" | "can't" | "can’t" | "should" | "must")
}

/// Regular past tenses, and the irregular ones that news is told in.
fn is_past(word: &str) -> bool {
    (word.len() > 4
        && word.ends_with("ed")
        && !matches!(word, "indeed" | "speed" | "proceed" | "exceed" | "breed"))
        || matches!(
            word,
            "was"
                | "were"
                | "had"
                | "did"
                | "said"
                | "told"
                | "went"
                | "came"
                | "took"
                | "made"
                | "gave"
                | "won"
                | "lost"
                | "met"
                | "held"
                | "left"
                | "began"
                | "got"
                | "saw"
                | "found"
                | "sent"
                | "ran"
                | "led"
                | "fell"
                | "rose"
                | "wrote"
                | "spoke"
                | "struck"
                | "hit"
                | "died"
                | "shot"
                | "fired"
                | "broke"
                | "became"
                | "brought"
                | "thought"
                | "knew"
                | "showed"
                | "grew"
                | "stood"
                | "sat"
                | "paid"
                | "kept"
                | "drew"
                | "felt"
                | "heard"
                | "put"
                | "cut"
                | "swore"
                | "flew"
                | "sued"
                | "been"
                | "gone"
                | "done"
                | "taken"
                | "given"
                | "seen"
                | "sold"
                | "signed"
                | "wasn't"
                | "didn't"
                | "hadn't"
                | "threw"
                | "chose"
                | "beat"
                | "caught"
                | "bought"
                | "built"
                | "called"
                | "urged"
                | "used"
                | "tried"
        )
}
