//! One pass over a page's markup before it is parsed.
//!
//! The HTML standard's parser takes quadratic time on some inputs (deep nesting, formatting
//! elements left open, tags with thousands of attributes), and most of a page's bytes are
//! scripts, styles and drawings. So the markup is first rewritten in linear time: what
//! carries no text is taken out, JSON-LD is put aside, only the attributes that extraction
//! reads stay, and every element is closed before its parent at a bounded depth. What the
//! parser sees afterwards is small, well nested and harmless.

use rustc_hash::FxHashMap;

/// Elements nested deeper than this lose their tags, not their text. Pages of newspapers
/// stay below 60.
const MAX_DEPTH: usize = 100;

/// How far up an end tag looks for its element.
const REACH: usize = 2 * MAX_DEPTH;

/// More elements than this are more than the article finder handles within a second.
const MAX_ELEMENTS: usize = 60_000;

/// Bytes of an attribute's value that are kept.
const LONGEST_VALUE: usize = 2_000;

/// Markup made safe for the parser.
#[derive(Debug, Default)]
pub(super) struct Markup<'a> {
    /// Well-nested HTML with every text of the page.
    pub html: String,
    /// The contents of `<script type="application/ld+json">`, as written.
    pub json_ld: Vec<&'a str>,
    /// Whether tags were left out because there were too many of them or too deep.
    pub simplified: bool,
}

/// Rewrites a page's markup in one pass, in time linear in its length.
pub(super) fn rewrite(html: &str) -> Markup<'_> {
    let mut writer = Writer { out: Markup::default(), ..Writer::default() };
    writer.out.html.reserve(html.len() / 2);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        writer.out.html.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes().get(1) {
            Some(b'!' | b'?') => declaration(rest),
            Some(b'/') if rest[2..].starts_with(|c: char| c.is_ascii_alphabetic()) => {
                let tag = Tag::read(rest, 2);
                writer.end(&tag.name);
                tag.length
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                let tag = Tag::read(rest, 1);
                let length = tag.length;
                length + writer.start(tag, &rest[length..])
            }
            _ => {
                writer.out.html.push_str("&lt;");
                1
            }
        };
        rest = &rest[length..];
    }
    writer.out.html.push_str(rest);
    writer.close_down_to(0);
    writer.out
}

/// The length of a comment, doctype or processing instruction at the beginning of `text`.
fn declaration(text: &str) -> usize {
    let Some(comment) = text.strip_prefix("<!--") else {
        return text.find('>').map_or(text.len(), |at| at + 1);
    };
    // "<!-->" and "<!--->" are whole comments.
    for short in [">", "->"] {
        if comment.starts_with(short) {
            return "<!--".len() + short.len();
        }
    }
    comment.find("-->").map_or(text.len(), |at| "<!--".len() + at + "-->".len())
}

/// A tag's name in lower case, as far as any rule looks at it.
type Name = String;

/// A start or end tag.
struct Tag<'a> {
    name: Name,
    /// Name's place in [`KEPT_ATTRIBUTES`] and value, as written.
    attributes: Vec<(usize, &'a str)>,
    /// In bytes, with its angle brackets.
    length: usize,
}

/// The attributes that extraction reads.
const KEPT_ATTRIBUTES: [&str; 18] = [
    "class",
    "id",
    "href",
    "itemprop",
    "itemtype",
    "rel",
    "role",
    "datetime",
    "content",
    "name",
    "property",
    "hidden",
    "style",
    "aria-hidden",
    "aria-modal",
    "lang",
    "src",
    "type",
];

impl<'a> Tag<'a> {
    /// Reads the tag at the beginning of `text`; its name starts at `name_at`. A tag that
    /// the text's end cuts off takes the rest of the text.
    fn read(text: &'a str, name_at: usize) -> Self {
        let bytes = text.as_bytes();
        let ends_name = |b: u8| b.is_ascii_whitespace() || b == b'/' || b == b'>';
        let find = |from: usize, stop: &dyn Fn(u8) -> bool| {
            bytes[from..].iter().position(|&b| stop(b)).map_or(bytes.len(), |n| from + n)
        };
        let mut at = find(name_at, &ends_name);
        let name = text[name_at..at].to_ascii_lowercase();
        let mut attributes: Vec<(usize, &str)> = Vec::new();
        loop {
            at = find(at, &|b| !(b.is_ascii_whitespace() || b == b'/'));
            if at >= bytes.len() {
                return Self { name, attributes, length: bytes.len() };
            }
            if bytes[at] == b'>' {
                return Self { name, attributes, length: at + 1 };
            }
            let attribute_at = at;
            at = find(at + 1, &|b| ends_name(b) || b == b'=');
            let attribute = &text[attribute_at..at];
            let value_at = find(at, &|b| !b.is_ascii_whitespace());
            let mut value = "";
            if bytes.get(value_at) == Some(&b'=') {
                at = find(value_at + 1, &|b| !b.is_ascii_whitespace());
                (value, at) = match bytes.get(at) {
                    Some(&quote @ (b'"' | b'\'')) => {
                        let end = find(at + 1, &|b| b == quote);
                        (&text[at + 1..end], (end + 1).min(bytes.len()))
                    }
                    Some(b'>') | None => ("", at),
                    Some(_) => {
                        let end = find(at, &|b| b.is_ascii_whitespace() || b == b'>');
                        (&text[at..end], end)
                    }
                };
            }
            let kept = KEPT_ATTRIBUTES.iter().position(|known| known.eq_ignore_ascii_case(attribute));
            if let Some(kept) = kept
                && attributes.iter().all(|&(known, _)| known != kept)
            {
                attributes.push((kept, value));
            }
        }
    }

