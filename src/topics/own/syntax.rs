//! TOML and JSON as one tree whose values know their lines.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::definition::Problem;

/// How deep values may lie inside each other; a taxonomy needs four levels.
const DEEPEST: usize = 6;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Toml,
    Json,
}

impl Format {
    /// By the ending of the file's name.
    pub fn of(file: &str) -> Option<Self> {
        let (_, ending) = file.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A value and the line that it begins on, from 1.
#[derive(Debug)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Debug)]
pub enum Value {
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// What it is, for people.
    Other(&'static str),
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry {
    pub key: String,
    pub line: usize,
    pub node: Node,
}

impl Value {
    /// What it is, for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Reads a file's text.
///
/// # Errors
/// If it is no text of that format; the line is where reading stopped.
pub fn parse(text: &str, format: Format) -> Result<Node, Problem> {
    let lines = Lines::of(text);
    match format {
        Format::Toml => {
            let table = DeTable::parse(text).map_err(|error| Problem {
                line: lines.at(error.span().map_or(0, |span| span.start)),
                message: format!("this is no TOML: {}", error.message()),
            })?;
            Ok(Node { line: 1, value: lines.toml_table(table.into_inner(), 0) })
        }
        Format::Json => {
            let value: &RawValue = serde_json::from_str(text).map_err(|error| {
                let message = error.to_string();
                let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(what, _)| what);
                Problem { line: error.line().max(1), message: format!("this is no JSON: {message}") }
            })?;
            Ok(lines.json(value, 0))
        }
    }
}

/// Where the lines of a text end.
struct Lines {
    /// Where the text is in memory, to tell where its parts are in it.
    start: usize,
    ends: Vec<usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
        Self { start: text.as_ptr().addr(), ends }
    }

    /// The line of a byte, from 1.
    fn at(&self, offset: usize) -> usize {
        self.ends.partition_point(|&end| end < offset) + 1
    }

    fn toml(&self, value: Spanned<DeValue>, depth: usize) -> Node {
        let line = self.at(value.span().start);
        let value = match value.into_inner() {
            _ if depth > DEEPEST => Value::Other("too deep"),
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Array(array) => {
                Value::List(array.into_iter().map(|value| self.toml(value, depth + 1)).collect())
            }
            DeValue::Table(table) => self.toml_table(table, depth),
            DeValue::Integer(_) | DeValue::Float(_) => Value::Other("a number"),
            DeValue::Boolean(_) => Value::Other("true or false"),
            DeValue::Datetime(_) => Value::Other("a date"),
        };
        Node { line, value }
    }

    fn toml_table(&self, table: DeTable, depth: usize) -> Value {
        let entry = |(key, value): (Spanned<Cow<str>>, Spanned<DeValue>)| Entry {
            line: self.at(key.span().start),
            key: key.into_inner().into_owned(),
            node: self.toml(value, depth + 1),
        };
        Value::Table(table.into_iter().map(entry).collect())
    }

    /// The text that `raw` is part of is JSON already, so that its first character tells what it is
    /// and reading it cannot fail.
    fn json(&self, raw: &RawValue, depth: usize) -> Node {
        let text = raw.get();
        let line = self.at(text.as_ptr().addr() - self.start);
        let value = match text.as_bytes().first() {
            _ if depth > DEEPEST => Value::Other("too deep"),
            Some(b'"') => Value::Text(serde_json::from_str(text).unwrap_or_default()),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
                Value::List(items.into_iter().map(|item| self.json(item, depth + 1)).collect())
            }
            Some(b'{') => {
                let mut reader = serde_json::Deserializer::from_str(text);
                let entries = reader.deserialize_map(Entries).unwrap_or_default();
                let entry = |(key, value)| {
                    let node = self.json(value, depth + 1);
                    Entry { key, line: node.line, node }
                };
                Value::Table(entries.into_iter().map(entry).collect())
            }
            Some(b't' | b'f') => Value::Other("true or false"),
            Some(b'n') => Value::Other("null"),
            _ => Value::Other("a number"),
        };
        Node { line, value }
    }
}

/// Takes the entries of an object, repeated keys too.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}
