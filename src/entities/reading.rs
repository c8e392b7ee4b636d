//! An article as the tagger reads it: units, sentences and the facts about each distinct word.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::lexicon::{Keys, Lexicon, List, Usage};
use super::words::{self, Case};
use crate::document::{Section, Span, TextSpan};
use crate::text::{Segmented, SegmentedArticle, TokenKind};

/// A token, or a piece of one where a name may end inside it ("Brussels|-|based").
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub begin: u32,
    pub end: u32,
    /// Place in [`Reading::words`].
    pub word: u32,
    pub context: Context,
}

/// What the characters around a unit say about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context {
    /// First word of its sentence, or after an opening quotation mark or colon.
    pub initial: bool,
    /// Between quotation marks that are no more than a dozen units apart.
    pub quoted: bool,
    pub bracketed: bool,
}

/// How a sentence is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Normal,
    /// Nearly Every Longer Word With a Capital.
    TitleCase,
    /// NO LOWER CASE.
    Capitals,
}

#[derive(Clone, Debug)]
pub struct Line {
    /// Places in [`Reading::units`].
    pub units: Range<usize>,
    /// Places in [`Reading::stretches`].
    stretches: Range<usize>,
    pub style: Style,
    pub section: Section,
    pub paragraph: usize,
}

/// Facts about a distinct word.
#[derive(Clone, Debug)]
pub struct Word {
    pub folded: u32,
    pub shape: u32,
    pub case: Case,
    /// Of the first 2, 3 and 4 folded characters; 0 without a capital.
    pub prefixes: [u32; 3],
    /// Of the last 1 to 4 folded characters; 0 without a capital.
    pub suffixes: [u32; 4],
    pub fine: u16,
    pub coarse: u8,
    pub usage: Usage,
    /// The gazetteers that hold the single word.
    pub lists: u32,
    /// Place in [`Reading::forms`].
    pub form: u32,
}

/// What the article shows about a word, however it is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Form {
    /// Inside sentences of normal style, without and with a capital.
    pub lower: u32,
    pub capital: u32,
}

/// Title and body in one sequence, the body first.
pub struct Reading<'a> {
    pub title: &'a str,
    pub body: &'a str,
    pub units: Vec<Unit>,
    pub lines: Vec<Line>,
    stretches: Vec<Range<usize>>,
    pub words: Vec<Word>,
    pub forms: Vec<Form>,
}

/// Where a token may be two names or a name and a word.
const JOINTS: [char; 3] = ['-', '/', '–'];

/// Longer sentences are read in pieces of this many units.
const LONGEST_LINE: usize = 400;

impl<'a> Reading<'a> {
    pub fn new(article: &SegmentedArticle<'a>, lexicon: &Lexicon) -> Self {
        let mut builder = Builder {
            lexicon,
            by_text: FxHashMap::default(),
            by_folded: FxHashMap::default(),
            reading: Reading {
                title: article.title.text,
                body: article.body.text,
                units: Vec::with_capacity(article.body.tokens.len() + article.title.tokens.len()),
                lines: Vec::new(),
                stretches: Vec::new(),
                words: Vec::new(),
                forms: Vec::new(),
            },
        };
        builder.section(&article.body);
        builder.section(&article.title);
        let mut reading = builder.reading;
        reading.count_forms();
        reading.find_stretches();
        reading
    }

