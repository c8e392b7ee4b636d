//! Texts about nothing: what stands on pages around their articles, and notices.

use std::error::Error;
use std::path::Path;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;

use super::super::features::{Hash, Reader};
use super::Text;
use crate::document::Article;
use crate::text::segment_article;
use crate::text::stem::{EMPTY, stem_hash};

/// A line is furniture where half of its pairs of words stand around the articles of so many
/// pages: "All rights reserved" does, the headline of another article does not.
const PAGES: u32 = 5;
/// How many words a text has at least, in turn: a notice, a footer, a menu.
const LENGTHS: [usize; 4] = [6, 15, 40, 100];
/// At most so many texts a page, spread over it.
const TEXTS: usize = 4;

/// What comes without an article around it and stands on few pages.
const NOTICES: [&str; 12] = [
    "Correction: a previous version of this story misspelled a name. It has been amended. We regret the error.",
    "Clarification. This article was changed after publication to make clear who was meant. The original version was \
     misleading, for which we are sorry.",
    "Dear readers, there will be no issue tomorrow because of the holiday. Our next issue comes on Monday. Thank you \
     for your patience.",
    "To our readers: this page has moved and looks a little different. Tell us what you think of it.",
    "I am away from my desk this week with little access to mail. If it is urgent, please write to a colleague. Kind \
     regards.",
    "Hi, thank you for your note and sorry for the late reply. I will get back to you soon. All the best.",
    "Sir, thank you for your column, which I read with pleasure every week. Please go on. Yours faithfully, a reader.",
    "Just a test, nothing to see here. Hello, hello. Can you read this? Please delete it.",
    "Hold the top with one hand and turn it to the left until it clicks. Then put the lid back on and push it down.",
    "Lay all parts on the floor. Fix the legs to the board with the four screws. Do not tighten them yet. Ask a \
     second person to hold it.",
    "I sat at the window and the rain came down. You looked at me, and the night was long, and neither of us spoke.",
    "This text is not available. It may have been removed, or the link may be wrong. Go to the start page or try again \
     later.",
];
/// How much a notice counts beside another text.
const NOTICE_WEIGHT: f32 = 3.0;

#[derive(Deserialize)]
struct Page {
    site: String,
    content: String,
    lines: Vec<Line>,
}

/// A line of a page, in Unicode code points.
#[derive(Deserialize)]
struct Line {
    begin: usize,
    end: usize,
    label: String,
    /// Says that the line is like the article after all.
    kind: Option<String>,
}

/// The notices, and the furniture of pages as texts of some lines each, without a label.
pub(super) fn read(path: &Path, reader: &Reader) -> Result<Vec<Text>, Box<dyn Error>> {
    let file = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut pages = Vec::new();
    let mut counts: FxHashMap<(Hash, Hash), u32> = FxHashMap::default();
    for page in file.lines() {
        let page: Page = serde_json::from_str(page)?;
        let lines = around(&page);
        let pairs: FxHashSet<_> = lines.iter().flat_map(|line| pairs(line)).collect();
        pairs.into_iter().for_each(|pair| *counts.entry(pair).or_default() += 1);
        pages.push((page.site, lines));
    }
    let furniture = |line: &String| {
        let pairs = pairs(line);
        let common = pairs.iter().filter(|&pair| counts[pair] >= PAGES).count();
        2 * common >= pairs.len()
    };
    let text = |id: String, weight: f32, text: String| {
        let article = Article { text, ..Article::default() };
        let words = reader.read(&segment_article(&article));
        Text { id, weight, others: 1.0, words, labels: Vec::new() }
    };
    let notices = NOTICES.iter().enumerate();
    let mut texts: Vec<Text> =
        notices.map(|(at, notice)| text(format!("notice/{at}"), NOTICE_WEIGHT, (*notice).into())).collect();
    for (site, mut lines) in pages {
        lines.retain(furniture);
        let chunks = chunks(&lines);
        let spread = chunks.iter().step_by(chunks.len().div_ceil(TEXTS).max(1));
        texts.extend(spread.map(|chunk| text(site.clone(), 1.0, chunk.join("\n"))));
    }
    Ok(texts)
}

/// The lines of a page that are not the article.
fn around(page: &Page) -> Vec<String> {
    let characters: Vec<char> = page.content.chars().collect();
    let around = page.lines.iter().filter(|line| line.label == "not_body" && line.kind.is_none());
    around.map(|line| characters[line.begin..line.end].iter().collect()).collect()
}

/// The pairs of neighbouring words, the line's beginning and end being words, too.
fn pairs(line: &str) -> Vec<(Hash, Hash)> {
    let mut buffer = Vec::new();
    let words =
        line.split_whitespace().map(|word| stem_hash(word, &mut buffer)).filter(|&word| word != EMPTY);
    let words: Vec<Hash> = [EMPTY].into_iter().chain(words).chain([EMPTY]).collect();
    words.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Following lines, together as long as [`LENGTHS`] says.
fn chunks(lines: &[String]) -> Vec<&[String]> {
    let mut chunks = Vec::new();
    let (mut begin, mut words) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        words += line.split_whitespace().count();
        if words >= LENGTHS[chunks.len() % LENGTHS.len()] {
            chunks.push(&lines[begin..=at]);
            (begin, words) = (at + 1, 0);
        }
    }
    chunks
}
