//! The article in an HTML page.

use dom_query::{Document, NodeId};
use dom_smoothie::{Config, Readability};
use rustc_hash::FxHashSet;

use super::page::{self, Page, PageBlock};
use super::page_metadata::Metadata;
use super::page_model::PageModel;
use super::{Extraction, charset, markup, page_metadata};
use crate::document::{Article, Block, BlockKind, Content, Source, Span, Warning};
use crate::text::language;

/// Probability from which on a block belongs to the article.
const IN_ARTICLE: f32 = 0.4;

/// A page that yields fewer bytes than this is read in a simpler way as well.
const SHORT_ARTICLE: usize = 250;

/// Finds the article of a page and what is known about it.
pub(super) fn extract_html(source: &Source, model: &PageModel) -> Extraction {
    let PageReading { page, metadata, mut warnings } = PageReading::of(source);
    let chances = model.judge(&page.blocks, metadata.title_block);
    let mut keep: Vec<bool> = chances.iter().map(|&chance| chance >= IN_ARTICLE).collect();
    let kept = |keep: &[bool]| -> usize {
        page.blocks.iter().zip(keep).filter(|(_, keep)| **keep).map(|(block, _)| block.text.len()).sum()
    };
    if kept(&keep) < SHORT_ARTICLE {
        let readable: Vec<bool> = page.blocks.iter().map(|block| block.readable > 0).collect();
        if kept(&readable) > kept(&keep) {
            keep = readable;
        }
    }
    let (text, blocks) = assemble(&page.blocks, &keep, metadata.title_block);
    if text.is_empty() {
        warnings.push(Warning {
            reason: "NO_ARTICLE_FOUND",
            message: "no part of the page reads like an article".to_owned(),
        });
    }
    let language = |text: &str| language::detect(text).map_or(metadata.language, str::to_owned);
    let article = Article {
        language_code: if source.language_code.is_empty() {
            language(&text)
        } else {
            source.language_code.clone()
        },
        title: metadata.title,
        text,
        blocks,
        publisher: metadata.publisher,
        authors: metadata.authors,
        publish_time: metadata.publish_time,
    };
    Extraction { article, warnings }
}

/// A page as read, before anything is judged.
pub(super) struct PageReading {
    pub page: Page,
    pub metadata: Metadata,
    pub warnings: Vec<Warning>,
}

impl PageReading {
    /// Decodes and parses the page once, and notes on each block what Readability keeps of it.
    pub fn of(source: &Source) -> Self {
        let mut warnings = Vec::new();
        let decoded;
        let html = match &source.content {
            Content::Text(text) => text,
            Content::Bytes { bytes, charset } => {
                decoded = charset::decode(bytes, charset.as_deref());
                if decoded.damaged {
                    warnings.push(Warning {
                        reason: "UNDECODABLE_BYTES",
                        message: "some bytes make no character in the page's charset; U+FFFD stands for them"
                            .to_owned(),
                    });
                }
                &decoded.text
            }
        };
        let markup = markup::rewrite(html);
        if markup.simplified {
            warnings.push(Warning {
                reason: "PAGE_SIMPLIFIED",
                message:
                    "the page has too many elements or nests them too deep; the tags of some were not read"
                        .to_owned(),
            });
        }
        let document = Document::from(markup.html.as_str());
        let mut page = page::read(&document);
        let metadata = page_metadata::collect(source, &document, &page, &markup.json_ld);
        let readable = readable_nodes(document);
        for block in &mut page.blocks {
            block.readable = block.nodes.iter().filter(|node| readable.contains(node)).count();
        }
        Self { page, metadata, warnings }
    }
}

/// The text nodes of the article as Readability finds it.
fn readable_nodes(document: Document) -> FxHashSet<NodeId> {
    let config = Config { disable_json_ld: true, ..Config::default() };
    let Ok(mut readability) = Readability::with_document(document, None, Some(config)) else {
        return FxHashSet::default();
    };
    if readability.parse().is_err() {
        return FxHashSet::default();
    }
    let root = readability.doc.select_single("#readability-page-1");
    let Some(root) = root.nodes().first() else { return FxHashSet::default() };
    root.descendants_it().filter(|node| node.is_text()).map(|node| node.id).collect()
}

/// The article's text, and every block of the page with its place in it.
fn assemble(page: &[PageBlock], keep: &[bool], title_block: Option<usize>) -> (String, Vec<Block>) {
    let mut text = String::new();
    let mut blocks = Vec::with_capacity(page.len());
    for (number, (block, &keep)) in page.iter().zip(keep).enumerate() {
        let kind = match block.kind {
            _ if title_block == Some(number) => BlockKind::Title,
            kind if keep || !kind.in_text() => kind,
            _ => BlockKind::Boilerplate,
        };
        let span = kind.in_text().then(|| {
            if !text.is_empty() {
                text.push_str("\n\n");
            }
            let begin = text.len();
            text.push_str(&block.text);
            Span::new(begin, text.len())
        });
        blocks.push(Block { kind, span, source_span: None });
    }
    (text, blocks)
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
        extract_html(&source, &PageModel::read(&file).unwrap())
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
