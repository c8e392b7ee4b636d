//! Summaries against sentences that readers graded.

use serde::Deserialize;

use super::bootstrap::resampled_means;
use super::counts::{Documents, Share, mean};
use super::gold::{self, Span, number};
use super::prediction::{Prediction, in_body};
use super::{Report, Scorer};

#[derive(Deserialize)]
struct Gold {
    text: String,
    sentences: Vec<Sentence>,
    /// The best three sentences together, by number from 0, the most important first.
    best: Vec<usize>,
    /// The best single sentence.
    #[serde(deserialize_with = "number")]
    one: usize,
}

#[derive(Deserialize)]
struct Sentence {
    #[serde(flatten)]
    span: Span,
    /// 2 belongs in a summary of three, 1 could stand in for one that does, 0 is detail and -1
    /// must not appear.
    grade: i8,
}

/// Grades the first sentences of a summary, by rank.
///
/// A summary's sentence stands for every gold sentence of which it covers half or more; of those
/// only as many count as sentences were asked for, so that long ones gain nothing.
pub struct SummaryChoice {
    /// How many sentences a summary is to have.
    length: usize,
    documents: Documents,
    gains: Vec<f64>,
    leads: Vec<f64>,
    overlaps: Vec<f64>,
    harmful: Share,
}

impl SummaryChoice {
    pub fn new(length: usize) -> Self {
        Self {
            length,
            documents: Documents::default(),
            gains: Vec::new(),
            leads: Vec::new(),
            overlaps: Vec::new(),
            harmful: Share::default(),
        }
    }

    /// The grades of the chosen sentences over the best that as many could have, those that must
    /// not appear counting nothing.
    fn gain(&self, chosen: &[usize], sentences: &[Sentence]) -> f64 {
        let worth = |sentence: &Sentence| i32::from(sentence.grade.max(0));
        let mut worths: Vec<i32> = sentences.iter().map(worth).collect();
        worths.sort_unstable_by(|a, b| b.cmp(a));
        let ideal: i32 = worths.iter().take(self.length).sum();
        let chosen: i32 = chosen.iter().map(|&number| worth(&sentences[number])).sum();
        if ideal == 0 { 1.0 } else { f64::from(chosen) / f64::from(ideal) }
    }
}

impl Scorer for SummaryChoice {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        let text: Vec<char> = gold.text.chars().collect();
        gold::check("sentences", gold.sentences.iter().map(|sentence| sentence.span), &text)?;
        let best = if self.length > 1 { gold.best } else { vec![gold.one] };
        if let Some(number) = best.iter().find(|number| **number >= gold.sentences.len()) {
            return Err(format!("best or one names sentence {number} of {}", gold.sentences.len()));
        }
        let sentences = gold.sentences.as_slice();
        let chosen = chosen(&self.documents.count(prediction), sentences, self.length);
        let clean = (0..sentences.len()).filter(|&number| sentences[number].grade >= 0);
        let lead: Vec<usize> = clean.take(self.length).collect();
        self.gains.push(self.gain(&chosen, sentences));
        self.leads.push(self.gain(&lead, sentences));
        self.overlaps.push(mean(best.iter().map(|number| f64::from(u8::from(chosen.contains(number))))));
        for number in chosen {
            self.harmful.count(sentences[number].grade < 0);
        }
        Ok(())
    }

    /// `lead` is the gain of the article's first sentences without those that must not appear;
    /// `low` and `high` bound the gain over it, with 95% certainty.
    fn report(&self) -> Report {
        let over_lead: Vec<f64> =
            self.gains.iter().zip(&self.leads).map(|(gain, lead)| gain - lead).collect();
        let means = resampled_means(&over_lead, 1);
        self.documents
            .report()
            .count("sentences", self.length)
            .share("gain", mean(self.gains.iter().copied()))
            .share("lead", mean(self.leads.iter().copied()))
            .share("low", means[25])
            .share("high", means[974])
            .share("overlap", mean(self.overlaps.iter().copied()))
            .share("harmful", self.harmful.value())
    }
}

/// The numbers of the gold sentences that a summary stands for, by rank.
fn chosen(prediction: &Prediction, sentences: &[Sentence], length: usize) -> Vec<usize> {
    let mut summary: Vec<_> = prediction.summary.sentences.iter().collect();
    summary.sort_by_key(|sentence| sentence.rank());
    let mut chosen = Vec::new();
    for span in summary.iter().take(length).filter_map(|sentence| in_body(&sentence.span)) {
        for (number, sentence) in sentences.iter().enumerate() {
            let covered = span.shared(sentence.span) * 2 >= sentence.span.len();
            if covered && !chosen.contains(&number) {
                chosen.push(number);
            }
        }
    }
    chosen.truncate(length);
    chosen
}
