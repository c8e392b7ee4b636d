//! From a page as it came in to the article in it.

pub mod charset;
mod html;
mod markup;
pub mod metadata;
mod page;
mod page_metadata;
mod page_model;
pub mod page_train;
pub mod train;

use self::page_model::PageModel;
use crate::document::{Article, MimeType, Source, Warning};
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
    info: ModelInfo,
    pages: PageModel,
}

/// The weights that judge the blocks of HTML pages.
const PAGE_MODEL: &[u8] = include_bytes!("../../models/page.bin");

impl Extractor {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let pages = PageModel::read(&ModelFile::parse(PAGE_MODEL)?)?;
        Ok(Self {
            pages,
            info: ModelInfo { name: "extract".into(), version: "0".into(), digest: String::new() },
        })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Never fails: a page without an article gives an empty text and a warning that says so.
    pub fn extract(&self, source: &Source, mode: Mode) -> Extraction {
        if mode == Mode::Auto && source.mime_type == MimeType::Html {
            return html::extract_html(source, &self.pages);
        }
        Extraction::default()
    }
}
