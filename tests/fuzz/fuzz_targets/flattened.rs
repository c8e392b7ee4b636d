//! Pages flattened to text: an article with sound blocks, which are found in the page as it was sent.

#![no_main]

use copydesk::document::{Content, Source};
use copydesk::extract::Mode;
use copydesk_fuzz::{ENGINE, sound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let page = String::from_utf8_lossy(data).into_owned();
    let source = Source { content: Content::Text(page.clone()), ..Source::default() };
    let extraction = ENGINE.extract(&source, Mode::Auto);
    let article = &extraction.article;
    sound::assert_article(article);
    assert!(!article.text.is_empty() || !extraction.warnings.is_empty(), "nothing found, and nothing said");
    let mut end = 0;
    for span in article.blocks.iter().filter_map(|block| block.source_span) {
        assert!(end <= span.begin && page.get(span.range()).is_some(), "{span:?} in {} bytes", page.len());
        end = span.end;
    }
    let whole = ENGINE.extract(&source, Mode::None).article;
    sound::assert_article(&whole);
    assert_eq!(whole.text, page);
});
