//! Title, authors, publisher and publication time of an HTML page.
//!
//! In order of trust:
//!
//! 1. what the client knows beforehand
//! 2. `article:published_time` and its kin (for the time), else JSON-LD's article
//! 3. `<meta>`: author, Dublin Core, Parse.ly, Sailthru, citations
//! 4. microdata, `rel="author"`, `<time>` beside the title
//! 5. what classes call an author or a date, beside the title
//! 6. a visible byline ("By …") or dateline beside the title
//! 7. the address of the page, for the day
//!
//! The first one that gives a name or a day wins; a field without evidence stays empty.

use jiff::tz::Offset;
use serde_json::Value;

use super::metadata::{parse_byline, parse_declared_name, parse_publish_time};
use super::page::{Declarations, Mark, Page, PageBlock, Says, collapse};
use crate::document::{BlockKind, PublishTime, Source};

/// What is known about an article beside its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub title: String,
    pub authors: Vec<String>,
    pub publisher: String,
    pub publish_time: Option<PublishTime>,
    /// The `lang` attribute, a hint only.
    pub language: String,
    /// The article's text as JSON-LD gives it, a paragraph a line; mostly empty.
    pub article_body: String,
    /// The number of the block that holds the title.
    pub title_block: Option<usize>,
}

/// Collects what a page says about its article.
pub(super) fn collect(source: &Source, page: &Page, declarations: Declarations<'_>) -> Metadata {
    let declared = Declared::read(declarations);
    let (title, title_block) = title(&declared, page);
    let near = Neighbourhood::of(title_block, page);
    let publisher = declared.publisher();
    let keep = |known: &str, found: String| if known.is_empty() { found } else { known.to_owned() };
    Metadata {
        authors: if source.authors.is_empty() { authors(&declared, &near) } else { source.authors.clone() },
        publish_time: source.publish_time.or_else(|| publish_time(&declared, &near, &source.uri)),
        title: keep(&source.title, title),
        publisher: keep(&source.publisher, publisher),
        article_body: declared.article_body(),
        language: declared.language,
        title_block,
    }
}

// --- What the page's head declares ------------------------------------------------------

#[derive(Debug, Default)]
struct Declared {
    /// Names in lower case, in page order.
    meta: Vec<(String, String)>,
    /// The objects of the page's JSON-LD, the outer ones first.
    objects: Vec<Value>,
    /// The content of `<title>`.
    title: String,
    language: String,
}

impl Declared {
    fn read(declarations: Declarations<'_>) -> Self {
        let Declarations { meta, title, language, json_ld } = declarations;
        let mut declared = Self { meta, objects: Vec::new(), title, language };
        for text in json_ld {
            // Raw line breaks inside strings are frequent and invalid.
            let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            if let Ok(value) = serde_json::from_str(text.trim().trim_end_matches(';')) {
                flatten(value, &mut declared.objects);
            }
        }
        declared
    }

    /// The contents of the `<meta>` elements of the first of `names` that there are any of.
    fn meta<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let name = names.iter().find(|&&name| self.meta.iter().any(|(known, _)| known == name));
        self.meta
            .iter()
            .filter(move |(known, _)| Some(&known.as_str()) == name)
            .map(|(_, content)| content.as_str())
    }

    /// The page's article, if JSON-LD describes one.
    fn article(&self) -> Option<&Value> {
        let is_article = |object: &&Value| {
            types(object)
                .any(|kind| kind.ends_with("Article") || kind.ends_with("Posting") || kind == "Report")
        };
        self.objects.iter().find(is_article)
    }

    fn article_body(&self) -> String {
        let body = self.article().and_then(|article| article.get("articleBody")?.as_str());
        // Some write their markup there.
        let lines = body.unwrap_or_default().replace("</p>", "\n");
        htmlize::unescape(lines).into_owned()
    }

    /// An object as a whole where JSON-LD only gives its id.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("@id") {
            Some(id) if value.get("name").is_none() => {
                let whole = |object: &&Value| object.get("@id") == Some(id) && object.get("name").is_some();
                self.objects.iter().find(whole).unwrap_or(value)
            }
            _ => value,
        }
    }

    /// The names in an author field: a text, an object, a reference, or a list of them.
    fn names(&self, author: &Value) -> Vec<String> {
        match author {
            Value::String(name) => vec![decode(name)],
            Value::Array(authors) => authors.iter().flat_map(|author| self.names(author)).collect(),
            Value::Object(_) => match self.resolve(author).get("name") {
                Some(name @ (Value::String(_) | Value::Array(_))) => self.names(name),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn publisher(&self) -> String {
        let in_article = self.article().and_then(|article| article.get("publisher"));
        let site =
            |kind: &'static str| self.objects.iter().find(move |object| types(object).any(|it| it == kind));
        let name = |value: &Value| text_of(self.resolve(first(value)).get("name"));
        self.meta(&["og:site_name"])
            .next()
            .map(decode)
            .or_else(|| in_article.and_then(name))
            .or_else(|| site("WebSite").and_then(name))
            .or_else(|| self.meta(&["application-name", "citation_journal_title"]).next().map(decode))
            .unwrap_or_default()
    }
}

/// Puts an object, and those that lists, graphs and main entities hold, into `objects`.
fn flatten(value: Value, objects: &mut Vec<Value>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| flatten(value, objects)),
        Value::Object(mut fields) => {
            let inner: Vec<Value> = ["@graph", "mainEntity", "mainEntityOfPage"]
                .iter()
                .filter_map(|key| fields.remove(*key))
                .collect();
            objects.push(Value::Object(fields));
            inner.into_iter().for_each(|value| flatten(value, objects));
        }
        _ => {}
    }
}

