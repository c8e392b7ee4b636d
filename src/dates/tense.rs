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

/// The tense around the tokens `inner` of a sentence.
pub(super) fn around(text: &Segmented<'_>, sentence: Range<usize>, inner: Range<usize>) -> Tense {
    if let Some(first) = inner.start.checked_sub(1).filter(|first| *first >= sentence.start) {
        let led = text.word(first);
        if matches!(led, "effective" | "upcoming" | "until" | "till") {
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
    match word {
        "will" | "shall" | "won't" | "won’t" | "upcoming" | "could" | "may" | "might" | "can" | "cannot" | "can't" | "can’t"
        | "should" | "must" | "until" | "deadline" => Tense::Future,
        "expected" | "scheduled" | "slated" | "due" | "poised" | "likely" | "planned" | "plans" | "planning" | "hopes" | "set"
        | "expects" | "aims" | "wants" | "vowed" | "going" | "expires" | "ahead" | "ahead-of" => Tense::Future,
        "would" => Tense::Future,
        "to" => to(text, token, start),
        _ if word.ends_with("'ll") || word.ends_with("’ll") => Tense::Future,
        _ if is_past(word) => Tense::Past,
        _ => Tense::Unknown,
    }
}

/// "to testify": the future after a word that looks ahead, else nothing.
fn to(text: &Segmented<'_>, token: usize, start: usize) -> Tense {
    let before = (start.max(token.saturating_sub(6))..token).rev();
    for token in before {
        if matches!(
            text.word(token),
            "is" | "are" | "set" | "due" | "scheduled" | "expected" | "expect" | "plan" | "plans" | "planned" | "going" | "likely" | "slated"
                | "ordering" | "agreed" | "has" | "have" | "able" | "ready" | "wants"
        ) {
            return Tense::Future;
        }
    }
    Tense::Unknown
}

/// Regular past tenses, and the irregular ones that news is told in.
fn is_past(word: &str) -> bool {
    (word.len() > 4 && word.ends_with("ed") && !word.ends_with("eed"))
        || matches!(
            word,
            "was" | "were" | "had" | "did" | "said" | "told" | "went" | "came" | "took" | "made" | "gave" | "won" | "lost" | "met"
                | "held" | "left" | "began" | "got" | "saw" | "found" | "sent" | "ran" | "led" | "fell" | "rose" | "wrote" | "spoke"
                | "struck" | "hit" | "died" | "shot" | "fired" | "broke" | "became" | "brought" | "thought" | "knew" | "showed"
                | "grew" | "stood" | "sat" | "paid" | "kept" | "drew" | "felt" | "heard" | "put" | "cut" | "swore" | "flew" | "sued"
                | "been" | "gone" | "done" | "taken" | "given" | "seen" | "sold" | "signed" | "wasn't" | "didn't" | "hadn't" | "threw"
                | "chose" | "beat" | "caught" | "bought" | "built" | "called" | "urged" | "used" | "tried"
        )
}
