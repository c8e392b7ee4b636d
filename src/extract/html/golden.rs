//! What a user gets from HTML pages of many makes.

use crate::document::{BlockKind, Content, MimeType, Source};
use crate::extract::{Extraction, Extractor, Mode};

fn extract(page: impl Into<Page>) -> Extraction {
    let Page(content) = page.into();
    let source = Source { content, mime_type: MimeType::Html, ..Source::default() };
    Extractor::load().unwrap().extract(&source, Mode::Auto)
}

/// A page as text or as bytes.
struct Page(Content);

impl From<&str> for Page {
    fn from(text: &str) -> Self {
        Self(Content::Text(text.to_owned()))
    }
}

impl From<String> for Page {
    fn from(text: String) -> Self {
        Self(Content::Text(text))
    }
}

impl From<(Vec<u8>, Option<&str>)> for Page {
    fn from((bytes, charset): (Vec<u8>, Option<&str>)) -> Self {
        Self(Content::Bytes { bytes, charset: charset.map(str::to_owned) })
    }
}

const FIRST: &str = "The harbour of Lindholm will be closed to cars from the first of May, the town council \
    decided on Tuesday after a debate that lasted until midnight.";
const SECOND: &str = "Shopkeepers along the quay fear for their trade, said Marta Weil, who has sold rope and \
    lamps there for thirty years and who collected four hundred signatures.";
const THIRD: &str = "The council will look at the figures again in autumn, and may open one lane for deliveries \
    in the morning if the shops can show that they have lost customers.";

fn story() -> String {
    format!("<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>")
}

fn page(head: &str, body: &str) -> String {
    format!("<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>")
}

fn paragraphs(extraction: &Extraction) -> Vec<&str> {
    extraction.article.text.split("\n\n").collect()
}

// --- Where the article stands -----------------------------------------------------------

#[test]
fn an_article_for_readers_without_scripts_is_read_where_there_is_no_other() {
    let hidden = format!("<h1>Harbour closes</h1><div id=app>Loading</div><noscript>{}</noscript>", story());
    assert_eq!(paragraphs(&extract(page("", &hidden))), [FIRST, SECOND, THIRD]);
    let both =
        format!("<h1>Harbour closes</h1>{}<noscript><p>Please switch on scripts.</p></noscript>", story());
    assert_eq!(paragraphs(&extract(page("", &both))), [FIRST, SECOND, THIRD]);
}

#[test]
fn a_short_article_is_kept_apart_from_comments_and_notices() {
    let body = format!(
        "<article><h1>Harbour closes to cars</h1><p>{FIRST}</p><div id=comments><p>Terrible decision, I have parked \
        on that quay for forty years. Bob</p><p>About time too!</p></div></article><div class=cookie><p>We use cookies \
        and similar technologies to personalise content and to analyse our traffic.</p></div>"
    );
    assert_eq!(paragraphs(&extract(page("<title>Harbour closes to cars</title>", &body))), [FIRST]);
}

#[test]
fn an_advertisement_between_paragraphs_is_left_out() {
    let body = format!(
        "<article><h1>Harbour closes to cars</h1><p>{FIRST}</p><div class=ad><p>Advertisement</p></div><p>{SECOND}</p>\
        <p>{THIRD}</p></article>"
    );
    assert_eq!(
        paragraphs(&extract(page("<title>Harbour closes to cars</title>", &body))),
        [FIRST, SECOND, THIRD]
    );
}

#[test]
fn comments_inside_the_article_are_left_out() {
    let body = format!(
        "<article class=story><h1>Harbour closes to cars</h1>{}<div class=post-comments-list><p>I have parked on that quay for forty years and I will not stop now, whatever they decide.</p><p>Good riddance to \
        the cars, and about time, too, my children play there.</p></div></article>",
        story()
    );
    assert_eq!(
        paragraphs(&extract(page("<title>Harbour closes to cars</title>", &body))),
        [FIRST, SECOND, THIRD]
    );
}

#[test]
fn markup_in_a_declared_article_is_read_as_markup() {
    let json = format!(
        r#"<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "Harbour closes",
        "articleBody": "<p class='x'>{FIRST}</p><p>{SECOND} <a href='y'>More</a></p>"}}</script>"#
    );
    let found = extract(page(&json, "<div id=root></div>"));
    assert_eq!(paragraphs(&found), [FIRST, format!("{SECOND} More").as_str()]);
}

