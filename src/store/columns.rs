//! How a document is laid out in columns, the same for every SQL backend.
//!
//! Encoding is done by the caller of a store, so that the one writer only moves bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

use super::change::Entry;
use super::{NewDocument, StoreError, StoredDocument, Terms};
use crate::document::{Article, Block, Content, MimeType, Source};

/// What the view BASIC shows, as JSON.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Basics {
    pub mime_type: MimeType,
    pub uri: String,
    pub labels: BTreeMap<String, String>,
    /// Without text and blocks.
    pub article: Article,
}

/// What the view FULL adds, as JSON; the two large texts have columns of their own.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Body {
    /// Without its content; the empty one here tells whether it was text or bytes.
    source: Source,
    blocks: Vec<Block>,
}

/// One document's columns.
#[derive(Debug)]
pub struct Columns {
    pub basics: String,
    pub publisher: String,
    pub language: String,
    pub published: Option<i64>,
    pub content: Vec<u8>,
    pub text: String,
    pub body: String,
    /// A [`TermKind`] and a folded name, in their order and without repetitions.
    pub terms: Vec<(u8, String)>,
}

/// A kind of term, as its number in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermKind {
    Topic = 0,
    Entity = 1,
}

impl Columns {
    pub fn encode(document: &NewDocument) -> Self {
        let NewDocument { source, article, labels, terms, .. } = document;
        let (content, empty) = match &source.content {
            Content::Text(text) => (text.clone().into_bytes(), Content::default()),
            Content::Bytes { bytes, charset } => {
                (bytes.clone(), Content::Bytes { bytes: Vec::new(), charset: charset.clone() })
            }
        };
        let body = Body {
            source: Source {
                content: empty,
                mime_type: source.mime_type,
                title: source.title.clone(),
                language_code: source.language_code.clone(),
                uri: source.uri.clone(),
                publisher: source.publisher.clone(),
                authors: source.authors.clone(),
                publish_time: source.publish_time,
            },
            blocks: article.blocks.clone(),
        };
        let basics = Basics {
            mime_type: source.mime_type,
            uri: source.uri.clone(),
            labels: labels.clone(),
            article: Article {
                title: article.title.clone(),
                text: String::new(),
                blocks: Vec::new(),
                language_code: article.language_code.clone(),
                publisher: article.publisher.clone(),
                authors: article.authors.clone(),
                publish_time: article.publish_time,
            },
        };
        let mut folded: Vec<(u8, String)> = (terms.topics.iter())
            .map(|topic| (TermKind::Topic as u8, fold(topic)))
            .chain(terms.entities.iter().map(|entity| (TermKind::Entity as u8, fold(entity))))
            .filter(|(_, term)| !term.is_empty())
            .collect();
        folded.sort_unstable();
        folded.dedup();
        Self {
            basics: to_json(&basics),
            publisher: fold(&article.publisher),
            language: fold(&article.language_code),
            published: article.publish_time.map(|time| time.epoch_seconds()),
            content,
            text: article.text.clone(),
            body: to_json(&body),
            terms: folded,
        }
    }

    /// How many bytes the columns take.
    pub fn len(&self) -> usize {
        let terms: usize = self.terms.iter().map(|(_, term)| term.len()).sum();
        self.basics.len() + self.content.len() + self.text.len() + self.body.len() + terms
    }

    /// The terms as an array of `[kind, term]`.
    pub fn terms_json(&self) -> String {
        to_json(&self.terms)
    }
}

impl Basics {
    pub fn decode(json: &str) -> Result<Self, StoreError> {
        serde_json::from_str(json).map_err(damaged)
    }
}

/// A row of a document, with its body where it was asked for.
#[derive(Debug, sqlx::FromRow)]
pub struct DocumentRow {
    pub seq: i64,
    pub corpus: String,
    pub document_id: String,
    uid: Vec<u8>,
    revision: i64,
    pub content_hash: String,
    create_time: i64,
    update_time: i64,
    basics: String,
    #[sqlx(default)]
    content: Option<Vec<u8>>,
    #[sqlx(default)]
    pub text: Option<String>,
    #[sqlx(default)]
    body: Option<String>,
}

impl DocumentRow {
    /// How many bytes the large texts have, if they are there.
    pub fn body_len(&self) -> usize {
        self.content.as_ref().map_or(0, Vec::len) + self.text.as_ref().map_or(0, String::len)
    }

    pub fn document(self) -> Result<StoredDocument, StoreError> {
        let mut basics = Basics::decode(&self.basics)?;
        let source = match (self.content, self.text, self.body) {
            (Some(content), Some(text), Some(body)) => {
                Some(decode_body(content, text, &body, &mut basics.article)?)
            }
            _ => None,
        };
        Ok(StoredDocument {
            corpus: self.corpus,
            document_id: self.document_id,
            uid: uuid(&self.uid)?,
            source,
            article: basics.article,
            labels: basics.labels,
            mime_type: basics.mime_type,
            uri: basics.uri,
            create_time: timestamp(self.create_time)?,
            update_time: timestamp(self.update_time)?,
            revision: self.revision.unsigned_abs(),
            content_hash: self.content_hash,
        })
    }
}

