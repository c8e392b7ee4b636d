//! What a user says of a taxonomy, read from a file and checked.

use std::fmt;

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use super::syntax::{self, Entry, Format, Node, Value};
use crate::topics::TAXONOMY_ID;
use crate::topics::features::says_nothing;

/// Bytes of a file.
pub const MAX_FILE_BYTES: usize = 8 << 20;
const MAX_TOPICS: usize = 500;
/// Levels of topics below each other.
const MAX_LEVELS: usize = 8;
const MAX_KEYWORDS: usize = 200;
const MAX_KEYWORD_BYTES: usize = 100;
/// Of all topics together.
const MAX_EXAMPLES: usize = 5000;
const MAX_EXAMPLE_BYTES: usize = 32 << 10;
const MAX_NAME_BYTES: usize = 200;
const MAX_DESCRIPTION_BYTES: usize = 2 << 10;
const MAX_TAXONOMY_ID_BYTES: usize = 63;
const MAX_TOPIC_ID_BYTES: usize = 128;

/// A taxonomy as its file says it, parents before their children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub id: String,
    pub display_name: String,
    /// Where the file says none, the beginning of its SHA-256 digest.
    pub version: String,
    pub topics: Vec<TopicDefinition>,
}

/// A topic as the file says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicDefinition {
    pub id: String,
    pub name: String,
    /// The parent's place among the topics, which is before the topic's own.
    pub parent: Option<usize>,
    pub description: String,
    /// Words and phrases.
    pub keywords: Vec<String>,
    /// Texts about the topic.
    pub examples: Vec<String>,
}

/// Something wrong on a line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do about it.
    pub message: String,
}

/// A file that is no taxonomy, with everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidTaxonomy {
    pub file: String,
    pub problems: Vec<Problem>,
}

impl fmt::Display for InvalidTaxonomy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, Problem { line, message }) in self.problems.iter().enumerate() {
            let gap = if nth == 0 { "" } else { "\n" };
            write!(f, "{gap}{}, line {line}: {message}", self.file)?;
        }
        Ok(())
    }
}

impl Definition {
    /// Reads a file's bytes; the end of its name, `.toml` or `.json`, says how it is written.
    ///
    /// # Errors
    /// Names the line of everything that is wrong.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, InvalidTaxonomy> {
        let mut draft = Draft::default();
        let definition = draft.read(file, bytes);
        let mut problems = draft.problems;
        match definition {
            Some(mut definition) if problems.is_empty() => {
                if definition.version.is_empty() {
                    definition.version = digest(bytes);
                }
                Ok(definition)
            }
            _ => {
                problems.sort();
                Err(InvalidTaxonomy { file: file.to_owned(), problems })
            }
        }
    }
}

/// Enough of a file's digest to tell its versions apart.
fn digest(bytes: &[u8]) -> String {
    let start = &Sha256::digest(bytes)[..6];
    start.iter().fold(String::from("sha256:"), |text, byte| format!("{text}{byte:02x}"))
}

/// A definition in the making, with what is wrong so far.
#[derive(Default)]
struct Draft {
    problems: Vec<Problem>,
}

/// A topic with the lines that later checks name.
struct Drafted {
    line: usize,
    /// The parent's id.
    parent: Option<(usize, String)>,
    topic: TopicDefinition,
}

const TAXONOMY_KEYS: [&str; 4] = ["id", "name", "version", "topics"];
const TOPIC_KEYS: [&str; 6] = ["id", "name", "parent", "description", "keywords", "examples"];

impl Draft {
    fn wrong(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(Problem { line, message: message.into() });
    }