    fn attribute(&self, name: &str) -> Option<&'a str> {
        let attribute = self.attributes.iter().find(|(kept, _)| KEPT_ATTRIBUTES[*kept] == name);
        attribute.map(|&(_, value)| value)
    }
}

/// How an element behaves while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Block,
    Inline,
    /// A link; links do not nest.
    Link,
    /// Bold, italic and the like: of no use here and costly to the parser.
    Formatting,
    /// Closed by the next block.
    Paragraph,
    /// Closed by the next of its kind in the same list.
    Item,
    Table,
    /// A row or a group of rows.
    Row,
    Cell,
    /// Without content.
    Void,
    /// Its tags are left out, its text stays.
    Unwrapped,
    /// Left out with everything in it.
    Dropped,
}

fn kind_of(name: &str) -> Kind {
    match name {
        "p" => Kind::Paragraph,
        "a" => Kind::Link,
        "b" | "big" | "code" | "em" | "font" | "i" | "nobr" | "s" | "small" | "strike" | "strong" | "tt"
        | "u" => Kind::Formatting,
        "li" | "dt" | "dd" => Kind::Item,
        "table" => Kind::Table,
        "tr" | "tbody" | "thead" | "tfoot" => Kind::Row,
        "td" | "th" => Kind::Cell,
        "br" | "hr" | "img" | "meta" | "link" | "base" => Kind::Void,
        "script" | "style" | "svg" | "noscript" | "template" | "iframe" | "noembed" | "textarea"
        | "select" | "datalist" | "object" | "applet" | "canvas" | "annotation" | "annotation-xml"
        | "audio" | "video" => Kind::Dropped,
        "option" | "optgroup" | "col" | "colgroup" | "frameset" | "frame" | "noframes" | "plaintext"
        | "xmp" | "input" | "embed" | "param" | "source" | "track" | "wbr" | "area" | "basefont"
        | "bgsound" | "keygen" | "marquee" | "math" | "rp" | "rt" | "rb" | "rtc" | "ruby" | "image"
        | "isindex" => Kind::Unwrapped,
        "html" | "head" | "body" | "address" | "article" | "aside" | "blockquote" | "button" | "caption"
        | "center" | "details" | "dialog" | "dir" | "div" | "dl" | "fieldset" | "figcaption" | "figure"
        | "footer" | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "hgroup" | "listing"
        | "main" | "menu" | "nav" | "ol" | "pre" | "search" | "section" | "summary" | "title" | "ul" => {
            Kind::Block
        }
        _ => Kind::Inline,
    }
}

/// An element that has been opened and not closed.
struct Open {
    name: Name,
    kind: Kind,
    /// The name its tags are written with; none where they are left out.
    written: Option<&'static str>,
}

#[derive(Default)]
struct Writer<'a> {
    out: Markup<'a>,
    open: Vec<Open>,
    /// How many elements of each name are open, so that a stray end tag costs nothing.
    open_by_name: FxHashMap<Name, usize>,
    /// How many of the open elements are written.
    depth: usize,
    elements: usize,
    seen_title: bool,
    /// Names that have no end tag in the rest of the page.
    never_closed: Vec<Name>,
}

impl<'a> Writer<'a> {
    /// Handles a start tag; `after` is the page behind it. Returns how much of `after` belongs
    /// to an element that is handled whole.
    fn start(&mut self, tag: Tag<'a>, after: &'a str) -> usize {
        match kind_of(&tag.name) {
            Kind::Dropped => return self.dropped(&tag, after),
            Kind::Unwrapped => {
                self.out.html.push(' ');
                return 0;
            }
            Kind::Void => {
                if tag.name != "link" && self.may_write() {
                    self.write_start(&tag.name, &tag);
                }
                return 0;
            }
            _ if tag.name == "title" => return self.title(after),
            _ if matches!(tag.name.as_str(), "html" | "head" | "body") => {
                if !self.open_by_name.contains_key(&tag.name) {
                    self.open_by_name.insert(tag.name.clone(), 0);
                    self.write_start(&tag.name, &tag);
                }
                return 0;
            }
            kind => self.open(kind, tag),
        }
        0
    }

