//! Temporal expressions and the values they were resolved to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::counts::{Counts, Documents, Share, ratio};
use super::gold::{self, Span, or_default};
use super::places::Places;
use super::prediction::{Prediction, in_body};
use super::{Report, Scorer};

#[derive(Deserialize)]
struct Gold {
    text: String,
    dates: Vec<Expression>,
}

#[derive(Deserialize)]
struct Expression {
    #[serde(flatten)]
    span: Span,
    /// DATE, TIME, DURATION or SET.
    #[serde(rename = "type")]
    kind: String,
    /// TIMEX3; empty where the text does not say.
    #[serde(default, deserialize_with = "or_default")]
    value: String,
}

/// Matches predicted expressions with the gold's: one to one, by the largest overlap.
///
/// `relaxed` counts those matches, `exact` only the ones of equal spans. `value` is the share of
/// the matches with the gold's very value, where it has one; `day` the same for values that are
/// a day of the calendar.
#[derive(Default)]
pub struct Dates {
    documents: Documents,
    relaxed: Counts,
    exact: Counts,
    value: Share,
    day: Share,
    kinds: BTreeMap<String, Kind>,
}

/// The gold expressions of one kind.
#[derive(Default)]
struct Kind {
    gold: usize,
    matched: usize,
    value: Share,
}

impl Scorer for Dates {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let text: Vec<char> = gold.text.chars().collect();
        gold::check("dates", gold.dates.iter().map(|date| date.span), &text)?;
        let prediction = self.documents.count(prediction);
        let have = predicted(&prediction, &gold.text);
        let want: Vec<Span> = gold.dates.iter().map(|date| date.span).collect();
        let matches = best_matches(&want, &have.iter().map(|(span, _)| *span).collect::<Vec<_>>());
        let equal = matches.iter().filter(|(i, k)| want[**i] == have[**k].0).count();
        self.relaxed += Counts::new(matches.len(), have.len(), want.len());
        self.exact += Counts::new(equal, have.len(), want.len());
        for (i, date) in gold.dates.iter().enumerate() {
            let kind = self.kinds.entry(date.kind.clone()).or_default();
            kind.gold += 1;
            let Some(&k) = matches.get(&i) else { continue };
            kind.matched += 1;
            if !date.value.is_empty() {
                let right = have[k].1 == date.value;
                kind.value.count(right);
                self.value.count(right);
                if is_day(&date.value) {
                    self.day.count(right);
                }
            }
        }
        Ok(())
    }

    fn report(&self) -> Report {
        let kinds = self.kinds.iter().fold(Report::default(), |report, (name, kind)| {
            let recall = ratio(kind.matched as f64, kind.gold as f64);
            let row = Report::default().count("gold", kind.gold).share("recall", recall);
            report.group(name, row.share("value", kind.value.value()))
        });
        self.documents
            .report()
            .group("relaxed", self.relaxed.report())
            .group("exact", self.exact.report())
            .share("value", self.value.value())
            .share("day", self.day.value())
            .group("by_type", kinds)
    }
}

/// Spans in the record's text with their values; those without a place there do not count.
fn predicted<'a>(prediction: &'a Prediction, text: &str) -> Vec<(Span, &'a str)> {
    let places = Places::new(&prediction.document, text);
    let place = |span| in_body(span).and_then(|span| places.of(span));
    let found = prediction.temporal_expressions.iter();
    found.filter_map(|found| Some((place(&found.span)?, found.value.as_str()))).collect()
}

/// Which predicted span each gold span is matched with: the pairs of largest overlap first, of
/// equal ones the last.
fn best_matches(gold: &[Span], predicted: &[Span]) -> BTreeMap<usize, usize> {
    let mut pairs = Vec::new();
    for (i, want) in gold.iter().enumerate() {
        let overlapping = predicted.iter().enumerate().filter(|(_, have)| want.shared(**have) > 0);
        pairs.extend(overlapping.map(|(k, have)| (want.shared(*have), i, k)));
    }
    pairs.sort_by_key(|&pair| Reverse(pair));
    let (mut matches, mut used) = (BTreeMap::new(), vec![false; predicted.len()]);
    for (_, i, k) in pairs {
        if !used[k] && !matches.contains_key(&i) {
            used[k] = true;
            matches.insert(i, k);
        }
    }
    matches
}

/// Whether a value is a day of the calendar, as `2023-03-29`.
fn is_day(value: &str) -> bool {
    let shape = value.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    shape.eq(*b"0000-00-00")
}
