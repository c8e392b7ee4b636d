//! Phrases that say what a document is about.

use crate::document::KeyPhrase;
use crate::text::SegmentedArticle;

/// The `limit` best phrases, best first.
pub fn find(article: &SegmentedArticle, limit: usize) -> Vec<KeyPhrase> {
    let _ = (article, limit);
    Vec::new()
}