    fn read(&mut self, file: &str, bytes: &[u8]) -> Option<Definition> {
        let Some(format) = Format::of(file) else {
            self.wrong(1, "the file's name must end in .toml or .json");
            return None;
        };
        if bytes.len() > MAX_FILE_BYTES {
            self.wrong(1, format!("the file has {} bytes; at most {MAX_FILE_BYTES} are taken", bytes.len()));
            return None;
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
                self.wrong(line, "the file is not in UTF-8; save it in that encoding");
                return None;
            }
        };
        let root = syntax::parse(text, format).map_err(|problem| self.problems.push(problem)).ok()?;
        self.taxonomy(root)
    }

    fn taxonomy(&mut self, root: Node) -> Option<Definition> {
        let [id, display_name, version, topics] = self.table(root, TAXONOMY_KEYS, "a taxonomy")?;
        let id = self.required(id, 1, "id", "the taxonomy");
        if let Some((line, id)) = &id {
            self.check_taxonomy_id(*line, id);
        }
        let display_name = self.required(display_name, 1, "name", "the taxonomy");
        let version = self.text(version, "version", MAX_NAME_BYTES).map_or(String::new(), |(_, text)| text);
        if let Some((line, name)) = &display_name {
            self.at_most(*line, "the name", name, MAX_NAME_BYTES);
        }
        let Some(entry) = topics else {
            self.wrong(1, "there are no topics; add a list of them under the key \"topics\"");
            return None;
        };
        let drafted = self.topics(entry);
        let topics = self.in_order(drafted)?;
        Some(Definition { id: id?.1, display_name: display_name?.1, version, topics })
    }

    fn topics(&mut self, entry: Entry) -> Vec<Drafted> {
        let line = entry.line;
        let list = self.list(entry);
        if list.is_empty() {
            self.wrong(line, "there are no topics; add at least one");
        }
        if list.len() > MAX_TOPICS {
            self.wrong(line, format!("there are {} topics; at most {MAX_TOPICS} are taken", list.len()));
            return Vec::new();
        }
        let drafted: Vec<Drafted> = list.into_iter().filter_map(|node| self.topic(node)).collect();
        let examples: usize = drafted.iter().map(|drafted| drafted.topic.examples.len()).sum();
        if examples > MAX_EXAMPLES {
            self.wrong(line, format!("there are {examples} examples; at most {MAX_EXAMPLES} are taken"));
        }
        drafted
    }

    fn topic(&mut self, node: Node) -> Option<Drafted> {
        let line = node.line;
        let [id, name, parent, description, keywords, examples] = self.table(node, TOPIC_KEYS, "a topic")?;
        let (id_line, id) = self.required(id, line, "id", "the topic")?;
        self.check_topic_id(id_line, &id);
        let of = format!("the topic {id:?}");
        let name = self.required(name, line, "name", &of);
        if let Some((line, name)) = &name {
            self.at_most(*line, "the name", name, MAX_NAME_BYTES);
        }
        let parent = self.text(parent, "parent", MAX_TOPIC_ID_BYTES);
        let description = self.text(description, "description", MAX_DESCRIPTION_BYTES);
        let keywords = self.texts(keywords, "keyword", MAX_KEYWORDS, MAX_KEYWORD_BYTES);
        let examples = self.texts(examples, "example", MAX_EXAMPLES, MAX_EXAMPLE_BYTES);
        let topic = TopicDefinition {
            id,
            name: name.map_or(String::new(), |(_, name)| name),
            parent: None,
            description: description.map_or(String::new(), |(_, text)| text),
            keywords,
            examples,
        };
        Some(Drafted { line: id_line, parent, topic })
    }

    /// Puts parents before their children, in the order of the file otherwise.
    fn in_order(&mut self, drafted: Vec<Drafted>) -> Option<Vec<TopicDefinition>> {
        let parents = self.parents(&drafted);
        let mut has_children = vec![false; drafted.len()];
        parents.iter().flatten().for_each(|&parent| has_children[parent] = true);
        for (Drafted { line, topic, .. }, has_children) in drafted.iter().zip(has_children) {
            if !has_children && !topic.has_evidence() {
                self.wrong(*line, format!(
                    "the topic {:?} has nothing to be known by; give it a description, keywords or examples",
                    topic.id
                ));
            }
        }
        let levels = self.levels(&drafted, &parents)?;
        let mut order: Vec<usize> = (0..drafted.len()).collect();
        order.sort_by_key(|&place| levels[place]);
        let mut new_places = vec![0; drafted.len()];
        order.iter().zip(0..).for_each(|(&old, new)| new_places[old] = new);
        let mut topics: Vec<TopicDefinition> = drafted.into_iter().map(|drafted| drafted.topic).collect();
        let reordered = order.iter().map(|&place| TopicDefinition {
            parent: parents[place].map(|parent| new_places[parent]),
            ..std::mem::take(&mut topics[place])
        });
        Some(reordered.collect())
    }

    /// Each topic's parent by its place.
    fn parents(&mut self, drafted: &[Drafted]) -> Vec<Option<usize>> {
        let mut places = FxHashMap::default();
        for (place, Drafted { line, topic, .. }) in drafted.iter().enumerate() {
            if let Some(first) = places.insert(topic.id.as_str(), place) {
                let first = drafted[first].line;
                self.wrong(
                    *line,
                    format!("the id {:?} is taken on line {first} already; choose another", topic.id),
                );
            }
        }
        let parent = |drafted: &Drafted| {
            let (line, parent) = drafted.parent.as_ref()?;
            let place = places.get(parent.as_str()).copied();
            if place.is_none() {
                let message = format!("there is no topic {parent:?}; add it, or take the parent away");
                self.problems.push(Problem { line: *line, message });
            }
            place
        };
        drafted.iter().map(parent).collect()
    }

    /// How many topics each one has above it.
    fn levels(&mut self, drafted: &[Drafted], parents: &[Option<usize>]) -> Option<Vec<usize>> {
        let drafted_count = drafted.len();
        let mut levels = Vec::with_capacity(drafted_count);
        for (place, drafted) in drafted.iter().enumerate() {
            let line = drafted.parent.as_ref().map_or(drafted.line, |(line, _)| *line);
            // Below a circle there is no end to the ancestors.
            let ancestors = std::iter::successors(parents[place], |&above| parents[above]);
            let ancestors: Vec<usize> = ancestors.take(drafted_count).collect();
            let id = &drafted.topic.id;
            if ancestors.contains(&place) {
                let advice = "give one of the circle another parent or none";
                self.wrong(line, format!("the topic {id:?} is its own ancestor; {advice}"));
            } else if (MAX_LEVELS..drafted_count).contains(&ancestors.len()) {
                let message = format!("the topic {id:?} has {} topics above it; ", ancestors.len());
                self.wrong(line, message + &format!("at most {MAX_LEVELS} levels are taken"));
            }
            levels.push(ancestors.len());
        }
        self.problems.is_empty().then_some(levels)
    }

    fn check_taxonomy_id(&mut self, line: usize, id: &str) {
        let sound = (1..=MAX_TAXONOMY_ID_BYTES).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && id.starts_with(|c: char| c.is_ascii_lowercase())
            && !id.ends_with('-');
        if !sound {
            self.wrong(line, format!(
                "{id:?} is no id of a taxonomy: use 1 to {MAX_TAXONOMY_ID_BYTES} small letters, digits and hyphens, \
                 beginning with a letter and not ending with a hyphen"
            ));
        }
        if id == TAXONOMY_ID {
            self.wrong(line, format!("{id:?} is the taxonomy that is built in; choose another id"));
        }
    }

    fn check_topic_id(&mut self, line: usize, id: &str) {
        let sound = (1..=MAX_TOPIC_ID_BYTES).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:".contains(&b));
        if !sound {
            self.wrong(line, format!(
                "{id:?} is no id of a topic: use 1 to {MAX_TOPIC_ID_BYTES} letters without accents, digits and -._~:"
            ));
        }
    }

    fn at_most(&mut self, line: usize, what: &str, text: &str, bytes: usize) {
        if text.len() > bytes {
            self.wrong(line, format!("{what} has {} bytes; at most {bytes} are taken", text.len()));
        }
    }

    /// The entries of a table in the order of `keys`.
    fn table<const N: usize>(
        &mut self,
        node: Node,
        keys: [&str; N],
        what: &str,
    ) -> Option<[Option<Entry>; N]> {
        let Value::Table(entries) = node.value else {
            self.wrong(node.line, format!("{what} must be a table, and not {}", node.value.kind()));
            return None;
        };
        let mut found = [const { None }; N];
        for entry in entries {
            let Entry { key, line, .. } = &entry;
            match keys.iter().position(|known| known == key) {
                None => {
                    let known = keys.join(", ");
                    self.wrong(*line, format!("{key:?} is no key of {what}; its keys are {known}"));
                }
                Some(place) if found[place].is_some() => {
                    self.wrong(*line, format!("{key:?} is there twice; leave one of them out"));
                }
                Some(place) => found[place] = Some(entry),
            }
        }
        Some(found)
    }

    /// A string with its line; an empty one is as good as none.
    fn string(&mut self, entry: Option<Entry>) -> Option<(usize, String)> {
        let Entry { key, node, .. } = entry?;
        match node.value {
            Value::Text(text) if text.trim().is_empty() => None,
            Value::Text(text) => Some((node.line, text)),
            other => {
                self.wrong(node.line, format!("{key:?} must be a string, and not {}", other.kind()));
                None
            }
        }
    }

    fn text(&mut self, entry: Option<Entry>, what: &str, bytes: usize) -> Option<(usize, String)> {
        let (line, text) = self.string(entry)?;
        self.at_most(line, &format!("the {what}"), &text, bytes);
        Some((line, text))
    }

    /// A string that must be there; what is missing is missing on `line`.
    fn required(
        &mut self,
        entry: Option<Entry>,
        line: usize,
        key: &str,
        of: &str,
    ) -> Option<(usize, String)> {
        let mistyped = entry.as_ref().is_some_and(|entry| !matches!(entry.node.value, Value::Text(_)));
        let line = entry.as_ref().map_or(line, |entry| entry.line);
        let text = self.string(entry);
        if text.is_none() && !mistyped {
            self.wrong(line, format!("{of} has no {key}; give it one"));
        }
        text
    }

    fn list(&mut self, entry: Entry) -> Vec<Node> {
        match entry.node.value {
            Value::List(list) => list,
            other => {
                self.wrong(
                    entry.node.line,
                    format!("{:?} must be a list, and not {}", entry.key, other.kind()),
                );
                Vec::new()
            }
        }
    }

    /// A list of strings, none of them blank.
    fn texts(&mut self, entry: Option<Entry>, what: &str, most: usize, bytes: usize) -> Vec<String> {
        let Some(entry) = entry else { return Vec::new() };
        let line = entry.line;
        let list = self.list(entry);
        if list.len() > most {
            self.wrong(line, format!("there are {} {what}s; at most {most} are taken", list.len()));
            return Vec::new();
        }
        let mut texts = Vec::with_capacity(list.len());
        for node in list {
            match node.value {
                Value::Text(text) if text.chars().any(char::is_alphanumeric) && !says_nothing(&text) => {
                    self.at_most(node.line, &format!("the {what}"), &text, bytes);
                    texts.push(text);
                }
                Value::Text(_) => {
                    self.wrong(
                        node.line,
                        format!("the {what} has no words that say something; leave it out"),
                    );
                }
                other => {
                    self.wrong(node.line, format!("a {what} must be a string, and not {}", other.kind()));
                }
            }
        }
        texts
    }
}

