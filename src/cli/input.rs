//! What `copydesk analyze` reads: plain text, HTML, or JSON Lines of documents.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use clap::ValueEnum;
use serde::Deserialize;

use crate::document::{Content, MimeType, Source};

/// How input is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// By the file's name (.jsonl, .ndjson, .html, .htm), else by its first character
    #[default]
    Auto,
    /// One page, already flattened to text
    Text,
    /// One page of HTML, in any charset
    Html,
    /// One JSON object a line
    Jsonl,
}

/// One document to analyse.
pub struct Record {
    /// As the record had it; the path of a file, null for standard input.
    pub id: serde_json::Value,
    pub source: Source,
}

/// A record that could not be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct BrokenRecord {
    place: String,
    problem: String,
}

/// The documents of one file, in order; `-` is standard input.
pub fn open(
    path: &Path,
    format: InputFormat,
) -> io::Result<Box<dyn Iterator<Item = Result<Record, BrokenRecord>> + Send>> {
    let name = path.display().to_string();
    let file: Box<dyn Read + Send> =
        if name == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    match decide(path, format, reader.fill_buf()?) {
        InputFormat::Jsonl => Ok(Box::new(Lines { reader, name, number: 0 })),
        kind => {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            let mime_type = if kind == InputFormat::Html { MimeType::Html } else { MimeType::Plain };
            let content = match String::from_utf8(bytes) {
                Ok(text) => Content::Text(text),
                Err(error) => Content::Bytes { bytes: error.into_bytes(), charset: None },
            };
            let source = Source { content, mime_type, ..Source::default() };
            let id = if name == "-" { serde_json::Value::Null } else { name.into() };
            Ok(Box::new(std::iter::once(Ok(Record { id, source }))))
        }
    }
}

fn decide(path: &Path, format: InputFormat, start: &[u8]) -> InputFormat {
    if format != InputFormat::Auto {
        return format;
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    match (extension.as_str(), start.trim_ascii_start().first()) {
        ("jsonl" | "ndjson", _) => InputFormat::Jsonl,
        ("html" | "htm" | "xhtml", _) => InputFormat::Html,
        ("txt", _) => InputFormat::Text,
        (_, Some(b'{')) => InputFormat::Jsonl,
        (_, Some(b'<')) => InputFormat::Html,
        _ => InputFormat::Text,
    }
}

/// JSON Lines; empty lines are skipped.
struct Lines<R> {
    reader: R,
    name: String,
    number: usize,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<Record, BrokenRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Vec::new();
            self.number += 1;
            match self.reader.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => return Some(parse(&line).map_err(|problem| self.broken(problem))),
                Err(error) => return Some(Err(self.broken(error.to_string()))),
            }
        }
    }
}

impl<R> Lines<R> {
    fn broken(&self, problem: String) -> BrokenRecord {
        BrokenRecord { place: format!("{}, line {}", self.name, self.number), problem }
    }
}

/// A record as it is written; other keys are ignored.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: serde_json::Value,
    content: Option<String>,
    text: Option<String>,
    mime_type: Option<String>,
    title: Option<String>,
    publish_time: Option<String>,
    uri: Option<String>,
    publisher: Option<String>,
}

fn parse(line: &[u8]) -> Result<Record, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let content = line.content.or(line.text).ok_or("neither \"content\" nor \"text\" is there")?;
    let mime_type = match line.mime_type.as_deref() {
        None | Some("" | "text/plain") => MimeType::Plain,
        Some("text/html") => MimeType::Html,
        Some(other) => return Err(format!("mime_type {other:?} is not taken; use text/plain or text/html")),
    };
    let publish_time = match line.publish_time.as_deref() {
        None | Some("") => None,
        Some(time) => Some(time.parse().map_err(|error| format!("publish_time: {error}"))?),
    };
    let source = Source {
        content: Content::Text(content),
        mime_type,
        title: line.title.unwrap_or_default(),
        uri: line.uri.unwrap_or_default(),
        publisher: line.publisher.unwrap_or_default(),
        publish_time,
        ..Source::default()
    };
    Ok(Record { id: line.id, source })
}
