//! Training of the model of HTML pages' metadata. The same data gives the same bytes.

use std::error::Error;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;

use rustc_hash::FxHasher;
use serde_json::Value;

use super::model::{SURE_AUTHORS, SURE_TIME, choose};
use super::{Evidence, authors, times, titles};
use crate::document::{Content, MimeType, Source};
use crate::extract::bylines::parse_publish_time;
use crate::extract::folded;
use crate::extract::html::PageReading;
use crate::extract::html::train::unpacked;
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

/// Parts of the sites in cross-validation.
const FOLDS: usize = 5;

/// A field of one page: its candidates' features, and which of them are right.
struct Case {
    fold: usize,
    rows: Vec<f32>,
    right: Vec<f32>,
    /// The candidate that is taken where none is likely.
    undisputed: Option<usize>,
    /// Whether the page has the field at all.
    given: bool,
}

/// The pages' cases for one field.
struct Field {
    name: &'static str,
    width: usize,
    /// Probability from which on a candidate is taken.
    sure: f32,
    cases: Vec<Case>,
}

/// Trains on the training part of `extraction_html` under `data` and returns the model file.
/// Writes to standard error how well each field is found on sites that were left out.
pub fn train(data: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let field = |name, width, sure| Field { name, width, sure, cases: Vec::new() };
    let mut fields = [
        field("titles", titles::FEATURES, 0.0),
        field("authors", authors::FEATURES, SURE_AUTHORS),
        field("times", times::FEATURES, SURE_TIME),
    ];
    for line in unpacked(&data.join("extraction_html/train.jsonl.xz"))?.lines() {
        let record: Value = serde_json::from_str(line)?;
        if record["part"] == "train" {
            read(&record, &mut fields);
        }
    }
    let mut writer = ModelWriter::new("metadata", VERSION);
    for field in &fields {
        field.validate();
        field.fit(None).write(&mut writer, field.name);
    }
    Ok(writer.finish())
}

/// Adds a page's cases to the fields that it has labels for.
fn read(record: &Value, fields: &mut [Field; 3]) {
    let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let source = Source {
        content: Content::Text(text("content")),
        mime_type: MimeType::Html,
        uri: text("url"),
        ..Source::default()
    };
    let reading = PageReading::of(&text("content"), false);
    let evidence = Evidence::of(&source, &reading);
    let mut site = FxHasher::default();
    text("site").hash(&mut site);
    let fold = (site.finish() >> 32) as usize % FOLDS;
    let [title_cases, author_cases, time_cases] = fields;
    let gold = folded(&text("gold_title"));
    if !gold.is_empty() {
        let found = titles::candidates(&evidence);
        let right = found.list.iter().map(|known| flag(folded(&known.value.text) == gold)).collect();
        let rows = titles::rows(&found, &evidence);
        title_cases.cases.push(Case { fold, rows, right, undisputed: None, given: true });
    }
    if record.get("author").is_some() {
        let gold = names(&text("author"));
        let found = authors::candidates(&evidence);
        let is_right = |list: &[String]| !gold.is_empty() && names(&list.join(", ")) == gold;
        let right = found.list.iter().map(|known| flag(is_right(&known.value.list))).collect();
        let given = !gold.is_empty();
        let rows = authors::rows(&found, &evidence);
        author_cases.cases.push(Case { fold, rows, right, undisputed: authors::undisputed(&found), given });
    }
    if record.get("date").is_some() {
        let gold = parse_publish_time(&text("date")).map(|time| time.day());
        let found = times::candidates(&evidence);
        let right = found.list.iter().map(|known| flag(Some(known.value.time.day()) == gold)).collect();
        time_cases.cases.push(Case {
            fold,
            rows: times::rows(&found, &evidence),
            right,
            undisputed: times::undisputed(&found),
            given: gold.is_some(),
        });
    }
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

impl Field {
    /// A forest of all cases but those of a fold.
    fn fit(&self, without: Option<usize>) -> Forest {
        let cases = || self.cases.iter().filter(|case| Some(case.fold) != without);
        let rows: Vec<f32> = cases().flat_map(|case| case.rows.iter().copied()).collect();
        let right: Vec<f32> = cases().flat_map(|case| case.right.iter().copied()).collect();
        Forest::train(&rows, self.width, &right, None, Objective::Logistic, &PARAMS)
    }

    /// Tells how well the field is found on the pages of each fold by a forest of the others.
    fn validate(&self) {
        let (mut given, mut matched, mut missed, mut none, mut invented, mut findable) = (0, 0, 0, 0, 0, 0);
        for fold in 0..FOLDS {
            let forest = self.fit(Some(fold));
            for case in self.cases.iter().filter(|case| case.fold == fold) {
                let taken = choose(&forest, &case.rows, self.sure, case.undisputed);
                let is_right = |number: usize| case.right[number] > 0.5;
                if case.given {
                    given += 1;
                    findable += usize::from(case.right.iter().any(|&right| right > 0.5));
                    matched += usize::from(taken.is_some_and(is_right));
                    missed += usize::from(taken.is_none());
                } else {
                    none += 1;
                    invented += usize::from(taken.is_some());
                }
            }
        }
        let share = |part: usize, whole: usize| part as f32 / whole.max(1) as f32;
        eprintln!(
            "{}: of {given} right {:.3} (among the candidates {:.3}, missed {:.3}), of {none} invented {:.3}",
            self.name,
            share(matched, given),
            share(findable, given),
            share(missed, given),
            share(invented, none),
        );
    }
}
