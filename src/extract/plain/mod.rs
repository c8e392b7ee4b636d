//! The article in a page that was flattened to text.

mod features;
mod flat;
mod glue;
pub(in crate::extract) mod lines;
#[cfg(test)]
mod tests;
pub mod train;

use std::cmp::Reverse;
use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use self::flat::FlatPage;
use self::lines::{Judgement, LineModel};
use super::bylines::{Byline, byline, dates, is_agency, is_date_alone, parse_byline, parse_publish_time};
use super::{Extraction, folded};
use crate::document::{Article, Block, BlockKind, PublishTime, Source, Span, Warning};
use crate::text::language;

/// A line at least this likely is taken for the title where none is likelier.
const TITLE: f32 = 0.35;
/// And one this likely where nothing else points at a title.
const WEAK_TITLE: f32 = 0.1;
/// Lines that are judged at most; no article has so many, and each costs some 50 microseconds.
const MOST_LINES: usize = 20_000;
/// A title has at most this many words.
const LONGEST_TITLE: usize = 45;
/// A sentence with this many words that stands twice was put there twice by the page.
const REPEATED_WORDS: usize = 8;
/// Lines around the title and the article's begin where its byline and dateline are found.
const NEAR: usize = 8;

/// Lines of the article's text that a title's words are looked for in.
const OPENING: usize = 8;
/// The share of a title's longer words that the opening usually says again.
const USUAL_SHARE: f32 = 0.5;
/// Longer words from which on that says something for a title, and not only against one.
const TITLE_WORDS: usize = 3;
/// What a title is trusted without any of its words in the opening, beside that share.
const LEAST_TRUST: f32 = 0.3;
/// What a title is trusted with all of its words there; a hair more, for rounding.
const MOST_TRUST: f32 = 1.001 * (LEAST_TRUST + 1.0) / (LEAST_TRUST + USUAL_SHARE);

/// Finds the article in the lines of `content`.
pub(in crate::extract) fn extract(source: &Source, content: &str, model: &LineModel) -> Extraction {
    let page = FlatPage::of_text(content);
    let lines = page.for_features();
    let mut judgements = model.judge(&lines[..lines.len().min(MOST_LINES)]);
    judgements.resize(lines.len(), Judgement { kind: BlockKind::Boilerplate, body: 0.0, title: 0.0 });
    let mut kinds: Vec<BlockKind> = page
        .lines
        .iter()
        .zip(&judgements)
        .map(|(line, judgement)| line.known_kind.unwrap_or(judgement.kind))
        .collect();
    let reader = Reader { page: &page, judgements: &judgements };
    reader.mark_fused_article(&mut kinds);
    reader.mark_first_dates(&mut kinds);
    let title = reader.mark_title(&source.title, &mut kinds);
    reader.mark_head(&mut kinds);
    reader.mark_lead(&mut kinds);
    reader.drop_scraps(&mut kinds);
    reader.mark_repeats(&mut kinds);
    reader.mend_lists(&mut kinds);
    reader.drop_last_strays(&mut kinds);

    let mut article = assemble(&page, &kinds);
    article.title = title;
    reader.read_metadata(&kinds, &mut article);
    let mut warnings = Vec::from_iter(if page.lines.is_empty() {
        Some(Warning { reason: "EMPTY_CONTENT", message: "the content is blank".to_owned() })
    } else if article.text.is_empty() {
        Some(Warning {
            reason: "NO_ARTICLE_FOUND",
            message: "no line of the page reads as an article".to_owned(),
        })
    } else {
        None
    });
    if page.lines.len() > MOST_LINES {
        let message = format!("lines after the first {MOST_LINES} were not read");
        warnings.push(Warning { reason: "LINES_NOT_READ", message });
    }
    article.language_code = language::detect(&article.text)
        .or_else(|| language::detect(&article.title))
        .unwrap_or_default()
        .to_owned();
    Extraction { article, warnings }
}

