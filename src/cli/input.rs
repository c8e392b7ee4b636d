//! What the commands read: plain text, HTML, or JSON Lines of documents.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use crate::document::{Article, Content, MimeType, Source};

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

/// The documents of several files, one after another.
pub fn open_all(
    paths: Vec<PathBuf>,
    format: InputFormat,
) -> impl Iterator<Item = Result<Record, BrokenRecord>> + Send {
    paths.into_iter().flat_map(move |path| {
        open(&path, format).unwrap_or_else(|error| {
            let broken = BrokenRecord { place: path.display().to_string(), problem: error.to_string() };
            Box::new(std::iter::once(Err(broken)))
        })
    })
}

/// The documents of one file, in order; `-` is standard input.
pub fn open(
    path: &Path,
    format: InputFormat,
) -> io::Result<Box<dyn Iterator<Item = Result<Record, BrokenRecord>> + Send>> {
    let name = path.display().to_string();
    let mut reader = reader(path)?;
    match decide(path, format, reader.fill_buf()?) {
        InputFormat::Jsonl => {
            Ok(Box::new(lines(reader, name).map(|line| line.and_then(|line| line.record()))))
        }
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

fn reader(path: &Path) -> io::Result<BufReader<Box<dyn Read + Send>>> {
    let file: Box<dyn Read + Send> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    Ok(BufReader::with_capacity(1 << 16, file))
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

/// The lines of a file of JSON Lines that are not empty; `-` is standard input.
pub fn json_lines(path: &Path) -> io::Result<impl Iterator<Item = Result<JsonLine, BrokenRecord>> + use<>> {
    Ok(lines(reader(path)?, path.display().to_string()))
}

/// One line of JSON Lines, not yet parsed.
pub struct JsonLine {
    pub bytes: Vec<u8>,
    /// The file and the line's number, for people.
    pub place: String,
}

impl JsonLine {
    /// The document on this line.
    pub fn record(&self) -> Result<Record, BrokenRecord> {
        parse(&self.bytes).map_err(|problem| self.broken(problem))
    }

    /// The documents on this line that are to be summarised together; none where it has no list of
    /// them.
    pub fn documents(&self) -> Result<Option<Vec<Article>>, BrokenRecord> {
        #[derive(Deserialize)]
        struct Several {
            documents: Option<Vec<One>>,
        }
        #[derive(Deserialize)]
        struct One {
            #[serde(default)]
            title: String,
            text: String,
        }
        let several: Several =
            serde_json::from_slice(&self.bytes).map_err(|error| self.broken(error.to_string()))?;
        let article = |One { title, text }| Article { title, text, ..Article::default() };
        Ok(several.documents.map(|documents| documents.into_iter().map(article).collect()))
    }

    /// Something that is wrong with this line.
    pub fn broken(&self, problem: String) -> BrokenRecord {
        BrokenRecord { place: self.place.clone(), problem }
    }
}

/// Ends with the first error: a file that cannot be read will not be the next time either.
fn lines<R: BufRead>(mut reader: R, name: String) -> impl Iterator<Item = Result<JsonLine, BrokenRecord>> {
    let (mut number, mut failed) = (0, false);
    std::iter::from_fn(move || {
        while !failed {
            let mut bytes = Vec::new();
            number += 1;
            let place = || format!("{name}, line {number}");
            match reader.read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) if bytes.trim_ascii().is_empty() => {}
                Ok(_) => return Some(Ok(JsonLine { bytes, place: place() })),
                Err(error) => {
                    failed = true;
                    return Some(Err(BrokenRecord { place: place(), problem: error.to_string() }));
                }
            }
        }
        None
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that breaks.
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }

    #[test]
    fn a_file_ends_where_it_cannot_be_read_any_further() {
        let file = b"{\"text\": \"One.\"}\n\n{\"te".chain(Broken);
        let lines: Vec<_> = lines(BufReader::new(file), "file".into()).take(9).collect();
        let [Ok(first), Err(broken)] = &lines[..] else { panic!("{} lines", lines.len()) };
        assert_eq!(first.place, "file, line 1");
        assert_eq!(broken.to_string(), "file, line 3: the disk is gone");
    }
}
