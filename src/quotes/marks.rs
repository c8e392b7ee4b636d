//! Text inside quotation marks.

use std::ops::Range;

use crate::text::{Segmented, TokenKind};

/// A stretch of text in quotation marks, within one paragraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// With its marks, as far as they are there.
    pub tokens: Range<usize>,
    pub paragraph: usize,
    /// Whether the closing mark is there; where it is not, the quotation goes on in the next paragraph,
    /// or the mark was forgotten.
    pub closed: bool,
    /// The mark is a plain or a typographic apostrophe.
    pub single: bool,
    /// How many tokens a mark is: two where it is typed as two apostrophes.
    width: usize,
}

impl Marked {
    /// The tokens between the marks.
    pub fn inner(&self) -> Range<usize> {
        self.tokens.start + self.width..self.tokens.end - if self.closed { self.width } else { 0 }
    }
}

/// All outermost quotations of a text, in order.
pub fn marked(body: &Segmented) -> Vec<Marked> {
    let mut found = Vec::new();
    for sentences in body.sentences.chunk_by(|a, b| a.paragraph == b.paragraph) {
        if let [first, ..] = sentences
            && let [.., last] = sentences
        {
            let scanner = Scanner { body, end: last.tokens.end, paragraph: first.paragraph };
            scanner.paragraph(first.tokens.start, &mut found);
        }
    }
    found
}

/// One paragraph.
struct Scanner<'a> {
    body: &'a Segmented<'a>,
    end: usize,
    paragraph: usize,
}

impl Scanner<'_> {
    fn paragraph(&self, begin: usize, found: &mut Vec<Marked>) {
        // A mark of a kind that was never closed is not looked for again: the scan stays linear.
        let mut unclosed: Vec<&str> = Vec::new();
        let mut at = begin;
        while at < self.end {
            let mark = self.mark(at).unwrap_or_default();
            let opens = closers(mark).filter(|_| self.can_open(at) && !unclosed.contains(&mark));
            let Some(closers) = opens else {
                at += 1;
                continue;
            };
            let single = is_single(mark);
            let width = self.width(mark);
            match self.close(at, closers) {
                Close::At(close) => {
                    found.push(Marked { closed: true, ..self.open_ended(at..close + width, mark) });
                    at = close + width;
                }
                // An open end is a quotation only where the paragraph is all quotation from here.
                Close::Nowhere if self.opens_speech(at, begin) && (!single || self.goes_on(mark)) => {
                    found.push(self.open_ended(at..self.end, mark));
                    return;
                }
                Close::Nowhere => {
                    unclosed.push(mark);
                    at += 1;
                }
                Close::Forgotten => at += 1,
            }
        }
    }

    fn open_ended(&self, tokens: Range<usize>, mark: &str) -> Marked {
        let single = is_single(mark);
        Marked { tokens, paragraph: self.paragraph, closed: false, single, width: self.width(mark) }
    }

    /// The mark at a token; two apostrophes or backticks are one mark.
    fn mark(&self, token: usize) -> Option<&str> {
        if self.body.tokens[token].kind != TokenKind::Punctuation {
            return None;
        }
        let mark = self.body.word(token);
        let next = (token + 1 < self.end).then(|| self.body.tokens[token + 1]);
        let doubled = matches!(mark, "'" | "`")
            && next.is_some_and(|next| {
                next.begin == self.body.tokens[token].end && self.body.word(token + 1) == mark
            });
        Some(match mark {
            "'" if doubled => "''",
            "`" if doubled => "``",
            mark => mark,
        })
    }

    /// How many tokens a mark is.
    fn width(&self, mark: &str) -> usize {
        if matches!(mark, "''" | "``") { 2 } else { 1 }
    }

    /// Whether white space or an opening mark stands before the token and none behind it; the
    /// French leave a space behind theirs.
    fn can_open(&self, token: usize) -> bool {
        let before = self.before(token);
        let after = self.after(token);
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | ',' | '!' | '?'))
            && after.is_some_and(|c| !c.is_whitespace() || self.body.word(token) == "«")
    }

    fn can_close(&self, token: usize) -> bool {
        !self.after(token).is_some_and(char::is_alphanumeric)
    }

    fn before(&self, token: usize) -> Option<char> {
        self.body.text[..self.body.tokens[token].begin as usize].chars().next_back()
    }

    fn after(&self, token: usize) -> Option<char> {
        self.body.text[self.body.tokens[token].end as usize..].chars().next()
    }

    /// Whether a quotation that is not closed begins the paragraph or a sentence, or follows a comma or colon.
    fn opens_speech(&self, token: usize, begin: usize) -> bool {
        token == begin || matches!(self.body.word(token - 1), "," | ":" | "." | "!" | "?")
    }

    /// Whether the next paragraph opens with the mark again, as British quotations do; a plain
    /// apostrophe says too little.
    fn goes_on(&self, mark: &str) -> bool {
        mark == "‘" && self.end < self.body.tokens.len() && self.body.word(self.end) == mark
    }

    /// The mark that closes the quotation opened at `open`.
    fn close(&self, open: usize, closers: &[&str]) -> Close {
        let Some(opener) = self.mark(open) else { return Close::Forgotten };
        let width = self.width(opener);
        let single = is_single(opener);
        let symmetric = closers.contains(&opener);
        let mut depth = 0;
        for token in open + width..self.end {
            let Some(mark) = self.mark(token) else { continue };
            // Some type an opening mark at both ends.
            let mistyped = mark == opener && !symmetric && !self.can_open(token);
            if mark == opener && !symmetric && !single && !mistyped {
                depth += 1;
            } else if (closers.contains(&mark) || mistyped) && self.can_close(token + width - 1) {
                // An apostrophe closes where a sentence or clause does, or nothing else would.
                let at_stop = matches!(self.body.word(token - 1), "," | "." | "!" | "?" | "…");
                if symmetric && !single && self.can_open(token) && !self.stands_free(token) {
                    // `"One. "Two."`: the first was never closed.
                    return Close::Forgotten;
                }
                if depth == 0 && (!single || at_stop || !self.is_possessive(token)) {
                    return Close::At(token);
                }
                depth = usize::saturating_sub(depth, 1);
            }
        }
        Close::Nowhere
    }

    /// White space on both sides.
    fn stands_free(&self, token: usize) -> bool {
        self.before(token).is_none_or(char::is_whitespace)
            && self.after(token).is_none_or(char::is_whitespace)
    }

    /// As in "the teachers' union": a plural's apostrophe with a word behind it.
    fn is_possessive(&self, token: usize) -> bool {
        let plural = token > 0 && self.body.word(token - 1).ends_with('s');
        let word_follows = self.body.tokens.get(token + 1).is_some_and(|next| next.kind == TokenKind::Word);
        plural && word_follows
    }
}

/// Where an opened quotation ends.
enum Close {
    At(usize),
    /// The next quotation opens before this one was closed.
    Forgotten,
    /// Not in this paragraph.
    Nowhere,
}

fn is_single(mark: &str) -> bool {
    matches!(mark, "'" | "‘")
}

/// The marks that close what `mark` opens.
fn closers(mark: &str) -> Option<&'static [&'static str]> {
    Some(match mark {
        "\"" => &["\""],
        "“" => &["”", "\""],
        // Some write a closing mark at both ends; German closes with an English opening mark.
        "”" => &["”"],
        "„" => &["“", "”"],
        "«" => &["»"],
        "»" => &["«", "»"],
        "「" => &["」"],
        "『" => &["』"],
        "``" => &["''"],
        "''" => &["''"],
        "‘" => &["’", "'"],
        "'" => &["'"],
        _ => return None,
    })
}
