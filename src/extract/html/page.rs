//! A page as a sequence of blocks, the runs of text that a reader sees apart, inside the
//! elements that hold them.

use std::hash::Hasher as _;
use std::sync::LazyLock;

use rustc_hash::{FxHashSet, FxHasher};

use super::class_words::{Classes, Groups, THEMES};
use super::markup::{self, Listener, Tag, decode};
use crate::document::BlockKind;
use crate::extract::is_invisible;

/// A paragraph, heading, list item or the like, with what the page's structure says of it.
#[derive(Clone, Debug)]
pub(in crate::extract) struct PageBlock {
    /// White space collapsed, but for line breaks in preformatted text; without any at its
    /// ends; never empty.
    pub text: String,
    /// What the markup alone makes of it.
    pub kind: BlockKind,
    /// How many pieces of text between tags it is made of.
    pub pieces: usize,
    /// Bytes of `text` inside links.
    pub linked: usize,
    pub place: Place,
    /// The number of the innermost element around it.
    pub element: usize,
}

impl PageBlock {
    /// Whether it is part of a table.
    pub fn is_in_cell(&self) -> bool {
        self.place.table > 0 && self.place.cell > 0
    }
}

/// An element that holds blocks.
#[derive(Clone, Copy, Debug)]
pub(in crate::extract) struct Element {
    /// The number of the element around it; its own for the outermost.
    pub parent: usize,
    /// One more than the number of the last element inside it; elements are numbered in
    /// page order.
    pub end: usize,
    /// How many elements are around it.
    pub depth: usize,
    /// A hash of its name and classes, digits aside: the same for its likes.
    pub look: u64,
    /// What its own classes speak of.
    /// What its classes and id speak of.
    pub groups: Groups,
}

/// Where in the page a block stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct Place {
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
    pub hidden: bool,
    /// Inside elements whose classes speak of each theme.
    pub themes: [u8; THEMES],
}

/// An element whose name, class or attributes say that it holds an author or a date.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Mark {
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
pub(in crate::extract) enum Says {
    /// `itemprop="author"` or `rel="author"`.
    Author,
    /// A class or id that speaks of an author.
    LikelyAuthor,
    /// `itemprop="datePublished"`.
    Published,
    /// `itemprop="dateModified"`.
    Modified,
    /// `<time>`.
    Time,
    /// A class or id that speaks of a date.
    LikelyDate,
}

impl Mark {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.value.is_empty()
    }
}

/// More marks than this make a list of articles, not one.
const MOST_MARKS: usize = 60;

/// Bytes of the longest text of a mark.
const LONGEST_MARK: usize = 200;

/// A page's visible text and the marks in it, all in page order.
#[derive(Clone, Debug, Default)]
pub(in crate::extract) struct Page {
    pub blocks: Vec<PageBlock>,
    pub marks: Vec<Mark>,
    /// The first is the page itself.
    pub elements: Vec<Element>,
}

/// What a page declares about itself out of readers' sight.
#[derive(Clone, Debug, Default)]
pub(in crate::extract) struct Declarations<'a> {
    /// Names in lower case and contents of `<meta>`, in page order; the canonical address
    /// under `canonical`.
    pub meta: Vec<(String, String)>,
    /// The content of `<title>`.
    pub title: String,
    /// The `lang` of `<html>`.
    pub language: String,
    /// The contents of `<script type="application/ld+json">`, as written.
    pub json_ld: Vec<&'a str>,
}

/// Declarations of one kind beyond this number are not read.
const MOST_DECLARATIONS: usize = 500;

/// Reads a page's visible blocks and its declarations. `noscript` says whether what the page
/// shows to readers without scripts is read too.
pub(in crate::extract) fn read(html: &str, noscript: bool) -> (Page, Declarations<'_>) {
    let mut reader = Reader::default();
    reader.page.elements.push(Element { parent: 0, end: 0, depth: 0, look: 0, groups: Groups::default() });
    markup::read(html, noscript, &mut reader);
    reader.end_block();
    reader.page.elements[0].end = reader.page.elements.len();
    reader.page.marks.retain(|mark| !mark.is_empty());
    (reader.page, reader.declarations)
}

