//! Who, where and which organisation.
//!
//! As the data flows: an article is [`reading`] as units with facts about each word, the
//! [`tagger`] labels them by their [`features`], [`resolve`] brings the names together to
//! entities, [`describe`] finds descriptions and pronouns that stand for them, [`link`]
//! knows ids, and [`salience`] puts the protagonists first.

mod describe;
mod features;
mod lexicon;
mod link;
mod reading;
mod resolve;
mod salience;
mod table;
mod tagger;
mod tags;
#[cfg(test)]
mod tests;
pub mod train;
mod words;

use describe::Nouns;
use lexicon::{Lexicon, LexiconParts};
use link::{LinkParts, Links};
use reading::Reading;
use resolve::Cluster;
use tagger::{DOCUMENT, LOCAL, Tagger, WeightParts, Weights};

use crate::document::{Entity, EntityLink, Mention, MentionKind};
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::SegmentedArticle;

const FILE: &[u8] = include_bytes!("../../models/entities.bin");

/// Finds and resolves entities. Immutable; share it.
pub struct EntityModel {
    info: ModelInfo,
    tagger: Tagger,
    links: Links,
    nouns: Nouns,
}

impl EntityModel {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        Self::read(FILE)
    }

    /// Reads a model file as [`train`] writes it.
    pub fn read(file: &[u8]) -> Result<Self, ModelError> {
        let file = ModelFile::parse(file)?;
        let tagger = Tagger {
            lexicon: Lexicon::new(LexiconParts::read(&file)?)?,
            local: Weights::new(&WeightParts::read(&file, &LOCAL)?)?,
            document: Some(Weights::new(&WeightParts::read(&file, &DOCUMENT)?)?),
        };
        let links = Links::new(LinkParts::read(&file)?)?;
        Ok(Self { info: file.info().clone(), tagger, links, nouns: Nouns::new() })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Every entity with all its mentions in title and body, most salient first.
    pub fn find(&self, article: &SegmentedArticle) -> Vec<Entity> {
        let reading = Reading::new(article, &self.tagger.lexicon);
        let labelling = self.tagger.tag(&reading);
        let names = self.nouns.typed(&reading, resolve::names(&reading, &labelling));
        let clusters = resolve::resolve(&reading, &self.links, names);
        let descriptions = self.nouns.find(&reading, &clusters);
        let salience = salience::salience(&reading, &clusters, &descriptions);
        let mut entities: Vec<Entity> = clusters
            .iter()
            .zip(salience)
            .map(|(cluster, salience)| entity(&reading, cluster, salience))
            .collect();
        for description in descriptions {
            let confidence = if description.kind == MentionKind::Common { 0.8 } else { 0.7 };
            let span = reading.text_span(description.line, description.units);
            entities[description.cluster].mentions.push(Mention { span, kind: description.kind, confidence });
        }
        for entity in &mut entities {
            entity.mentions.sort_by_key(|mention| mention.span);
        }
        // Stable: of equals the one named first comes first.
        entities.sort_by(|a, b| b.salience.total_cmp(&a.salience));
        entities
    }
}

fn entity(reading: &Reading, cluster: &Cluster, salience: f32) -> Entity {
    let span = |name: &resolve::Name| reading.text_span(name.line, name.units.clone());
    let fullest = span(&cluster.names[cluster.fullest]);
    let mention = |name: &resolve::Name| Mention {
        span: span(name),
        kind: MentionKind::Proper,
        confidence: name.confidence,
    };
    let link =
        |number| EntityLink { knowledge_base: "wikidata".into(), id: format!("Q{number}"), confidence: 0.9 };
    Entity {
        name: fullest.span.of(reading.text(fullest.section)).to_owned(),
        kind: cluster.kind,
        salience,
        mentions: cluster.names.iter().map(mention).collect(),
        links: cluster.link.map(link).into_iter().collect(),
    }
}
