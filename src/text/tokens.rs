//! Words, numbers and marks: one pass over the text, by bytes where it is ASCII.
//!
//! The possessive is a token of its own (`Vietnam` `'s`), so that it stays outside names;
//! other clitics stay with their word (`don't`, `we'll`). Full stops belong to a word inside
//! it and where they make it an abbreviation (`U.S.`, `Inc.`, `J.`).

use unicode_normalization::char::is_combining_mark;

use super::abbreviations;
use super::{Token, TokenKind};

/// Cuts a text into tokens, in order. White space and control characters are in none.
pub(super) fn tokenize(text: &str) -> Vec<Token> {
    // News prose has a token for every five to six bytes.
    let mut scanner =
        Scanner { text, bytes: text.as_bytes(), tokens: Vec::with_capacity(text.len() / 5 + 4) };
    let mut at = 0;
    while at < text.len() {
        at = scanner.token(at);
    }
    scanner.tokens
}

/// What a character can be part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Space,
    Letter,
    Digit,
    /// Continues whatever it follows: combining marks, joiners, emoji modifiers.
    Mark,
    /// Han and whatever else is written without spaces and read character by character.
    Ideograph,
    Hiragana,
    Katakana,
    /// Scripts of South-East Asia written without spaces between words.
    Unspaced,
    Punctuation,
    Symbol,
}

const ASCII: [Class; 128] = {
    let mut classes = [Class::Space; 128];
    let mut byte = 0x21;
    while byte < 0x7f {
        classes[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'!' | b'"' | b'\'' | b'(' | b')' | b',' | b'-' | b'.' | b'/' | b':' | b';' | b'?' | b'['
            | b']' | b'`' | b'{' | b'}' => Class::Punctuation,
            _ => Class::Symbol,
        };
        byte += 1;
    }
    classes
};

fn class(c: char) -> Class {
    if c.is_ascii() {
        return ASCII[c as usize];
    }
    match c {
        // Latin letters with marks, by far the most frequent here.
        '\u{c0}'..='\u{24f}' if c != '×' && c != '÷' => Class::Letter,
        '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}'
        | '\u{3001}'..='\u{3003}'
        | '\u{3008}'..='\u{3011}' => Class::Punctuation,
        '\u{ff08}'
        | '\u{ff09}'
        | '\u{ff0c}'
        | '\u{ff0e}'
        | '\u{ff1a}'
        | '\u{ff1b}'
        | '\u{ff01}'
        | '\u{ff1f}'
        | '\u{ff61}'..='\u{ff64}' => Class::Punctuation,
        '«'
        | '»'
        | '¡'
        | '¿'
        | '·'
        | '؟'
        | '،'
        | '؛'
        | '۔'
        | '।'
        | '॥'
        | '։'
        | '።'
        | '\u{3014}'..='\u{301f}' => Class::Punctuation,
        '\u{200c}'
        | '\u{200d}'
        | '\u{ad}'
        | '\u{2060}'
        | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0020}'..='\u{e007f}' => Class::Mark,
        '\u{200b}'
        | '\u{feff}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => Class::Space,
        '\u{4e00}'..='\u{9fff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}'
        | '々'
        | '〇' => Class::Ideograph,
        '\u{3041}'..='\u{309f}' => Class::Hiragana,
        '\u{30a0}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{ff66}'..='\u{ff9f}' => Class::Katakana,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => Class::Unspaced,
        c if c.is_whitespace() || c.is_control() => Class::Space,
        c if is_combining_mark(c) => Class::Mark,
        c if c.is_numeric() => Class::Digit,
        c if c.is_alphabetic() => Class::Letter,
        _ => Class::Symbol,
    }
}

/// Whether the character is a letter, digit or mark: what words are made of.
fn in_word(class: Class) -> bool {
    matches!(class, Class::Letter | Class::Digit | Class::Mark)
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    tokens: Vec<Token>,
}

