//! The article in an HTML page.

mod class_words;
#[cfg(test)]
mod golden;
mod markup;
pub mod metadata;
pub(in crate::extract) mod model;
mod page;
mod shape;
pub mod train;

use std::borrow::Cow;

use self::class_words::UNLIKELY;
use self::metadata::Metadata;
use self::metadata::declared::Declared;
use self::metadata::model::MetadataModel;
use self::metadata::titles;
use self::model::PageModel;
use self::page::{Page, PageBlock};
use self::shape::Shape;
use super::bylines::{Byline, byline, dates, is_date_alone};
use super::{Extraction, charset, folded};
use crate::document::{Article, Block, BlockKind, Content, PublishTime, Source, Span, Warning};
use crate::text::language;

/// Probability from which on a block belongs to the article.
const IN_ARTICLE: f32 = 0.4;

/// And in the short article that seems to stand in its element.
const IN_SHORT_ARTICLE: f32 = 0.15;

/// A page that yields fewer bytes than this is read in other ways as well.
const SHORT_ARTICLE: usize = 250;

/// Bytes of the longest cell of a table that holds figures.
const LONGEST_CELL: usize = 120;

/// Blocks before and behind the title that may be a byline or dateline.
const BEFORE_TITLE: usize = 6;
const BEHIND_TITLE: usize = 14;

/// Bytes of the longest byline or dateline.
const LONGEST_BYLINE: usize = 160;

/// Finds the article of a page and what is known about it.
pub(in crate::extract) fn extract(source: &Source, model: &PageModel, chooser: &MetadataModel) -> Extraction {
    let mut warnings = Vec::new();
    let html = decoded(source, &mut warnings);
    let reading = PageReading::of(&html, false);
    let mut metadata = metadata::collect(source, &reading, chooser);
    let (mut text, mut blocks) = reading.article(model, &metadata);
    let article_body = reading.declared.article_body();
    if text.len() < SHORT_ARTICLE {
        // Pages that scripts build may hold their article for readers without scripts, or
        // in their declarations.
        let without_scripts = PageReading::of(&html, true);
        let others = metadata::collect(source, &without_scripts, chooser);
        let other = without_scripts.article(model, &others);
        if other.0.len() > text.len().max(SHORT_ARTICLE) {
            (text, blocks) = other;
            metadata = others;
        } else if article_body.len() > text.len().max(SHORT_ARTICLE) {
            (text, blocks) = paragraphs(&article_body);
        }
    }
    if text.is_empty() {
        warnings.push(Warning {
            reason: "NO_ARTICLE_FOUND",
            message: "no part of the page reads like an article".to_owned(),
        });
    }
    let language_code = match &source.language_code {
        known if !known.is_empty() => known.clone(),
        _ => language::detect(&text).map_or(reading.declared.language, str::to_owned),
    };
    let article = Article {
        language_code,
        title: metadata.title,
        text,
        blocks,
        publisher: metadata.publisher,
        authors: metadata.authors,
        publish_time: metadata.publish_time,
    };
    Extraction { article, warnings }
}

/// The page as text.
fn decoded<'a>(source: &'a Source, warnings: &mut Vec<Warning>) -> Cow<'a, str> {
    let (bytes, charset) = match &source.content {
        Content::Text(text) => return Cow::Borrowed(text),
        Content::Bytes { bytes, charset } => (bytes, charset),
    };
    let decoded = charset::decode(bytes, charset.as_deref());
    if decoded.damaged {
        warnings.push(Warning {
            reason: "UNDECODABLE_BYTES",
            message: "some bytes make no character in the page's charset; U+FFFD stands for them".to_owned(),
        });
    }
    Cow::Owned(decoded.text)
}

/// A page as read, before anything is judged.
pub(in crate::extract) struct PageReading {
    pub page: Page,
    pub declared: Declared,
    /// The name of the site or of its publisher.
    pub publisher: String,
    /// The number of the block that seems to hold the title.
    pub anchor: Option<usize>,
}