impl TopicDefinition {
    /// Whether it is said in words what the topic is.
    pub(super) fn is_described(&self) -> bool {
        !self.description.is_empty() || !self.keywords.is_empty()
    }

    /// Whether there is more to know it by than its name.
    pub(super) fn has_evidence(&self) -> bool {
        self.is_described() || !self.examples.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOML: &str = "id = \"desk\"\nname = \"Desk\"\n\n[[topics]]\nid = \"cars\"\nname = \"Cars\"\n\
                        parent = \"industry\"\nkeywords = [\"car\", \"vehicle\"]\n\n[[topics]]\nid = \"industry\"\n\
                        name = \"Industry\"\n";
    const JSON: &str = "{\"id\": \"desk\",\n \"name\": \"Desk\",\n \"topics\": [\n  {\"id\": \"cars\",\n   \
                        \"name\": \"Cars\", \"parent\": \"industry\",\n   \"keywords\": [\"car\", \"vehicle\"]},\n  \
                        {\"id\": \"industry\", \"name\": \"Industry\"}]}\n";

    fn problems(file: &str, text: &str) -> Vec<(usize, String)> {
        let invalid = Definition::parse(file, text.as_bytes()).unwrap_err();
        invalid.problems.into_iter().map(|problem| (problem.line, problem.message)).collect()
    }

    #[test]
    fn both_formats_say_the_same() {
        let definition = Definition::parse("desk.toml", TOML.as_bytes()).unwrap();
        assert_eq!(Definition::parse("desk.JSON", JSON.as_bytes()).unwrap().topics, definition.topics);
        assert!(definition.version.starts_with("sha256:"));
        let [industry, cars] = definition.topics.as_slice() else { panic!("two topics") };
        assert_eq!((industry.id.as_str(), industry.parent), ("industry", None));
        assert_eq!((cars.parent, cars.keywords.as_slice()), (Some(0), &["car".into(), "vehicle".into()][..]));
    }

    /// A change to a sound file, and the line and part of the message that it makes.
    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (from, to, toml_line, json_line, message) in [
            ("\"industry\"\nkey", "\"farms\"\nkey", 7, 5, "there is no topic \"farms\""),
            ("\"desk\"", "\"The Desk\"", 1, 1, "no id of a taxonomy"),
            ("\"desk\"", "\"iptc-media-topics\"", 1, 1, "built in"),
            ("\"cars\"", "\"cars & vans\"", 5, 4, "no id of a topic"),
            ("\"cars\"", "\"industry\"", 11, 7, "taken on line"),
            ("\"cars\"", "7", 5, 4, "\"id\" must be a string, and not a number"),
            ("\"Industry\"", "\"\"", 12, 7, "the topic \"industry\" has no name"),
            ("\"vehicle\"", "\"...\"", 8, 6, "the keyword has no words"),
            ("\"vehicle\"", "\"The Who\"", 8, 6, "the keyword has no words"),
        ] {
            // JSON has a comma where TOML has the end of a line.
            let (json_from, json_to) =
                (from.replace("\"\nkey", "\",\n   \"key"), to.replace("\"\nkey", "\",\n   \"key"));
            for (file, text, line) in [
                ("desk.toml", TOML.replacen(from, to, 1), toml_line),
                ("desk.json", JSON.replacen(&json_from, &json_to, 1), json_line),
            ] {
                let problems = problems(file, &text);
                let found = problems.iter().any(|(at, what)| *at == line && what.contains(message));
                assert!(found, "{file}: {message} on line {line}: {problems:?}\n{text}");
            }
        }
    }

