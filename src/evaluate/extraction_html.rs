//! The article in a page of HTML, with its title, authors and day of publication.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer};

use super::bags::Bag;
use super::counts::{Counts, Documents, mean, precision_recall, ratio};
use super::gold::{self, or_default};
use super::prediction::{Document, Prediction};
use super::words::{folded, is_word_character, words};
use super::{Report, Scorer};

/// Words in a shingle.
const SHINGLE: usize = 4;

#[derive(Deserialize)]
struct Gold {
    article_text: String,
    /// The titles' first choice is a key that an analyser handed the record does not read.
    gold_title: Option<String>,
    title: Option<String>,
    /// Absent where it was not labelled, null where the page has none.
    #[serde(default, deserialize_with = "labelled")]
    author: Option<Option<Names>>,
    #[serde(default, deserialize_with = "labelled")]
    date: Option<Option<String>>,
    /// Where the page is from; figures are also given by it.
    #[serde(default, deserialize_with = "or_default")]
    source: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<String>),
}

/// Tells null from absent: what is there is some.
fn labelled<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What was found of one page. Fields that were not labelled are none.
struct Page {
    shingles: Counts,
    /// Precision, recall and F1.
    words: [f64; 3],
    title: Option<bool>,
    author: Option<Outcome>,
    date: Option<Outcome>,
}

/// What became of one field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Right,
    Wrong,
    Missed,
    /// Nothing is there, and nothing was found.
    RightlyNone,
    Invented,
}

/// Compares articles by their words, and metadata by equality.
///
/// `shingles`, as in the article extraction benchmark of Scrapinghub (2020): each text is the bag
/// of its runs of four words; a page's right, wrong and missed runs are scaled to sum to 1;
/// precision is the mean over pages where something was predicted, recall that over pages with
/// an article, F1 is made of the two. `words`: the means over pages of precision, recall and F1
/// of the bags of lower-case words.
#[derive(Default)]
pub struct ExtractionHtml {
    documents: Documents,
    pages: Vec<Page>,
    by_source: BTreeMap<String, Vec<usize>>,
}

impl Scorer for ExtractionHtml {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let page = Page::new(&gold, &self.documents.count(prediction).document);
        self.by_source.entry(gold.source).or_default().push(self.pages.len());
        self.pages.push(page);
        Ok(())
    }

    fn report(&self) -> Report {
        let report = Report::default()
            .count("missing_predictions", self.documents.missing)
            .and(figures(&self.pages.iter().collect::<Vec<_>>()));
        if self.by_source.len() < 2 {
            return report;
        }
        let by_source = self.by_source.iter().fold(Report::default(), |report, (name, pages)| {
            report.group(name, figures(&pages.iter().map(|&page| &self.pages[page]).collect::<Vec<_>>()))
        });
        report.group("by_source", by_source)
    }
}

impl Page {
    fn new(gold: &Gold, document: &Document) -> Self {
        let text = document.text.as_deref().unwrap_or_default();
        let title = gold.gold_title.as_deref().filter(|title| !title.is_empty()).or(gold.title.as_deref());
        let title = title.filter(|title| !title.is_empty());
        let authors = |gold: &Option<Names>| match gold {
            None => BTreeSet::new(),
            Some(Names::One(one)) => names([one.as_str()]),
            Some(Names::Many(many)) => names(many.iter().map(String::as_str)),
        };
        let found = names(document.authors.iter().map(String::as_str));
        Self {
            shingles: scaled(shingles(&gold.article_text).compare(&shingles(text))),
            words: word_overlap(&gold.article_text, text),
            title: title.map(|title| folded(title) == folded(&document.title)),
            author: gold.author.as_ref().map(|gold| {
                let gold = authors(gold);
                outcome((!gold.is_empty()).then_some(&gold), (!found.is_empty()).then_some(&found))
            }),
            date: gold
                .date
                .as_ref()
                .map(|gold| outcome(gold.as_deref().and_then(day), day(&document.publish_time))),
        }
    }
}

fn shingles(text: &str) -> Bag<Vec<&str>> {
    let words: Vec<&str> = words(text).collect();
    if words.is_empty() {
        return Bag::from_iter([]);
    }
    // A text too short for one is its own only shingle.
    words.windows(SHINGLE.min(words.len())).map(<[&str]>::to_vec).collect()
}

/// Shared out to sum to 1, so that long pages do not count more.
fn scaled(counts: Counts) -> Counts {
    let total = counts.found + counts.wrong + counts.missed;
    Counts {
        found: ratio(counts.found, total),
        wrong: ratio(counts.wrong, total),
        missed: ratio(counts.missed, total),
    }
}

/// Precision, recall and F1 of the bags of lower-case words; all 1 for two empty texts.
fn word_overlap(gold: &str, predicted: &str) -> [f64; 3] {
    let (gold, predicted) = (gold.to_lowercase(), predicted.to_lowercase());
    let (gold, predicted): (Bag<_>, Bag<_>) = (words(&gold).collect(), words(&predicted).collect());
    if gold.is_empty() && predicted.is_empty() {
        return [1.0; 3];
    }
    let counts = gold.compare(&predicted);
    [counts.precision(), counts.recall(), counts.f1()]
}

/// The folded names in some strings, each of which may hold several: without "by", and without
/// the degrees that follow a name.
fn names<'a>(values: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for part in values.into_iter().flat_map(split_names) {
        let part = without_by(part);
        if part.is_empty() || (!found.is_empty() && is_credential(part)) {
            continue;
        }
        let name = folded(part);
        if !name.is_empty() {
            found.insert(name);
        }
    }
    found
}