/// The content as it is, its paragraphs as blocks.
pub(in crate::extract) fn whole(content: &str) -> Extraction {
    let mut blocks: Vec<Block> = Vec::new();
    let mut goes_on = false;
    let mut begin = 0;
    for line in content.split_inclusive('\n') {
        let text = line.trim();
        if text.is_empty() {
            goes_on = false;
        } else {
            let left = begin + line.len() - line.trim_start().len();
            let span = Span::new(left, left + text.len());
            match blocks.last_mut().and_then(|block| block.span.as_mut()).filter(|_| goes_on) {
                Some(paragraph) => paragraph.end = span.end,
                None => {
                    blocks.push(Block { kind: BlockKind::Paragraph, span: Some(span), source_span: None })
                }
            }
            goes_on = true;
        }
        begin += line.len();
    }
    for block in &mut blocks {
        block.source_span = block.span;
    }
    let language_code = language::detect(content).unwrap_or_default().to_owned();
    Extraction {
        article: Article { text: content.to_owned(), blocks, language_code, ..Article::default() },
        warnings: Vec::new(),
    }
}

fn assemble(page: &FlatPage, kinds: &[BlockKind]) -> Article {
    let mut article = Article::default();
    for (line, (flat, &kind)) in page.lines.iter().zip(kinds).enumerate() {
        let span = kind.in_text().then(|| {
            if !article.text.is_empty() {
                article.text.push_str("\n\n");
            }
            let begin = article.text.len();
            article.text.push_str(page.text(line));
            Span::new(begin, article.text.len())
        });
        article.blocks.push(Block { kind, span, source_span: Some(flat.source) });
    }
    article
}

/// How often a word in lower case ends in a full stop, behind which something new begins in upper
/// case. Code and lists of names have few such places.
fn sentence_ends(text: &str) -> usize {
    let ends = text.match_indices(". ").filter(|&(at, _)| {
        text[..at].ends_with(char::is_lowercase)
            && text[at + 2..].trim_start_matches(['"', '“', '‘', '\'']).starts_with(char::is_uppercase)
    });
    ends.count()
}

/// The words of four letters or more, in lower case.
fn long_words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.chars().nth(3).is_some()).map(str::to_lowercase)
}

/// What the lines around the article say of it.
struct Reader<'a> {
    page: &'a FlatPage,
    judgements: &'a [Judgement],
}

