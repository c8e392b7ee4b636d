//! A taxonomy: a tree of concepts with names.

use serde::Deserialize;

use crate::document::TopicRef;
use crate::model::{ModelError, ModelFile};

/// A concept; its place in the taxonomy names it.
pub(super) type Place = usize;

/// A concept of the taxonomy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Concept {
    /// As `medtop:11000000`.
    pub code: String,
    /// Of the Media Topics, in British English.
    pub name: String,
    /// What it covers; empty for the Media Topics.
    pub description: String,
    pub parent: Option<Place>,
    /// 1 for the top.
    pub level: usize,
}

/// All concepts, parents before their children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taxonomy {
    concepts: Vec<Concept>,
}

impl Taxonomy {
    /// Reads the Media Topics as the data set has them, without retired concepts.
    pub fn from_json(json: &str) -> Result<Self, Box<dyn std::error::Error>> {
        #[derive(Deserialize)]
        struct Entry {
            code: String,
            level: usize,
            parent: Option<String>,
            name: String,
            retired: Option<String>,
        }
        let mut entries: Vec<Entry> = serde_json::from_str(json)?;
        entries.retain(|entry| entry.retired.is_none());
        entries.sort_by(|a, b| (a.level, &a.code).cmp(&(b.level, &b.code)));
        let mut taxonomy = Self::default();
        for entry in entries {
            let parent = match entry.parent {
                Some(code) => Some(taxonomy.place(&code).ok_or_else(|| format!("no parent {code}"))?),
                None => None,
            };
            taxonomy.push(entry.code, entry.name, String::new(), parent);
        }
        Ok(taxonomy)
    }

    /// One line a concept, for the model file: code, parent's code, name, set apart by tabs.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.concepts.iter().map(|concept| {
            let parent = concept.parent.map_or("", |parent| &self.concepts[parent].code);
            format!("{}\t{parent}\t{}", concept.code, concept.name)
        })
    }

    /// Reads what [`Self::lines`] wrote.
    pub fn from_model(file: &ModelFile, section: &str) -> Result<Self, ModelError> {
        let mut taxonomy = Self::default();
        for (at, line) in file.lines(section)?.enumerate() {
            let mut fields = line.splitn(3, '\t');
            let (Some(code), Some(parent), Some(name)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(ModelError::Damaged(at));
            };
            let parent = match parent {
                "" => None,
                code => Some(taxonomy.place(code).ok_or(ModelError::Damaged(at))?),
            };
            taxonomy.push(code.to_owned(), name.to_owned(), String::new(), parent);
        }
        Ok(taxonomy)
    }

    /// Adds a concept whose parent is there already.
    pub fn push(&mut self, code: String, name: String, description: String, parent: Option<Place>) {
        let level = parent.map_or(1, |parent| self.concepts[parent].level + 1);
        self.concepts.push(Concept { code, name, description, parent, level });
    }

    pub fn concepts(&self) -> &[Concept] {
        &self.concepts
    }

    pub fn concept(&self, place: Place) -> &Concept {
        &self.concepts[place]
    }

    pub fn place(&self, code: &str) -> Option<Place> {
        self.concepts.iter().position(|concept| concept.code == code)
    }

    /// The concept's parent, its parent's parent and so on up to the top.
    pub fn ancestors(&self, place: Place) -> impl Iterator<Item = Place> {
        std::iter::successors(self.concepts[place].parent, |&place| self.concepts[place].parent)
    }

    /// The concept's ancestors from the top down.
    pub fn path(&self, place: Place) -> Vec<TopicRef> {
        let mut path: Vec<TopicRef> = self
            .ancestors(place)
            .map(|place| TopicRef {
                id: self.concepts[place].code.clone(),
                display_name: self.concepts[place].name.clone(),
            })
            .collect();
        path.reverse();
        path
    }
}
