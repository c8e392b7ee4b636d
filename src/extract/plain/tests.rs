//! Golden pages, written for these tests, with the lines that are hardest to judge.

use crate::document::{BlockKind, Content};
use crate::extract::*;
use proptest::prelude::*;

fn auto(content: &str) -> Extraction {
    extract(content, Mode::Auto)
}

fn extract(content: &str, mode: Mode) -> Extraction {
    static EXTRACTOR: std::sync::LazyLock<Extractor> =
        std::sync::LazyLock::new(|| Extractor::load().expect("the embedded model is sound"));
    let source = Source { content: Content::Text(content.to_owned()), ..Source::default() };
    EXTRACTOR.extract(&source, mode)
}

fn reasons(extraction: &Extraction) -> Vec<&'static str> {
    extraction.warnings.iter().map(|warning| warning.reason).collect()
}

/// Whether the text holds all of `kept` in this order and none of `left_out`.
fn assert_text(extraction: &Extraction, kept: &[&str], left_out: &[&str]) {
    let text = &extraction.article.text;
    let mut at = 0;
    for piece in kept {
        let found = text[at..].find(piece);
        assert!(found.is_some(), "missing or out of order: {piece:?}\n---\n{text}");
        at += found.unwrap_or_default() + piece.len();
    }
    for piece in left_out {
        assert!(!text.contains(piece), "left in: {piece:?}\n---\n{text}");
    }
}

/// A lead between title, date and caption; the caption twice; a note and a credit behind.
const HARBOUR: &str = include_str!("fixtures/harbour.txt");
/// Subheads, list items and a promotion that reads like prose.
const BEES: &str = include_str!("fixtures/bees.txt");

#[test]
fn an_article_run_together_to_one_line_is_found_among_short_ones() {
    let article = "ELLERY (Agency) -- The council voted on Tuesday to close the old fish market, which has stood \
        beside the harbour since 1911. The stalls will move to a hall at the station in the spring. \
        Traders asked for two more years and did not get them. \"Nobody told us what the rent would \
        be,\" said Marta Lind, who sells crabs. The council said that the roof could fall in any winter. \
        It put the cost of a new one at four million crowns. A vote on the ground that the market \
        leaves was put off until May. ";
    let article = article.repeat(5);
    let menu = "Home\nNews\nSport\nWeather\nSign in\nSubscribe\n* Most read\n* Bridge closed after storm\n";
    let below = "\nShare\nComments (3)\nContact us\nTerms of use\n© 2024 The Ellery Courier";
    let found = auto(&format!("{menu}{article}{below}"));
    assert_text(
        &found,
        &["The council voted on Tuesday", "put off until May."],
        &["Subscribe", "Terms of use"],
    );
}

#[test]
fn a_lead_between_date_and_caption_is_kept_and_a_menu_is_not() {
    let found = auto(HARBOUR);
    assert_eq!(found.article.title, "Port city signs deal for tidal barrier");
    assert_eq!(
        found.article.publish_time.map(|time| time.to_string()).as_deref(),
        Some("2024-06-11T09:20:00+02:00")
    );
    assert_text(
        &found,
        &[
            "The council of Ostermund signed an agreement on Monday",
            "Mayor Hedda Lunde said the barrier",
            "\"We have waited for this since the flood of 1987,\" she told reporters",
            "The project's first gates are due to close in 2029.",
        ],
        &["Vestby", "Photo:", "refiled", "Additional reporting", "Most read", "comments", "newsletter", "©"],
    );
}

