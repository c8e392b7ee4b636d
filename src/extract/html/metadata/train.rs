//! Training of the model of HTML pages' metadata. The same data gives the same bytes.

use std::error::Error;
use std::path::Path;

use serde_json::Value;

use super::{Evidence, authors, times, titles};
use crate::extract::bylines::parse_publish_time;
use crate::extract::folded;
use crate::extract::html::PageReading;
use crate::extract::html::train::{records, source, text};
use crate::model::ModelWriter;
use crate::model::trees::{Forest, Objective, Params};

const VERSION: &str = "1";

const PARAMS: Params = Params {
    trees: 200,
    leaves: 8,
    learning_rate: 0.04,
    min_rows: 12,
    l2: 6.0,
    row_share: 0.7,
    feature_share: 0.3,
    seed: 7,
};

/// What is learnt from a page: the cases of title, authors and publication time, where it is labelled.
pub(in crate::extract::html) type Cases = [Option<Case>; 3];

/// The fields' names in the model file, and how many features their candidates have.
const FIELDS: [(&str, usize); 3] =
    [("titles", titles::FEATURES), ("authors", authors::FEATURES), ("times", times::FEATURES)];

/// A field of one page: its candidates' features, and which of them are right.
pub(in crate::extract::html) struct Case {
    rows: Vec<f32>,
    right: Vec<f32>,
    /// Whether the page has the field at all.
    given: bool,
}

/// Trains on the training part of `extraction_html` under `data` and returns the model file. Writes to
/// standard error how often the right value is among the candidates.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let records = records(data)?;
    let pages: Vec<Cases> = records.iter().filter(|record| record["part"] == "train").map(cases).collect();
    for (number, (name, _)) in FIELDS.iter().enumerate() {
        let given = || pages.iter().filter_map(|page| page[number].as_ref()).filter(|case| case.given);
        let findable = given().filter(|case| case.right.contains(&1.0)).count();
        eprintln!("{name}: the right one is among the candidates of {findable} of {} pages", given().count());
    }
    Ok(fit(pages.iter()))
}

/// The model file of what was learnt from pages.
pub(in crate::extract::html) fn fit<'a>(pages: impl Iterator<Item = &'a Cases> + Clone) -> Vec<u8> {
    let mut writer = ModelWriter::new("metadata", VERSION);
    for (number, (name, width)) in FIELDS.into_iter().enumerate() {
        let cases = || pages.clone().filter_map(|page| page[number].as_ref());
        let rows: Vec<f32> = cases().flat_map(|case| case.rows.iter().copied()).collect();
        let right: Vec<f32> = cases().flat_map(|case| case.right.iter().copied()).collect();
        Forest::train(&rows, width, &right, None, Objective::Logistic, &PARAMS).write(&mut writer, name);
    }
    writer.finish()
}

pub(in crate::extract::html) fn cases(record: &Value) -> Cases {
    let source = source(record);
    let reading = PageReading::of(&text(record, "content"), false);
    let evidence = Evidence::of(&source, &reading);
    [title_case(record, &evidence), author_case(record, &evidence), time_case(record, &evidence)]
}

fn title_case(record: &Value, evidence: &Evidence<'_>) -> Option<Case> {
    let gold = folded(&text(record, "gold_title"));
    let found = titles::candidates(evidence);
    let right = found.list.iter().map(|known| flag(folded(&known.value.text) == gold)).collect();
    (!gold.is_empty()).then(|| Case { rows: titles::rows(&found, evidence), right, given: true })
}

fn author_case(record: &Value, evidence: &Evidence<'_>) -> Option<Case> {
    record.get("author")?;
    let gold = names(&text(record, "author"));
    let found = authors::candidates(evidence);
    let is_right = |list: &[String]| !gold.is_empty() && names(&list.join(", ")) == gold;
    let right = found.list.iter().map(|known| flag(is_right(&known.value.list))).collect();
    Some(Case { rows: authors::rows(&found, evidence), right, given: !gold.is_empty() })
}

fn time_case(record: &Value, evidence: &Evidence<'_>) -> Option<Case> {
    record.get("date")?;
    let gold = parse_publish_time(&text(record, "date")).map(|time| time.day());
    let found = times::candidates(evidence);
    let right = found.list.iter().map(|known| flag(Some(known.value.time.day()) == gold)).collect();
    Some(Case { rows: times::rows(&found, evidence), right, given: gold.is_some() })
}

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

/// The names in a label, folded and sorted, without what stands for degrees ("MD").
fn names(label: &str) -> Vec<String> {
    let label = label.replace(" and ", ",").replace(['&', ';', '|'], ",");
    let is_degree = |name: &str| name.len() <= 7 && !name.contains(char::is_lowercase);
    let mut names: Vec<String> = Vec::new();
    for name in label.split(',').map(|name| name.trim().trim_start_matches("By ").trim_start_matches("by ")) {
        if names.is_empty() || !is_degree(name) {
            names.push(folded(name));
        }
    }
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}