impl PageReading {
    /// Reads a page. `noscript` says whether what it shows to readers without scripts is
    /// read too.
    pub fn of(html: &str, noscript: bool) -> Self {
        let (page, declarations) = page::read(html, noscript);
        let declared = Declared::read(declarations);
        let publisher = declared.publisher();
        let anchor = titles::anchor(&declared, &page.blocks, &publisher);
        Self { page, declared, publisher, anchor }
    }

    /// The article's text, and every block of the page.
    fn article(&self, model: &PageModel, metadata: &Metadata) -> (String, Vec<Block>) {
        let blocks = &self.page.blocks;
        let shape = Shape::of(&self.page);
        let mut chances = model.judge(&self.page, &shape, self.anchor);
        judge_tables_whole(blocks, &mut chances);
        let mut keep: Vec<bool> = chances.iter().map(|&chance| chance >= IN_ARTICLE).collect();
        let sure = assemble(blocks, &keep, metadata);
        if sure.0.len() >= SHORT_ARTICLE {
            return sure;
        }
        // Around a few sentences that are sure stand comments and notices.
        let nothing_sure = sure.0.is_empty();
        for (number, keep) in keep.iter_mut().enumerate() {
            let likely = chances[number] >= IN_SHORT_ARTICLE && blocks[number].place.themes[UNLIKELY] == 0;
            *keep |= shape.core[number] && (nothing_sure || likely);
        }
        assemble(blocks, &keep, metadata)
    }
}

/// Whether a block is the label of an advertisement and nothing else.
fn announces_advertisement(text: &str) -> bool {
    const LABELS: [&str; 15] = [
        "ad", "advert", "advertisement", "advertising", "sponsored", "advertentie", "annonce", "annons",
        "anzeige", "pubblicità", "publicidad", "publicidade", "publicité", "reklama", "werbung",
    ];
    text.len() <= 40 && LABELS.contains(&folded(text).as_str())
}

/// Gives the cells of a table of figures one chance: half a table tells nothing. Tables that lay a page out
/// hold longer texts.
fn judge_tables_whole(blocks: &[PageBlock], chances: &mut [f32]) {
    let mut begin = 0;
    let same_table =
        |a: &PageBlock, b: &PageBlock| a.is_in_cell() == b.is_in_cell() && a.place.table == b.place.table;
    for table in blocks.chunk_by(same_table) {
        let chances = &mut chances[begin..begin + table.len()];
        begin += table.len();
        if table[0].is_in_cell() && table.iter().all(|cell| cell.text.len() <= LONGEST_CELL) {
            let bytes: usize = table.iter().map(|cell| cell.text.len()).sum();
            let sum: f32 =
                table.iter().zip(&*chances).map(|(cell, chance)| cell.text.len() as f32 * chance).sum();
            chances.fill(sum / bytes as f32);
        }
    }
}

/// A text whose lines are its paragraphs.
fn paragraphs(text: &str) -> (String, Vec<Block>) {
    let mut article = String::new();
    let mut blocks = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let span = append(&mut article, line);
        blocks.push(Block { kind: BlockKind::Paragraph, span: Some(span), source_span: None });
    }
    (article, blocks)
}

/// Adds a block to a text; returns its place there.
fn append(text: &mut String, block: &str) -> Span {
    if !text.is_empty() {
        text.push_str("\n\n");
    }
    let begin = text.len();
    text.push_str(block);
    Span::new(begin, text.len())
}

