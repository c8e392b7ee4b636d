//! Texts with a trap each, written for this test, and what a careful reader finds in them
//! (tests/golden_documents/*.json).
//!
//! A file has `trap`, `title`, `text` (its paragraphs) and what is expected: `entities` with their
//! name, type, the forms that mean them and an id; `unlinked` names; names that are `apart`;
//! `pronouns` with whom they mean, if anybody; `quotes` with their attribution and speaker;
//! `no_quotes`, which are in marks and are none; `not_speakers`, who say nothing.

use std::fs;
use std::path::Path;

use copydesk::analyzer::{Analysis, Analyzer, Checkpoint, Feature, Features, Options};
use copydesk::document::{Content, Entity, MentionKind, Section, Source, TextSpan};
use copydesk::extract::Mode;
use serde_json::Value;

#[test]
fn every_trap_is_seen() {
    let engine = Analyzer::load().expect("the embedded models are sound");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_documents");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|file| file.expect("readable").path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{} files", files.len());
    let mut failures = String::new();
    for file in files {
        let golden: Value =
            serde_json::from_str(&fs::read_to_string(&file).expect("readable")).expect("JSON");
        let failed = Read::new(&engine, &golden).failures(&golden);
        if !failed.is_empty() {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            failures += &format!("{name}: {}\n    {}\n", text(&golden["trap"]), failed.join("\n    "));
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A golden text with what the engine found in it.
struct Read {
    title: String,
    analysis: Analysis,
}

impl Read {
    fn new(engine: &Analyzer, golden: &Value) -> Self {
        let title = text(&golden["title"]).to_owned();
        let body = list(&golden["text"]).map(text).collect::<Vec<_>>().join("\n\n");
        let source = Source { content: Content::Text(body), title: title.clone(), ..Source::default() };
        let features = [Feature::Entities, Feature::Quotes].into_iter().collect::<Features>();
        let options = Options { features, ..Options::default() };
        let analysis =
            engine.analyze(&source, Mode::None, &options, &Checkpoint::default(), &()).expect("no deadline");
        Self { title, analysis }
    }

    fn words(&self, span: TextSpan) -> &str {
        span.span.of(if span.section == Section::Title { &self.title } else { &self.analysis.article.text })
    }

    fn entities(&self) -> &[Entity] {
        self.analysis.entities.as_deref().unwrap_or_default()
    }

    /// The words that mean an entity, without pronouns.
    fn forms<'a>(&'a self, entity: &'a Entity) -> impl Iterator<Item = &'a str> {
        let mentions = entity.mentions.iter().filter(|mention| mention.kind != MentionKind::Pronoun);
        mentions.map(|mention| self.words(mention.span))
    }

    /// The places of the entities that a form means.
    fn meant_by(&self, form: &str) -> Vec<usize> {
        let entities = self.entities().iter().enumerate();
        entities.filter(|(_, entity)| self.forms(entity).any(|own| own == form)).map(|(i, _)| i).collect()
    }

    /// Everything that is not as expected.
    fn failures(&self, golden: &Value) -> Vec<String> {
        let mut failures = Vec::new();
        for expected in list(&golden["entities"]) {
            self.entity(expected, &mut failures);
        }
        for name in list(&golden["unlinked"]).map(text) {
            for entity in self.meant_by(name).into_iter().map(|i| &self.entities()[i]) {
                if let Some(link) = entity.links.first() {
                    failures.push(format!("{name} has the link {}", link.id));
                }
            }
        }
        for names in list(&golden["apart"]) {
            let [one, other] = [0, 1].map(|i| self.meant_by(text(&names[i])));
            if one.iter().any(|entity| other.contains(entity)) {
                failures.push(format!("{names} are one"));
            }
        }
        for expected in list(&golden["pronouns"]) {
            let (pronoun, name) = (text(&expected["text"]), expected["entity"].as_str());
            let meant = self.entities().iter().find(|entity| {
                entity.mentions.iter().any(|mention| {
                    mention.kind == MentionKind::Pronoun && self.words(mention.span) == pronoun
                })
            });
            if meant.map(|entity| entity.name.as_str()) != name {
                failures.push(format!("{pronoun} means {:?}", meant.map(|entity| &entity.name)));
            }
        }
        for expected in list(&golden["quotes"]) {
            self.quote(expected, &mut failures);
        }
        for name in list(&golden["not_speakers"]).map(text) {
            let mut speakers = self.analysis.quotes.iter().flatten().filter_map(|quote| quote.speaker_entity);
            if speakers.any(|entity| self.entities()[entity].name == name) {
                failures.push(format!("{name} speaks"));
            }
        }
        for none in list(&golden["no_quotes"]).map(text) {
            if self.analysis.quotes.iter().flatten().any(|quote| self.words(quote.span) == none) {
                failures.push(format!("{none} is a quotation"));
            }
        }
        failures
    }

    fn entity(&self, expected: &Value, failures: &mut Vec<String>) {
        let name = text(&expected["name"]);
        let named: Vec<_> = self.entities().iter().filter(|entity| entity.name == name).collect();
        let [entity] = named[..] else {
            let names: Vec<_> = self.entities().iter().map(|entity| entity.name.as_str()).collect();
            failures.push(format!("{} entities are called {name}, of {names:?}", named.len()));
            return;
        };
        let kind = text(&expected["type"]).replace('_', "");
        if !format!("{:?}", entity.kind).eq_ignore_ascii_case(&kind) {
            failures.push(format!("{name} is of type {:?}", entity.kind));
        }
        let forms: Vec<_> = self.forms(entity).collect();
        for form in list(&expected["mentions"]).map(text).filter(|form| !forms.contains(form)) {
            failures.push(format!("{name} is not {form}, only {forms:?}"));
        }
        if let Some(id) = expected["id"].as_str() {
            let links: Vec<_> = entity.links.iter().map(|link| link.id.as_str()).collect();
            if links != [id] {
                failures.push(format!("{name} has the links {links:?}"));
            }
        }
    }

    fn quote(&self, expected: &Value, failures: &mut Vec<String>) {
        let words = text(&expected["text"]);
        let mut quotes = self.analysis.quotes.iter().flatten();
        let Some(quote) = quotes.find(|quote| self.words(quote.span) == words) else {
            failures.push(format!("{words} is no quotation"));
            return;
        };
        let attribution = format!("{:?}", quote.attribution);
        if !attribution.eq_ignore_ascii_case(text(&expected["attribution"])) {
            failures.push(format!("{words} is {attribution}"));
        }
        let speaker = quote.speaker_entity.map(|entity| self.entities()[entity].name.as_str());
        if expected["speaker"].as_str().is_some_and(|name| speaker != Some(name)) {
            failures.push(format!("{words} is said by {speaker:?}"));
        }
    }
}