fn types(object: &Value) -> impl Iterator<Item = &str> {
    let kind = object.get("@type");
    let one = kind.and_then(Value::as_str);
    let many = kind.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn first(value: &Value) -> &Value {
    value.as_array().and_then(|values| values.first()).unwrap_or(value)
}

fn text_of(value: Option<&Value>) -> Option<String> {
    let text = decode(value?.as_str()?);
    (!text.is_empty()).then_some(text)
}

/// Decodes HTML entities, which metadata often holds twice encoded, and collapses white
/// space.
fn decode(text: &str) -> String {
    collapse(&htmlize::unescape(text))
}

// --- Title ------------------------------------------------------------------------------

/// The title and the block that shows it.
///
/// A heading is taken where it shares most of its words with what the page's head calls it;
/// a head without such a heading is believed, less the site's name.
fn title(declared: &Declared, page: &Page) -> (String, Option<usize>) {
    let site = declared.publisher();
    let article = declared.article();
    let headline =
        article.and_then(|article| text_of(article.get("headline").or_else(|| article.get("name"))));
    let social =
        declared.meta(&["og:title", "twitter:title", "parsely-title", "dc.title"]).next().map(decode);
    let head: Vec<String> = [social, headline, Some(declared.title.clone())]
        .into_iter()
        .flatten()
        .map(|title| without_site(&title, &site).to_owned())
        .filter(|title| !title.is_empty() && !same(title, &site))
        .collect();
    let headings = page.blocks.iter().enumerate().filter(|(_, block)| block.place.heading > 0);
    let mut best: Option<(f32, usize)> = None;
    for (number, block) in headings {
        let likeness = head.iter().map(|title| likeness(title, &block.text)).fold(0.0, f32::max);
        let score = likeness - 0.15 * f32::from(block.place.heading.min(4) - 1);
        let enough = if block.place.heading == 1 { 0.5 } else { 0.75 };
        if likeness >= enough && best.is_none_or(|(known, _)| score > known) {
            best = Some((score, number));
        }
    }
    if let Some((_, number)) = best {
        return (without_site(&decode(&page.blocks[number].text), &site).to_owned(), Some(number));
    }
    let mut first_headings = page.blocks.iter().enumerate().filter(|(_, block)| block.place.heading == 1);
    let only = first_headings.next().filter(|(_, block)| block.text.len() > 15);
    match (head.into_iter().next(), only) {
        (Some(title), heading) => (title, heading.map(|(number, _)| number)),
        (None, Some((number, block))) => (block.text.clone(), Some(number)),
        (None, None) => (declared.title.clone(), None),
    }
}

/// Takes the site's name off a title ("Ants return | The Daily", "The Daily: Ants return").
fn without_site<'a>(title: &'a str, site: &str) -> &'a str {
    const SEPARATORS: [&str; 9] = [" | ", " - ", " – ", " — ", " • ", " · ", " » ", " :: ", ": "];
    let mut title = title.trim();
    loop {
        let is_site = |part: &str| !site.is_empty() && (same(part, site) || is_part_of(part, site));
        let last = SEPARATORS.iter().filter_map(|&mark| Some((title.rfind(mark)?, mark))).max();
        let first = SEPARATORS.iter().filter_map(|&mark| Some((title.find(mark)?, mark))).min();
        title = match (first, last) {
            (_, Some((at, mark))) if is_site(&title[at + mark.len()..]) => &title[..at],
            (Some((at, mark)), _) if is_site(&title[..at]) => &title[at + mark.len()..],
            // Behind a bar stands the site, whatever it is called.
            (_, Some((at, " | "))) if words(&title[..at]).count() >= words(&title[at..]).count() => {
                &title[..at]
            }
            _ => return title,
        };
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether two texts are equal in letters and digits.
fn same(one: &str, other: &str) -> bool {
    let folded = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    folded(one) == folded(other)
}

/// Whether all words of `part` are in `whole`.
fn is_part_of(part: &str, whole: &str) -> bool {
    let whole: Vec<String> = words(whole).map(str::to_lowercase).collect();
    words(part).next().is_some() && words(part).all(|word| whole.contains(&word.to_lowercase()))
}

/// The share of common words in the longer of two texts.
fn likeness(one: &str, other: &str) -> f32 {
    let mut one: Vec<String> = words(one).map(str::to_lowercase).collect();
    let (length, mut common, mut count) = (one.len(), 0, 0);
    for word in words(other) {
        count += 1;
        let word = word.to_lowercase();
        if let Some(place) = one.iter().position(|known| *known == word) {
            one.swap_remove(place);
            common += 1;
        }
    }
    common as f32 / length.max(count).max(1) as f32
}

// --- The title's neighbourhood ----------------------------------------------------------

/// The blocks and marks where bylines and datelines stand.
struct Neighbourhood<'a> {
    blocks: &'a [PageBlock],
    marks: Vec<&'a Mark>,
}