/// What to restore when an element is closed.
struct Outside {
    place: Place,
    element: usize,
    is_block: bool,
    /// Whether the element is a mark that is being read.
    is_mark: bool,
}

#[derive(Default)]
struct Reader<'a> {
    page: Page,
    declarations: Declarations<'a>,
    classes: Classes<'a>,
    /// Where the reader is now.
    place: Place,
    element: usize,
    outside: Vec<Outside>,
    /// The marks that are open, the innermost last.
    open_marks: Vec<OpenMark>,
    text: String,
    pieces: usize,
    linked: usize,
    /// The place of the block's first text.
    begun_at: Place,
    begun_in: usize,
    /// Whether a line break stands at the end of the block so far.
    after_break: bool,
}

/// A mark whose text is still being read; `place` is its place among the page's marks.
struct OpenMark {
    place: usize,
    /// Whether the next piece continues the line.
    joins: bool,
}

impl<'a> Listener<'a> for Reader<'a> {
    fn open(&mut self, tag: &Tag<'a>) {
        let is_block = is_block(&tag.name);
        if is_block {
            self.end_block();
        }
        let element = self.element;
        let place = self.place;
        let is_mark = self.open_mark(tag);
        self.enter(tag, is_block);
        self.outside.push(Outside { place, element, is_block, is_mark });
    }

    fn close(&mut self) {
        let Some(outside) = self.outside.pop() else { return };
        if outside.is_block {
            self.end_block();
            self.page.elements[self.element].end = self.page.elements.len();
        }
        if outside.is_mark {
            self.close_mark();
        }
        self.place = outside.place;
        self.element = outside.element;
    }

    fn void(&mut self, tag: &Tag<'a>) {
        match &*tag.name {
            "br" => {
                // Two in a row end a paragraph.
                if self.after_break {
                    self.end_block();
                }
                self.after_break = true;
                self.push_space();
            }
            "hr" => self.end_block(),
            "html" => self.declarations.language = tag.attribute("lang").unwrap_or_default().into_owned(),
            "meta" => {
                self.declare(tag);
                if self.open_mark(tag) {
                    self.close_mark();
                }
            }
            "link" if tag.attribute("rel").is_some_and(|rel| rel.eq_ignore_ascii_case("canonical")) => {
                let address = tag.attribute("href").unwrap_or_default().into_owned();
                self.declarations.meta.push(("canonical".to_owned(), address));
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &'a str) {
        let text = decode(text);
        if !self.open_marks.is_empty() {
            self.read_marks(&text);
        }
        if !self.place.hidden {
            self.read(&text);
        }
    }

    fn title(&mut self, text: &'a str) {
        self.declarations.title = collapse(&decode(text));
    }

    fn json_ld(&mut self, text: &'a str) {
        if self.declarations.json_ld.len() < MOST_DECLARATIONS {
            self.declarations.json_ld.push(text);
        }
    }
}

impl<'a> Reader<'a> {
    /// Goes into an element.
    fn enter(&mut self, tag: &Tag<'a>, is_block: bool) {
        let mut groups = Groups::default();
        let mut look = FxHasher::default();
        look.write(tag.name.as_bytes());
        let (mut hidden, mut streamed) = (false, false);
        for (name, value) in tag.attributes() {
            match name {
                "class" => {
                    let classes = value.split_ascii_whitespace();
                    classes.for_each(|class| groups.add(self.classes.groups(class)));
                    value.bytes().filter(|b| !b.is_ascii_digit()).for_each(|b| look.write_u8(b));
                }
                "id" => {
                    groups.add(Groups::of(value));
                    streamed = value.starts_with("S:");
                }
                "hidden" => hidden = true,
                "aria-hidden" => self.place.hidden |= value == "true",
                "style" => self.place.hidden |= is_hidden_by(value),
                _ => {}
            }
        }
        // React sends parts of a page as `<div hidden id="S:0">`, which a script moves to where they are seen.
        self.place.hidden |= hidden && !streamed;
        self.place.step(&tag.name, groups);
        if is_block {
            let parent = self.element;
            self.element = self.page.elements.len();
            let depth = self.page.elements[parent].depth + 1;
            let (end, look) = (self.element + 1, look.finish());
            self.page.elements.push(Element { parent, end, depth, look, groups });
        }
    }

    /// Begins a mark if the element is one.
    fn open_mark(&mut self, tag: &Tag<'a>) -> bool {
        if self.page.marks.len() >= MOST_MARKS {
            return false;
        }
        let Some((says, value)) = says(tag, &mut self.classes) else { return false };
        self.open_marks.push(OpenMark { place: self.page.marks.len(), joins: true });
        self.page.marks.push(Mark { says, text: String::new(), value, block: self.page.blocks.len() });
        true
    }

    /// Adds a piece of text to the marks around it: a line for each piece, "and" and commas
    /// between pieces joined.
    fn read_marks(&mut self, text: &str) {
        let piece = collapse(&text[..text.floor_char_boundary(4 * LONGEST_MARK)]);
        if piece.is_empty() {
            return;
        }
        let is_joint = matches!(piece.as_str(), "and" | "&" | ",");
        for open in &mut self.open_marks {
            let lines = &mut self.page.marks[open.place].text;
            if lines.len() > LONGEST_MARK {
                continue;
            }
            if !lines.is_empty() {
                lines.push(if open.joins || is_joint { ' ' } else { '\n' });
            }
            lines.push_str(&piece);
            open.joins = is_joint || piece.ends_with(',');
        }
    }

    /// Ends the innermost open mark. One that is too long to be a mark stays without text
    /// and value, until the page is read.
    fn close_mark(&mut self) {
        let Some(open) = self.open_marks.pop() else { return };
        let mark = &mut self.page.marks[open.place];
        if mark.text.len() > LONGEST_MARK {
            mark.text.clear();
            mark.value.clear();
        }
        // Empty ones further up are taken out when the page is read.
        let is_empty = mark.is_empty();
        if is_empty && open.place + 1 == self.page.marks.len() {
            self.page.marks.pop();
        }
    }

    fn declare(&mut self, tag: &Tag<'a>) {
        let name = ["property", "name", "itemprop"].iter().find_map(|name| tag.attribute(name));
        if let (Some(name), Some(content)) = (name, tag.attribute("content"))
            && self.declarations.meta.len() < MOST_DECLARATIONS
        {
            let content = collapse(&content);
            if !content.is_empty() {
                self.declarations.meta.push((name.trim().to_ascii_lowercase(), content));
            }
        }
    }

    fn read(&mut self, text: &str) {
        let before = self.text.len();
        if self.place.preformatted > 0 {
            self.read_preformatted(text);
        } else {
            self.read_words(text);
        }
        if self.text.len() > before {
            self.pieces += 1;
            if self.place.link > 0 {
                self.linked += self.text.len() - before;
            }
        }
    }

    fn begin_block(&mut self) {
        self.after_break = false;
        if self.text.is_empty() {
            self.begun_at = self.place;
            self.begun_in = self.element;
        }
    }

    fn read_preformatted(&mut self, text: &str) {
        let text = if self.text.is_empty() { text.trim_start() } else { text };
        if !text.trim().is_empty() {
            self.begin_block();
        }
        if !self.text.is_empty() || !text.trim().is_empty() {
            self.text.extend(text.chars().filter(|&c| !is_invisible(c) && c != '\r'));
        }
    }

    fn read_words(&mut self, text: &str) {
        for (n, word) in text.split(char::is_whitespace).enumerate() {
            if n > 0 {
                self.push_space();
            }
            if word.is_empty() {
                continue;
            }
            self.begin_block();
            if !word.is_ascii() && word.contains(is_invisible) {
                self.text.extend(word.chars().filter(|&c| !is_invisible(c)));
            } else {
                self.text.push_str(word);
            }
        }
    }

    fn push_space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn end_block(&mut self) {
        self.after_break = false;
        self.text.truncate(self.text.trim_end().len());
        let pieces = std::mem::take(&mut self.pieces);
        let linked = std::mem::take(&mut self.linked);
        if self.text.is_empty() {
            return;
        }
        let text = self.text.as_str().to_owned();
        self.text.clear();
        let linked = linked.min(text.len());
        let place = self.begun_at;
        self.page.blocks.push(PageBlock {
            text,
            kind: place.kind(),
            pieces,
            linked,
            place,
            element: self.begun_in,
        });
    }
}

impl Place {
    /// Goes into an element.
    fn step(&mut self, name: &str, groups: Groups) {
        for (theme, count) in self.themes.iter_mut().enumerate() {
            *count = count.saturating_add(u8::from(groups.hold(theme)));
        }
        let count = match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.heading = name.as_bytes()[1] - b'0';
                return;
            }
            "li" | "dt" | "dd" => &mut self.list,
            "blockquote" => &mut self.quotation,
            "figcaption" => &mut self.caption,
            "table" => &mut self.table,
            "td" | "th" => &mut self.cell,
            "a" => &mut self.link,
            "pre" | "listing" => &mut self.preformatted,
            "article" | "main" => &mut self.main,
            "nav" | "aside" | "footer" | "menu" | "dialog" | "button" => &mut self.margin,
            _ => return,
        };
        *count = count.saturating_add(1);
    }

    fn kind(self) -> BlockKind {
        if self.caption > 0 {
            BlockKind::Caption
        } else if self.heading > 0 {
            BlockKind::Heading
        } else if self.list > 0 {
            BlockKind::ListItem
        } else if self.quotation > 0 {
            BlockKind::Quotation
        } else {
            BlockKind::Paragraph
        }
    }
}