#[test]
fn subheads_and_list_items_of_the_article_are_kept_and_promotion_is_not() {
    let found = auto(BEES);
    assert_eq!(found.article.title, "How three villages brought their bees back");
    assert_eq!(found.article.authors, ["Marit Solbakken"]);
    assert_text(
        &found,
        &[
            "When the orchards of the Lower Tann valley failed to set fruit",
            "What the villages planted",
            "white clover along the field edges",
            "A slow return",
            "Nobody here talks of a miracle, Brandt said, but the trees are humming again.",
        ],
        &["Subscribe", "Read next", "Enjoying this story", "Share", "cookies"],
    );
    let kind_of = |piece: &str| {
        let block = found
            .article
            .blocks
            .iter()
            .find(|block| block.source_span.is_some_and(|span| span.of(BEES).starts_with(piece)));
        block.map(|block| block.kind)
    };
    assert_eq!(kind_of("What the villages planted"), Some(BlockKind::Heading));
    assert_eq!(kind_of("white clover"), Some(BlockKind::ListItem));
}

#[test]
fn a_byline_and_date_below_the_title_are_read_with_and_without_a_menu_above() {
    const BODY: &str = "The city council of Harwick voted on Tuesday to close its ferry terminal, where the roof has \
        leaked for two years.\n\nCouncil leader Margaret Okafor said that the building was no longer safe, and that \
        a new hall would open on the other quay in 2026.\n\nThe operator said that it would appeal against the \
        decision, which it called hasty.";
    for (head, authors, time) in [
        ("By Tom Reed\n\nFebruary 6, 2024", vec!["Tom Reed"], "2024-02-06"),
        ("By Tom Reed, February 6, 2024", vec!["Tom Reed"], "2024-02-06"),
        ("By Tom Reed | February 6, 2024 | 6:05 PM EST", vec!["Tom Reed"], "2024-02-06T18:05:00-05:00"),
        ("Tom Reed\n\n2024-02-06T18:05:00Z", vec!["Tom Reed"], "2024-02-06T18:05:00Z"),
        ("BY TOM REED\nHARWICK HERALD", vec!["TOM REED"], ""),
        ("Tom Reed, Transport Correspondent\n\n6 February 2024", vec!["Tom Reed"], "2024-02-06"),
        ("By Tom Reed Updated February 6, 2024 6:05 PM EST", vec!["Tom Reed"], "2024-02-06T18:05:00-05:00"),
    ] {
        for menu in ["", "Home\nNews\nSport\nWeather\nSubscribe\n\n"] {
            let article = auto(&format!("{menu}Council closes ferry terminal\n\n{head}\n\n{BODY}")).article;
            assert_eq!(article.title, "Council closes ferry terminal", "{menu}{head}");
            assert_eq!(article.authors, authors, "{menu}{head}");
            let found = article.publish_time.map(|time| time.to_string()).unwrap_or_default();
            assert_eq!(found, time, "{menu}{head}");
            assert!(article.text.starts_with("The city council"), "{menu}{head}: {}", article.text);
        }
    }
}

#[test]
fn addresses_keep_their_ampersands_and_marks_without_width_are_left_out() {
    let found = auto(
        "The plan can be read at https://harwick.example/doc?id=1&copy=2&sect=4 until Friday, said the \u{2067}council\u{2069}.",
    );
    assert!(found.article.text.contains("id=1&copy=2&sect=4 until"), "{}", found.article.text);
    assert!(found.article.text.ends_with("said the council."));
}

#[test]
fn a_text_without_boilerplate_loses_nothing() {
    let prose = "The river rose by two metres overnight, officials said, and families left their homes.";
    let other = "Rescuers in boats reached the last farm at dawn, where a couple had waited on the roof.";
    for content in [prose.to_owned(), format!("{prose}\n\n{other}"), format!("{prose} {other} ").repeat(40)] {
        let found = auto(&content);
        assert_eq!(found.article.text.split_whitespace().count(), content.split_whitespace().count());
        assert!(found.warnings.is_empty());
    }
}

#[test]
fn prose_wrapped_at_a_column_is_put_together_and_its_spans_cover_the_lines() {
    let content = "\
The ministry said on Tuesday that it would lend the museum eleven paintings
which had hung in the stairwell of its headquarters since the building was
opened, among them two landscapes that were long thought to be lost and were
found by a cleaner.

\"They belong where people can see them,\" the minister said at a ceremony in
the capital, adding that the frames were older than the country itself and
that the insurance had cost more than the restoration.
";
    let found = auto(content);
    assert_eq!(found.article.blocks.len(), 2);
    assert!(found.article.text.contains("eleven paintings which had hung in the stairwell"));
    let first = found.article.blocks[0].source_span.expect("plain text has source spans").of(content);
    assert!(first.starts_with("The ministry") && first.ends_with("by a cleaner."));
}

