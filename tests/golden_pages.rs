//! Pages whose lines are the hardest to judge, written for this test; a person has read what is
//! expected of each (tests/golden_pages/*.snap).

use copydesk::document::{Content, Source};
use copydesk::extract::{Extractor, Mode};

/// What a reader of the answer sees: the metadata, and every line with its kind.
fn lines_by_kind(page: &str) -> String {
    let extractor = Extractor::load().expect("the embedded model is sound");
    let source = Source { content: Content::Text(page.to_owned()), ..Source::default() };
    let article = extractor.extract(&source, Mode::Auto).article;
    let time = article.publish_time.map(|time| time.to_string()).unwrap_or_default();
    let mut shown = format!(
        "title: {}\nauthors: {}\npublisher: {}\ntime: {time}\n\n",
        article.title,
        article.authors.join("; "),
        article.publisher
    );
    for block in &article.blocks {
        let line = block.source_span.expect("plain text has source spans").of(page);
        shown.push_str(&format!("{:<12} {line}\n", format!("{:?}", block.kind)));
    }
    shown
}

macro_rules! golden {
    ($($(#[$what:meta])* $name:ident)*) => {$(
        $(#[$what])*
        #[test]
        fn $name() {
            let page = include_str!(concat!("golden_pages/", stringify!($name), ".txt"));
            insta::with_settings!({ snapshot_path => "golden_pages", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), lines_by_kind(page));
            });
        }
    )*};
}

golden! {
    /// One sentence, and then the footer.
    last_paragraph
    /// A lead alone between a date and a caption that stands twice.
    lone_lead
    /// Subheads of one word and items of five are the article; the lists around it are not.
    subheads_and_items
    /// Whole sentences that sell something, between the paragraphs.
    promotion
    /// An editor's note in a paragraph, metadata before it, credits and copies of the title behind.
    notes_and_credits
}