    pub fn text(&self, section: Section) -> &'a str {
        match section {
            Section::Body => self.body,
            Section::Title => self.title,
        }
    }

    /// What a unit of a section is in the text.
    pub fn unit_text(&self, section: Section, unit: usize) -> &'a str {
        let Unit { begin, end, .. } = self.units[unit];
        &self.text(section)[begin as usize..end as usize]
    }

    pub fn word(&self, unit: usize) -> &Word {
        &self.words[self.units[unit].word as usize]
    }

    /// The word so many units after (or before) `unit` in `line`; none outside the line.
    #[inline]
    pub fn word_near(&self, line: &Line, unit: usize, offset: isize) -> Option<&Word> {
        let place = unit.checked_add_signed(offset)?;
        line.units.contains(&place).then(|| self.word(place))
    }

    /// The stretches of `line` in which names may lie, in order: words with a capital that does not only
    /// begin a sentence or write "I", and their neighbours. All other units are common words among common
    /// words: outside, without a closer look.
    pub fn stretches(&self, line: &Line) -> impl Iterator<Item = Range<usize>> {
        self.stretches[line.stretches.clone()].iter().cloned()
    }

    /// The hash of the words of some units, as [`words::phrase`] grows it.
    pub fn phrase(&self, units: Range<usize>) -> u32 {
        units.map(|unit| self.word(unit).folded).fold(0, words::phrase)
    }

    pub fn form(&self, unit: usize) -> Form {
        self.forms[self.word(unit).form as usize]
    }

    /// The characters from the first to the last of a non-empty range of units of one line.
    pub fn span(&self, units: Range<usize>) -> Span {
        Span::new(self.units[units.start].begin as usize, self.units[units.end - 1].end as usize)
    }

    /// As [`Reading::span`], with the section of the line they are in.
    pub fn text_span(&self, line: usize, units: Range<usize>) -> TextSpan {
        TextSpan { section: self.lines[line].section, span: self.span(units) }
    }

    fn count_forms(&mut self) {
        for line in self.lines.iter().filter(|line| line.style == Style::Normal) {
            for unit in &self.units[line.units.clone()] {
                let word = &self.words[unit.word as usize];
                let form = &mut self.forms[word.form as usize];
                match word.case {
                    Case::None => {}
                    Case::Lower => form.lower += 1,
                    _ if unit.context.initial => {}
                    _ => form.capital += 1,
                }
            }
        }
    }

    /// Finds the stretches of every line, as [`Reading::stretches`] gives them.
    fn find_stretches(&mut self) {
        let pronoun = words::folded_hash("i");
        let stands_out: Vec<bool> = self.units.iter().map(|unit| self.stands_out(unit, pronoun)).collect();
        let mut stretches = Vec::new();
        for number in 0..self.lines.len() {
            let line = self.lines[number].units.clone();
            let first = stretches.len();
            let mut next = line.start;
            let is_named = |&unit: &usize| self.may_be_named(&line, unit, &stands_out);
            while let Some(begin) = (next..line.end).find(is_named) {
                next = (begin..line.end).find(|unit| !is_named(unit)).unwrap_or(line.end);
                stretches.push(begin..next);
            }
            self.lines[number].stretches = first..stretches.len();
        }
        self.stretches = stretches;
    }

    /// Whether the unit has a capital that a name may be told by: not that of "I", whose hash is
    /// `pronoun`, and not that of a common word at a sentence's start that has none elsewhere.
    fn stands_out(&self, unit: &Unit, pronoun: u32) -> bool {
        const HARDLY_EVER: Usage = 1;
        let word = &self.words[unit.word as usize];
        match word.case {
            Case::Title | Case::Initial if unit.context.initial && word.usage == HARDLY_EVER => {
                self.forms[word.form as usize].capital > 0
            }
            Case::Initial => word.folded != pronoun,
            case => case.has_capital(),
        }
    }

    /// Whether the unit stands out, or one beside it does, or one behind a number or mark
    /// ("sub-Saharan", "Cup 2022").
    fn may_be_named(&self, line: &Range<usize>, unit: usize, stands_out: &[bool]) -> bool {
        let near = |offset| unit.checked_add_signed(offset).filter(|near| line.contains(near));
        let stands_out = |near: Option<usize>| near.is_some_and(|near| stands_out[near]);
        let blank = |near: Option<usize>| near.is_some_and(|near| self.word(near).case == Case::None);
        let beside = |side: isize| {
            let next = near(side);
            stands_out(next) || (blank(Some(unit)) || blank(next)) && stands_out(near(2 * side))
        };
        stands_out(Some(unit)) || beside(-1) || beside(1)
    }
}

