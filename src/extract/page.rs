//! A parsed page as a sequence of blocks: the runs of text that a reader sees apart.

use dom_query::{Document, NodeData, NodeId, NodeRef};

use crate::document::BlockKind;

/// A paragraph, heading, list item or the like, with what the page's structure says of it.
#[derive(Clone, Debug)]
pub(super) struct PageBlock {
    /// White space collapsed, without any at its ends; never empty.
    pub text: String,
    /// What the markup alone makes of it.
    pub kind: BlockKind,
    /// The text nodes it is made of.
    pub nodes: Vec<NodeId>,
    /// Bytes of `text` inside links.
    pub linked: usize,
    pub place: Place,
}

/// Where in the page a block stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// 1 to 6 inside a heading, else 0.
    pub heading: u8,
    pub list: u16,
    pub quotation: u16,
    pub caption: u16,
    pub table: u16,
    pub cell: u16,
    pub link: u16,
    pub preformatted: u16,
    /// Inside `<article>` or `<main>`.
    pub main: u16,
    /// Inside `<nav>`, `<aside>`, `<footer>`, a menu, dialog or button.
    pub margin: u16,
    /// Inside an element that readers do not see.
    pub hidden: u16,
}

/// Cuts a page into its visible blocks, in page order.
pub(super) fn blocks(document: &Document) -> Vec<PageBlock> {
    let Some(body) = document.body() else { return Vec::new() };
    let mut reader = Reader::default();
    let mut node = body;
    loop {
        reader.enter(&node);
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        // Leave this node, and every parent whose last child it was.
        loop {
            reader.leave(&node);
            if node.id == body.id {
                reader.end_block();
                return reader.blocks;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return reader.blocks,
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    blocks: Vec<PageBlock>,
    place: Place,
    text: String,
    nodes: Vec<NodeId>,
    linked: usize,
    /// The place of the block's first text.
    begun_at: Place,
    /// Whether a line break stands at the end of the block so far.
    after_break: bool,
}

impl Reader {
    fn enter(&mut self, node: &NodeRef<'_>) {
        node.query(|it| match &it.data {
            NodeData::Text { contents } => self.read(node.id, contents.as_ref()),
            NodeData::Element(element) => {
                let name: &str = &element.name.local;
                if name == "br" {
                    // Two in a row end a paragraph.
                    if self.after_break {
                        self.end_block();
                    }
                    self.after_break = true;
                    self.push_space();
                } else if is_block(name) {
                    self.end_block();
                }
                if is_hidden(element) {
                    self.place.hidden += 1;
                }
                self.step(name, 1);
            }
            _ => {}
        });
    }

    fn leave(&mut self, node: &NodeRef<'_>) {
        node.query(|it| {
            if let NodeData::Element(element) = &it.data {
                let name: &str = &element.name.local;
                if is_block(name) {
                    self.end_block();
                }
                if is_hidden(element) {
                    self.place.hidden -= 1;
                }
                self.step(name, -1);
            }
        });
    }

    /// Goes into or out of an element.
    fn step(&mut self, name: &str, by: i16) {
        let place = &mut self.place;
        let count = match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                place.heading = if by > 0 { name.as_bytes()[1] - b'0' } else { 0 };
                return;
            }
            "li" | "dt" | "dd" => &mut place.list,
            "blockquote" => &mut place.quotation,
            "figcaption" => &mut place.caption,
            "table" => &mut place.table,
            "td" | "th" => &mut place.cell,
            "a" => &mut place.link,
            "pre" => &mut place.preformatted,
            "article" | "main" => &mut place.main,
            "nav" | "aside" | "footer" | "menu" | "dialog" | "button" => &mut place.margin,
            _ => return,
        };
        *count = count.saturating_add_signed(by);
    }

    fn read(&mut self, node: NodeId, text: &str) {
        if self.place.hidden > 0 {
            return;
        }
        let before = self.text.len();
        for (n, word) in text.split(char::is_whitespace).enumerate() {
            if n > 0 {
                self.push_space();
            }
            if word.is_empty() {
                continue;
            }
            if self.text.is_empty() {
                self.begun_at = self.place;
            }
            self.after_break = false;
            if word.contains(is_invisible) {
                self.text.extend(word.chars().filter(|&c| !is_invisible(c)));
            } else {
                self.text.push_str(word);
            }
        }
        if self.text.len() > before {
            self.nodes.push(node);
            if self.place.link > 0 {
                self.linked += self.text.len() - before;
            }
        }
    }

    fn push_space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    fn end_block(&mut self) {
        self.after_break = false;
        self.text.truncate(self.text.trim_end().len());
        let nodes = std::mem::take(&mut self.nodes);
        let linked = std::mem::take(&mut self.linked);
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let linked = linked.min(text.len());
        self.blocks.push(PageBlock { text, kind: kind(self.begun_at), nodes, linked, place: self.begun_at });
    }
}

fn kind(place: Place) -> BlockKind {
    if place.caption > 0 {
        BlockKind::Caption
    } else if place.heading > 0 {
        BlockKind::Heading
    } else if place.list > 0 {
        BlockKind::ListItem
    } else if place.quotation > 0 {
        BlockKind::Quotation
    } else {
        BlockKind::Paragraph
    }
}

/// Characters that show nothing: soft hyphens, zero-width spaces, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}')
}

fn is_hidden(element: &dom_query::Element) -> bool {
    element.attrs.iter().any(|attribute| match &*attribute.name.local {
        "hidden" => true,
        "aria-hidden" => &*attribute.value == "true",
        "style" => {
            let style: String = attribute.value.chars().filter(|c| !c.is_whitespace()).collect();
            style.contains("display:none") || style.contains("visibility:hidden")
        }
        _ => false,
    })
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "button"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "li"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
    )
}
