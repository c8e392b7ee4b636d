//! Title, authors, publisher and publication time of an HTML page.
//!
//! What the client knows beforehand stands above all. For each of the other fields every
//! place that can give it is read: JSON-LD, `<meta>`, microdata, `rel="author"`, `<time>`,
//! classes that speak of an author or a date, visible bylines and datelines, the address.
//! Equal values become one candidate, and a forest tells from where they were found and what
//! they look like which one is right ([`MetadataModel`]). A field without a likely
//! candidate stays empty.
//!
//! The publication time is the one that a page declares or shows as such; where it gives
//! nothing but the time of its last change, or shows only that one to its readers, that.

mod authors;
mod candidates;
pub(in crate::extract) mod declared;
pub(in crate::extract) mod model;
mod times;
pub(in crate::extract) mod titles;
pub mod train;

use self::declared::Declared;
use self::model::MetadataModel;
use super::PageReading;
use super::page::Page;
use crate::document::{PublishTime, Source};
use crate::extract::bylines::dates;

/// What is known about an article beside its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct Metadata {
    pub title: String,
    pub authors: Vec<String>,
    pub publisher: String,
    pub publish_time: Option<PublishTime>,
    /// The number of the block that holds the title.
    pub title_block: Option<usize>,
}

/// Finds out what a page says about its article.
pub(in crate::extract) fn collect(source: &Source, reading: &PageReading, model: &MetadataModel) -> Metadata {
    let evidence = Evidence::of(source, reading);
    let title = model.title(&evidence);
    let title_block = title.as_ref().and_then(|title| title.block).or(reading.anchor);
    let keep = |known: &str, found: String| if known.is_empty() { found } else { known.to_owned() };
    Metadata {
        title: keep(&source.title, title.map(|title| title.text).unwrap_or_default()),
        authors: if source.authors.is_empty() { model.authors(&evidence) } else { source.authors.clone() },
        publisher: keep(&source.publisher, reading.publisher.clone()),
        publish_time: source.publish_time.or_else(|| model.publish_time(&evidence)),
        title_block,
    }
}

/// What the candidates are found in.
pub(in crate::extract) struct Evidence<'a> {
    pub declared: &'a Declared,
    pub page: &'a Page,
    /// The heading that seems to be the title's; distances are counted from there.
    pub anchor: Option<usize>,
    pub publisher: &'a str,
    pub uri: &'a str,
    /// For each block whether it is short and holds a date.
    dated: Vec<bool>,
}

/// Bytes of the longest text in which a date is looked for.
const LONGEST_DATELINE: usize = 300;

impl<'a> Evidence<'a> {
    pub fn of(source: &'a Source, reading: &'a PageReading) -> Self {
        let is_dated = |text: &str| {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            text.len() <= LONGEST_DATELINE && digits > 2 && dates(text).next().is_some()
        };
        Self {
            declared: &reading.declared,
            page: &reading.page,
            anchor: reading.anchor,
            publisher: &reading.publisher,
            uri: &source.uri,
            dated: reading.page.blocks.iter().map(|block| is_dated(&block.text)).collect(),
        }
    }

    /// How many blocks behind the title a block stands.
    pub fn distance(&self, block: usize) -> isize {
        block as isize - self.anchor.unwrap_or(0) as isize
    }

    /// Whether a block holds a date.
    pub fn has_date(&self, block: usize) -> bool {
        self.dated.get(block).copied().unwrap_or(false)
    }

    /// Whether a block or one beside it holds a date.
    pub fn is_by_a_date(&self, block: usize) -> bool {
        (block.saturating_sub(1)..=block + 1).any(|block| self.has_date(block))
    }
}
