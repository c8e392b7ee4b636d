//! A flattened page cut into its lines.
//!
//! A line keeps where it stood in the content, and gets a clean text: entities decoded,
//! white space collapsed, list bullet and agency ending taken off. Prose that was wrapped at
//! a column is one line again, and metadata glued to prose is a line of its own.

use std::ops::RangeInclusive;

use super::features::Line;
use super::glue;
use crate::document::{BlockKind, Span};
use crate::extract::is_invisible;

/// A line with words or marks on it.
#[derive(Clone, Copy, Debug)]
pub struct FlatLine {
    /// In the content as sent, without white space, bullet and agency ending.
    pub source: Span,
    /// In [`FlatPage`]'s texts.
    text: Span,
    blanks_before: usize,
    indent: usize,
    /// Whether a list bullet stood in front of it.
    pub bullet: bool,
    /// Set where the form of a line leaves nothing to judge.
    pub known_kind: Option<BlockKind>,
}

/// The lines of a page, in order and without overlap.
#[derive(Clone, Debug, Default)]
pub struct FlatPage {
    texts: String,
    pub lines: Vec<FlatLine>,
}

impl FlatPage {
    pub fn of_text(content: &str) -> Self {
        let mut page = Self { texts: String::with_capacity(content.len()), lines: Vec::new() };
        for raw in joined(content, raw_lines(content)) {
            page.push(content, raw);
        }
        page
    }

    pub fn text(&self, line: usize) -> &str {
        self.lines[line].text.of(&self.texts)
    }

    /// The lines as the features read them.
    pub fn for_features(&self) -> Vec<Line<'_>> {
        self.lines
            .iter()
            .map(|line| Line {
                text: line.text.of(&self.texts),
                blanks_before: line.blanks_before,
                indent: line.indent,
                bullet: line.bullet,
            })
            .collect()
    }

    /// Adds a raw line, what is glued to its prose apart.
    fn push(&mut self, content: &str, raw: RawLine) {
        let (bullet, line) = without_bullet(content, raw.span);
        let (head, prose) = glue::head(line.of(content));
        let prose = Span::new(line.begin + prose.start, line.begin + prose.end);
        let mut parts = vec![(Span::new(line.begin, prose.begin), head)];
        let mut begin = prose.begin;
        let sentences_kind = glue::is_credit(prose.of(content)).then_some(BlockKind::Byline);
        while let Some((note, kind)) = glue::note(&content[begin..prose.end]) {
            parts.push((Span::new(begin, begin + note.start), sentences_kind));
            parts.push((Span::new(begin + note.start, begin + note.end), Some(kind)));
            begin += note.end;
        }
        parts.push((Span::new(begin, prose.end), sentences_kind));
        let mut blanks_before = raw.blanks_before;
        for (span, known_kind) in parts {
            let source = without_ending(content, trimmed(content, span));
            let begin = self.texts.len();
            push_clean(source.of(content), &mut self.texts);
            let text = Span::new(begin, self.texts.len());
            if !text.is_empty() {
                self.lines.push(FlatLine {
                    source,
                    text,
                    blanks_before,
                    indent: raw.indent,
                    bullet,
                    known_kind,
                });
                blanks_before = 0;
            }
        }
    }
}

/// A line of the content that is not blank, without the white space around it.
#[derive(Clone, Copy, Debug)]
struct RawLine {
    span: Span,
    blanks_before: usize,
    indent: usize,
}

fn raw_lines(content: &str) -> Vec<RawLine> {
    let mut lines = Vec::new();
    let (mut begin, mut blanks) = (0, 0);
    while begin < content.len() {
        let rest = &content[begin..];
        let length = rest.find(['\n', '\r', '\u{2028}', '\u{2029}', '\u{c}']).unwrap_or(rest.len());
        let mut line_break = rest[length..].chars().next().map_or(0, char::len_utf8);
        if rest[length..].starts_with("\r\n") {
            line_break = 2;
        }
        let span = trimmed(content, Span::new(begin, begin + length));
        if span.is_empty() {
            blanks += 1;
        } else {
            let indent = content[begin..span.begin].chars().count();
            lines.push(RawLine { span, blanks_before: blanks, indent });
            blanks = 0;
        }
        begin += length + line_break;
    }
    lines
}

fn trimmed(content: &str, span: Span) -> Span {
    let blank = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    let text = span.of(content);
    let from_left = text.trim_start_matches(blank);
    let begin = span.end - from_left.len();
    Span::new(begin, begin + from_left.trim_end_matches(blank).len())
}