impl Reader<'_> {
    /// A date alone on the article's first line is its dateline, and so is a date with a time of
    /// day near it. Dates further down may be the headings of a chronicle.
    fn mark_first_dates(&self, kinds: &mut [BlockKind]) {
        let is_date = |line: usize| is_date_alone(self.page.text(line));
        while let Some(first) = kinds.iter().position(|kind| kind.in_text()).filter(|&line| is_date(line)) {
            kinds[first] = BlockKind::Dateline;
        }
        let Some(first) = kinds.iter().position(|kind| kind.in_text()) else { return };
        for (line, kind) in kinds.iter_mut().enumerate().skip(first).take(NEAR) {
            if kind.in_text() && is_date(line) && self.page.text(line).contains(':') {
                *kind = BlockKind::Dateline;
            }
        }
    }

    /// Finds the title and marks every line that repeats it. A `known` title wins.
    fn mark_title(&self, known: &str, kinds: &mut [BlockKind]) -> String {
        let title = if known.trim().is_empty() {
            self.likeliest_title(kinds, TITLE)
                .or_else(|| self.title_above_dateline(kinds))
                .or_else(|| self.likeliest_title(kinds, WEAK_TITLE))
                .map_or("", |line| self.page.text(line))
        } else {
            known.trim()
        };
        let wanted = folded(title);
        if wanted.is_empty() {
            return title.to_owned();
        }
        // Captions made by machines are the title and a number; the others on the page end alike.
        let mut caption_ends: Vec<String> = Vec::new();
        for (line, kind) in kinds.iter_mut().enumerate() {
            let text = self.page.text(line);
            if text.len() > 2 * title.len() + 60 {
                continue;
            }
            let found = folded(text);
            if found == wanted {
                *kind = BlockKind::Title;
            } else if let Some(end) = echo_end(&found, &wanted) {
                *kind = BlockKind::Caption;
                caption_ends.extend(before_number(end).map(str::to_owned));
            } else if let Some(rest) = before_number(&found)
                && caption_ends.iter().any(|end| rest.ends_with(end.as_str()))
            {
                *kind = BlockKind::Caption;
            }
        }
        title.to_owned()
    }

    /// Takes bylines and dates that stand alone behind the title out of the text: a page without a
    /// menu reads so much like an article that the model sees headings in them.
    fn mark_head(&self, kinds: &mut [BlockKind]) {
        let Some(first) = kinds.iter().position(|kind| kind.in_text()) else { return };
        let Some(title) = kinds[..first].iter().rposition(|&kind| kind == BlockKind::Title) else { return };
        let lines = kinds.len();
        let is_date = |line: usize| line < lines && is_date_alone(self.page.text(line));
        let (mut in_head, mut behind_byline) = (true, false);
        for line in (title + 1..lines).take(NEAR) {
            let judged = kinds[line];
            kinds[line] = match byline(self.page.text(line)) {
                // A lead may stand between the title and what says that it is a byline.
                Some(Byline::Labelled) if judged.in_text() || judged == BlockKind::Boilerplate => {
                    BlockKind::Byline
                }
                _ if !judged.in_text() => judged,
                _ if in_head && is_date(line) => BlockKind::Dateline,
                Some(Byline::Described) if in_head => BlockKind::Byline,
                Some(Byline::Bare) if in_head && (behind_byline || is_date(line + 1)) => BlockKind::Byline,
                _ => judged,
            };
            behind_byline = kinds[line] == BlockKind::Byline;
            in_head = behind_byline || in_head && !kinds[line].in_text();
        }
    }

    /// The line that is likeliest the title, judged by itself and by how much of it the article's
    /// opening says again: a teaser above the headline is worded like one, but is of another story.
    fn likeliest_title(&self, kinds: &[BlockKind], least: f32) -> Option<usize> {
        let last = kinds.iter().rposition(|kind| kind.in_text())?;
        let opening = (0..=last).filter(|&line| kinds[line].in_text()).take(OPENING);
        let said: FxHashSet<String> = opening.flat_map(|line| long_words(self.page.text(line))).collect();
        let likely = |line: usize| {
            let (mut words, mut again) = (0, 0);
            for word in long_words(self.page.text(line)) {
                words += 1;
                again += usize::from(said.contains(&word));
            }
            let share = if words > 0 { again as f32 / words as f32 } else { USUAL_SHARE };
            let trust = (LEAST_TRUST + share) / (LEAST_TRUST + USUAL_SHARE);
            // A section's name may stand in the opening, too, and is no title for that.
            let most = if words >= TITLE_WORDS { f32::INFINITY } else { 1.0 };
            self.judgements[line].title * trust.min(most)
        };
        // A text sent without its title begins with a sentence.
        let is_sentence = |line: usize| kinds[line].in_text() && self.page.text(line).ends_with('.');
        (0..=last)
            .filter(|&line| !is_sentence(line))
            .filter(|&line| self.page.lines[line].known_kind.is_none())
            .filter(|&line| self.page.text(line).split_whitespace().nth(LONGEST_TITLE).is_none())
            // Most lines are far from a title, and their words need not be looked up.
            .filter(|&line| self.judgements[line].title * MOST_TRUST >= least)
            .filter(|&line| !is_date_alone(self.page.text(line)))
            .map(|line| (line, likely(line)))
            .filter(|&(_, likely)| likely >= least)
            .max_by(|(a, one), (b, other)| one.total_cmp(other).then(b.cmp(a)))
            .map(|(line, _)| line)
    }

    /// The line above the dateline or byline that stands right above the article, if it reads
    /// as a title does.
    fn title_above_dateline(&self, kinds: &[BlockKind]) -> Option<usize> {
        const WORDS: std::ops::RangeInclusive<usize> = 4..=25;
        let first = kinds.iter().position(|kind| kind.in_text())?;
        let above = kinds[..first].iter().rev();
        let dated = above.take_while(|kind| matches!(kind, BlockKind::Dateline | BlockKind::Byline)).count();
        let line = (first - dated).checked_sub(1).filter(|_| dated > 0)?;
        let text = self.page.text(line);
        let reads_so = WORDS.contains(&text.split_whitespace().count())
            && text.starts_with(|c: char| c.is_uppercase() || !c.is_alphabetic())
            && !text.ends_with(['.', ':', '…']);
        reads_so.then_some(line)
    }

    /// An article whose paragraphs were run together is one line of many sentences, longer than
    /// all that else reads as text. The model has seen few, and takes some for scripts.
    fn mark_fused_article(&self, kinds: &mut [BlockKind]) {
        const LEAST_SENTENCES: usize = 6;
        let length = |line: usize| self.page.text(line).len();
        let Some(longest) = (0..kinds.len()).max_by_key(|&line| (length(line), Reverse(line))) else {
            return;
        };
        let text: usize = (0..kinds.len()).filter(|&line| kinds[line].in_text()).map(length).sum();
        if !kinds[longest].in_text()
            && length(longest) > text
            && sentence_ends(self.page.text(longest)) >= LEAST_SENTENCES
        {
            kinds[longest] = BlockKind::Paragraph;
        }
    }

    /// Several short lines without a sentence among them are no article.
    fn drop_scraps(&self, kinds: &mut [BlockKind]) {
        const FEW_LINES: usize = 3;
        const SENTENCE_CHARS: usize = 40;
        let is_sentence = |line: usize| self.page.text(line).chars().nth(SENTENCE_CHARS).is_some();
        let has_sentence = (0..kinds.len()).any(|line| kinds[line].in_text() && is_sentence(line));
        if kinds.len() > FEW_LINES && !has_sentence {
            for kind in kinds.iter_mut().filter(|kind| kind.in_text()) {
                *kind = BlockKind::Boilerplate;
            }
        }
    }

    /// Keeps a lead that stands alone between the title and a date or picture: a sentence right
    /// behind the title is the article's unless the model is sure that it is not.
    fn mark_lead(&self, kinds: &mut [BlockKind]) {
        const LEAST_WORDS: usize = 8;
        const UNSURE: f32 = 0.08;
        let Some(first) = kinds.iter().position(|kind| kind.in_text()) else { return };
        let Some(title) = kinds[..first].iter().rposition(|&kind| kind == BlockKind::Title) else { return };
        let Some(lead) = (title + 1..first).next() else { return };
        let text = self.page.text(lead);
        let is_sentence =
            text.ends_with(['.', '!', '?', '。']) && text.split_whitespace().nth(LEAST_WORDS - 1).is_some();
        if kinds[lead] == BlockKind::Boilerplate && is_sentence && self.judgements[lead].body >= UNSURE {
            kinds[lead] = BlockKind::Paragraph;
        }
    }

    /// Leaves out later copies of a sentence of the article, and copies of a caption.
    fn mark_repeats(&self, kinds: &mut [BlockKind]) {
        let long = |line: usize| self.page.text(line).split_whitespace().nth(REPEATED_WORDS - 1).is_some();
        let copies: Vec<Option<String>> =
            (0..kinds.len()).map(|line| long(line).then(|| folded(self.page.text(line)))).collect();
        for line in 1..kinds.len() {
            let (Some(here), Some(above)) = (&copies[line], &copies[line - 1]) else { continue };
            // A picture's description and its caption: where one is no part of the article, neither
            // is; and no article says a thing twice in a row, the second time with a credit.
            let is_copy = here == above && kinds[line].in_text() != kinds[line - 1].in_text();
            if is_copy || adds_credit(here, above) || adds_credit(above, here) {
                kinds[line - 1..=line].fill(BlockKind::Caption);
            }
        }
        let mut seen: FxHashMap<&str, BlockKind> = FxHashMap::default();
        for (copy, kind) in copies.iter().zip(kinds) {
            let Some(copy) = copy.as_deref().filter(|_| kind.in_text() || *kind == BlockKind::Caption) else {
                continue;
            };
            match seen.entry(copy) {
                Entry::Vacant(first) => {
                    first.insert(*kind);
                }
                Entry::Occupied(first) if *first.get() == BlockKind::Caption => *kind = BlockKind::Caption,
                Entry::Occupied(_) => *kind = BlockKind::Boilerplate,
            }
        }
    }

    /// A bulleted line between a bulleted item and another line of the article is an item, too,
    /// and a line without a bullet that announces bulleted items is none.
    fn mend_lists(&self, kinds: &mut [BlockKind]) {
        let bulleted = |line: usize| self.page.lines[line].bullet;
        for line in 1..kinds.len().saturating_sub(1) {
            let item_below = kinds[line + 1] == BlockKind::ListItem && bulleted(line + 1);
            let item_above = kinds[line - 1] == BlockKind::ListItem && bulleted(line - 1);
            let inside = kinds[line - 1].in_text() && kinds[line + 1].in_text();
            if bulleted(line) && inside && (item_above || item_below) {
                kinds[line] = BlockKind::ListItem;
            } else if kinds[line] == BlockKind::ListItem
                && !bulleted(line)
                && item_below
                && self.page.text(line).ends_with(':')
            {
                kinds[line] = BlockKind::Paragraph;
            }
        }
    }

    /// Leaves out headings that nothing of the article stands under, and a few headlines taken for
    /// items that stand behind its end.
    fn drop_last_strays(&self, kinds: &mut [BlockKind]) {
        const MOST: usize = 4;
        while let Some(last) = kinds.iter().rposition(|kind| kind.in_text()) {
            let is_item = |&line: &usize| kinds[line] == BlockKind::ListItem && !self.page.lines[line].bullet;
            let items = (0..=last).rev().take_while(is_item).count();
            let first = last + 1 - items.max(1);
            let hangs = first.checked_sub(1).is_some_and(|above| kinds[above].in_text());
            let stray = kinds[last] == BlockKind::Heading || (1..=MOST).contains(&items) && !hangs;
            if !stray || !kinds[..first].iter().any(|kind| kind.in_text()) {
                break;
            }
            kinds[first..=last].fill(BlockKind::Boilerplate);
        }
    }

    fn read_metadata(&self, kinds: &[BlockKind], article: &mut Article) {
        for line in self.near_article(kinds) {
            let text = self.page.text(line);
            match kinds[line] {
                BlockKind::Byline => {
                    if is_agency(text) {
                        article.publisher = text.to_owned();
                    } else if !glue::is_credit(text) && article.authors.is_empty() {
                        article.authors = parse_byline(text);
                    }
                }
                // In brackets behind a date of its own a page has a zone, not an agency.
                BlockKind::Dateline if self.page.lines[line].known_kind.is_some() => {
                    if let Some(agency) = glue::agency(text).filter(|_| article.publisher.is_empty()) {
                        article.publisher = agency.to_owned();
                    }
                }
                _ => {}
            }
        }
        article.publish_time = self.publish_time(kinds);
    }

    /// The first day that a dateline names; with its time if any dateline has one for it. Where
    /// there is none, the time of the last change.
    fn publish_time(&self, kinds: &[BlockKind]) -> Option<PublishTime> {
        let lines = |told: &'static [BlockKind]| {
            let lines = self.near_article(kinds).filter(|&line| told.contains(&kinds[line]));
            lines.map(|line| self.page.text(line)).filter(|text| text.len() <= 160)
        };
        let times: Vec<PublishTime> =
            lines(&[BlockKind::Dateline, BlockKind::Byline, BlockKind::Boilerplate])
                .filter_map(parse_publish_time)
                .collect();
        let Some(first) = times.first() else {
            let mut changes = lines(&[BlockKind::Dateline, BlockKind::Byline]).flat_map(dates);
            return changes.next().map(|change| change.time);
        };
        let timed =
            |time: &&PublishTime| matches!(time, PublishTime::Time { .. }) && time.day() == first.day();
        times.iter().find(timed).or(Some(first)).copied()
    }

    /// The lines from a little before the title, or else the article's begin, to its end.
    fn near_article(&self, kinds: &[BlockKind]) -> impl Iterator<Item = usize> + use<> {
        let first = kinds.iter().position(|kind| kind.in_text()).unwrap_or(kinds.len());
        let title = kinds[..first].iter().rposition(|&kind| kind == BlockKind::Title).unwrap_or(first);
        title.saturating_sub(NEAR)..(first + NEAR).min(kinds.len())
    }
}

/// Whether a line is another one with a little behind it, as a caption is the picture's
/// description with the photographer's name.
fn adds_credit(line: &str, other: &str) -> bool {
    const LONGEST: usize = 60;
    line.strip_prefix(other).is_some_and(|credit| (1..=LONGEST).contains(&credit.len()))
}

/// What a line has behind the title, if it is the title with a word or two added.
fn echo_end<'a>(line: &'a str, title: &str) -> Option<&'a str> {
    const ADDED: usize = 12;
    line.strip_prefix(title).filter(|end| title.len() >= ADDED && end.len() <= ADDED)
}

/// What stands before the number that a text ends with, if there is both.
fn before_number(text: &str) -> Option<&str> {
    let rest = text.trim_end_matches(char::is_numeric);
    (!rest.is_empty() && rest.len() < text.len()).then_some(rest)
}
