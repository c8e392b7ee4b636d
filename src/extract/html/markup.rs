//! A page's markup, tag by tag.
//!
//! Reads HTML as found in the wild in one pass and in time linear in its length: elements
//! left open are closed where the HTML standard closes them, stray end tags are passed over,
//! scripts, styles and drawings are left out. What extraction needs is less than a browser's
//! tree, and the standard's parser takes quadratic time on some inputs (deep nesting,
//! formatting elements left open, tags with thousands of attributes).

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr;
use rustc_hash::FxHashMap;

/// How far up an end tag looks for its element.
const REACH: usize = 200;

/// Hears what stands in a page, in its order. Every `open` is followed by its `close`, well
/// nested.
pub(in crate::extract) trait Listener<'a> {
    fn open(&mut self, tag: &Tag<'a>);
    fn close(&mut self);
    /// An element without content.
    fn void(&mut self, tag: &Tag<'a>);
    /// Text between tags, as written.
    fn text(&mut self, text: &'a str);
    /// The content of the page's first `<title>`, as written.
    fn title(&mut self, text: &'a str);
    /// The content of a `<script type="application/ld+json">`.
    fn json_ld(&mut self, text: &'a str);
}

/// Reads a page to a listener. `noscript` says whether what the page shows to readers
/// without scripts is read too.
pub(in crate::extract) fn read<'a>(html: &'a str, noscript: bool, listener: &mut impl Listener<'a>) {
    let mut reader = Reader {
        listener,
        noscript,
        open: Vec::new(),
        open_by_name: FxHashMap::default(),
        seen_title: false,
        never_closed: Vec::new(),
    };
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        reader.text(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes().get(1) {
            Some(b'!' | b'?') => declaration(rest),
            Some(b'/') if rest.as_bytes().get(2).is_some_and(u8::is_ascii_alphabetic) => {
                let tag = Tag::read(rest, 2);
                reader.end(&tag.name);
                tag.length
            }
            Some(letter) if letter.is_ascii_alphabetic() => {
                let tag = Tag::read(rest, 1);
                let length = tag.length;
                length + reader.start(tag, &rest[length..])
            }
            _ => {
                reader.text(&rest[..1]);
                1
            }
        };
        rest = &rest[length..];
    }
    reader.text(rest);
    reader.close_down_to(0);
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

/// A start or end tag.
pub(in crate::extract) struct Tag<'a> {
    /// In lower case.
    pub name: Cow<'a, str>,
    /// Place of the name in [`ATTRIBUTES`] and value, as written.
    attributes: Vec<(usize, &'a str)>,
    /// In bytes, with its angle brackets.
    length: usize,
}

/// The attributes that extraction reads.
const ATTRIBUTES: [&str; 15] = [
    "aria-hidden", "class", "content", "datetime", "hidden", "href", "id", "itemprop", "lang", "name",
    "property", "pubdate", "rel", "style", "type",
];

impl<'a> Tag<'a> {
    /// Reads the tag at the beginning of `text`; its name starts at `name_at`. A tag that
    /// the text's end cuts off takes the rest of the text.
    fn read(text: &'a str, name_at: usize) -> Self {
        let bytes = text.as_bytes();
        let ends_name = |b: u8| b.is_ascii_whitespace() || b == b'/' || b == b'>';
        let mut at = find(bytes, name_at, ends_name);
        let name = lower_case(&text[name_at..at]);
        let mut attributes: Vec<(usize, &str)> = Vec::new();
        loop {
            at = find(bytes, at, |b| !(b.is_ascii_whitespace() || b == b'/'));
            if at >= bytes.len() {
                return Self { name, attributes, length: bytes.len() };
            }
            if bytes[at] == b'>' {
                return Self { name, attributes, length: at + 1 };
            }
            let attribute_at = at;
            at = find(bytes, at + 1, |b| ends_name(b) || b == b'=');
            let attribute = &text[attribute_at..at];
            let value_at = find(bytes, at, |b| !b.is_ascii_whitespace());
            let mut value = "";
            if bytes.get(value_at) == Some(&b'=') {
                at = find(bytes, value_at + 1, |b| !b.is_ascii_whitespace());
                (value, at) = match bytes.get(at) {
                    Some(&quote @ (b'"' | b'\'')) => {
                        let end = memchr(quote, &bytes[at + 1..]).map_or(bytes.len(), |n| at + 1 + n);
                        (&text[at + 1..end], (end + 1).min(bytes.len()))
                    }
                    Some(b'>') | None => ("", at),
                    Some(_) => {
                        let end = find(bytes, at, |b| b.is_ascii_whitespace() || b == b'>');
                        (&text[at..end], end)
                    }
                };
            }
            let read = ATTRIBUTES.iter().position(|known| known.eq_ignore_ascii_case(attribute));
            if let Some(read) = read
                && attributes.iter().all(|&(known, _)| known != read)
            {
                attributes.push((read, value));
            }
        }
    }

    /// The attributes that extraction reads, each once, by name and value as written.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.attributes.iter().map(|&(place, value)| (ATTRIBUTES[place], value))
    }

    /// An attribute's value with its character references decoded.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|(known, _)| *known == name).map(|(_, value)| decode(value))
    }
}

/// Whether quotation marks stand where a `<q>` would put them.
fn begins_quoted(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['"', '“', '„', '«', '‘']) || text.starts_with("&quot;") || text.starts_with("&ldquo;")
}

/// The place of the first byte from `from` on that `is_it`, else the length of `bytes`.
fn find(bytes: &[u8], from: usize, is_it: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|&b| is_it(b)).map_or(bytes.len(), |n| from + n)
}

fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Decodes the character references in a text.
pub(in crate::extract) fn decode(text: &str) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_some() { htmlize::unescape(text) } else { Cow::Borrowed(text) }
}

/// How an element behaves while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Block,
    /// Also what no rule knows.
    Inline,
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
    /// How a word is read, set above it: left out up to the next tag, for few are closed.
    Gloss,
}

/// The elements that are not inline, by kind.
const KINDS: [(Kind, &str); 10] = [
    (
        Kind::Block,
        "html head body address article aside blockquote button caption center details dialog dir div dl \
         fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup listing main menu \
         nav noscript ol pre search section summary title ul",
    ),
    (Kind::Paragraph, "p"),
    (Kind::Item, "li dt dd"),
    (Kind::Table, "table"),
    (Kind::Row, "tr tbody thead tfoot"),
    (Kind::Cell, "td th"),
    (Kind::Void, "br hr img meta link base wbr"),
    (
        Kind::Unwrapped,
        "option optgroup col colgroup frame noframes plaintext xmp input embed param source track area \
         basefont bgsound keygen marquee math rb rtc ruby image isindex",
    ),
    (
        Kind::Dropped,
        "script style svg template del iframe noembed textarea select datalist object applet canvas \
         annotation annotation-xml audio video",
    ),
    (Kind::Gloss, "rt rp"),
];

static KIND_OF: LazyLock<FxHashMap<&str, Kind>> = LazyLock::new(|| {
    KINDS.iter().flat_map(|&(kind, names)| names.split(' ').map(move |name| (name, kind))).collect()
});

fn kind_of(name: &str) -> Kind {
    KIND_OF.get(name).copied().unwrap_or(Kind::Inline)
}

/// An element that has been opened and not closed.
struct Open<'a> {
    name: Cow<'a, str>,
    kind: Kind,
}

struct Reader<'l, 'a, L> {
    listener: &'l mut L,
    noscript: bool,
    open: Vec<Open<'a>>,
    /// How many elements of each name are open, so that a stray end tag costs nothing.
    open_by_name: FxHashMap<Cow<'a, str>, usize>,
    seen_title: bool,
    /// Names that have no end tag in the rest of the page.
    never_closed: Vec<Cow<'a, str>>,
}

impl<'a, L: Listener<'a>> Reader<'_, 'a, L> {
    fn text(&mut self, text: &'a str) {
        if !text.is_empty() {
            self.listener.text(text);
        }
    }

