//! From a page as it came in to the article in it.

mod features;
mod flat;
mod glue;
mod lines;
pub mod metadata;
mod plain;
pub mod train;

use crate::document::{Article, Content, Source, Warning};
use crate::model::{ModelError, ModelFile, ModelInfo};
use lines::LineModel;

/// How much of the page becomes the article's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Menus, teasers, captions and notices are left out.
    #[default]
    Auto,
    /// The content stays as it is: `text` equals it byte for byte.
    None,
}

/// What came out of a page.
#[derive(Clone, Debug, Default)]
pub struct Extraction {
    pub article: Article,
    pub warnings: Vec<Warning>,
}

/// Finds articles in pages. Immutable; share it.
pub struct Extractor {
    lines: LineModel,
}

impl Extractor {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let file = ModelFile::parse(include_bytes!("../../models/extract.bin"))?;
        Ok(Self { lines: LineModel::read(&file)? })
    }

    pub fn info(&self) -> &ModelInfo {
        self.lines.info()
    }

    /// Never fails: a page without an article gives an empty text and a warning that says so.
    pub fn extract(&self, source: &Source, mode: Mode) -> Extraction {
        let content = match &source.content {
            Content::Text(text) => text.as_str(),
            Content::Bytes { .. } => "",
        };
        let mut extraction = match mode {
            Mode::None => plain::whole(content),
            Mode::Auto => plain::extract(source, content, &self.lines),
        };
        hints_win(source, &mut extraction.article);
        extraction
    }
}

/// What the client knows beforehand stands above what the page says.
fn hints_win(source: &Source, article: &mut Article) {
    let known = |hint: &str, found: &mut String| {
        if !hint.is_empty() {
            hint.clone_into(found);
        }
    };
    known(source.title.trim(), &mut article.title);
    known(&source.language_code, &mut article.language_code);
    known(source.publisher.trim(), &mut article.publisher);
    if !source.authors.is_empty() {
        article.authors.clone_from(&source.authors);
    }
    article.publish_time = source.publish_time.or(article.publish_time);
}

#[cfg(test)]
mod plain_tests;