/// A document's place, and what a change has to know of it.
#[derive(Debug, sqlx::FromRow)]
pub struct EntryRow {
    seq: i64,
    uid: Vec<u8>,
    revision: i64,
    content_hash: String,
    create_time: i64,
    update_time: i64,
}

impl EntryRow {
    /// The entry with the content's hash.
    pub fn entry(self) -> Result<(Entry, String), StoreError> {
        let entry = Entry {
            seq: Some(self.seq),
            uid: uuid(&self.uid)?,
            revision: self.revision.unsigned_abs(),
            create_time: timestamp(self.create_time)?,
            update_time: timestamp(self.update_time)?,
        };
        Ok((entry, self.content_hash))
    }
}

/// One term of a document.
#[derive(Debug, sqlx::FromRow)]
pub struct TermRow {
    pub kind: i16,
    pub term: String,
}

pub fn terms_of(rows: Vec<TermRow>) -> Terms {
    let (topics, entities): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.kind == TermKind::Topic as i16);
    let names = |rows: Vec<TermRow>| rows.into_iter().map(|row| row.term).collect();
    Terms { topics: names(topics), entities: names(entities) }
}

fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|error| StoreError::Internal(format!("a damaged uid: {error}")))
}

fn timestamp(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| StoreError::Internal(format!("a damaged time: {error}")))
}

/// Puts a document's source together again, and its text and blocks into `article`.
fn decode_body(
    content: Vec<u8>,
    text: String,
    body: &str,
    article: &mut Article,
) -> Result<Source, StoreError> {
    let Body { mut source, blocks } = serde_json::from_str(body).map_err(damaged)?;
    match &mut source.content {
        Content::Text(text) => *text = String::from_utf8(content).map_err(damaged)?,
        Content::Bytes { bytes, .. } => *bytes = content,
    }
    article.text = text;
    article.blocks = blocks;
    Ok(source)
}

/// A name as filters compare it: without regard to case, composition and spacing. Maps to
/// upper and then to lower case, which brings ß to ss and ς to σ as Unicode's full case
/// folding does. Of a name too long for an index there is a digest in place of its end.
pub fn fold(name: &str) -> String {
    let folded: String = name
        .nfc()
        // SQLite's JSON ends a string at this character.
        .filter(|c| *c != '\0')
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    let mut folded = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.len() > MAX_FOLDED_BYTES {
        let digest = format!("{:x}", Sha256::digest(&folded));
        folded.truncate(folded.floor_char_boundary(MAX_FOLDED_BYTES - digest.len()));
        folded.push_str(&digest);
    }
    folded
}

/// PostgreSQL takes at most 2,704 bytes for all columns of an index.
const MAX_FOLDED_BYTES: usize = 1024;

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("derived, with strings for keys and no I/O: it cannot fail")
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Internal(format!("a stored document cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fold_to_the_same_whatever_their_case_and_composition() {
        for (left, right) in [
            ("STRASSE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("Nguyễn Phú Trọng", "NGUYE\u{302}\u{303}N PHU\u{301} TRO\u{323}NG"),
            (" The  Times\n", "the times"),
            ("МОСКВА", "москва"),
        ] {
            assert_eq!(fold(left), fold(right), "{left}");
        }
        assert_ne!(fold("Jose"), fold("José"));
    }

    /// Files live longer than a version: a change of the domain's types that fails here needs
    /// a default or a migration.
    #[test]
    fn rows_of_the_first_version_can_be_read() {
        let basics = r#"{"mime_type":"Html","uri":"https://a.example/1","labels":{"desk":"world"},
            "article":{"title":"T","text":"","blocks":[],"language_code":"en","publisher":"P",
            "authors":["A"],"publish_time":"2023-03-30T08:09:00+07:00"}}"#;
        let body = r#"{"source":{"content":{"Bytes":{"bytes":[],"charset":"koi8-r"}},"mime_type":"Html",
            "title":"","language_code":"","uri":"https://a.example/1","publisher":"","authors":[],
            "publish_time":null},"blocks":[{"kind":"Paragraph","span":{"begin":0,"end":4},"source_span":null}]}"#;
        let mut basics = Basics::decode(basics).unwrap();
        let source = decode_body(b"<p>".to_vec(), "Text".into(), body, &mut basics.article).unwrap();
        assert_eq!(source.content, Content::Bytes { bytes: b"<p>".to_vec(), charset: Some("koi8-r".into()) });
        assert_eq!(basics.article.text, "Text");
        assert_eq!(basics.article.blocks.len(), 1);
        assert_eq!(basics.labels["desk"], "world");
    }
}
