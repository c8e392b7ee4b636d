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
    /// How many of `nodes` are in the article as Readability finds it.
    pub readable: usize,
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
    /// Inside elements whose classes speak of an article.
    pub likely: u16,
    /// Inside elements whose classes speak of something else.
    pub unlikely: u16,
}

/// An element whose name, class or attributes say that it holds an author or a date.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub says: Says,
    /// Its text, white space collapsed, a line for each of its elements.
    pub text: String,
    /// Its machine-readable value (`datetime`, `content`), else empty.
    pub value: String,
    /// The number of the block it begins in.
    pub block: usize,
}

/// What an element's markup says of its text, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    /// `itemprop="author"` or `rel="author"`.
    Author,
    /// A class or id that speaks of an author.
    LikelyAuthor,
    /// `itemprop="datePublished"`.
    Published,
    /// `<time>`.
    Time,
    /// A class or id that speaks of a date.
    LikelyDate,
}

/// More marks than this make a list of articles, not one.
const MOST_MARKS: usize = 60;

/// Bytes of the longest text of a mark.
const LONGEST_MARK: usize = 200;

/// A page's visible text and the marks in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    /// In page order.
    pub blocks: Vec<PageBlock>,
    /// In page order.
    pub marks: Vec<Mark>,
}

/// Cuts a page into its visible blocks.
pub(super) fn read(document: &Document) -> Page {
    let Some(body) = document.body() else { return Page::default() };
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
                return reader.page;
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return reader.page,
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    page: Page,
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
        self.mark(node);
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
                self.step_hint(element, 1);
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
                self.step_hint(element, -1);
                self.step(name, -1);
            }
        });
    }

    fn mark(&mut self, node: &NodeRef<'_>) {
        if self.page.marks.len() >= MOST_MARKS {
            return;
        }
        let Some((says, value)) = node.element_ref().and_then(|element| says(&element)) else { return };
        let text = lines_of(node);
        if text.len() <= LONGEST_MARK && !(text.is_empty() && value.is_empty()) {
            self.page.marks.push(Mark { says, text, value, block: self.page.blocks.len() });
        }
    }

    /// Goes into or out of an element with the classes it has.
    fn step_hint(&mut self, element: &dom_query::Element, by: i16) {
        let (likely, unlikely) = hint(element);
        self.place.likely = self.place.likely.saturating_add_signed(by * i16::from(likely));
        self.place.unlikely = self.place.unlikely.saturating_add_signed(by * i16::from(unlikely));
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
        self.page.blocks.push(PageBlock {
            text,
            kind: kind(self.begun_at),
            nodes,
            readable: 0,
            linked,
            place: self.begun_at,
        });
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

/// What an element says about its text, with its machine-readable value.
fn says(element: &dom_query::Element) -> Option<(Says, String)> {
    let name: &str = &element.name.local;
    if matches!(name, "body" | "html" | "article" | "main" | "nav") {
        return None;
    }
    let (mut says, mut value) = ((name == "time").then_some(Says::Time), String::new());
    let mut note = |found: Says| says = Some(says.map_or(found, |known| known.min(found)));
    for attribute in &element.attrs {
        let text: &str = &attribute.value;
        match &*attribute.name.local {
            "itemprop" | "rel" if text.split_whitespace().any(|word| word == "author") => note(Says::Author),
            "itemprop" if text.split_whitespace().any(|word| word == "datePublished") => {
                note(Says::Published)
            }
            "class" | "id" => {
                for word in text.split_whitespace() {
                    if let Some(found) = class_says(word) {
                        note(found);
                    }
                }
            }
            "href" if text.contains("/author/") || text.contains("/authors/") => note(Says::LikelyAuthor),
            "datetime" | "content" => value = text.to_owned(),
            _ => {}
        }
    }
    Some((says?, value))
}

/// An element's text, a line for each piece of it, "and" and commas between pieces joined;
/// cut where it is longer than any mark.
fn lines_of(node: &NodeRef<'_>) -> String {
    let mut lines = String::new();
    let mut joins = true;
    for node in node.descendants_it().filter(NodeRef::is_text) {
        let piece = collapse(&node.text());
        if piece.is_empty() {
            continue;
        }
        let is_joint = matches!(piece.as_str(), "and" | "&" | ",");
        lines.push(if joins || is_joint { ' ' } else { '\n' });
        lines.push_str(&piece);
        joins = is_joint || piece.ends_with(',');
        if lines.len() > LONGEST_MARK {
            break;
        }
    }
    lines.trim().to_owned()
}

/// What a class or id says about an element's text.
fn class_says(class: &str) -> Option<Says> {
    let class = class.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| class.contains(word));
    if has(&["author", "byline", "writer", "contributor"]) {
        let other = [
            "bio",
            "avatar",
            "box",
            "image",
            "img",
            "photo",
            "desc",
            "comment",
            "title",
            "role",
            "job",
            "social",
            "related",
            "authority",
            "authoriz",
            "date",
        ];
        return (!has(&other)).then_some(Says::LikelyAuthor);
    }
    if has(&["date", "publish", "posted", "time"]) {
        let other = [
            "update", "modif", "comment", "related", "event", "read", "estimate", "picker", "sometime",
            "times", "timeline", "author",
        ];
        return (!has(&other)).then_some(Says::LikelyDate);
    }
    None
}

/// Joins the words of a text by single spaces.
pub(super) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(2 * LONGEST_MARK));
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Characters that show nothing: soft hyphens, zero-width spaces, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}')
}

/// Whether an element's classes speak of an article, and of something else.
fn hint(element: &dom_query::Element) -> (bool, bool) {
    const LIKELY: [&str; 9] =
        ["article", "content", "entry", "post", "story", "body", "text", "rich", "prose"];
    const UNLIKELY: [&str; 36] = [
        "author",
        "bio",
        "banner",
        "breadcrumb",
        "byline",
        "caption",
        "comment",
        "cookie",
        "credit",
        "cta",
        "disclaim",
        "footer",
        "form",
        "header",
        "menu",
        "meta",
        "modal",
        "nav",
        "newsletter",
        "pagination",
        "popup",
        "promo",
        "recommend",
        "related",
        "recirc",
        "share",
        "sidebar",
        "signup",
        "social",
        "sponsor",
        "subscribe",
        "table-of",
        "tag",
        "teaser",
        "toc",
        "widget",
    ];
    let (mut likely, mut unlikely) = (false, false);
    for attribute in &element.attrs {
        if matches!(&*attribute.name.local, "class" | "id") {
            let classes = attribute.value.to_ascii_lowercase();
            likely |= LIKELY.iter().any(|word| classes.contains(word));
            unlikely |= UNLIKELY.iter().any(|word| classes.contains(word));
        }
    }
    (likely, unlikely)
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
