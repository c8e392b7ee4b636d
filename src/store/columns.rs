//! How a document is laid out in columns, the same for every SQL backend.
//!
//! Encoding is done by the caller of a store, so that the one writer only moves bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::{NewDocument, StoreError};
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
    /// JSON: an array of `[kind, term]`, without repetitions.
    pub terms: String,
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
            terms: to_json(&folded),
        }
    }

    /// How many bytes the columns take.
    pub fn len(&self) -> usize {
        self.basics.len() + self.content.len() + self.text.len() + self.body.len() + self.terms.len()
    }
}

impl Basics {
    pub fn decode(json: &str) -> Result<Self, StoreError> {
        serde_json::from_str(json).map_err(damaged)
    }
}

/// Puts a document's source together again, and its text and blocks into `article`.
pub fn decode_body(
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
/// folding does.
pub fn fold(name: &str) -> String {
    let folded: String = name
        .nfc()
        // SQLite's JSON ends a string at this character.
        .filter(|c| *c != '\0')
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

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
