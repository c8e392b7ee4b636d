//! Pages in HTML, in whatever charset: an article with sound blocks.

#![no_main]

use copydesk::document::{Content, MimeType, Source};
use copydesk::extract::Mode;
use copydesk_fuzz::{ENGINE, sound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let content = Content::Bytes { bytes: data.to_vec(), charset: None };
    let source = Source { content, mime_type: MimeType::Html, ..Source::default() };
    let extraction = ENGINE.extract(&source, Mode::Auto);
    let article = &extraction.article;
    sound::assert_article(article);
    assert!(article.blocks.iter().all(|block| block.source_span.is_none()));
    assert!(article.authors.iter().all(|author| !author.trim().is_empty()));
    assert!(!article.text.is_empty() || !extraction.warnings.is_empty(), "nothing found, and nothing said");
});