    /// Handles a start tag; `after` is the page behind it. Returns how much of `after` belongs
    /// to an element that is handled whole.
    fn start(&mut self, tag: Tag<'a>, after: &'a str) -> usize {
        match kind_of(&tag.name) {
            Kind::Dropped => return self.dropped(&tag, after),
            Kind::Gloss => return memchr(b'<', after.as_bytes()).unwrap_or(after.len()),
            _ if tag.name == "q" && begins_quoted(after) => {}
            _ if tag.name == "noscript" && !self.noscript => return self.dropped(&tag, after),
            Kind::Unwrapped => self.listener.text(" "),
            Kind::Void => self.listener.void(&tag),
            _ if tag.name == "title" => return self.title(after),
            _ if matches!(&*tag.name, "html" | "head" | "body") => {
                // Nothing closes them but the page's end; what stands behind `</body>` is read.
                if !self.open_by_name.contains_key(&tag.name) {
                    self.open_by_name.insert(tag.name.clone(), 0);
                    self.listener.void(&tag);
                }
            }
            kind => {
                self.close_implied(kind, &tag.name);
                self.listener.open(&tag);
                if tag.name == "q" {
                    self.listener.text("“");
                }
                *self.open_by_name.entry(tag.name.clone()).or_default() += 1;
                self.open.push(Open { name: tag.name, kind });
            }
        }
        0
    }

