//! What the fuzz targets share.

#[path = "../sound/mod.rs"]
pub mod sound;

use std::sync::LazyLock;

use copydesk::analyzer::Analyzer;
use copydesk::document::Article;

pub static ENGINE: LazyLock<Analyzer> = LazyLock::new(|| Analyzer::load().expect("the models are sound"));

/// An article of this text alone.
pub fn article(data: &[u8]) -> Article {
    Article { text: String::from_utf8_lossy(data).into_owned(), ..Article::default() }
}