/// What an element says about its text, with its machine-readable value.
fn says<'a>(tag: &Tag<'a>, classes: &mut Classes<'a>) -> Option<(Says, String)> {
    if matches!(&*tag.name, "body" | "html" | "article" | "main" | "nav") {
        return None;
    }
    let mut says = (tag.name == "time").then_some(Says::Time);
    let mut note = |found: Says| says = Some(says.map_or(found, |known: Says| known.min(found)));
    let mut value = "";
    for (name, text) in tag.attributes() {
        let mut words = text.split_ascii_whitespace();
        match name {
            "itemprop" | "rel" if words.any(|word| word == "author") => note(Says::Author),
            "itemprop" if words.any(|word| word == "datePublished") => note(Says::Published),
            "itemprop" if words.any(|word| word == "dateModified") => note(Says::Modified),
            "pubdate" => note(Says::Published),
            "class" => words.filter_map(|class| classes.groups(class).says()).for_each(&mut note),
            "id" => words.filter_map(|id| Groups::of(id).says()).for_each(&mut note),
            "href" if text.contains("/author/") || text.contains("/authors/") => note(Says::LikelyAuthor),
            "datetime" | "content" => value = text,
            _ => {}
        }
    }
    Some((says?, decode(value).into_owned()))
}

/// Joins the words of a text by single spaces.
pub(in crate::extract) fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(2 * LONGEST_MARK));
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn is_hidden_by(style: &str) -> bool {
    let style: String =
        style.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase()).collect();
    style.contains("display:none") || style.contains("visibility:hidden")
}

static BLOCKS: LazyLock<FxHashSet<&str>> = LazyLock::new(|| {
    "address article aside blockquote body button caption center dd details dialog div dl dt fieldset \
     figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup li listing main menu nav noscript ol p \
     pre search section summary table tbody td tfoot th thead tr ul"
        .split(' ')
        .collect()
});

/// Whether an element's text stands apart from what is before and behind it.
fn is_block(name: &str) -> bool {
    BLOCKS.contains(name)
}