struct Builder<'a, 'l> {
    lexicon: &'l Lexicon,
    by_text: FxHashMap<&'a str, u32>,
    by_folded: FxHashMap<u32, u32>,
    reading: Reading<'a>,
}

impl<'a> Builder<'a, '_> {
    fn section(&mut self, text: &Segmented<'a>) {
        let keys: Vec<Keys> = text.forms.iter().map(|form| Keys::of(form.text)).collect();
        self.lexicon.fetch(&keys);
        let mut words: Vec<Option<u32>> = vec![None; text.forms.len()];
        for sentence in &text.sentences {
            let begin = self.reading.units.len();
            for at in sentence.tokens.clone() {
                let token = &text.tokens[at];
                let range = token.begin as usize..token.end as usize;
                let form = text.form_of[at] as usize;
                if let Some(word) = words[form] {
                    self.push(range, word);
                } else if self.token(text.text, range, token.kind, keys[form]) {
                    words[form] = self.reading.units.last().map(|unit| unit.word);
                }
            }
            let end = self.reading.units.len();
            self.mark_context(text.text, begin..end);
            let style = self.style(text.text, begin..end);
            for piece in (begin..end).step_by(LONGEST_LINE) {
                let units = piece..end.min(piece + LONGEST_LINE);
                let (section, paragraph) = (text.section, sentence.paragraph);
                self.reading.lines.push(Line { units, stretches: 0..0, style, section, paragraph });
            }
        }
    }

    /// Adds a token, cut at slashes, and at a hyphen that joins a name to a common word or
    /// two countries ("Brussels-based", "anti-Syrian", "China-US"). Says whether the same token
    /// would be one unit anywhere.
    fn token(&mut self, text: &'a str, range: Range<usize>, kind: TokenKind, keys: Keys) -> bool {
        let token = &text[range.clone()];
        let may_be_cut = kind == TokenKind::Word && token.len() > 2 && token.contains(JOINTS);
        let Some(at) = may_be_cut.then(|| self.cut(token)).flatten() else {
            self.unit(text, range, keys);
            return !may_be_cut;
        };
        // Hyphens and slashes: the mark at the cut is one character, of one to three bytes.
        let mark = token[at..].chars().next().map_or(1, char::len_utf8);
        let middle = range.start + at;
        for part in [range.start..middle, middle..middle + mark] {
            let keys = Keys::of(&text[part.clone()]);
            self.unit(text, part, keys);
        }
        let rest = middle + mark..range.end;
        let keys = Keys::of(&text[rest.clone()]);
        self.token(text, rest, kind, keys);
        false
    }

    fn cut(&self, token: &str) -> Option<usize> {
        let at = token.find(JOINTS)?;
        let (first, rest) = token.split_at(at);
        let mark = rest.chars().next()?;
        let rest = &rest[mark.len_utf8()..];
        if first.is_empty() || rest.is_empty() {
            return None;
        }
        let capital = |part: &str| part.chars().next().is_some_and(char::is_uppercase);
        let lower = |part: &str| part.chars().next().is_some_and(char::is_lowercase);
        let listed = |phrase| self.lexicon.lists(phrase) & (List::Country.bit() | List::Demonym.bit()) != 0;
        let place = |part: &str| listed(words::phrase(0, words::folded_hash(part)));
        // The last word of a country's name: "Saudi Arabia-Iran".
        let ends_place = |part: &str| {
            self.reading.units.last().is_some_and(|before| {
                let before = self.reading.words[before.word as usize].folded;
                listed(words::phrase(words::phrase(0, before), words::folded_hash(part)))
            })
        };
        let joins = match mark {
            '/' => capital(first) || capital(rest),
            _ => {
                (capital(first) && lower(rest))
                    || (lower(first) && first.len() > 2 && capital(rest))
                    || (capital(first) && capital(rest) && (place(first) || ends_place(first)) && place(rest))
            }
        };
        joins.then_some(at)
    }

    fn unit(&mut self, text: &'a str, range: Range<usize>, keys: Keys) {
        let word = self.intern(&text[range.clone()], keys);
        self.push(range, word);
    }

    fn push(&mut self, range: Range<usize>, word: u32) {
        self.reading.units.push(Unit {
            begin: range.start as u32,
            end: range.end as u32,
            word,
            context: Context::default(),
        });
    }

    fn intern(&mut self, text: &'a str, keys: Keys) -> u32 {
        if let Some(&word) = self.by_text.get(text) {
            return word;
        }
        let Keys { case, folded, .. } = keys;
        let forms = &mut self.reading.forms;
        let form = *self.by_folded.entry(folded).or_insert_with(|| {
            forms.push(Form::default());
            forms.len() as u32 - 1
        });
        let (fine, coarse) = self.lexicon.clusters(text, keys);
        let affixes = case.has_capital();
        let word = self.reading.words.len() as u32;
        self.reading.words.push(Word {
            folded,
            shape: words::shape(text),
            case,
            prefixes: if affixes { words::growing_hashes(2, words::folded(text)) } else { [0; 3] },
            suffixes: if affixes { words::growing_hashes(1, words::folded(text).rev()) } else { [0; 4] },
            fine,
            coarse,
            usage: self.lexicon.usage(folded),
            lists: self.lexicon.lists(words::phrase(0, folded)),
            form,
        });
        self.by_text.insert(text, word);
        word
    }

    fn mark_context(&mut self, text: &str, units: Range<usize>) {
        const LONGEST_QUOTED_NAME: usize = 12;
        let mut initial = true;
        let mut opened: Option<usize> = None;
        let mut brackets = 0_u32;
        for i in units {
            let unit = self.reading.units[i];
            let word = &text[unit.begin as usize..unit.end as usize];
            let mark = word.chars().next().filter(|c| !c.is_alphanumeric());
            match mark {
                Some('"' | '“' | '”' | '„' | '«' | '»' | '‘') => {
                    match opened.take() {
                        Some(from) if i - from <= LONGEST_QUOTED_NAME => {
                            for unit in &mut self.reading.units[from + 1..i] {
                                unit.context.quoted = true;
                            }
                        }
                        _ => opened = Some(i),
                    }
                    initial = true;
                    continue;
                }
                Some('\'' | '’') => {
                    if let Some(from) = opened.take_if(|from| i - *from <= LONGEST_QUOTED_NAME) {
                        for unit in &mut self.reading.units[from + 1..i] {
                            unit.context.quoted = true;
                        }
                    }
                }
                Some('(' | '[') => brackets += 1,
                Some(')' | ']') => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            let context = &mut self.reading.units[i].context;
            context.initial = initial;
            context.bracketed = brackets > 0;
            initial = initial && mark.is_some() || mark == Some(':');
        }
    }

    /// A sentence with a full stop is prose, however many names it lists.
    fn style(&self, text: &str, units: Range<usize>) -> Style {
        let (mut capitals, mut upper, mut lower, mut long_lower) = (0, 0, 0, 0);
        let stopped = self.reading.units[units.clone()]
            .last()
            .is_some_and(|unit| &text[unit.begin as usize..unit.end as usize] == ".");
        for unit in &self.reading.units[units] {
            let word = &self.reading.words[unit.word as usize];
            match word.case {
                Case::Lower => {
                    lower += 1;
                    long_lower += usize::from(unit.end - unit.begin > 4);
                }
                Case::Upper if unit.end - unit.begin > 1 => upper += 1,
                Case::Title | Case::Mixed => capitals += 1,
                _ => {}
            }
        }
        if upper >= 2 && lower == 0 && upper > 2 * capitals {
            Style::Capitals
        } else if !stopped
            && capitals + upper >= 4
            && long_lower * 8 <= capitals + upper
            && lower <= capitals + upper
        {
            Style::TitleCase
        } else {
            Style::Normal
        }
    }
}
