//! What was predicted for one record: a line of `copydesk analyze --format jsonl`.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::gold::{self, Span, number, or_default};

/// The parts of an analysis that are scored, in proto3 JSON: fields at their default may be
/// absent, numbers may be strings, and other keys are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Prediction {
    #[serde(deserialize_with = "or_default")]
    pub(super) document: Document,
    #[serde(deserialize_with = "or_default")]
    pub(super) sentences: Vec<Sentence>,
    #[serde(deserialize_with = "or_default")]
    pub(super) entities: Vec<Entity>,
    #[serde(deserialize_with = "or_default")]
    pub(super) quotes: Vec<Quote>,
    #[serde(deserialize_with = "or_default")]
    pub(super) temporal_expressions: Vec<TemporalExpression>,
    #[serde(deserialize_with = "or_default")]
    pub(super) summary: Summary,
    #[serde(deserialize_with = "or_default")]
    pub(super) topics: Vec<Topic>,
    #[serde(deserialize_with = "or_default")]
    feature_errors: Vec<IgnoredAny>,
}

impl Prediction {
    /// Reads a line with offsets in code points.
    ///
    /// # Errors
    /// What is of the wrong type, with its column.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        gold::parse(line)
    }

    /// Whether something that was asked for is missing because the engine failed.
    pub const fn has_failed(&self) -> bool {
        !self.feature_errors.is_empty()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Document {
    #[serde(deserialize_with = "or_default")]
    pub title: String,
    /// Absent where the text of the record was taken as it is.
    pub text: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub publish_time: String,
    #[serde(deserialize_with = "or_default")]
    pub authors: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Block {
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// Into `document.text`.
    pub span: Option<TextSpan>,
    /// Into the record's text.
    pub source_span: Option<TextSpan>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TextSpan {
    #[serde(deserialize_with = "number")]
    begin: usize,
    #[serde(deserialize_with = "number")]
    end: usize,
    #[serde(deserialize_with = "or_default")]
    pub text: String,
    #[serde(deserialize_with = "or_default")]
    section: String,
}

impl TextSpan {
    /// 0 where it is absent.
    pub const fn end(&self) -> usize {
        self.end
    }

    /// The place in the body; none for a span of the title, which is not scored.
    pub fn in_body(&self) -> Option<Span> {
        (name_of(&self.section, "TEXT_SECTION_") != "TITLE").then_some(Span::new(self.begin, self.end))
    }
}

/// The place in the body of a span that may be absent.
pub(super) fn in_body(span: &Option<TextSpan>) -> Option<Span> {
    span.as_ref().and_then(TextSpan::in_body)
}

/// The name of an enum's value without its prefix: `PERSON` of `ENTITY_TYPE_PERSON`.
pub(super) fn name_of<'a>(value: &'a str, prefix: &str) -> &'a str {
    value.strip_prefix(prefix).unwrap_or(value)
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sentence {
    pub span: Option<TextSpan>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entity {
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
    #[serde(deserialize_with = "or_default")]
    pub salience: f64,
    #[serde(deserialize_with = "or_default")]
    pub mentions: Vec<Mention>,
}

impl Entity {
    /// `PERSON`, `ORGANIZATION` and so on; empty where none is given.
    pub fn kind(&self) -> &str {
        name_of(&self.kind, "ENTITY_TYPE_")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mention {
    pub span: Option<TextSpan>,
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: String,
}

impl Mention {
    /// `PROPER`, `COMMON` or `PRONOUN`; empty where none is given.
    pub fn kind(&self) -> &str {
        name_of(&self.kind, "MENTION_TYPE_")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Quote {
    pub span: Option<TextSpan>,
    pub speaker: Option<TextSpan>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TemporalExpression {
    pub span: Option<TextSpan>,
    #[serde(deserialize_with = "or_default")]
    pub value: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    #[serde(deserialize_with = "or_default")]
    pub sentences: Vec<SummarySentence>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SummarySentence {
    pub span: Option<TextSpan>,
    #[serde(deserialize_with = "number")]
    rank: usize,
}

impl SummarySentence {
    /// From 1, the most important sentence; one without a rank comes last.
    pub fn rank(&self) -> usize {
        if self.rank == 0 { usize::MAX } else { self.rank }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Topic {
    #[serde(deserialize_with = "or_default")]
    pub topic: String,
    #[serde(deserialize_with = "or_default")]
    pub confidence: f64,
}