    #[test]
    fn keys_evidence_circles_and_syntax_are_looked_at() {
        let unknown = TOML.replace("keywords", "keyword");
        let found = problems("desk.toml", &unknown);
        assert_eq!(found[0].0, 5, "cars has no evidence: {found:?}");
        assert_eq!(found[1].0, 8);
        assert!(found[1].1.contains("\"keyword\" is no key of a topic; its keys are id, name"), "{found:?}");

        let circle = format!("{TOML}parent = \"cars\"\n");
        let found = problems("desk.toml", &circle);
        assert_eq!((found[0].0, found[1].0), (7, 13), "{found:?}");
        assert!(found[0].1.contains("its own ancestor"));

        assert_eq!(problems("desk.toml", "id = \"desk\"\nname \"Desk\"")[0].0, 2);
        let found = problems("desk.json", "{\"id\": \"desk\",\n \"name\" \"Desk\"}");
        assert!(found[0].0 == 2 && !found[0].1.contains("at line"), "{found:?}");
        let found = problems("desk.json", &JSON.replacen("\"name\": \"Desk\"", "\"id\": \"x\"", 1));
        assert!(found.iter().any(|(line, what)| *line == 2 && what.contains("twice")), "{found:?}");
        assert!(problems("desk.yaml", "")[0].1.contains(".toml or .json"));
        assert!(problems("desk.toml", "id = \"a\"\nname = \"A\"")[0].1.contains("no topics"));
        let invalid = Definition::parse("desk.toml", b"id = \"a\"\nname = \"\xff\"").unwrap_err();
        assert_eq!(
            invalid.to_string(),
            "desk.toml, line 2: the file is not in UTF-8; save it in that encoding"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), json: bool) {
            let _ = Definition::parse(if json { "a.json" } else { "a.toml" }, &bytes);
        }

        #[test]
        fn no_damage_panics(at in 0_usize..220, byte in "[\\[\\]{}\"=:,a7.\n -]{0,3}", json: bool) {
            let (file, text) = if json { ("a.json", JSON) } else { ("a.toml", TOML) };
            let (before, after) = text.split_at(at.min(text.len()));
            let _ = Definition::parse(file, format!("{before}{byte}{after}").as_bytes());
        }

        #[test]
        fn no_depth_panics(depth in 0_usize..20_000, json: bool) {
            let (file, open) = if json { ("a.json", "[") } else { ("a.toml", "a=[") };
            let _ = Definition::parse(file, open.repeat(depth).as_bytes());
            let nested = format!("{}{}", "{\"a\":".repeat(depth), "1".to_owned() + &"}".repeat(depth));
            let _ = Definition::parse("a.json", nested.as_bytes());
        }
    }
}
