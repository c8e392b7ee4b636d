//! Topics of the IPTC taxonomy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::counts::{Counts, Share, mean};
use super::prediction::{self, Prediction};
use super::{Report, Scorer, gold};
use crate::topics::TopicModel;

#[derive(Deserialize)]
struct Gold {
    /// Codes of the first level, the main topic first.
    l1: Option<Vec<String>>,
    /// Codes of the second level.
    l2: Option<Vec<String>>,
    /// Whether the labels are beyond doubt.
    #[serde(default = "yes")]
    sure: bool,
}

fn yes() -> bool {
    true
}

/// Which topics are scored.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// 1 or 2; topics below it count as their ancestor at this level, those above it as nothing.
    pub level: usize,
    /// Topics below this confidence do not count for precision and recall.
    pub threshold: f64,
    /// Leaves out records whose labels are in doubt.
    pub sure: bool,
}

/// Compares the predicted topics at one level with the gold's.
///
/// Precision, recall and F1 are over all topics together (`micro`) and, F1, the mean over topics
/// that occur on either side (`macro_f1`). `exact_set` is the share of records with no topic
/// missed and none wrong; `primary_accuracy` that whose surest topic is the gold's first;
/// `hit_at_3` that with a right topic among the three surest. The last two take no heed of the
/// threshold. Records without gold at the level are left out.
pub struct Topics {
    taxonomy: TopicModel,
    options: Options,
    /// Records with gold at the level, and those of them without a prediction.
    records: usize,
    missing: usize,
    without_gold: usize,
    by_code: BTreeMap<String, Counts>,
    exact: Share,
    primary: Share,
    hit: Share,
    second_level_hit: Share,
}

impl Topics {
    /// The model knows which topic is part of which.
    pub fn new(taxonomy: TopicModel, options: Options) -> Self {
        Self {
            taxonomy,
            options,
            records: 0,
            missing: 0,
            without_gold: 0,
            by_code: BTreeMap::new(),
            exact: Share::default(),
            primary: Share::default(),
            hit: Share::default(),
            second_level_hit: Share::default(),
        }
    }

    /// The predicted topics as their ancestors at a level with their confidence, surest first.
    fn at_level(&self, prediction: &Prediction, level: usize) -> Vec<(String, f64)> {
        let mut topics: Vec<(String, f64)> = Vec::new();
        for prediction::Topic { topic, confidence } in &prediction.topics {
            let lineage = self.taxonomy.lineage(&full_code(topic));
            let Some(&code) = lineage.get(level - 1) else { continue };
            match topics.iter_mut().find(|(known, _)| known == code) {
                Some((_, best)) => *best = best.max(*confidence),
                None => topics.push((code.to_owned(), *confidence)),
            }
        }
        topics.sort_by(|a, b| b.1.total_cmp(&a.1));
        topics
    }

    fn compare(&mut self, gold: &[String], ranked: &[(String, f64)]) {
        let want: BTreeSet<&str> = gold.iter().map(String::as_str).collect();
        let sure = ranked.iter().filter(|(_, confidence)| *confidence >= self.options.threshold);
        let have: BTreeSet<&str> = sure.map(|(code, _)| code.as_str()).collect();
        for &code in want.union(&have) {
            let found = usize::from(want.contains(code) && have.contains(code));
            let counts =
                Counts::new(found, usize::from(have.contains(code)), usize::from(want.contains(code)));
            *self.by_code.entry(code.to_owned()).or_default() += counts;
        }
        self.exact.count(want == have);
        self.primary.count(ranked.first().is_some_and(|(code, _)| *code == gold[0]));
        self.hit.count(among_first_three(ranked, gold));
    }
}

impl Scorer for Topics {
    fn add(&mut self, gold: &[u8], prediction: Option<&Prediction>) -> Result<(), String> {
        let gold: Gold = gold::parse(gold)?;
        if gold.l1.is_none() && gold.l2.is_none() {
            return Err("neither \"l1\" nor \"l2\" is there".to_owned());
        }
        if self.options.sure && !gold.sure {
            return Ok(());
        }
        let nothing = Prediction::default();
        let predicted = prediction.unwrap_or(&nothing);
        let codes = |codes: Option<Vec<String>>| -> Vec<String> {
            codes.unwrap_or_default().iter().map(|code| full_code(code)).collect()
        };
        let (first, second) = (codes(gold.l1), codes(gold.l2));
        if !second.is_empty() {
            self.second_level_hit.count(among_first_three(&self.at_level(predicted, 2), &second));
        }
        let gold = if self.options.level == 1 { first } else { second };
        if gold.is_empty() {
            self.without_gold += 1;
            return Ok(());
        }
        self.records += 1;
        self.missing += usize::from(prediction.is_none());
        let ranked = self.at_level(predicted, self.options.level);
        self.compare(&gold, &ranked);
        Ok(())
    }

    fn report(&self) -> Report {
        let micro: Counts = self.by_code.values().copied().sum();
        let by_code = self.by_code.iter().fold(Report::default(), |report, (code, counts)| {
            report.group(code, counts.short_report().count("gold", counts.gold()))
        });
        let report = Report::default()
            .count("level", self.options.level)
            .count("records", self.records)
            .count("without_gold", self.without_gold)
            .count("missing", self.missing)
            .group("micro", micro.short_report())
            .share("macro_f1", mean(self.by_code.values().map(|counts| counts.f1())))
            .share("exact_set", self.exact.value())
            .share("primary_accuracy", self.primary.value())
            .share("hit_at_3", self.hit.value())
            .group("by_code", by_code);
        if self.second_level_hit.of == 0 {
            return report;
        }
        report
            .count("level2_records", self.second_level_hit.of)
            .share("level2_hit_at_3", self.second_level_hit.value())
    }
}

/// `medtop:11000000` of that, of the bare number and of the concept's address.
fn full_code(code: &str) -> String {
    let code = code.trim_end_matches('/');
    let code = code.rsplit('/').next().unwrap_or(code);
    if code.starts_with("medtop:") { code.to_owned() } else { format!("medtop:{code}") }
}

fn among_first_three(ranked: &[(String, f64)], gold: &[String]) -> bool {
    ranked.iter().take(3).any(|(code, _)| gold.contains(code))
}
