//! Our own readings of public news texts, for training: names, roles and grades of sentences.
//!
//! `models/readings.jsonl` holds offsets and labels alone; the texts stay where they are, in the
//! data sets, and are joined here by file and id. A text that has changed since it was read is
//! refused, as offsets into another text mean nothing.

use std::error::Error;
use std::fs;
use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value;

use crate::model::digest;

const READINGS: &str = include_str!("../models/readings.jsonl");

/// What was read in one article. Offsets are code points into the article's text.
#[derive(Debug, Deserialize)]
pub struct Reading {
    /// The data set's file, below the data's folder.
    file: String,
    id: String,
    /// The first 16 hexadecimal digits of the text's SHA-256.
    digest: String,
    /// Filled in from the data set.
    #[serde(skip)]
    pub title: String,
    #[serde(skip)]
    pub text: String,
    /// Up to where entities were annotated; 0 where none were.
    #[serde(default)]
    pub read: usize,
    #[serde(default)]
    pub entities: Vec<Value>,
    /// Begin, end and grade of each sentence; empty where none was graded.
    #[serde(default)]
    pub sentences: Vec<(usize, usize, i8)>,
}

impl Reading {
    /// The data set and the article's id in it, as in the sets that are made of several: `bbc/ID`.
    pub fn key(&self) -> String {
        let set = self.file.rsplit('/').next().and_then(|name| name.split('.').next());
        format!("{}/{}", set.unwrap_or_default(), self.id)
    }
}

/// All readings with their texts from the data sets under `data`.
///
/// # Errors
/// If a data set cannot be read, or lacks a text that was read or has another one.
pub fn all(data: &Path) -> Result<Vec<Reading>, Box<dyn Error>> {
    let mut readings: Vec<Reading> = READINGS.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut sets: FxHashMap<String, FxHashMap<String, Value>> = FxHashMap::default();
    for reading in &mut readings {
        if !sets.contains_key(&reading.file) {
            sets.insert(reading.file.clone(), records(&data.join(&reading.file))?);
        }
        let record = sets[&reading.file].get(&reading.id).ok_or_else(|| format!("no {}", reading.key()))?;
        let field = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        (reading.title, reading.text) = (field("title"), field("text"));
        if !digest(reading.text.as_bytes()).starts_with(&format!("sha256:{}", reading.digest)) {
            return Err(format!("{} has another text than the one that was read", reading.key()).into());
        }
    }
    Ok(readings)
}

/// A data set's records by their ids.
fn records(file: &Path) -> Result<FxHashMap<String, Value>, Box<dyn Error>> {
    let lines = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut records = FxHashMap::default();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line)?;
        records.insert(record["id"].as_str().unwrap_or_default().to_owned(), record);
    }
    Ok(records)
}