#[test]
fn metadata_glued_to_the_first_sentence_becomes_metadata() {
    let found = auto(
        " date 2024-05-06 (Reuters) -- Ministers of the lake states met in Lund on Monday to share out the catch.\n\n\
         They agreed on a quota that is a third lower than last year's, and will meet again in the autumn./.",
    );
    assert!(found.article.text.starts_with("Ministers of the lake states"));
    assert!(found.article.text.ends_with("in the autumn."));
    assert_eq!(found.article.publisher, "Reuters");
    assert_eq!(found.article.publish_time.map(|time| time.to_string()).as_deref(), Some("2024-05-06"));
}

#[test]
fn entities_are_decoded_and_white_space_is_collapsed() {
    let found = auto(
        "The museum&#039;s   director said &quot;no&quot; to\u{a0}the offer, and the board of trustees agreed with her.",
    );
    assert!(found.article.text.starts_with("The museum's director said \"no\" to the offer"));
}

#[test]
fn what_holds_no_article_says_so() {
    assert_eq!(reasons(&auto(" \n\t\n ")), ["EMPTY_CONTENT"]);
    let menu =
        "Home\nNews\nSport\nWeather\nLog in\nRegister\nFollow us\nTerms of use\n© 2024 All rights reserved";
    assert_eq!(reasons(&auto(menu)), ["NO_ARTICLE_FOUND"]);
    assert_eq!(auto(menu).article.text, "");
}

#[test]
fn known_titles_and_times_win_over_found_ones() {
    let source = Source {
        content: Content::Text(HARBOUR.to_owned()),
        title: "Barrier deal signed".to_owned(),
        publish_time: "2020-01-02".parse().ok(),
        ..Source::default()
    };
    let found = Extractor::load().expect("the embedded model is sound").extract(&source, Mode::Auto);
    assert_eq!(found.article.title, "Barrier deal signed");
    assert_eq!(found.article.publish_time.map(|time| time.to_string()).as_deref(), Some("2020-01-02"));
}

#[test]
fn large_and_strange_contents_are_read_in_time() {
    let started = std::time::Instant::now();
    for content in
        ["word ".repeat(200_000), "a".repeat(1 << 20), "x\n".repeat(500_000), "🦀 ".repeat(200_000)]
    {
        let found = auto(&content);
        assert!(found.article.text.len() <= content.len());
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

fn assert_spans(content: &str, extraction: &Extraction) {
    let text = &extraction.article.text;
    let (mut text_at, mut source_at) = (0, 0);
    for block in &extraction.article.blocks {
        let source = block.source_span.expect("plain text has source spans");
        assert!(
            source_at <= source.begin && content.get(source.range()).is_some_and(|piece| !piece.is_empty())
        );
        source_at = source.end;
        assert_eq!(block.span.is_some(), block.kind.in_text());
        if let Some(span) = block.span {
            assert!(text_at <= span.begin && text.get(span.range()).is_some_and(|piece| !piece.is_empty()));
            text_at = span.end;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn spans_lie_on_characters_sorted_and_apart(content in "(\\PC|\n|\r|&#39;|- |[a-zé ]{0,40}\\.){0,80}") {
        assert_spans(&content, &auto(&content));
    }

    #[test]
    fn without_extraction_the_text_is_the_content(content in "(\\PC|\n|\r|\t){0,60}") {
        let found = extract(&content, Mode::None);
        prop_assert_eq!(&found.article.text, &content);
        assert_spans(&content, &found);
        prop_assert!(found.article.blocks.iter().all(|block| block.span == block.source_span));
    }
}