    fn open(&mut self, kind: Kind, tag: Tag<'a>) {
        self.close_implied(kind, &tag.name);
        let in_table = self.open_by_name.get("table").is_some_and(|&count| count > 0);
        let written = match kind {
            // Outside a table, or where a link is open already, the parser drops such a tag.
            Kind::Row | Kind::Cell if !in_table => None,
            Kind::Link if self.open_by_name.get("a").is_some_and(|&count| count > 0) => None,
            Kind::Formatting if tag.attributes.is_empty() => None,
            _ if !self.may_write() => None,
            Kind::Formatting => Some("span"),
            // The parser keeps one form open at a time, whatever the nesting.
            _ => Some(written_name(&tag.name)),
        };
        if let Some(name) = written {
            self.write_start(name, &tag);
            self.depth += 1;
        }
        *self.open_by_name.entry(tag.name.clone()).or_default() += 1;
        self.open.push(Open { name: tag.name, kind, written });
    }

    /// Whether one more element may be written; notes where it may not.
    fn may_write(&mut self) -> bool {
        let may = self.depth < MAX_DEPTH && self.elements < MAX_ELEMENTS;
        self.out.simplified |= !may;
        may
    }

    fn write_start(&mut self, name: &str, tag: &Tag<'_>) {
        self.elements += 1;
        let html = &mut self.out.html;
        html.push('<');
        html.push_str(name);
        for &(attribute, value) in &tag.attributes {
            let value = &value[..value.floor_char_boundary(LONGEST_VALUE)];
            html.push(' ');
            html.push_str(KEPT_ATTRIBUTES[attribute]);
            html.push_str("=\"");
            for (n, piece) in value.split('"').enumerate() {
                if n > 0 {
                    html.push_str("&quot;");
                }
                html.push_str(piece);
            }
            html.push('"');
        }
        html.push('>');
    }

    /// Closes the elements that a start tag closes without naming them.
    fn close_implied(&mut self, kind: Kind, name: &str) {
        let closes = |open: &Open| match kind {
            Kind::Item if name == "li" => open.name == "li",
            Kind::Item => matches!(open.name.as_str(), "dt" | "dd"),
            Kind::Row if name == "tr" => open.name == "tr",
            Kind::Row => open.kind == Kind::Row,
            Kind::Cell => open.kind == Kind::Cell,
            _ => false,
        };
        // Looking for one of its kind, an item stops at its list and a cell at its table.
        let stops = |open: &Open| match kind {
            Kind::Item => {
                matches!(open.kind, Kind::Table | Kind::Cell)
                    || open.kind == Kind::Block && !matches!(open.name.as_str(), "div" | "address")
            }
            _ => open.kind == Kind::Table,
        };
        let above = self.open.iter().enumerate().rev().take(REACH);
        if matches!(kind, Kind::Item | Kind::Row | Kind::Cell) {
            let place = above.take_while(|(_, open)| !stops(open)).find(|(_, open)| closes(open));
            if let Some((place, _)) = place {
                self.close_down_to(place);
            }
        } else if matches!(kind, Kind::Block | Kind::Paragraph | Kind::Table) {
            let is_inline = |open: &Open| matches!(open.kind, Kind::Inline | Kind::Link | Kind::Formatting);
            let place = above.skip_while(|(_, open)| is_inline(open)).map(|(place, _)| place).next();
            if let Some(place) = place
                && self.open[place].kind == Kind::Paragraph
            {
                self.close_down_to(place);
            }
        }
    }

    /// Handles an end tag: closes the nearest open element of its name, or nothing.
    fn end(&mut self, name: &str) {
        if name == "br" || name == "p" && !self.is_open(name) {
            self.out.html.push_str("<br>");
            return;
        }
        if !self.is_open(name) {
            return;
        }
        let kind = kind_of(name);
        let stops = |open: &Open| match kind {
            Kind::Inline | Kind::Link | Kind::Formatting => {
                !matches!(open.kind, Kind::Inline | Kind::Link | Kind::Formatting)
            }
            Kind::Table => false,
            _ => open.kind == Kind::Table || open.kind == Kind::Cell && kind != Kind::Row,
        };
        let mut above = self.open.iter().enumerate().rev().take(REACH);
        let place = above.find(|(_, open)| open.name == name || stops(open));
        if let Some((place, open)) = place
            && open.name == name
        {
            self.close_down_to(place);
        }
    }