/// The article's text, and every block of the page with its place in it.
fn assemble(page: &[PageBlock], keep: &[bool], metadata: &Metadata) -> (String, Vec<Block>) {
    let title = metadata.title_block.unwrap_or(0);
    let beside_title = title.saturating_sub(BEFORE_TITLE)..title + BEHIND_TITLE;
    let mut text = String::new();
    let mut blocks = Vec::with_capacity(page.len());
    for (number, (block, &keep)) in page.iter().zip(keep).enumerate() {
        let keep = keep && !announces_advertisement(&block.text);
        let kind = match block.kind {
            _ if metadata.title_block == Some(number) => BlockKind::Title,
            kind if keep && kind.in_text() && beside_title.contains(&number) => {
                kind_alone(&block.text, metadata).unwrap_or(kind)
            }
            kind if keep || !kind.in_text() => kind,
            _ if beside_title.contains(&number) => kind_beside_title(&block.text, metadata),
            _ => BlockKind::Boilerplate,
        };
        let span = kind.in_text().then(|| append(&mut text, &block.text));
        blocks.push(Block { kind, span, source_span: None });
    }
    (text, blocks)
}

/// Byline or dateline, if a block that reads like part of the text is one and nothing else.
fn kind_alone(text: &str, metadata: &Metadata) -> Option<BlockKind> {
    let names_author = || metadata.authors.iter().any(|author| text.contains(author.as_str()));
    match byline(text) {
        Some(Byline::Labelled) => Some(BlockKind::Byline),
        Some(_) if names_author() => Some(BlockKind::Byline),
        // Other days may be the headings of a chronicle.
        _ => (is_date_alone(text) && kind_beside_title(text, metadata) == BlockKind::Dateline)
            .then_some(BlockKind::Dateline),
    }
}