impl Scanner<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b' ')
    }

    /// The class and length of the character at `at`; space, of no length, past the end.
    fn peek(&self, at: usize) -> (Class, usize) {
        match self.bytes.get(at) {
            Some(&byte) if byte < 0x80 => (ASCII[usize::from(byte)], 1),
            _ => self.text[at..].chars().next().map_or((Class::Space, 0), |c| (class(c), c.len_utf8())),
        }
    }

    fn push(&mut self, begin: usize, end: usize, kind: TokenKind) -> usize {
        self.tokens.push(Token { begin: begin as u32, end: end as u32, kind });
        end
    }

    /// Reads the token, or the white space, at `begin`, and says where the next one begins.
    fn token(&mut self, begin: usize) -> usize {
        let (class, length) = self.peek(begin);
        match class {
            Class::Space => begin + length,
            Class::Letter | Class::Digit | Class::Mark => self.word(begin),
            Class::Ideograph => {
                let end = self.marks(begin + length);
                self.push(begin, end, TokenKind::Word)
            }
            Class::Hiragana | Class::Katakana | Class::Unspaced => {
                let end = self.run(begin, |c| c == class || c == Class::Mark);
                self.push(begin, end, TokenKind::Word)
            }
            Class::Punctuation => self.punctuation(begin, length),
            Class::Symbol => self.symbol(begin, length),
        }
    }

    fn run(&self, mut at: usize, belongs: impl Fn(Class) -> bool) -> usize {
        loop {
            let (class, length) = self.peek(at);
            if length == 0 || !belongs(class) {
                return at;
            }
            at += length;
        }
    }

    /// The end of the marks that continue the character before `at`.
    fn marks(&self, at: usize) -> usize {
        if self.byte(at) < 0x80 { at } else { self.run(at, |class| class == Class::Mark) }
    }

    fn word(&mut self, begin: usize) -> usize {
        let mut end = self.run(begin, in_word);
        let mut digits_only = self.is_digits(begin, end);
        let mut piece = begin;
        while let Some(next) = self.joined(begin, piece, end, digits_only) {
            piece = next;
            end = self.run(next, in_word);
            digits_only = digits_only && self.is_digits(piece, end);
        }
        match self.byte(end) {
            b':' if self.bytes[end..].starts_with(b"://") => return self.address(begin, end + 3),
            b'@' if self.byte(end + 1).is_ascii_alphanumeric() => return self.mail(begin, end + 1),
            b'.' if self.is_domain(begin, end) => {
                let (end, path) = self.domain(end);
                return if path || self.text[begin..end].starts_with("www.") {
                    self.address(begin, end)
                } else {
                    self.push(begin, end, TokenKind::Word)
                };
            }
            b'.' if !digits_only && self.takes_full_stop(begin, piece, end) => end += 1,
            _ => {}
        }
        if let Some(split) = self.possessive(begin, end) {
            self.push(begin, split, if digits_only { TokenKind::Number } else { TokenKind::Word });
            return self.push(split, end, TokenKind::Word);
        }
        self.push(begin, end, if digits_only { TokenKind::Number } else { TokenKind::Word })
    }

    fn is_digits(&self, begin: usize, end: usize) -> bool {
        self.bytes[begin..end].iter().all(u8::is_ascii_digit)
            || (!self.bytes[begin].is_ascii()
                && self.text[begin..end].chars().all(|c| class(c) == Class::Digit))
    }

    /// Where the word that ends at `end` goes on after a joining mark: the begin of its next piece.
    fn joined(&self, begin: usize, piece: usize, end: usize, digits_only: bool) -> Option<usize> {
        let next = match self.byte(end) {
            mark @ (b'-' | b'\'' | b'_' | b'&' | b'.' | b',' | b':' | b'/') => {
                let follows = self.peek(end + 1).0;
                let joins = match mark {
                    b'-' => in_word(follows),
                    b'\'' => follows == Class::Letter && !digits_only,
                    b'_' => in_word(follows),
                    b'&' => {
                        self.bytes[piece..end].iter().all(u8::is_ascii_uppercase)
                            && self.byte(end + 1).is_ascii_uppercase()
                    }
                    b'.' if digits_only => follows == Class::Digit,
                    b'.' => self.is_acronym_stop(begin, piece, end),
                    b',' => digits_only && end - piece <= 3 && self.three_digits(end + 1),
                    // ':' and '/': times, ratios and dates in digits.
                    _ => digits_only && self.byte(end + 1).is_ascii_digit(),
                };
                joins.then_some(end + 1)
            }
            // The first byte of ’ and of the hyphens U+2010 and U+2011.
            0xe2 => {
                let c = self.text[end..].chars().next()?;
                let follows = self.peek(end + c.len_utf8()).0;
                let joins = match c {
                    '’' => follows == Class::Letter && !digits_only,
                    '\u{2010}' | '\u{2011}' => in_word(follows),
                    _ => false,
                };
                joins.then_some(end + c.len_utf8())
            }
            _ => None,
        };
        next
    }

    /// Exactly three digits stand at `at`.
    fn three_digits(&self, at: usize) -> bool {
        (at..at + 3).all(|at| self.byte(at).is_ascii_digit()) && !self.byte(at + 3).is_ascii_digit()
    }

    /// Whether the full stop at `end` stands inside an acronym: after one letter ("U.S", "a.m")
    /// or a short piece before one capital ("Ph.D").
    fn is_acronym_stop(&self, begin: usize, piece: usize, end: usize) -> bool {
        let (follows, length) = self.peek(end + 1);
        let one_letter_next = follows == Class::Letter && !in_word(self.peek(end + 1 + length).0);
        let letters = self.text[piece..end].chars().take(3).count();
        letters == 1 && one_letter_next
            || letters == 2
                && begin == piece
                && one_letter_next
                && self.byte(end + 1).is_ascii_uppercase()
                && self.byte(end + 2) == b'.'
    }

    /// Whether the full stop after the word makes it an abbreviation.
    fn takes_full_stop(&self, begin: usize, piece: usize, end: usize) -> bool {
        if self.byte(end + 1) == b'.' {
            return false;
        }
        let one_letter = self.text[piece..end].chars().nth(1).is_none();
        if piece > begin && self.bytes[piece - 1] == b'.' {
            return true;
        }
        let word = &self.text[begin..end];
        one_letter && piece == begin && word.starts_with(char::is_uppercase)
            || abbreviations::is_abbreviation(word)
    }

    /// Where a possessive `'s` at the word's end begins.
    fn possessive(&self, begin: usize, end: usize) -> Option<usize> {
        let stem = self.text[begin..end].strip_suffix(['s', 'S'])?;
        let stem = stem.strip_suffix(['\'', '’'])?;
        (!stem.is_empty()).then_some(begin + stem.len())
    }

    /// Whether the full stop at `end` is followed by the name of a top-level domain.
    fn is_domain(&self, begin: usize, end: usize) -> bool {
        let (label, _) = self.label(end + 1);
        if label.is_empty() || !self.bytes[begin..end].is_ascii() {
            return false;
        }
        &self.text[begin..end] == "www"
            || abbreviations::is_top_level_domain(label)
            || (self.byte(end + 1 + label.len()) == b'.' && {
                let (next, _) = self.label(end + label.len() + 2);
                abbreviations::is_top_level_domain(next)
            })
    }

    /// The run of ASCII letters, digits and hyphens at `at`, of 24 at most, and its end.
    fn label(&self, at: usize) -> (&str, usize) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length =
            rest.iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
        (self.text.get(at..at + length).unwrap_or_default(), at + length)
    }

    /// The end of the domain's labels, and whether a path follows.
    fn domain(&self, mut end: usize) -> (usize, bool) {
        while self.byte(end) == b'.' && self.byte(end + 1).is_ascii_alphanumeric() {
            end = self.label(end + 1).1;
        }
        (end, self.byte(end) == b'/' && self.byte(end + 1).is_ascii_alphanumeric())
    }

    /// An address runs to the next white space, without the punctuation of the sentence around it.
    fn address(&mut self, begin: usize, sure: usize) -> usize {
        let rest = &self.text[sure..];
        let stop = rest.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"“”«»|".contains(c));
        let kept = rest[..stop.unwrap_or(rest.len())].trim_end_matches(|c: char| ".,;:!?'’)]}…".contains(c));
        self.push(begin, sure + kept.len(), TokenKind::Address)
    }

    /// A mail address: what was taken for words and full stops before the `@` is its local part.
    fn mail(&mut self, mut begin: usize, host: usize) -> usize {
        while let Some(last) = self.tokens.last()
            && last.end as usize == begin
            && last.kind != TokenKind::Address
            && self.bytes[last.span().range()]
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(byte))
        {
            begin = last.begin as usize;
            self.tokens.pop();
        }
        let (_, end) = self.label(host);
        let (end, _) = self.domain(end);
        self.push(begin, end, TokenKind::Address)
    }

    fn punctuation(&mut self, begin: usize, length: usize) -> usize {
        if let Some(end) = self.emoticon(begin) {
            return self.push(begin, end, TokenKind::Symbol);
        }
        // "..." and "--" and "?!" are one mark each.
        let same: fn(u8) -> bool = match self.bytes[begin] {
            b'.' => |byte| byte == b'.',
            b'-' => |byte| byte == b'-',
            b'!' | b'?' => |byte| matches!(byte, b'!' | b'?'),
            b'\'' if self.is_loose_possessive(begin) => {
                return self.push(begin, begin + 2, TokenKind::Word);
            }
            _ => |_| false,
        };
        let run = self.bytes[begin + length..].iter().take_while(|byte| same(**byte)).count();
        let end = self.marks(begin + length + run);
        self.push(begin, end, TokenKind::Punctuation)
    }

    /// The end of a ":)", ";-)" or the like that stands by itself.
    fn emoticon(&self, begin: usize) -> Option<usize> {
        if !matches!(self.byte(begin), b':' | b';')
            || begin > 0 && !self.bytes[begin - 1].is_ascii_whitespace()
        {
            return None;
        }
        let mouth = begin + 1 + usize::from(self.byte(begin + 1) == b'-');
        (matches!(self.byte(mouth), b')' | b'(' | b'D' | b'P' | b'p') && !in_word(self.peek(mouth + 1).0))
            .then_some(mouth + 1)
    }

    /// A `'s` that stands apart, after a space or a full stop ("the U.S.'s").
    fn is_loose_possessive(&self, at: usize) -> bool {
        self.byte(at + 1) == b's' && !in_word(self.peek(at + 2).0) && !matches!(self.byte(at + 2), b'\'')
    }

    fn symbol(&mut self, begin: usize, length: usize) -> usize {
        let first = self.bytes[begin];
        if first == b'@' && self.byte(begin + 1).is_ascii_alphanumeric() {
            let end = self.run(begin + 1, in_word);
            let end = if self.byte(end) == b'_' { self.handle(end) } else { end };
            return self.push(begin, end, TokenKind::Address);
        }
        if first.is_ascii() {
            // A ruled line of "=====" or "*****" is one mark.
            let run = self.bytes[begin + 1..].iter().take_while(|byte| **byte == first).count();
            return self.push(begin, self.marks(begin + 1 + run), TokenKind::Symbol);
        }
        let end = self.emoji(begin, length);
        self.push(begin, end, TokenKind::Symbol)
    }

    /// The end of an account's name with underscores.
    fn handle(&self, at: usize) -> usize {
        at + self.bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
    }

    /// The end of the symbol at `begin` with its modifiers, of a flag's second letter and of what
    /// zero-width joiners tie to it.
    fn emoji(&self, begin: usize, length: usize) -> usize {
        let mut end = begin + length;
        let is_flag = |at: usize| {
            self.text[at..].chars().next().is_some_and(|c| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c))
        };
        if is_flag(begin) && is_flag(end) {
            return self.marks(end + 4);
        }
        loop {
            let marked = self.marks(end);
            let (next, length) = self.peek(marked);
            if next != Class::Symbol || !self.text[..marked].ends_with('\u{200d}') {
                return marked;
            }
            end = marked + length;
        }
    }
}
