//! `copydesk evaluate` prints the figures that the data sets' own scorers print.
//!
//! The files in `tests/evaluate` were written for these tests: a handful of invented texts a task
//! with their right answers (`*.gold.jsonl`), and predictions with mistakes of every kind, fields
//! left out at their default, numbers as strings, and records missing (`*.predicted.jsonl`). The
//! figures in `*.expected.json` were printed once by the Python scorers that come with the data
//! sets, on these same files.

mod process;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::{Value, json};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evaluate").join(name)
}

fn evaluate(task: &str, flags: &[&str], gold: &Path) -> Output {
    process::copydesk().args(["evaluate", "--task", task]).args(flags).arg(gold).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Every number in an object by its path.
fn numbers(path: &str, value: &Value, found: &mut BTreeMap<String, f64>) {
    match value {
        Value::Number(number) => _ = found.insert(path.to_owned(), number.as_f64().unwrap()),
        Value::Object(object) => {
            for (key, value) in object {
                numbers(&format!("{path}/{key}"), value, found);
            }
        }
        _ => {}
    }
}

/// Scores the predictions of a task, and compares every figure with the expected one.
fn agrees(task: &str, flags: &[&str], expected: &str) {
    agrees_on(task, task, flags, expected);
}

/// The same on the files of another name than the task's.
fn agrees_on(task: &str, files: &str, flags: &[&str], expected: &str) {
    let predicted = file(&format!("{files}.predicted.jsonl"));
    let flags = [&["--json", "--predictions", predicted.to_str().unwrap()], flags].concat();
    let output = evaluate(task, &flags, &file(&format!("{files}.gold.jsonl")));
    assert!(output.status.success(), "{task}: {}", text(&output.stderr));
    let expected = fs::read_to_string(file(expected)).unwrap();
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    numbers("", &serde_json::from_slice(&output.stdout).unwrap(), &mut ours);
    numbers("", &serde_json::from_str(&expected).unwrap(), &mut theirs);
    assert!(!ours.is_empty() && ours.keys().eq(theirs.keys()), "{task}: {ours:?} and {theirs:?}");
    for (figure, value) in &ours {
        assert!((value - theirs[figure]).abs() < 0.0005, "{task} {figure}: {value}, not {}", theirs[figure]);
    }
}

#[test]
fn figures_agree_with_the_scorers_of_the_data_sets() {
    for task in [
        "extraction-text", "extraction-html", "sentences", "dates", "entities", "entity-desk", "quotes",
        "summary", "summary-choice", "topics",
    ] {
        agrees(task, &[], &format!("{task}.expected.json"));
    }
}

#[test]
fn figures_agree_with_other_options() {
    agrees("summary", &["--sentences", "1"], "summary.one.expected.json");
    agrees("summary-choice", &["--sentences", "1"], "summary-choice.one.expected.json");
    agrees("topics", &["--level", "2", "--threshold", "0.85"], "topics.level2.expected.json");
    agrees("topics", &["--sure"], "topics.sure.expected.json");
}

#[test]
fn summaries_of_several_documents_are_scored_too() {
    let files = "summary-documents";
    agrees_on("summary", files, &[], "summary-documents.expected.json");
    let output = evaluate("summary", &["--json", "--sentences", "1"], &file("summary-documents.gold.jsonl"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["records"], &report["sentences_per_summary"]), (&json!(2), &json!(1.0)));
    let said = refusal("summary", &[json!({"id": "a", "reference": "x"})], Some(&[json!({"id": "a"})]));
    assert!(said.contains("line 1: neither \"text\" nor \"documents\" is there"), "{said}");
}

#[test]
fn the_engine_scores_as_its_own_predictions_do() {
    let directory = tempfile::tempdir().unwrap();
    for (task, features, extraction) in [
        ("sentences", "sentences", "none"),
        ("entities", "entities", "none"),
        ("dates", "dates", "auto"),
        ("extraction-text", "none", "auto"),
    ] {
        let gold = file(&format!("{task}.gold.jsonl"));
        let flags = ["--format", "jsonl", "--offset-encoding", "utf32"];
        let analyze = ["--features", features, "--extraction", extraction];
        let predicted =
            process::copydesk().arg("analyze").args(flags).args(analyze).arg(&gold).output().unwrap();
        assert!(predicted.status.success(), "{}", text(&predicted.stderr));
        let predictions = directory.path().join("predictions.jsonl");
        fs::write(&predictions, &predicted.stdout).unwrap();
        let of_file = evaluate(task, &["--predictions", predictions.to_str().unwrap()], &gold);
        let of_engine = evaluate(task, &["--extraction", extraction], &gold);
        assert!(of_engine.status.success(), "{}", text(&of_engine.stderr));
        assert_eq!(text(&of_engine.stdout), text(&of_file.stdout));
    }
}

#[test]
fn people_get_tables() {
    let predicted = file("dates.predicted.jsonl");
    let output =
        evaluate("dates", &["--predictions", predicted.to_str().unwrap()], &file("dates.gold.jsonl"));
    let expected = "\
documents                4
missing_predictions      1
value                0.500
day                  1.000

         precision  recall     f1
relaxed      0.700   0.875  0.778
exact        0.400   0.500  0.444

by_type   gold  recall  value
DATE         5   0.800  0.667
DURATION     1   1.000  1.000
SET          1   1.000  0.000
TIME         1   1.000  0.000
";
    assert_eq!(text(&output.stdout), expected);
    assert!(text(&output.stderr).contains("lacks 1 of the ids, the first of them \"unseen\""));
}

/// What is said about a gold file, and predictions if there are any, that cannot be scored.
fn refusal(task: &str, gold: &[Value], predicted: Option<&[Value]>) -> String {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, records: &[Value]| {
        let path = directory.path().join(name);
        fs::write(&path, records.iter().map(|record| format!("{record}\n")).collect::<String>()).unwrap();
        path
    };
    let gold = write("gold.jsonl", gold);
    let mut command = process::copydesk();
    command.args(["evaluate", "--task", task]).arg(&gold).stdin(Stdio::null());
    if let Some(predicted) = predicted {
        command.arg("--predictions").arg(write("predicted.jsonl", predicted));
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "no figures over half of a file: {}", text(&output.stdout));
    text(&output.stderr).replace(directory.path().to_str().unwrap(), "")
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let good = json!({"id": "a", "text": "Ada met Bo.", "entities": [{"end": 3, "type": "PER"}]});
    let with = |key: &str, value: Value| {
        let mut record = good.clone();
        record["id"] = json!("b");
        record[key] = value;
        [good.clone(), record]
    };

    let outside = with("entities", json!([{"begin": 8, "end": 12, "type": "PER"}]));
    let said = refusal("entities", &outside, None);
    assert!(said.contains("/gold.jsonl, line 2: entities[0] has begin 8 and end 12"), "{said}");

    let no_type = with("entities", json!([{"end": 3}]));
    let said = refusal("entities", &no_type, None);
    assert!(said.contains("/gold.jsonl, line 2: missing field `type`"), "{said}");

    let said = refusal("entities", &with("text", Value::Null), None);
    assert!(said.contains("line 2: neither \"content\" nor \"text\" is there"), "{said}");
    let said = refusal("entities", &with("text", Value::Null), Some(&[json!({"id": "a"})]));
    assert!(said.contains("/gold.jsonl, line 2: invalid type: null, expected a string"), "{said}");

    let said = refusal("entities", &with("id", json!("a")), None);
    assert!(said.contains("line 2: the id \"a\" is already in /gold.jsonl, line 1"), "{said}");

    let said = refusal("dates", std::slice::from_ref(&good), None);
    assert!(said.contains("/gold.jsonl, line 1: missing field `dates`"), "{said}");
}

#[test]
fn predictions_that_do_not_belong_to_the_gold_are_refused() {
    let gold = [json!({"id": "a", "text": "Ada met Bo.", "entities": []})];
    let said = refusal("entities", &gold, Some(&[json!({"id": "b", "entities": []})]));
    assert!(said.contains("no id in /predicted.jsonl is one of /gold.jsonl, whose first is \"a\""), "{said}");

    let wrong = json!({"id": "a", "entities": [{"mentions": [{"span": {"begin": -1, "end": 3}}]}]});
    let said = refusal("entities", &gold, Some(&[wrong]));
    assert!(said.contains("/predicted.jsonl, line 1: -1 is no offset or count"), "{said}");
}