/// Whether a block that is not part of the text tells who wrote it, or when.
fn kind_beside_title(text: &str, metadata: &Metadata) -> BlockKind {
    let published = metadata.publish_time.map(PublishTime::day);
    if text.len() > LONGEST_BYLINE {
        BlockKind::Boilerplate
    } else if metadata.authors.iter().any(|author| text.contains(author.as_str())) {
        BlockKind::Byline
    } else if dates(text).any(|date| Some(date.time.day()) == published || date.label.is_some()) {
        BlockKind::Dateline
    } else {
        BlockKind::Boilerplate
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::document::MimeType;
    use crate::model::ModelFile;

    fn extract(html: &str) -> Extraction {
        let source = Source {
            content: Content::Text(html.to_owned()),
            mime_type: MimeType::Html,
            ..Source::default()
        };
        let file = ModelFile::parse(crate::extract::PAGE_MODEL).unwrap();
        let chooser = ModelFile::parse(crate::extract::METADATA_MODEL).unwrap();
        super::extract(&source, &PageModel::read(&file).unwrap(), &MetadataModel::read(&chooser).unwrap())
    }

    const PAGE: &str = "<!doctype html><html lang=en><head><title>Ants return | The Daily</title>
        <meta property=og:site_name content='The Daily'><meta name=author content='Ann Lee'>
        <meta property=article:published_time content=2023-03-30T08:09:00+07:00></head>
        <body><nav><ul><li><a href=/>Home</a><li><a href=/n>News</a></ul></nav><article><h1>Ants return</h1>
        <p>By Ann Lee</p><p>The ants came back to the garden on Tuesday, the gardener said, and nobody
        was surprised, since they had come back in each of the last nine years.</p>
        <figure><img src=a.jpg><figcaption>An ant.</figcaption></figure>
        <p>They carried leaves, crumbs and a dead wasp across the path, and the cat watched them from
        the wall for most of the afternoon before it fell asleep.</p><p style='display: none'>Secret</p>
        <p>Next year they will be counted, the council has decided, by two students with a hand lens.</p>
        </article><footer><a href=/i>Imprint</a> Copyright The Daily</footer></body></html>";

    #[test]
    fn what_a_script_moves_into_place_is_read() {
        let body = PAGE.find("<article>").unwrap()..PAGE.find("</article>").unwrap() + "</article>".len();
        let streamed = format!(
            "{}<div><!--$?--><template id=B:0></template>Loading</div>{}<div hidden id=S:0>{}</div><script>$RC('B:0','S:0')</script>",
            &PAGE[..body.start],
            &PAGE[body.end..],
            &PAGE[body]
        );
        assert!(extract(&streamed).article.text.contains("came back to the garden on Tuesday"), "{streamed}");
    }

    #[test]
    fn a_table_is_kept_whole_or_not_at_all() {
        let cells = ["Party", "Seats", "Green", "14", "Labour", "11"];
        let table = "<table><tr><th>Party</th><th>Seats</th></tr><tr><td>Green</td><td>14</td></tr>
            <tr><td>Labour</td><td>11</td></tr></table>";
        let text = extract(&PAGE.replace("<figure>", &format!("{table}<figure>"))).article.text;
        let kept: Vec<&str> = text.lines().filter(|line| cells.contains(line)).collect();
        assert!(kept.is_empty() || kept == cells, "{kept:?}");
    }

    #[test]
    fn a_page_gives_its_article_and_what_is_known_about_it() {
        let article = extract(PAGE).article;
        assert_eq!(article.title, "Ants return");
        assert_eq!(article.authors, ["Ann Lee"]);
        assert_eq!(article.publisher, "The Daily");
        assert_eq!(article.publish_time.unwrap().to_string(), "2023-03-30T08:09:00+07:00");
        assert!(
            article.text.contains("came back to the garden on Tuesday")
                && article.text.contains("hand lens.")
        );
        for absent in ["Home", "An ant.", "Imprint", "Secret"] {
            assert!(!article.text.contains(absent), "{absent}");
        }
        assert!(article.blocks.iter().any(|block| block.kind == BlockKind::Caption && block.span.is_none()));
    }

    proptest::proptest! {
        #[test]
        fn any_markup_gives_the_same_answer_twice_and_valid_spans(
            page in "(<(/?(p|div|ul|li|b|a|table|td|h1|span|script|title|svg)|!--|x y=)[ >]|[a-zé\u{200b}🙂&;<>\"' \n]){0,120}"
        ) {
            let one = extract(&page);
            proptest::prop_assert_eq!(&one.article, &extract(&page).article);
            let mut end = 0;
            for span in one.article.blocks.iter().filter_map(|block| block.span) {
                proptest::prop_assert!(end <= span.begin && span.begin < span.end);
                proptest::prop_assert!(!span.of(&one.article.text).is_empty());
                end = span.end;
            }
            proptest::prop_assert_eq!(end, one.article.text.len());
        }
    }

    #[test]
    fn hostile_markup_is_read_in_bounded_time() {
        let mebi = |piece: &str| piece.repeat((1 << 18) / piece.len());
        let mut numbered = String::new();
        for n in 0..70_000 {
            numbered.push_str(&format!("<b id={n}>"));
        }
        let attributes = (0..90_000).fold("<p ".to_owned(), |page, n| page + &format!("attribute{n} "));
        for page in [
            mebi("<div>"),
            mebi("<b>"),
            mebi("<a <a "),
            mebi("<a><p>"),
            mebi("<table><tr><td>"),
            mebi("<table><div>x"),
            mebi("<ul><li>x"),
            mebi("<p><b><i>x"),
            mebi("<li><dd>x"),
            mebi("<span><li></span><x><dd></x>"),
            mebi("<div class=x>text, more text, </div>"),
            mebi("<br>"),
            mebi("<svg>"),
            mebi("<!--"),
            mebi("<script>"),
            mebi("</p>"),
            mebi("<p>word"),
            mebi("<form><div></form>"),
            mebi("<select><option>"),
            mebi("x"),
            mebi("<img><h1>a, b, c</h1>"),
            mebi("<a href=/author/x>A B</a>"),
            mebi("<div><time>x"),
            mebi("&amp;"),
            mebi("<"),
            mebi("<body a=1>"),
            numbered,
            attributes,
        ] {
            let started = Instant::now();
            let extraction = extract(&page);
            let taken = started.elapsed();
            assert!(taken < Duration::from_secs(5), "{:?}: {taken:?}", &page[..20]);
            assert!(extraction.article.text.len() <= page.len());
        }
    }
}
