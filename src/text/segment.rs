//! Cuts texts into sentences and tokens.

use super::{Segmented, SegmentedArticle, sentences, tokens};
use crate::document::{Article, Section};

/// Cuts `text` into sentences and tokens. `breaks` are the offsets, in order, where a block
/// begins: no sentence runs over one.
pub fn segment<'a>(text: &'a str, section: Section, breaks: &[usize]) -> Segmented<'a> {
    let tokens = tokens::tokenize(text);
    let sentences = sentences::split(text, &tokens, breaks);
    Segmented { text, section, tokens, sentences }
}

/// Cuts an article's title and body.
pub fn segment_article(article: &Article) -> SegmentedArticle<'_> {
    let breaks: Vec<usize> =
        article.blocks.iter().filter_map(|block| block.span).map(|span| span.begin).collect();
    SegmentedArticle {
        article,
        title: segment(&article.title, Section::Title, &[]),
        body: segment(&article.text, Section::Body, &breaks),
    }
}
