//! From a page as it came in to the article in it.

mod bylines;
pub mod charset;
pub mod html;
pub mod plain;

use std::borrow::Cow;

use self::html::metadata::model::MetadataModel;
use self::html::model::PageModel;
use self::plain::lines::LineModel;
use crate::document::{Article, Content, MimeType, Source, Warning};
use crate::model::{ModelError, ModelFile, ModelInfo};

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
    pages: PageModel,
    metadata: MetadataModel,
}

/// The weights that judge the blocks of HTML pages.
const PAGE_MODEL: &[u8] = include_bytes!("../../models/pages.bin");

/// The weights that choose title, authors and publication time of HTML pages.
const METADATA_MODEL: &[u8] = include_bytes!("../../models/metadata.bin");

/// The weights that judge the lines of flattened pages.
const LINE_MODEL: &[u8] = include_bytes!("../../models/lines.bin");

impl Extractor {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let lines = LineModel::read(&ModelFile::parse(LINE_MODEL)?)?;
        let pages = PageModel::read(&ModelFile::parse(PAGE_MODEL)?)?;
        let metadata = MetadataModel::read(&ModelFile::parse(METADATA_MODEL)?)?;
        Ok(Self { lines, pages, metadata })
    }

    /// The models of lines, of pages and of their metadata.
    pub fn infos(&self) -> [&ModelInfo; 3] {
        [self.lines.info(), self.pages.info(), self.metadata.info()]
    }

    /// Never fails: a page without an article gives an empty text and a warning that says so.
    pub fn extract(&self, source: &Source, mode: Mode) -> Extraction {
        let mut extraction = match (mode, source.mime_type) {
            (Mode::Auto, MimeType::Html) => html::extract(source, &self.pages, &self.metadata),
            (Mode::Auto, MimeType::Plain) => {
                extract_text(source, |text| plain::extract(source, text, &self.lines))
            }
            (Mode::None, _) => extract_text(source, plain::whole),
        };
        hints_win(source, &mut extraction.article);
        extraction
    }
}

/// Extracts from decoded text. Source spans count the bytes as sent, so that there are
/// none where the text had to be decoded from other bytes.
fn extract_text(source: &Source, extract: impl Fn(&str) -> Extraction) -> Extraction {
    let text = match &source.content {
        Content::Text(text) => Cow::Borrowed(text.as_str()),
        Content::Bytes { bytes, charset } => Cow::Owned(charset::decode(bytes, charset.as_deref()).text),
    };
    let mut extraction = extract(&text);
    let as_sent = match &source.content {
        Content::Text(_) => true,
        Content::Bytes { bytes, .. } => text.as_bytes() == bytes.as_slice(),
    };
    if !as_sent || source.mime_type == MimeType::Html {
        for block in &mut extraction.article.blocks {
            block.source_span = None;
        }
    }
    extraction
}

/// The letters and digits of a text in lower case, by which titles, names and lines are compared.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Marks that take no room and break no word: soft hyphens, zero-width spaces, byte order marks,
/// and those that turn the direction of writing. Joiners change how letters look, and stay.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
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
