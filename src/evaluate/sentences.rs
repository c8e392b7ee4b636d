//! Where sentences end.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::counts::{Counts, Documents};
use super::gold::{self, Span};
use super::places::Places;
use super::prediction::{Prediction, in_body};
use super::{Report, Scorer};

#[derive(Deserialize)]
struct Gold {
    text: String,
    sentences: Vec<Span>,
}

/// Compares the offsets at which sentences end, white space set aside.
///
/// `inner` leaves out each record's last end, which everybody finds; `exact` needs the begin to
/// be right as well. A sentence that has no place in the record's text is wrong.
#[derive(Default)]
pub struct Sentences {
    documents: Documents,
    gold: usize,
    ends: Counts,
    inner: Counts,
    exact: Counts,
    unplaced: usize,
}

impl Scorer for Sentences {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let text: Vec<char> = gold.text.chars().collect();
        gold::check("sentences", gold.sentences.iter().copied(), &text)?;
        let want: BTreeSet<Span> = gold.sentences.iter().filter_map(|span| span.trimmed(&text)).collect();
        let (have, unplaced) = predicted(&self.documents.count(prediction), &gold.text, &text);

        let ends = |spans: &BTreeSet<Span>| spans.iter().map(|span| span.end).collect::<BTreeSet<_>>();
        let (mut want_ends, mut have_ends) = (ends(&want), ends(&have));
        self.ends += Counts::of_sets(&want_ends, &have_ends);
        if let Some(last) = want_ends.pop_last() {
            have_ends.remove(&last);
        }
        self.inner += Counts::of_sets(&want_ends, &have_ends);
        self.exact += Counts::of_sets(&want, &have);
        for counts in [&mut self.ends, &mut self.inner, &mut self.exact] {
            counts.wrong += unplaced as f64;
        }
        self.gold += want.len();
        self.unplaced += unplaced;
        Ok(())
    }

    fn report(&self) -> Report {
        self.documents
            .report()
            .count("gold_sentences", self.gold)
            .and(self.ends.report())
            .group("inner", self.inner.report())
            .group("exact", self.exact.report())
            .count("unplaced_sentences", self.unplaced)
    }
}

/// The predicted sentences in the record's text, and how many have no place there.
fn predicted(prediction: &Prediction, text: &str, chars: &[char]) -> (BTreeSet<Span>, usize) {
    let places = Places::new(&prediction.document, text);
    let kept: Vec<char> = prediction.document.text.as_deref().unwrap_or(text).chars().collect();
    let (mut found, mut unplaced) = (BTreeSet::new(), 0);
    for sentence in &prediction.sentences {
        let Some(span) = in_body(&sentence.span).and_then(|span| span.trimmed(&kept)) else { continue };
        match places.of(span).and_then(|place| place.trimmed(chars)) {
            Some(place) => _ = found.insert(place),
            None => unplaced += 1,
        }
    }
    (found, unplaced)
}