    fn is_open(&self, name: &str) -> bool {
        self.open_by_name.get(name).is_some_and(|&count| count > 0)
    }

    /// Closes open elements, the innermost first, until `count` are left.
    fn close_down_to(&mut self, count: usize) {
        for open in self.open.drain(count..).rev() {
            if let Some(name) = open.written {
                self.depth -= 1;
                self.out.html.push_str("</");
                self.out.html.push_str(name);
                self.out.html.push('>');
            }
            if let Some(count) = self.open_by_name.get_mut(&open.name) {
                *count -= 1;
            }
        }
    }

    /// Passes over an element that holds no text for readers.
    fn dropped(&mut self, tag: &Tag<'_>, after: &'a str) -> usize {
        self.out.html.push(' ');
        let Some((inside, length)) = self.inside(&tag.name, after) else {
            // As in a browser, an open script or style hides the rest of the page.
            return if matches!(tag.name.as_str(), "script" | "style") { after.len() } else { 0 };
        };
        if tag.attribute("type").is_some_and(|kind| kind.to_ascii_lowercase().contains("ld+json")) {
            self.out.json_ld.push(inside);
        }
        length
    }

    /// Writes the page's first title, which the parser would read as raw text.
    fn title(&mut self, after: &'a str) -> usize {
        let Some((inside, length)) = self.inside("title", after) else { return 0 };
        if !self.seen_title {
            self.seen_title = true;
            self.out.html.push_str("<title>");
            self.out.html.push_str(&inside.replace('<', "&lt;"));
            self.out.html.push_str("</title>");
        }
        length
    }

    /// What stands before the next end tag `name`, and the length with that tag.
    fn inside(&mut self, name: &str, after: &'a str) -> Option<(&'a str, usize)> {
        if self.never_closed.iter().any(|known| known == name) {
            return None;
        }
        let mut from = 0;
        while let Some(found) = after[from..].find("</") {
            let at = from + found;
            let tail = &after[at + 2..];
            let is_name = tail.get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name));
            if is_name && !tail[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-') {
                return Some((&after[..at], at + Tag::read(&after[at..], 2).length));
            }
            from = at + 2;
        }
        self.never_closed.push(name.to_owned());
        None
    }
}

/// The name an element is written with: its own where a rule reads it, else a neutral one.
fn written_name(name: &str) -> &'static str {
    const KNOWN: &[&str] = &[
        "a",
        "abbr",
        "address",
        "article",
        "aside",
        "blockquote",
        "button",
        "caption",
        "center",
        "cite",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "label",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "picture",
        "pre",
        "q",
        "section",
        "span",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "ul",
    ];
    match KNOWN.binary_search(&name) {
        Ok(place) => KNOWN[place],
        Err(_) if kind_of(name) == Kind::Block => "div",
        Err(_) => "span",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_comments_go_and_json_ld_is_put_aside() {
        let page = "<!doctype html><html lang=en><head><title>A < B</title>\
            <script type='application/ld+json'>{\"a\": \"</p>\"}</script><style>p{}</style></head>\
            <body onload=x><!-- <p>no</p> --><p class=lead>Yes<svg><title>no</title></svg></body>";
        let markup = rewrite(page);
        assert_eq!(
            markup.html,
            "<html lang=\"en\"><head><title>A &lt; B</title>  <body><p class=\"lead\">Yes </p>"
        );
        assert_eq!(markup.json_ld, ["{\"a\": \"</p>\"}"]);
        assert!(!markup.simplified);
    }

    #[test]
    fn elements_are_closed_in_order() {
        for (page, expected) in [
            ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
            ("<p>a<div>b</div>", "<p>a</p><div>b</div>"),
            ("<div><span>a</div></span>b", "<div><span>a</span></div>b"),
            (
                "<table><tr><td>a<td>b<tr><td>c</table>",
                "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
            ),
            ("<b>a<i class=x>b</b>c</i>", "a<span class=\"x\">b</span>c"),
            ("a < b & c<", "a &lt; b & c&lt;"),
            ("<div", "<div></div>"),
        ] {
            assert_eq!(rewrite(page).html, expected, "{page}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_no_text_is_lost() {
        let page = format!("{}deep{}after", "<div>".repeat(10_000), "</div>".repeat(10_000));
        let markup = rewrite(&page);
        assert!(markup.simplified);
        assert!(markup.html.matches("<div>").count() <= MAX_DEPTH);
        assert!(markup.html.contains("deep") && markup.html.ends_with("after"));
    }
}