    /// Closes the elements that a start tag closes without naming them.
    fn close_implied(&mut self, kind: Kind, name: &str) {
        let closes = |open: &Open<'_>| match kind {
            Kind::Item if name == "li" => open.name == "li",
            Kind::Item => matches!(&*open.name, "dt" | "dd"),
            Kind::Row if name == "tr" => open.name == "tr",
            Kind::Row => open.kind == Kind::Row,
            Kind::Cell => open.kind == Kind::Cell,
            _ => false,
        };
        // Looking for one of its kind, an item stops at its list and a cell at its table.
        let stops = |open: &Open<'_>| match kind {
            Kind::Item => {
                matches!(open.kind, Kind::Table | Kind::Cell)
                    || open.kind == Kind::Block && !matches!(&*open.name, "div" | "address")
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
            let place =
                above.skip_while(|(_, open)| open.kind == Kind::Inline).map(|(place, _)| place).next();
            if let Some(place) = place
                && self.open[place].kind == Kind::Paragraph
            {
                self.close_down_to(place);
            }
        }
    }

    /// Handles an end tag: closes the nearest open element of its name, or nothing.
    fn end(&mut self, name: &str) {
        if self.open_by_name.get(name).is_none_or(|&count| count == 0) {
            if matches!(name, "p" | "br") {
                self.listener.void(&Tag { name: Cow::Borrowed("br"), attributes: Vec::new(), length: 0 });
            }
            return;
        }
        let kind = kind_of(name);
        let stops = |open: &Open<'_>| match kind {
            Kind::Inline => open.kind != Kind::Inline,
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

    /// Closes open elements, the innermost first, until `count` are left.
    fn close_down_to(&mut self, count: usize) {
        for open in self.open.drain(count..).rev() {
            if open.name == "q" {
                self.listener.text("”");
            }
            self.listener.close();
            if let Some(count) = self.open_by_name.get_mut(&open.name) {
                *count -= 1;
            }
        }
    }

    /// Passes over an element that holds no text for readers.
    fn dropped(&mut self, tag: &Tag<'a>, after: &'a str) -> usize {
        // These stand inside words, too; the others take room between them.
        if !matches!(&*tag.name, "script" | "style" | "svg" | "template" | "del") {
            self.listener.text(" ");
        }
        let Some((inside, length)) = self.inside(&tag.name, after) else {
            // As in a browser, an open script or style hides the rest of the page.
            return if matches!(&*tag.name, "script" | "style") { after.len() } else { 0 };
        };
        if tag.attribute("type").is_some_and(|kind| kind.to_ascii_lowercase().contains("ld+json")) {
            self.listener.json_ld(inside);
        }
        length
    }

    fn title(&mut self, after: &'a str) -> usize {
        let Some((inside, length)) = self.inside("title", after) else { return 0 };
        if !self.seen_title {
            self.seen_title = true;
            self.listener.title(inside);
        }
        length
    }

    /// What stands before the next end tag `name`, and the length with that tag.
    fn inside(&mut self, name: &str, after: &'a str) -> Option<(&'a str, usize)> {
        if self.never_closed.iter().any(|known| known == name) {
            return None;
        }
        let bytes = after.as_bytes();
        let mut from = 0;
        while let Some(at) = memchr(b'<', &bytes[from..]).map(|found| from + found) {
            from = at + 1;
            if bytes.get(from) != Some(&b'/') {
                continue;
            }
            let tail = &bytes[from + 1..];
            let is_name = tail.get(..name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name.as_bytes()));
            let goes_on = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-';
            if is_name && !tail.get(name.len()).is_some_and(goes_on) {
                return Some((&after[..at], at + Tag::read(&after[at..], 2).length));
            }
        }
        self.never_closed.push(Cow::Owned(name.to_owned()));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes down what it hears.
    #[derive(Default)]
    struct Scribe {
        html: String,
        open: Vec<String>,
        json_ld: Vec<String>,
    }

    impl<'a> Listener<'a> for Scribe {
        fn open(&mut self, tag: &Tag<'a>) {
            self.void(tag);
            self.open.push(tag.name.to_string());
        }
        fn close(&mut self) {
            let name = self.open.pop().unwrap();
            self.html.push_str(&format!("</{name}>"));
        }
        fn void(&mut self, tag: &Tag<'a>) {
            self.html.push_str(&format!("<{}", tag.name));
            for (name, value) in tag.attributes() {
                self.html.push_str(&format!(" {name}={value}"));
            }
            self.html.push('>');
        }
        fn text(&mut self, text: &'a str) {
            self.html.push_str(text);
        }
        fn title(&mut self, text: &'a str) {
            self.html.push_str(&format!("[{text}]"));
        }
        fn json_ld(&mut self, text: &'a str) {
            self.json_ld.push(text.to_owned());
        }
    }

    fn heard(page: &str) -> Scribe {
        let mut scribe = Scribe::default();
        read(page, false, &mut scribe);
        assert!(scribe.open.is_empty());
        scribe
    }

    #[test]
    fn scripts_and_comments_go_and_json_ld_is_put_aside() {
        let page = "<!doctype html><html lang=en><head><title>A < B</title>\
            <script type='application/ld+json'>{\"a\": \"</p>\"}</script><STYLE>p{}</style></head>\
            <body onload=x><!-- <p>no</p> --><p CLASS=lead>Yes<svg><title>no</title></svg></body>";
        let heard = heard(page);
        assert_eq!(heard.html, "<html lang=en><head>[A < B]<body><p class=lead>Yes</p>");
        assert_eq!(heard.json_ld, ["{\"a\": \"</p>\"}"]);
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
            ("<b>a<i class=x>b</b>c</i>", "<b>a<i class=x>b</i></b>c"),
            ("a < b & c<", "a < b & c<"),
            ("<div", "<div></div>"),
            ("a</div>b</p>c", "ab<br>c"),
            ("a<wbr>b<script>x</script>c<del>d</del>e<svg></svg>, f", "a<wbr>bce, f"),
            ("<ruby>東<rp>(</rp><rt>とう</rt>京<rt>きょう</ruby>の", " 東京の"),
            ("<q>No</q>, <q>“Yes”</q>", "<q>“No”</q>, “Yes”"),
        ] {
            assert_eq!(heard(page).html, expected, "{page}");
        }
    }

    #[test]
    fn what_is_for_readers_without_scripts_is_read_on_demand() {
        let page = "<p>a</p><noscript><p>b</p></noscript>";
        assert_eq!(heard(page).html, "<p>a</p> ");
        let mut scribe = Scribe::default();
        read(page, true, &mut scribe);
        assert_eq!(scribe.html, "<p>a</p><noscript><p>b</p></noscript>");
    }
}
