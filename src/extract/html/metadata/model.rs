//! Which candidate for a field of the metadata is right, if any: a forest for each field.

use super::candidates::Candidates;
use super::{Evidence, authors, times, titles};
use crate::document::PublishTime;
use crate::extract::folded;
use crate::model::trees::{Forest, probability};
use crate::model::{ModelError, ModelFile, ModelInfo};

/// Probability from which on authors are named.
pub(in crate::extract) const SURE_AUTHORS: f32 = 0.35;

/// Probability from which on a publication time is given.
pub(in crate::extract) const SURE_TIME: f32 = 0.35;

/// Chooses title, authors and publication time. Immutable.
pub(in crate::extract) struct MetadataModel {
    info: ModelInfo,
    titles: Forest,
    authors: Forest,
    times: Forest,
}

impl MetadataModel {
    pub fn read(file: &ModelFile<'_>) -> Result<Self, ModelError> {
        Ok(Self {
            info: file.info().clone(),
            titles: Forest::read(file, "titles", titles::FEATURES)?,
            authors: Forest::read(file, "authors", authors::FEATURES)?,
            times: Forest::read(file, "times", times::FEATURES)?,
        })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The likeliest title; none only for a page that has no text for one.
    pub fn title(&self, evidence: &Evidence<'_>) -> Option<titles::Title> {
        let found = titles::candidates(evidence);
        let (best, _) = best(&self.titles, &titles::rows(&found, evidence))?;
        take(found, best)
    }

    /// The authors' names, none where no candidate is likely enough.
    pub fn authors(&self, evidence: &Evidence<'_>) -> Vec<String> {
        let found = authors::candidates(evidence);
        let rows = authors::rows(&found, evidence);
        let chosen = choose(&self.authors, &rows, SURE_AUTHORS, authors::undisputed(&found));
        let mut names = chosen.and_then(|best| take(found, best)).map(|names| names.list).unwrap_or_default();
        if names.len() > 1 {
            // "Ann Lee / The Daily" names where she writes.
            let publisher = folded(evidence.publisher);
            names.retain(|name| folded(name) != publisher);
        }
        names
    }

    pub fn publish_time(&self, evidence: &Evidence<'_>) -> Option<PublishTime> {
        let found = times::candidates(evidence);
        let rows = times::rows(&found, evidence);
        let chosen = choose(&self.times, &rows, SURE_TIME, times::undisputed(&found))?;
        take(found, chosen).map(|found| found.time)
    }
}

/// The likeliest candidate if its probability is at least `sure`, else the one that the page
/// declares and nothing disputes.
pub(in crate::extract) fn choose(
    forest: &Forest,
    rows: &[f32],
    sure: f32,
    undisputed: Option<usize>,
) -> Option<usize> {
    let likely = best(forest, rows).filter(|&(_, chance)| chance >= sure);
    likely.map(|(number, _)| number).or(undisputed)
}

/// The candidate with the highest probability, and that; the earlier one of equals.
pub(in crate::extract) fn best(forest: &Forest, rows: &[f32]) -> Option<(usize, f32)> {
    let mut best: Option<(usize, f32)> = None;
    for (number, score) in forest.scores(rows).into_iter().enumerate() {
        if best.is_none_or(|(_, known)| score > known) {
            best = Some((number, score));
        }
    }
    best.map(|(number, score)| (number, probability(score)))
}

fn take<V>(found: Candidates<V>, number: usize) -> Option<V> {
    found.list.into_iter().nth(number).map(|candidate| candidate.value)
}