/// Blocks before the title that may hold a byline or dateline.
const BEFORE_TITLE: usize = 6;

/// Blocks behind the title that may hold one.
const BEHIND_TITLE: usize = 14;

impl<'a> Neighbourhood<'a> {
    fn of(title_block: Option<usize>, page: &'a Page) -> Self {
        let title = title_block.unwrap_or(0);
        let range = title.saturating_sub(BEFORE_TITLE)..(title + BEHIND_TITLE).min(page.blocks.len());
        let marks = page.marks.iter().filter(|mark| range.contains(&mark.block)).collect();
        Self { blocks: &page.blocks[range], marks }
    }

    fn marks(&self, says: Says) -> impl Iterator<Item = &'a Mark> {
        self.marks.iter().copied().filter(move |mark| mark.says == says)
    }

    /// Texts short enough for a byline or dateline.
    fn lines(&self) -> impl Iterator<Item = &'a str> {
        let short = |block: &&PageBlock| block.text.len() <= 160 && block.kind != BlockKind::Heading;
        self.blocks.iter().filter(short).map(|block| block.text.as_str())
    }

    /// The names of the first line that begins with "By", or that stands behind a line that
    /// says nothing else.
    fn byline(&self) -> Option<Vec<String>> {
        let mut announced = false;
        self.lines().find_map(|line| {
            let is_byline = std::mem::replace(&mut announced, is_by(line)) || says_by(line);
            let names = if is_byline { parse_byline(line) } else { Vec::new() };
            (!names.is_empty()).then_some(names)
        })
    }
}

// --- Authors ----------------------------------------------------------------------------

/// Persons named in the head, else persons named beside the title, else whom or what the
/// head names.
fn authors(declared: &Declared, near: &Neighbourhood<'_>) -> Vec<String> {
    const META: &[&[&str]] = &[
        &["author", "authors"],
        &["parsely-author"],
        &["sailthru.author"],
        &["dc.creator", "dcterms.creator", "dc:creator"],
        &["citation_author"],
        &["article:author", "og:article:author"],
        &["byl"],
    ];
    let article = declared.article();
    let author = article.and_then(|article| article.get("author").or_else(|| article.get("creator")));
    let mut lists: Vec<Vec<String>> = author.map(|author| declared.names(author)).into_iter().collect();
    lists.extend(META.iter().map(|names| declared.meta(names).map(decode).collect()));

    let persons = |list: &Vec<String>| list.iter().flat_map(|field| parse_byline(field)).collect::<Vec<_>>();
    let of_mark = |mark: &Mark| mark.text.lines().map(parse_byline).find(|names| !names.is_empty());
    let things = |list: &Vec<String>| {
        list.iter().filter_map(|field| parse_declared_name(field).map(str::to_owned)).collect::<Vec<_>>()
    };
    let names = lists
        .iter()
        .map(persons)
        .find(|names| !names.is_empty())
        .or_else(|| near.marks(Says::Author).find_map(of_mark))
        .or_else(|| near.marks(Says::LikelyAuthor).find_map(of_mark))
        .or_else(|| near.byline())
        .or_else(|| lists.iter().map(things).find(|names| !names.is_empty()))
        .unwrap_or_default();
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.iter().any(|known| same(known, &name)) {
            unique.push(name);
        }
    }
    unique
}

