//! The article in an HTML page.

use dom_query::{Document, NodeId};
use dom_smoothie::{Config, Readability};
use rustc_hash::FxHashSet;

use super::page::{self, PageBlock};
use super::{Extraction, charset, markup, page_metadata};
use crate::document::{Article, Block, Content, Source, Span, Warning};

/// Finds the article of a page and what is known about it.
pub(super) fn extract_html(source: &Source) -> Extraction {
    let decoded;
    let html = match &source.content {
        Content::Text(text) => text,
        Content::Bytes { bytes, charset } => {
            decoded = charset::decode(bytes, charset.as_deref());
            &decoded.text
        }
    };
    let markup = markup::rewrite(html);
    let document = Document::from(markup.html.as_str());
    let page = page::read(&document);
    let metadata = page_metadata::collect(source, &document, &page, &markup.json_ld);
    let kept = readable_nodes(document);
    let mut article = assemble(page.blocks, |block| block.nodes.iter().any(|node| kept.contains(node)));
    article.title = metadata.title;
    article.authors = metadata.authors;
    article.publisher = metadata.publisher;
    article.publish_time = metadata.publish_time;
    article.language_code = metadata.language;
    let mut warnings = Vec::new();
    if markup.simplified {
        warnings.push(Warning {
            reason: "PAGE_SIMPLIFIED",
            message: "the page nests its elements too deep; some of its structure was not read".to_owned(),
        });
    }
    Extraction { article, warnings }
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

fn assemble(blocks: Vec<PageBlock>, keep: impl Fn(&PageBlock) -> bool) -> Article {
    let mut article = Article::default();
    for block in blocks {
        let in_text = block.kind.in_text() && keep(&block);
        let kind = if in_text || !block.kind.in_text() {
            block.kind
        } else {
            crate::document::BlockKind::Boilerplate
        };
        let span = in_text.then(|| {
            if !article.text.is_empty() {
                article.text.push_str("\n\n");
            }
            let begin = article.text.len();
            article.text.push_str(&block.text);
            Span::new(begin, article.text.len())
        });
        article.blocks.push(Block { kind, span, source_span: None });
    }
    article
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::document::MimeType;

    fn extract(html: &str) -> Extraction {
        let source = Source {
            content: Content::Text(html.to_owned()),
            mime_type: MimeType::Html,
            ..Source::default()
        };
        extract_html(&source)
    }

    #[test]
    fn hostile_markup_is_read_in_bounded_time() {
        let mebi = |piece: &str| piece.repeat((1 << 20) / piece.len());
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
            eprintln!("{:?} {:?} {}", &page[..20.min(page.len())], taken, extraction.article.text.len());
        }
    }
}