/// Puts prose that was wrapped at a column together again.
fn joined(content: &str, lines: Vec<RawLine>) -> Vec<RawLine> {
    let Some(width) = wrap_width(content, &lines) else { return lines };
    let mut joined: Vec<RawLine> = Vec::with_capacity(lines.len());
    let mut before: Option<RawLine> = None;
    for line in lines {
        match (joined.last_mut(), before) {
            (Some(paragraph), Some(before)) if goes_on(content, before, line, width) => {
                paragraph.span.end = line.span.end;
            }
            _ => joined.push(line),
        }
        before = Some(line);
    }
    joined
}

/// Columns that text is wrapped at.
const WRAP_WIDTHS: RangeInclusive<usize> = 50..=120;
const LEAST_WRAPPED_LINES: usize = 4;

/// The column that the page's prose is wrapped at, if it is.
///
/// A run of lines is wrapped where, line after line, the first word of the next line had no
/// room in a line as wide as the widest. Lists of headlines may be so by chance, but few of
/// their lines begin with a small letter.
fn wrap_width(content: &str, lines: &[RawLine]) -> Option<usize> {
    let mut found = None;
    let (mut begin, mut width, mut room, mut small) = (0, 0, usize::MAX, 0);
    for (at, &line) in lines.iter().enumerate() {
        let columns = columns(content, line);
        if line.blanks_before > 0 || columns.max(width) >= room {
            (begin, width, room, small) = (at, 0, usize::MAX, 0);
        } else if at > begin {
            small += usize::from(line.span.of(content).starts_with(char::is_lowercase));
        }
        width = width.max(columns);
        room = room.min(columns + 1 + first_word_columns(content, lines.get(at + 1)));
        let breaks = at - begin;
        if breaks + 1 >= LEAST_WRAPPED_LINES && 2 * small >= breaks && WRAP_WIDTHS.contains(&width) {
            found = found.max(Some(width));
        }
    }
    found
}

fn goes_on(content: &str, before: RawLine, line: RawLine, width: usize) -> bool {
    line.blanks_before == 0
        && line.indent <= before.indent
        && !without_bullet(content, line.span).0
        && columns(content, before) <= width
        && columns(content, before) + 1 + first_word_columns(content, Some(&line)) > width
}

fn columns(content: &str, line: RawLine) -> usize {
    line.indent + line.span.of(content).chars().take(200).count()
}

fn first_word_columns(content: &str, line: Option<&RawLine>) -> usize {
    line.map_or(0, |line| {
        line.span.of(content).split_whitespace().next().map_or(0, |word| word.chars().take(200).count())
    })
}

/// Takes a list bullet off.
fn without_bullet(content: &str, span: Span) -> (bool, Span) {
    let text = span.of(content);
    let rest = text.trim_start_matches(is_bullet);
    let after = rest.trim_start();
    let has_bullet = rest.len() < text.len() && after.len() < rest.len() && !after.is_empty();
    if has_bullet { (true, Span::new(span.end - after.len(), span.end)) } else { (false, span) }
}

fn is_bullet(c: char) -> bool {
    matches!(
        c,
        '•' | '◦'
            | '▪'
            | '▫'
            | '‣'
            | '⁃'
            | '·'
            | '●'
            | '○'
            | '■'
            | '□'
            | '◆'
            | '►'
            | '▶'
            | '▸'
            | '➤'
            | '✓'
            | '✔'
            | '*'
            | '-'
            | '–'
            | '+'
            | '»'
            | '›'
            | '\u{f0b7}'
    )
}

/// Leaves out the "/." that some agencies end a story with.
fn without_ending(content: &str, span: Span) -> Span {
    let text = span.of(content);
    match text.strip_suffix("./.").or_else(|| text.strip_suffix("/. .")) {
        Some(rest) if !rest.is_empty() => Span::new(span.begin, span.begin + rest.len() + 1),
        _ => span,
    }
}

/// Adds `raw` to `out` with its entities decoded and its white space collapsed.
fn push_clean(raw: &str, out: &mut String) {
    // As in an attribute: "&copy=2" in an address is no sign.
    let decoded = if raw.contains('&') { htmlize::unescape_attribute(raw) } else { raw.into() };
    let begin = out.len();
    let mut space = false;
    for c in decoded.chars().filter(|&c| !is_invisible(c)) {
        if c.is_whitespace() || c.is_control() {
            space = out.len() > begin;
        } else {
            if space {
                out.push(' ');
                space = false;
            }
            out.push(c);
        }
    }
}