/// Splits at commas, semicolons, ampersands, bars, and the words "and" and "und".
fn split_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for piece in text.split([',', ';', '&', '|']) {
        let (mut begin, mut at) = (0, 0);
        for word_and_more in piece.split_inclusive(|c| !is_word_character(c)) {
            let word = word_and_more.trim_end_matches(|c| !is_word_character(c));
            if ["and", "und"].iter().any(|conjunction| word.eq_ignore_ascii_case(conjunction)) {
                names.push(&piece[begin..at]);
                begin = at + word.len();
            }
            at += word_and_more.len();
        }
        names.push(&piece[begin..]);
    }
    names
}

fn without_by(name: &str) -> &str {
    let name = name.trim();
    let after = |name: &'_ str, word: &str| -> Option<usize> {
        let start = name.get(..word.len())?;
        let rest = &name[word.len()..];
        (start.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace))
            .then(|| name.len() - rest.trim_start().len())
    };
    let written = after(name, "written").unwrap_or(0);
    match after(&name[written..], "by") {
        Some(by) => &name[written + by..],
        None => name,
    }
}

/// Whether what follows a name is a degree or the like: "MD", "Ph.D.", "CFP®", "Jr.".
fn is_credential(part: &str) -> bool {
    let letters: String = part.chars().filter(|c| *c != '.').collect();
    if ["PhD", "MD", "BA", "MS", "RD", "Jr", "Sr", "MPhil", "DrPH"].contains(&letters.as_str()) {
        return true;
    }
    let capitals = part.strip_suffix(['®', '™']).unwrap_or(part);
    let yoga = part.strip_prefix("E-RYT ").unwrap_or_default();
    (2..=7).contains(&capitals.len()) && capitals.bytes().all(|byte| byte.is_ascii_uppercase())
        || !yoga.is_empty() && yoga.bytes().all(|byte| byte.is_ascii_digit())
}

/// The day at the start of a time, as written.
fn day(time: &str) -> Option<&str> {
    let day = time.get(..10)?;
    let shape = day.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"0000-00-00").then_some(day)
}

fn outcome<T: PartialEq>(gold: Option<T>, found: Option<T>) -> Outcome {
    match (gold, found) {
        (Some(gold), Some(found)) if gold == found => Outcome::Right,
        (Some(_), Some(_)) => Outcome::Wrong,
        (Some(_), None) => Outcome::Missed,
        (None, None) => Outcome::RightlyNone,
        (None, Some(_)) => Outcome::Invented,
    }
}

fn figures(pages: &[&Page]) -> Report {
    let predicted = pages.iter().filter(|page| page.shingles.found + page.shingles.wrong > 0.0);
    let with_article = pages.iter().filter(|page| page.shingles.found + page.shingles.missed > 0.0);
    let precision = mean(predicted.map(|page| page.shingles.precision()));
    let recall = mean(with_article.map(|page| page.shingles.recall()));
    let words = |figure: usize| mean(pages.iter().map(|page| page.words[figure]));
    let mut report = Report::default()
        .count("pages", pages.len())
        .group("shingles", precision_recall(precision, recall))
        .group(
            "words",
            Report::default().share("precision", words(0)).share("recall", words(1)).share("f1", words(2)),
        );
    let titles: Vec<bool> = pages.iter().filter_map(|page| page.title).collect();
    if !titles.is_empty() {
        let right = mean(titles.iter().map(|right| f64::from(u8::from(*right))));
        report =
            report.group("title", Report::default().share("accuracy", right).count("pages", titles.len()));
    }
    for (name, figure, field) in [
        ("author", "set_match", (|page| page.author) as fn(&Page) -> Option<Outcome>),
        ("date", "day_match", |page| page.date),
    ] {
        let outcomes: Vec<Outcome> = pages.iter().filter_map(|page| field(page)).collect();
        if !outcomes.is_empty() {
            report = report.group(name, field_figures(figure, &outcomes));
        }
    }
    report
}

/// The share of pages with the field where it was found right, and where it was missed; and the
/// share of pages without it where one was found.
fn field_figures(right: &str, outcomes: &[Outcome]) -> Report {
    let count = |outcome| outcomes.iter().filter(|each| **each == outcome).count();
    let without = count(Outcome::RightlyNone) + count(Outcome::Invented);
    let with = outcomes.len() - without;
    let share = |outcome, of: usize| ratio(count(outcome) as f64, of as f64);
    Report::default()
        .share(right, share(Outcome::Right, with))
        .share("missed", share(Outcome::Missed, with))
        .count("with_gold", with)
        .share("invented", share(Outcome::Invented, without))
        .count("without_gold", without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_compared_by_their_names_alone() {
        let set = |value| names([value]).into_iter().collect::<Vec<_>>();
        assert_eq!(set("Written by Ana Sol, MD, Ph.D. and Bo Lind, CFP®"), ["ana sol", "bo lind"]);
        assert_eq!(set("by  Sandra Andersson|Jan Kock und Eva"), ["eva", "jan kock", "sandra andersson"]);
        assert_eq!(set("CNN"), ["cnn"]);
        assert_eq!(set("Byron Andrade"), ["byron andrade"]);
        assert!(set(" , ").is_empty());
    }

    #[test]
    fn a_short_text_is_its_own_shingle() {
        let counts = shingles("One two").compare(&shingles("one two"));
        assert_eq!(counts, Counts { found: 0.0, wrong: 1.0, missed: 1.0 });
        assert_eq!(shingles("a b c d e").compare(&shingles("b c d e")).found, 1.0);
    }
}
