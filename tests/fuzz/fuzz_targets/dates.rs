//! Dates and times in a text, with and without a day to count from.

#![no_main]

use copydesk::dates;
use copydesk::document::{PublishTime, Section};
use copydesk::text::segment_article;
use copydesk_fuzz::{article, sound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let article = article(data);
    // The first line is read as a publication time, too.
    let first = article.text.lines().next().and_then(|line| line.parse::<PublishTime>().ok());
    if let Some(time) = first {
        assert_eq!(time.to_string().parse(), Ok(time));
    }
    let texts = sound::Texts::of(&article);
    let segmented = segment_article(&article);
    for anchor in [None, first, "2024-02-29T23:59:59-11:00".parse().ok()] {
        let found = dates::find(&segmented, anchor);
        assert!(found.iter().all(|expression| expression.span.section == Section::Body));
        texts.assert_apart(&found.iter().map(|expression| expression.span.span).collect::<Vec<_>>());
        assert!(found.iter().all(|expression| !expression.value.contains(char::is_whitespace)));
    }
});
