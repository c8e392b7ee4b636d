//! Precision and recall.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::prediction::Prediction;
use super::report::Report;

/// What was found, what was wrongly found and what was missed. Shares of a thing may be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// In the gold and predicted: true positives.
    pub found: f64,
    /// Predicted and not in the gold: false positives.
    pub wrong: f64,
    /// In the gold and not predicted: false negatives.
    pub missed: f64,
}

impl Counts {
    pub fn new(found: usize, predicted: usize, gold: usize) -> Self {
        let found = found as f64;
        Self { found, wrong: predicted as f64 - found, missed: gold as f64 - found }
    }

    /// Of two sets: what is in both is found.
    pub fn of_sets<T: Ord>(gold: &BTreeSet<T>, predicted: &BTreeSet<T>) -> Self {
        Self::new(gold.intersection(predicted).count(), predicted.len(), gold.len())
    }

    /// The share of what was predicted that is right; 0 where nothing was predicted.
    pub fn precision(self) -> f64 {
        ratio(self.found, self.found + self.wrong)
    }

    /// The share of the gold that was found; 0 where there is none.
    pub fn recall(self) -> f64 {
        ratio(self.found, self.found + self.missed)
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(self) -> f64 {
        harmonic_mean(self.precision(), self.recall())
    }

    pub fn report(self) -> Report {
        precision_recall(self.precision(), self.recall())
    }

    /// The same with the short names that some tasks use.
    pub fn short_report(self) -> Report {
        Report::default().share("p", self.precision()).share("r", self.recall()).share("f1", self.f1())
    }

    /// How many things were to be found.
    pub fn gold(self) -> usize {
        (self.found + self.missed).round() as usize
    }

    pub fn predicted(self) -> usize {
        (self.found + self.wrong).round() as usize
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            found: self.found + other.found,
            wrong: self.wrong + other.wrong,
            missed: self.missed + other.missed,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), std::ops::Add::add)
    }
}

/// Both with their F1.
pub(super) fn precision_recall(precision: f64, recall: f64) -> Report {
    Report::default()
        .share("precision", precision)
        .share("recall", recall)
        .share("f1", harmonic_mean(precision, recall))
}

/// 0 where both are 0.
pub(super) fn harmonic_mean(a: f64, b: f64) -> f64 {
    ratio(2.0 * a * b, a + b)
}

/// 0 where there is nothing to divide by.
pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// The share of things that something holds for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    pub yes: usize,
    pub of: usize,
}

impl Share {
    pub fn count(&mut self, yes: bool) {
        self.yes += usize::from(yes);
        self.of += 1;
    }

    pub fn value(self) -> f64 {
        ratio(self.yes as f64, self.of as f64)
    }
}

/// The mean; 0 of nothing.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    ratio(sum, count)
}

/// How many records were scored.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Documents {
    pub all: usize,
    /// Those without a prediction.
    pub missing: usize,
}

impl Documents {
    /// Counts a record in; what was predicted for it, or nothing.
    pub fn count<'a>(&mut self, prediction: Option<&'a Prediction>) -> Cow<'a, Prediction> {
        self.all += 1;
        self.missing += usize::from(prediction.is_none());
        prediction.map_or_else(|| Cow::Owned(Prediction::default()), Cow::Borrowed)
    }

    pub fn report(self) -> Report {
        Report::default().count("documents", self.all).count("missing_predictions", self.missing)
    }
}