#[test]
fn an_article_that_only_json_ld_holds_is_read_there() {
    let json = format!(
        r#"<script type="application/ld+json">{{"@graph": [{{"@type": "WebPage"}}, {{"@type": ["NewsArticle"],
        "headline": "Harbour closes", "author": [{{"@type": "Person", "name": "Ann Lee"}}],
        "datePublished": "2023-03-30T08:09:00+07:00", "articleBody": "{FIRST}\n\n{SECOND}"}}]}}</script>"#
    );
    let extraction = extract(page(&json, "<div id=root></div>"));
    assert_eq!(extraction.article.title, "Harbour closes");
    // A line break in a JSON string is invalid and frequent; it ends a paragraph.
    assert_eq!(paragraphs(&extraction).len(), 2);
    assert!(extraction.article.text.starts_with(FIRST) && extraction.article.text.ends_with(SECOND));
}

#[test]
fn preformatted_lines_keep_their_breaks() {
    const LETTER: &str = "Dear neighbours, we have sold rope on this quay for thirty years,\n  and we would \
        like to go on selling it there, if the council lets us.\nPlease sign the list that lies in our shop.";
    let body = format!(
        "<h1>Harbour closes</h1><article><p>{FIRST}</p><pre>{LETTER}</pre><p>{SECOND}</p><p>{THIRD}</p></article>"
    );
    assert_eq!(paragraphs(&extract(page("", &body))), [FIRST, LETTER, SECOND, THIRD]);
}

#[test]
fn an_amp_page_gives_its_article() {
    let page = format!(
        "<!doctype html><html ⚡ lang=en><head><title>Harbour closes</title>
        <style amp-boilerplate>body{{visibility:hidden}}</style><script async src=v0.js></script></head><body>
        <amp-sidebar id=menu layout=nodisplay><ul><li><a href=/>Home</a><li><a href=/n>News</a></ul></amp-sidebar>
        <article><h1>Harbour closes</h1><amp-img src=a.jpg width=4 height=3></amp-img>{}
        <amp-ad width=300 height=250 type=x></amp-ad></article></body></html>",
        story()
    );
    let extraction = extract(page);
    assert_eq!(extraction.article.title, "Harbour closes");
    assert_eq!(paragraphs(&extraction), [FIRST, SECOND, THIRD]);
}

#[test]
fn what_frames_hold_is_not_the_article_but_what_stands_for_them_is_read() {
    let body = format!(
        "<h1>Harbour closes</h1><article>{}<iframe src=/ad>Your browser shows no frames, sorry about that.</iframe></article>",
        story()
    );
    assert_eq!(paragraphs(&extract(page("", &body))), [FIRST, SECOND, THIRD]);
    let frames = format!(
        "<html><head><title>Harbour closes</title></head><frameset cols='20%,80%'><frame src=menu.html><frame src=text.html><noframes><body>{}</body></noframes></frameset></html>",
        story()
    );
    assert_eq!(paragraphs(&extract(frames)), [FIRST, SECOND, THIRD]);
}

#[test]
fn what_readers_do_not_see_is_left_out() {
    let secret =
        "This paragraph is here for machines alone, and nobody who reads the page will ever see it there.";
    for attribute in
        ["hidden", "style='color: red; DISPLAY : none'", "style=visibility:hidden", "aria-hidden=true"]
    {
        let body = format!(
            "<h1>Harbour closes</h1><article><p>{FIRST}</p><div {attribute}><p>{secret}</p></div><p>{SECOND}</p><p>{THIRD}</p></article>"
        );
        assert_eq!(paragraphs(&extract(page("", &body))), [FIRST, SECOND, THIRD], "{attribute}");
    }
}

// --- Charsets ---------------------------------------------------------------------------

/// The article's first paragraph, with letters that charsets write differently.
const ACCENTED: &str = "Der Hafen von Lindholm wird für Autos geschlossen, beschloss der Stadtrat am Dienstag \
    nach einer Debatte, die bis Mitternacht dauerte; die Händler fürchten große Verluste.";

fn accented(head: &str) -> String {
    page(head, &format!("<h1>Hafen schließt</h1><article><p>{ACCENTED}</p><p>{ACCENTED}</p></article>"))
}

