//! The domain's own types: what the engine makes, the store keeps and the API converts.
//!
//! Every [`Span`] is in UTF-8 bytes, half-open and on character boundaries; the API alone
//! knows other offset units.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A half-open range of UTF-8 bytes, `begin..end`, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    pub begin: usize,
    pub end: usize,
}

impl Span {
    pub const fn new(begin: usize, end: usize) -> Self {
        Self { begin, end }
    }

    pub const fn len(self) -> usize {
        self.end - self.begin
    }

    pub const fn is_empty(self) -> bool {
        self.begin == self.end
    }

    pub const fn range(self) -> Range<usize> {
        self.begin..self.end
    }

    /// Whether `other` lies wholly inside this span.
    pub const fn contains(self, other: Span) -> bool {
        self.begin <= other.begin && other.end <= self.end
    }

    /// Whether the two share at least one byte.
    pub const fn overlaps(self, other: Span) -> bool {
        self.begin < other.end && other.begin < self.end
    }

    /// The text the span covers.
    ///
    /// # Panics
    /// If the span was made for another text and does not fit this one.
    pub fn of(self, text: &str) -> &str {
        &text[self.begin..self.end]
    }
}

/// Which of a document's two texts a span is offset into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Section {
    /// `Document::text`.
    #[default]
    Body,
    /// `Document::title`.
    Title,
}

/// A span together with the text it belongs to. Orders by section (body first), then position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TextSpan {
    pub section: Section,
    pub span: Span,
}

impl TextSpan {
    pub const fn body(begin: usize, end: usize) -> Self {
        Self { section: Section::Body, span: Span::new(begin, end) }
    }

    pub const fn title(begin: usize, end: usize) -> Self {
        Self { section: Section::Title, span: Span::new(begin, end) }
    }
}

/// What a client sends: the page as it came in, with what is already known about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub content: Content,
    /// Media type without parameters; [`MimeType::Plain`] where the client says nothing.
    pub mime_type: MimeType,
    /// A title known beforehand; it wins over one found in the content.
    pub title: String,
    /// BCP 47 tag known beforehand; it wins over detection.
    pub language_code: String,
    /// Where the page was found; a hint for publisher and publication time.
    pub uri: String,
    pub publisher: String,
    pub authors: Vec<String>,
    pub publish_time: Option<PublishTime>,
}

/// The content of a [`Source`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    Text(String),
    /// Bytes in a charset that has to be found; `charset` is the label that came with them
    /// (the `charset` parameter of the media type), if any.
    Bytes {
        bytes: Vec<u8>,
        charset: Option<String>,
    },
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MimeType {
    #[default]
    Plain,
    Html,
}

/// A moment of publication, as precise as its source: a day, or a time with its offset
/// from UTC. Displays as RFC 3339 (`2023-03-30`, `2023-03-30T08:09:00+07:00`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum PublishTime {
    Day(jiff::civil::Date),
    /// Local wall-clock time and its offset from UTC.
    Time {
        local: jiff::civil::DateTime,
        offset: jiff::tz::Offset,
    },
}

/// Why a text is not a [`PublishTime`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a day (2023-03-30) nor a time with its offset (2023-03-30T08:09:00+07:00)")]
pub struct PublishTimeError(String);

impl PublishTime {
    /// The calendar day as written, in the offset of the source.
    pub fn day(self) -> jiff::civil::Date {
        match self {
            Self::Day(day) => day,
            Self::Time { local, .. } => local.date(),
        }
    }

    /// The instant, in seconds since the epoch; midnight UTC where only the day is known.
    pub fn epoch_seconds(self) -> i64 {
        let (local, offset) = match self {
            Self::Day(day) => (day.at(0, 0, 0, 0), jiff::tz::Offset::UTC),
            Self::Time { local, offset } => (local, offset),
        };
        // A local time near the ends of the calendar may have no instant; the ends do then.
        offset.to_timestamp(local).map_or(
            if local.year() > 0 { jiff::Timestamp::MAX } else { jiff::Timestamp::MIN }.as_second(),
            |instant| instant.as_second(),
        )
    }
}

