//! Language, sentences and tokens, and the arithmetic of offsets.

mod abbreviations;
pub mod language;
pub mod offsets;
mod segment;
mod sentences;
pub mod stem;
mod tokens;

use std::ops::Range;

pub use segment::{segment, segment_article};

use crate::document::{Article, Section, Span, TextSpan};

/// A word, number or mark of a text. Offsets are UTF-8 bytes; texts are at most 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub begin: u32,
    pub end: u32,
    pub kind: TokenKind,
}

impl Token {
    pub const fn span(self) -> Span {
        Span::new(self.begin as usize, self.end as usize)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Letters, with inner apostrophes, hyphens and full stops ("U.S.", "co-founder").
    Word,
    /// Digits, with inner separators ("1,500.25").
    Number,
    /// A quotation mark, bracket, comma, full stop.
    Punctuation,
    /// A web or mail address.
    Address,
    /// Anything else: currency, emoji, marks.
    Symbol,
}

/// A sentence, heading or list item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Without white space at its ends.
    pub span: Span,
    /// Places in [`Segmented::tokens`].
    pub tokens: Range<usize>,
    /// The paragraph's number within the text, from 0.
    pub paragraph: usize,
}

/// What tokens of one kind that are written alike have in common. A text has some three times more tokens
/// than forms, so what depends on nothing else is worked out once a form.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    pub text: &'a str,
    pub kind: TokenKind,
    /// As [`stem::stem_hash`] makes it.
    pub stem: u32,
    /// Whether the first character is upper case.
    pub capital: bool,
}

/// A text cut into sentences and tokens, in order and without overlap.
#[derive(Clone, Debug)]
pub struct Segmented<'a> {
    pub text: &'a str,
    pub section: Section,
    pub tokens: Vec<Token>,
    pub sentences: Vec<Sentence>,
    /// Each once, in the order of the first tokens that have them.
    pub forms: Vec<Form<'a>>,
    /// For each token its place in `forms`.
    pub form_of: Vec<u32>,
}

impl<'a> Segmented<'a> {
    /// The token's form.
    pub fn form(&self, token: usize) -> &Form<'a> {
        &self.forms[self.form_of[token] as usize]
    }

    /// The token's text.
    pub fn word(&self, token: usize) -> &'a str {
        self.tokens[token].span().of(self.text)
    }

    /// The span from the first byte of token `tokens.start` to the last of `tokens.end - 1`.
    ///
    /// # Panics
    /// If the range is empty or out of bounds.
    pub fn span_of(&self, tokens: Range<usize>) -> Span {
        Span::new(self.tokens[tokens.start].begin as usize, self.tokens[tokens.end - 1].end as usize)
    }

    pub fn text_span(&self, span: Span) -> TextSpan {
        TextSpan { section: self.section, span }
    }
}

/// What every analysis reads: an article with its title and body cut into sentences and tokens.
#[derive(Clone, Debug)]
pub struct SegmentedArticle<'a> {
    pub article: &'a Article,
    pub title: Segmented<'a>,
    pub body: Segmented<'a>,
}
