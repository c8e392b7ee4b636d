//! The whole engine: every analysis answers, with sound spans. A first byte of `<` is HTML.

#![no_main]

use copydesk::analyzer::{Checkpoint, Features, Options};
use copydesk::document::{Content, MimeType, Source};
use copydesk::extract::Mode;
use copydesk_fuzz::{ENGINE, sound};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mime_type = if data.starts_with(b"<") { MimeType::Html } else { MimeType::Plain };
    let content = Content::Bytes { bytes: data.to_vec(), charset: None };
    let source = Source { content, mime_type, ..Source::default() };
    let options = Options { features: Features::ALL, ..Options::default() };
    for mode in [Mode::Auto, Mode::None] {
        let analysis =
            ENGINE.analyze(&source, mode, &options, &Checkpoint::default(), &()).expect("no deadline");
        assert!(analysis.failed.is_empty(), "failed: {:?}", analysis.failed);
        sound::assert_analysis(&analysis);
    }
});
