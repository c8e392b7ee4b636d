//! The article in a page that was flattened to text: which of its lines were kept.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::counts::{Counts, Documents, mean};
use super::gold::{self, Span, or_default};
use super::prediction::{Block, Prediction, in_body, name_of};
use super::{Report, Scorer};

#[derive(Deserialize)]
struct Gold {
    content: String,
    lines: Vec<Line>,
    /// Where the page is from; figures are also given by it.
    #[serde(default, deserialize_with = "or_default")]
    source: String,
}

#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    span: Span,
    label: Label,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Label {
    Body,
    NotBody,
    /// Not scored.
    Skip,
}

/// What of one page was kept.
#[derive(Clone, Copy, Default)]
struct Page {
    characters: Counts,
    lines: Counts,
    lines_half: Counts,
}

/// Compares what was kept of each line with whether it belongs to the article.
///
/// A line is kept by the share of its characters, white space set aside, that the `sourceSpan`s
/// of the blocks in the text cover. `characters` weighs lines by their characters, `lines`
/// counts each as one, found by the share that was kept; `lines_half` takes a line as kept when
/// at least half of it was. `page_f1` is the mean of the pages' F1 of characters, and
/// `page_f1_worst_decile` that of the lowest tenth of them, rounded up.
#[derive(Default)]
pub struct ExtractionText {
    documents: Documents,
    pages: Vec<Page>,
    by_source: BTreeMap<String, Vec<Page>>,
}

impl Scorer for ExtractionText {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let content: Vec<char> = gold.content.chars().collect();
        gold::check("lines", gold.lines.iter().map(|line| line.span), &content)?;
        let kept = kept(&self.documents.count(prediction), content.len());
        let mut page = Page::default();
        for line in &gold.lines {
            page.add(line, &content, &kept);
        }
        self.pages.push(page);
        self.by_source.entry(gold.source).or_default().push(page);
        Ok(())
    }

    fn report(&self) -> Report {
        let report =
            Report::default().count("missing_predictions", self.documents.missing).and(figures(&self.pages));
        if self.by_source.len() < 2 {
            return report;
        }
        let sources = self.by_source.iter();
        let by_source =
            sources.fold(Report::default(), |report, (name, pages)| report.group(name, figures(pages)));
        report.group("by_source", by_source)
    }
}

impl Page {
    fn add(&mut self, line: &Line, content: &[char], kept: &[bool]) {
        let printed = line.span.of(content).iter().zip(&kept[line.span.within(kept.len())]);
        let printed: Vec<bool> = printed.filter(|(c, _)| !c.is_whitespace()).map(|(_, kept)| *kept).collect();
        if line.label == Label::Skip || printed.is_empty() {
            return;
        }
        let length = printed.len() as f64;
        let hit = printed.iter().filter(|kept| **kept).count() as f64;
        let share = hit / length;
        let half = if share >= 0.5 { 1.0 } else { 0.0 };
        let counts = |kept, left_out| match line.label {
            Label::Body => Counts { found: kept, wrong: 0.0, missed: left_out },
            _ => Counts { found: 0.0, wrong: kept, missed: 0.0 },
        };
        self.characters += counts(hit, length - hit);
        self.lines += counts(share, 1.0 - share);
        self.lines_half += counts(half, 1.0 - half);
    }
}

/// For each code point of the content whether a block in the text covers it.
fn kept(prediction: &Prediction, length: usize) -> Vec<bool> {
    let mut kept = vec![false; length];
    let blocks = prediction.document.blocks.iter().filter(|block| is_in_text(block));
    for span in blocks.filter_map(|block| in_body(&block.source_span)) {
        kept[span.within(length)].fill(true);
    }
    kept
}

fn is_in_text(block: &Block) -> bool {
    match name_of(&block.kind, "BLOCK_KIND_") {
        "PARAGRAPH" | "HEADING" | "LIST" | "LIST_ITEM" => true,
        "TITLE" | "CAPTION" | "BOILERPLATE" => false,
        _ => block.span.is_some(),
    }
}

fn figures(pages: &[Page]) -> Report {
    let sum = |part: fn(&Page) -> Counts| pages.iter().map(part).sum::<Counts>().report();
    let mut each: Vec<f64> = pages.iter().map(|page| page.characters.f1()).collect();
    each.sort_by(f64::total_cmp);
    let worst = &each[..pages.len().div_ceil(10)];
    Report::default()
        .count("pages", pages.len())
        .group("characters", sum(|page| page.characters))
        .group("lines", sum(|page| page.lines))
        .group("lines_half", sum(|page| page.lines_half))
        .share("page_f1", mean(each.iter().copied()))
        .share("page_f1_worst_decile", mean(worst.iter().copied()))
}
