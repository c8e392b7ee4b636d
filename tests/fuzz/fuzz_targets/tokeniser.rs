//! Sentences and tokens: in order, apart, whole, and countable in every unit.

#![no_main]

use copydesk::document::Section;
use copydesk::text::segment;
use copydesk_fuzz::{article, sound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let article = article(data);
    let text = &article.text;
    // Blocks begin where paragraphs do, and wherever the input has this character.
    let paragraphs = text.match_indices("\n\n").map(|(at, feeds)| at + feeds.len());
    let mut breaks: Vec<usize> = paragraphs.chain(text.match_indices('\u{b}').map(|(at, _)| at)).collect();
    breaks.sort_unstable();
    for breaks in [&[][..], &breaks] {
        let segmented = segment(text, Section::Body, breaks);
        sound::assert_segmented(&segmented);
        let sentences: Vec<_> = segmented.sentences.iter().map(|sentence| sentence.span).collect();
        sound::Texts::of(&article).assert_apart(&sentences);
    }
});