fn latin(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

#[test]
fn a_page_is_decoded_by_what_its_bytes_allow() {
    let utf8 = |head: &str| accented(head).into_bytes();
    for (what, bytes, label) in [
        ("declared by the header", latin(&accented("")), Some("windows-1252")),
        ("declared by the page", latin(&accented("<meta charset=iso-8859-1>")), None),
        ("declared by neither", latin(&accented("")), None),
        ("wrongly declared by the page", latin(&accented("<meta charset=utf-8>")), None),
        ("wrongly declared by the header", utf8(""), Some("windows-1252")),
        ("wrongly declared by both", utf8("<meta charset=iso-8859-1>"), Some("ascii")),
        ("declared by an unknown name", utf8("<meta charset=none>"), Some("x-klingon")),
    ] {
        let extraction = extract((bytes, label));
        assert_eq!(extraction.article.title, "Hafen schließt", "{what}");
        assert!(extraction.article.text.contains(ACCENTED), "{what}: {}", extraction.article.text);
        assert!(extraction.warnings.is_empty(), "{what}");
    }
}

#[test]
fn a_page_of_two_charsets_is_read_in_both() {
    let mut bytes = accented("<meta charset=utf-8>").into_bytes();
    let place = bytes.windows(8).position(|window| window == b"</p></ar").unwrap();
    bytes.splice(place..place, latin(" Das „Boot“ fährt."));
    let extraction = extract((bytes, None));
    assert!(
        extraction.article.text.contains("Händler") && extraction.article.text.ends_with("Das „Boot“ fährt.")
    );
}

#[test]
fn bytes_that_make_no_character_are_reported() {
    let mut bytes = vec![0xef, 0xbb, 0xbf];
    bytes.extend(accented("").into_bytes());
    let place = bytes.windows(8).position(|window| window == b"</p></ar").unwrap();
    bytes.splice(place..place, [b' ', 0xff]);
    let extraction = extract((bytes, None));
    assert!(extraction.article.text.ends_with('\u{fffd}'));
    assert_eq!(extraction.warnings[0].reason, "UNDECODABLE_BYTES");
}

// --- Metadata ---------------------------------------------------------------------------

#[test]
fn bylines_and_datelines_have_their_own_kinds() {
    let body = format!(
        "<article><h1>Harbour closes to cars</h1><p class=byline>By Ann Lee and Bob Ray</p>
        <time datetime=2023-03-30T08:09:00+07:00>March 30, 2023</time>{}</article>",
        story()
    );
    let article = extract(page("<title>Harbour closes to cars | The Daily</title>", &body)).article;
    let kinds: Vec<BlockKind> = article.blocks.iter().map(|block| block.kind).collect();
    assert_eq!(kinds[..3], [BlockKind::Title, BlockKind::Byline, BlockKind::Dateline]);
    assert_eq!(article.authors, ["Ann Lee", "Bob Ray"]);
    assert_eq!(article.publish_time.unwrap().to_string(), "2023-03-30T08:09:00+07:00");
}

#[test]
fn a_byline_and_date_in_paragraphs_of_their_own_are_no_part_of_the_text() {
    let body = format!(
        "<article><h1>Harbour closes to cars</h1><p>By Ann Lee</p><p>30 March 2023</p>{}</article>",
        story()
    );
    let found = extract(page("<title>Harbour closes to cars</title>", &body));
    assert_eq!(paragraphs(&found), [FIRST, SECOND, THIRD]);
    assert_eq!(found.article.authors, ["Ann Lee"]);
    assert_eq!(found.article.publish_time.unwrap().to_string(), "2023-03-30");
}

#[test]
fn the_hour_is_that_of_the_publication_and_not_of_a_change_on_its_day() {
    let published = |key: &str, value: &str| format!("<meta property={key} content={value}>");
    let json = r#"<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Harbour closes to cars",
        "datePublished": "2023-03-30T08:00:00Z"}</script>"#;
    let changed = published("article:modified_time", "2023-03-30T19:30:00Z");
    for (head, expected) in [
        (format!("{json}{changed}"), "2023-03-30T08:00:00Z"),
        (published("article:published_time", "2023-03-30") + &changed, "2023-03-30"),
    ] {
        let head = format!("<title>Harbour closes to cars</title>{head}");
        let body = format!("<article><h1>Harbour closes to cars</h1>{}</article>", story());
        let time = extract(page(&head, &body)).article.publish_time;
        assert_eq!(time.map(|time| time.to_string()).as_deref(), Some(expected), "{head}");
    }
}

#[test]
fn the_article_of_several_declared_ones_is_that_with_the_pages_title() {
    let json = r#"<script type="application/ld+json">{"@graph": [
        {"@type": "NewsArticle", "headline": "Bus fares to rise", "datePublished": "2020-01-05T18:00:00Z"},
        {"@type": "NewsArticle", "headline": "Harbour closes to cars", "datePublished": "2023-03-30T08:00:00Z"}]}</script>"#;
    let head = format!("<title>Harbour closes to cars</title>{json}");
    let body = format!("<article><h1>Harbour closes to cars</h1>{}</article>", story());
    let time = extract(page(&head, &body)).article.publish_time;
    assert_eq!(time.map(|time| time.to_string()).as_deref(), Some("2023-03-30T08:00:00Z"));
}

