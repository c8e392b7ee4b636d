//! What a page declares about its article out of readers' sight: `<meta>`, `<title>` and
//! JSON-LD.

use serde_json::Value;

use crate::extract::folded;
use crate::extract::html::page::{self, Declarations, collapse};

/// A page's declarations, read.
#[derive(Debug, Default)]
pub(in crate::extract) struct Declared {
    /// Names in lower case, in page order.
    pub meta: Vec<(String, String)>,
    /// The objects of the page's JSON-LD, the outer ones first.
    pub objects: Vec<Value>,
    /// Which of these is the page's article.
    article: Option<usize>,
    /// The content of `<title>`.
    pub title: String,
    pub language: String,
}

impl Declared {
    pub fn read(declarations: Declarations<'_>) -> Self {
        let Declarations { meta, title, language, json_ld } = declarations;
        let mut declared = Self { meta, objects: Vec::new(), article: None, title, language };
        for text in json_ld {
            let text = with_escaped_breaks(text);
            // What stands around the JSON, or several values one behind the other.
            let text = text.trim().trim_start_matches("<!--").trim_start_matches("//<![CDATA[");
            let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
            for value in values.map_while(Result::ok) {
                flatten(value, &mut declared.objects);
            }
        }
        declared.article = declared.find_article();
        declared
    }

    /// The contents of the `<meta>` elements called `name`, entities decoded.
    pub fn meta(&self, name: &str) -> impl Iterator<Item = String> {
        self.meta.iter().filter(move |(known, _)| known == name).map(|(_, content)| decode(content))
    }

    /// The first content of the first of `names` that there is.
    pub fn first_meta(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.meta(name).next())
    }

    /// The page's article, if JSON-LD describes one.
    pub fn article(&self) -> Option<&Value> {
        self.objects.get(self.article?)
    }

    /// The article with the page's title or address, else the first one: pages describe those that
    /// they link to, as well.
    fn find_article(&self) -> Option<usize> {
        let is_article = |&place: &usize| {
            types(&self.objects[place])
                .any(|kind| kind.ends_with("Article") || kind.ends_with("Posting") || kind == "Report")
        };
        let articles = || (0..self.objects.len()).filter(is_article);
        let titles = [self.first_meta(&["og:title"]), Some(self.title.clone())];
        let titles: Vec<String> = titles.iter().flatten().map(|title| folded(title)).collect();
        let addresses: Vec<String> =
            ["canonical", "og:url"].iter().flat_map(|name| self.meta(name)).map(|url| bare(&url)).collect();
        let has_title = |object: &Value| {
            let headline = text_of(object.get("headline")).map(|headline| folded(&headline));
            headline.is_some_and(|headline| !headline.is_empty() && titles.contains(&headline))
                || ["url", "@id"].iter().any(|key| {
                    let url = text_of(object.get(*key)).map(|url| bare(&url));
                    url.is_some_and(|url| !url.is_empty() && addresses.contains(&url))
                })
        };
        articles().find(|&place| has_title(&self.objects[place])).or_else(|| articles().next())
    }

    /// The article's text, a paragraph a line; mostly empty.
    pub fn article_body(&self) -> String {
        let body = self.article().and_then(|article| article.get("articleBody")?.as_str());
        let body = htmlize::unescape(body.unwrap_or_default());
        let is_markup = ["</", "<br", "<p>"].iter().any(|tag| body.contains(tag));
        if !is_markup {
            return body.into_owned();
        }
        let (page, _) = page::read(&body, false);
        let paragraphs: Vec<String> = page.blocks.into_iter().map(|block| block.text).collect();
        paragraphs.join("\n")
    }

    /// An object as a whole where JSON-LD only gives its id.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("@id") {
            Some(id) if value.get("name").is_none() => {
                let whole = |object: &&Value| object.get("@id") == Some(id) && object.get("name").is_some();
                self.objects.iter().find(whole).unwrap_or(value)
            }
            _ => value,
        }
    }

    /// The names in an author field (a text, an object, a reference, or a list of them), each
    /// with whether it is declared to be an organisation's.
    pub fn names(&self, author: &Value) -> Vec<(String, bool)> {
        match author {
            Value::String(name) => vec![(decode(name), false)],
            Value::Array(authors) => authors.iter().flat_map(|author| self.names(author)).collect(),
            Value::Object(_) => {
                let whole = self.resolve(author);
                let is_organization = types(whole).any(|kind| kind.contains("Organization"));
                match whole.get("name") {
                    Some(name @ (Value::String(_) | Value::Array(_))) => {
                        let names = self.names(name).into_iter();
                        names.map(|(name, _)| (name, is_organization)).collect()
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// The name of the site or of its publisher.
    pub fn publisher(&self) -> String {
        let in_article = self.article().and_then(|article| article.get("publisher"));
        let site =
            |kind: &'static str| self.objects.iter().find(move |object| types(object).any(|it| it == kind));
        let name = |value: &Value| text_of(self.resolve(first(value)).get("name"));
        self.first_meta(&["og:site_name"])
            .or_else(|| in_article.and_then(name))
            .or_else(|| site("WebSite").and_then(name))
            .or_else(|| self.first_meta(&["application-name", "citation_journal_title"]))
            .unwrap_or_default()
    }
}

/// JSON in which line breaks inside texts, which are frequent and invalid, are escaped and other
/// control characters are spaces.
fn with_escaped_breaks(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            '\n' if in_text => out.push_str(if escaped { "n" } else { "\\n" }),
            c if c.is_control() => out.push(' '),
            c => {
                in_text ^= c == '"' && !escaped;
                out.push(c);
            }
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    out
}

/// An address without the place in its page and the slash at its end.
fn bare(address: &str) -> String {
    let page = address.split('#').next().unwrap_or_default();
    page.trim_end_matches('/').to_owned()
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

/// The types of a JSON-LD object.
pub(in crate::extract) fn types(object: &Value) -> impl Iterator<Item = &str> {
    let kind = object.get("@type");
    let one = kind.and_then(Value::as_str);
    let many = kind.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn first(value: &Value) -> &Value {
    value.as_array().and_then(|values| values.first()).unwrap_or(value)
}

/// A JSON-LD value that is a text, unless it is empty.
pub(in crate::extract) fn text_of(value: Option<&Value>) -> Option<String> {
    let text = decode(value?.as_str()?);
    (!text.is_empty()).then_some(text)
}

/// Decodes HTML entities, which metadata often holds twice encoded, and collapses white
/// space.
pub(in crate::extract) fn decode(text: &str) -> String {
    collapse(&htmlize::unescape(text))
}