/// Whether a line announces a name and holds none.
fn is_by(line: &str) -> bool {
    let line = line.trim_end_matches(':');
    ["by", "written by", "author", "words by", "posted by"]
        .iter()
        .any(|label| label.eq_ignore_ascii_case(line))
}

/// Whether a line begins as bylines do.
fn says_by(line: &str) -> bool {
    const BEGINNINGS: [&str; 6] = ["by ", "by: ", "written by", "author:", "posted by", "words by"];
    BEGINNINGS
        .iter()
        .any(|beginning| line.get(..beginning.len()).is_some_and(|head| head.eq_ignore_ascii_case(beginning)))
}

// --- Publication time -------------------------------------------------------------------

fn publish_time(declared: &Declared, near: &Neighbourhood<'_>, uri: &str) -> Option<PublishTime> {
    const PUBLISHED: &[&str] = &[
        "article:published_time",
        "og:published_time",
        "og:article:published_time",
        "datepublished",
        "parsely-pub-date",
        "sailthru.date",
        "published-date",
        "publish-date",
        "publishdate",
        "pubdate",
        "published_time",
        "article.published",
        "dc.date.issued",
        "dcterms.issued",
        "dcterms.created",
        "dc.date",
        "dcterms.date",
        "date",
        "citation_publication_date",
    ];
    let from_meta = || PUBLISHED.iter().find_map(|name| declared.meta(&[name]).find_map(parse_publish_time));
    let published = |object: &Value| {
        ["datePublished", "dateCreated", "uploadDate"]
            .iter()
            .find_map(|key| parse_publish_time(object.get(*key)?.as_str()?))
    };
    let of_mark = |mark: &Mark| parse_publish_time(&mark.value).or_else(|| parse_publish_time(&mark.text));
    let visible = || {
        let mark = |says| near.marks(says).find_map(|mark| parse_publish_time(&mark.text));
        mark(Says::Published)
            .or_else(|| mark(Says::Time))
            .or_else(|| mark(Says::LikelyDate))
            .or_else(|| near.lines().find_map(parse_publish_time))
    };
    let time = from_meta()
        .or_else(|| declared.article().and_then(published))
        .or_else(|| near.marks(Says::Published).find_map(of_mark))
        .or_else(|| declared.objects.iter().find_map(published))
        .or_else(|| near.marks(Says::Time).find_map(of_mark))
        .or_else(|| near.marks(Says::LikelyDate).find_map(of_mark))
        .or_else(|| near.lines().find_map(parse_publish_time))
        .or_else(|| day_in_address(uri))?;
    // Many a machine-readable time was converted to UTC; the page shows the day it was at home.
    if let PublishTime::Time { local, offset } = time
        && offset == Offset::UTC
        && let Some(PublishTime::Day(day)) = visible()
        && (day.tomorrow().is_ok_and(|next| next == local.date())
            || day.yesterday().is_ok_and(|last| last == local.date()))
    {
        return Some(PublishTime::Day(day));
    }
    Some(time)
}

/// The day in an address ("/2023/03/30/", "/2023-03-30-ants").
fn day_in_address(uri: &str) -> Option<PublishTime> {
    let path = uri.splitn(4, '/').nth(3)?;
    path.match_indices("20").find_map(|(at, _)| {
        let day = path.get(at..at + "2023/03/30".len())?;
        let whole = !path[..at].ends_with(|c: char| c.is_ascii_digit())
            && !path[at + day.len()..].starts_with(|c: char| c.is_ascii_digit());
        if whole { parse_publish_time(day) } else { None }
    })
}