#[test]
fn a_declared_author_is_taken_and_the_site_is_none() {
    let json = r#"<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Harbour closes to cars",
        "author": {"@type": "Person", "name": "Ann Lee"}, "datePublished": "2023-03-30"}</script>"#;
    let site = "<meta property=og:site_name content='Harwick Herald'>";
    let footer = "<footer>© 2023 Harwick Herald. All rights reserved.</footer>";
    for (head, byline, footer, authors) in [
        (json, "", "", vec!["Ann Lee"]),
        (site, "", footer, vec![]),
        (site, "<p class=byline>By Ann Lee, Harwick Herald</p>", footer, vec!["Ann Lee"]),
        ("", "<p class=byline>By Ann Lee 30 March 2023</p>", "", vec!["Ann Lee"]),
    ] {
        let body = format!("<article><h1>Harbour closes to cars</h1>{byline}{}</article>{footer}", story());
        let head = format!("<title>Harbour closes to cars</title>{head}");
        let article = extract(page(&head, &body)).article;
        assert_eq!(article.authors, authors, "{head} {byline}");
    }
}

#[test]
fn authors_are_found_in_many_places_and_cleaned() {
    let json = |author: &str| {
        format!(
            r##"<script type="application/ld+json">[{{"@context": "https://schema.org", "@graph":
            [{{"@type": "NewsArticle", "headline": "Harbour closes", "author": {author}}},
            {{"@type": "Person", "@id": "#lee", "name": "Ann Lee"}}]}}]</script>"##
        )
    };
    for (head, byline) in [
        (json(r##"{"@id": "#lee"}"##), ""),
        (
            json(r#"[{"@type": "Person", "name": "Ann Lee"}]"#),
            "<p>By Ann Lee, Senior Political Correspondent</p>",
        ),
        ("<meta name=author content='Ann Lee'>".to_owned(), "<p class=author>Ann Lee</p>"),
        (String::new(), "<p class=byline>By <a rel=author href=/a/lee>Ann Lee</a>, Staff Writer</p>"),
        (String::new(), "<p>Written by: Ann Lee (ann@example.com)</p>"),
    ] {
        let body = format!("<article><h1>Harbour closes to cars</h1>{byline}{}</article>", story());
        let head = format!("<title>Harbour closes to cars</title>{head}");
        assert_eq!(extract(page(&head, &body)).article.authors, ["Ann Lee"], "{head} {byline}");
    }
}

#[test]
fn nothing_is_invented_for_a_page_that_names_nobody_and_no_day() {
    let body = format!(
        "<nav><a href=/>Home</a> <a href=/l>Local News</a></nav><article><h1>Harbour closes to cars</h1>{}</article>
        <footer>© 2023 The Daily</footer>",
        story()
    );
    let article = extract(page("<title>Harbour closes to cars</title>", &body)).article;
    assert!(article.authors.is_empty(), "{:?}", article.authors);
    assert_eq!(article.publish_time, None);
}

#[test]
fn the_publication_time_is_not_that_of_a_change() {
    let head = "<title>Harbour closes to cars</title>
        <meta property=article:published_time content=2023-03-30T08:09:00+07:00>
        <meta property=article:modified_time content=2023-04-02T10:00:00+07:00>";
    let body = format!(
        "<article><h1>Harbour closes to cars</h1><p>Published March 30, 2023</p><p>Updated April 2, 2023</p>{}</article>",
        story()
    );
    let time = extract(page(head, &body)).article.publish_time.unwrap();
    assert_eq!(time.to_string(), "2023-03-30T08:09:00+07:00");
}

#[test]
fn titles_lose_the_name_of_the_site() {
    for (title, heading) in [
        ("Harbour closes to cars | The Daily", "<h1>Harbour closes to cars</h1>"),
        ("Harbour closes to cars - The Daily", ""),
        ("The Daily: Harbour closes to cars", "<h2>Harbour closes to cars</h2>"),
    ] {
        let head = format!("<title>{title}</title><meta property=og:site_name content='The Daily'>");
        let article = extract(page(&head, &format!("<article>{heading}{}</article>", story()))).article;
        assert_eq!(article.title, "Harbour closes to cars", "{title} {heading}");
    }
}

#[test]
fn broken_declarations_are_passed_over() {
    for json in [
        "{",
        "",
        "[[[[[[",
        r#"{"@type": "NewsArticle", "author": {"name": {"name": 7}}, "datePublished": ["x"]}"#,
        r#"{"@type": 7, "@id": {}, "headline": null, "author": [null, [[]], {}]}"#,
        r#"<!-- {"@type": "NewsArticle", "datePublished": "9999-99-99"} -->"#,
    ] {
        let head = format!("<title>Harbour closes</title><script type='application/ld+json'>{json}</script>");
        let article =
            extract(page(&head, &format!("<article><h1>Harbour closes</h1>{}</article>", story()))).article;
        assert_eq!(article.title, "Harbour closes", "{json}");
        assert_eq!((article.authors.len(), article.publish_time), (0, None), "{json}");
    }
}