impl fmt::Display for PublishTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Time { local, offset } => {
                let minutes = offset.seconds() / 60;
                if minutes == 0 {
                    return write!(f, "{local}Z");
                }
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{local}{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

impl FromStr for PublishTime {
    type Err = PublishTimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PublishTimeError(text.chars().take(64).collect());
        let pieces = jiff::fmt::temporal::DateTimeParser::new();
        if text.len() == 10 {
            return text.parse().map(Self::Day).map_err(|_| error());
        }
        let zoned = pieces.parse_pieces(text).map_err(|_| error())?;
        let time = zoned.time().ok_or_else(error)?;
        let offset = zoned.to_numeric_offset().ok_or_else(error)?;
        // No finer than it displays, so that what is stored is what was answered.
        let time = time.with().subsec_nanosecond(0).build().map_err(|_| error())?;
        let offset = jiff::tz::Offset::from_seconds(offset.seconds() / 60 * 60).map_err(|_| error())?;
        Ok(Self::Time { local: zoned.date().to_datetime(time), offset })
    }
}

impl From<PublishTime> for String {
    fn from(time: PublishTime) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for PublishTime {
    type Error = PublishTimeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The article found in a [`Source`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    pub title: String,
    /// The article itself: its blocks' texts, paragraphs set apart by an empty line.
    pub text: String,
    /// Every block of the page in page order, also those left out of `text`.
    pub blocks: Vec<Block>,
    /// BCP 47 tag, empty where no language could be named.
    pub language_code: String,
    pub publisher: String,
    /// Names alone, without "By" and job titles.
    pub authors: Vec<String>,
    pub publish_time: Option<PublishTime>,
}

/// One paragraph, heading, caption or the like of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    /// Into `Article::text`; none for a block that was left out of it.
    pub span: Option<Span>,
    /// Into the content as sent, for plain text only.
    pub source_span: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BlockKind {
    /// The article's title; kept in `Article::title`, not in the text.
    Title,
    Heading,
    Paragraph,
    ListItem,
    /// A block quotation.
    Quotation,
    /// A picture's caption or credit, left out of the text.
    Caption,
    /// Who wrote it; left out of the text.
    Byline,
    /// When or where it was published, on a line of its own; left out of the text.
    Dateline,
    /// Menus, teasers, notices and whatever else is not the article; left out of the text.
    Boilerplate,
}

impl BlockKind {
    /// Whether a block of this kind is part of `Article::text`.
    pub const fn in_text(self) -> bool {
        matches!(self, Self::Heading | Self::Paragraph | Self::ListItem | Self::Quotation)
    }
}

/// Somebody or something that the document names, with all its mentions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The fullest form of the name in the text.
    pub name: String,
    pub kind: EntityKind,
    /// 0 to 1: how much the document is about this entity; all of them add up to at most 1.
    pub salience: f32,
    /// Sorted: body first, then by position.
    pub mentions: Vec<Mention>,
    pub links: Vec<EntityLink>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EntityKind {
    Person,
    Organization,
    Location,
    Event,
    WorkOfArt,
    Product,
    /// Nationalities, religious and political groups.
    Norp,
    Facility,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mention {
    pub span: TextSpan,
    pub kind: MentionKind,
    /// 0 to 1.
    pub confidence: f32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MentionKind {
    /// A name.
    Proper,
    /// A description, as "the party chief".
    Common,
    Pronoun,
}

/// An entity's identity in a knowledge base.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntityLink {
    /// `wikidata`.
    pub knowledge_base: String,
    /// As `Q881`.
    pub id: String,
    /// 0 to 1.
    pub confidence: f32,
}

/// Something somebody said, with who said it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// With its quotation marks.
    pub span: TextSpan,
    pub kind: QuoteKind,
    /// The words that name the speaker beside the quotation.
    pub speaker: Option<TextSpan>,
    /// The speaker's place in the list of entities.
    pub speaker_entity: Option<usize>,
    pub attribution: Attribution,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum QuoteKind {
    /// The speaker's own words throughout.
    Direct,
    /// Reported speech with pieces in the speaker's own words.
    Mixed,
    /// Reported speech without quotation marks.
    Indirect,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Attribution {
    /// The speaker is named, most often by one of the entities.
    Resolved,
    /// A speaker is there but not named, as in "a senior official said".
    Anonymous,
    Unknown,
}

/// A date, time, duration or recurrence in the text, after TIMEX3 (TimeML 1.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporalExpression {
    pub span: TextSpan,
    pub kind: TemporalKind,
    /// TIMEX3 value, as `2023-03-29`, `2022-10`, `P3D`; empty where it cannot be resolved.
    pub value: String,
    /// What a relative expression was resolved against, in RFC 3339; empty for an absolute one.
    pub anchor: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TemporalKind {
    Date,
    Time,
    Duration,
    /// A recurrence, as "every Monday".
    Set,
}

/// A phrase that says what the document is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyPhrase {
    /// As first written.
    pub text: String,
    /// 0 to 1, the best phrase nearest to 1.
    pub score: f32,
    /// Sorted.
    pub spans: Vec<TextSpan>,
}

/// Sentences of the document that carry its story.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// In the order that was asked for.
    pub sentences: Vec<SummarySentence>,
    /// How many sentences the summary was chosen from.
    pub source_sentence_count: usize,
    /// Whether it is about the query; true where there was none.
    pub answers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SummarySentence {
    /// Into the body.
    pub span: Span,
    /// 0 to 1.
    pub score: f32,
    /// From 1, the most important sentence.
    pub rank: usize,
}

/// Sentences of several documents that tell their common story.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JointSummary {
    /// In the order that was asked for.
    pub sentences: Vec<JointSummarySentence>,
    /// How many sentences the summary was chosen from.
    pub source_sentence_count: usize,
    /// Whether it is about the query; true where there was none.
    pub answers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JointSummarySentence {
    /// The document's place among the documents.
    pub document: usize,
    /// Into that document's body.
    pub span: Span,
    /// 0 to 1.
    pub score: f32,
    /// From 1, the most important sentence.
    pub rank: usize,
}

/// A concept of a taxonomy that the document is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// As `medtop:11000000`.
    pub id: String,
    pub display_name: String,
    /// The topic's ancestors, from the top level down, without the topic itself.
    pub path: Vec<TopicRef>,
    /// Calibrated: of the topics with 0.8, four in five are right.
    pub confidence: f32,
    /// What in the document speaks for the topic, sorted.
    pub evidence: Vec<TextSpan>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicRef {
    pub id: String,
    pub display_name: String,
}

/// Something that was left out or done differently than asked for. Nothing is cut silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// UPPER_SNAKE_CASE, stable, as `NO_ARTICLE_FOUND`.
    pub reason: &'static str,
    /// A sentence for people.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publish_times_keep_the_precision_and_zone_they_came_with() {
        for text in
            ["2023-03-30", "2023-03-30T08:09:00+07:00", "2023-03-30T01:09:00Z", "2023-03-30T01:09:05-03:30"]
        {
            let time: PublishTime = text.parse().unwrap();
            assert_eq!(time.to_string(), text);
        }
        let east: PublishTime = "2023-03-30T08:09:00+07:00".parse().unwrap();
        let utc: PublishTime = "2023-03-30T01:09:00Z".parse().unwrap();
        assert_eq!(east.epoch_seconds(), utc.epoch_seconds());
        assert_eq!(east.day().to_string(), "2023-03-30");
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        for text in ["2023-03-30T08:09:00", "2023-02-30", "yesterday", "", "2023-03-30T25:00:00Z"] {
            assert!(text.parse::<PublishTime>().is_err(), "{text}");
        }
    }
}
