//! Who, where and which organisation.
//!
//! As the data flows: an article is [`reading`] as units with facts about each word, the
//! [`tagger`] labels them by their [`features`], [`kinds`] mends types, [`resolve`] brings the
//! names together to entities, [`describe`] and [`pronouns`] find what else stands for them,
//! [`link`] knows ids, and [`salience`] puts the protagonists first.

mod describe;
mod features;
mod kinds;
mod lexicon;
mod link;
mod nouns;
mod pronouns;
mod reading;
mod resolve;
mod salience;
mod tagger;
mod tags;
#[cfg(test)]
mod tests;
pub mod train;
mod words;

use describe::{Describer, Description};
use kinds::Hints;
use lexicon::{Lexicon, LexiconParts};
use link::{Link, LinkParts, Links};
use nouns::{NounParts, Nouns};
use pronouns::{Pronoun, Pronouns};
use reading::Reading;
use resolve::Cluster;
use salience::{Ranker, Trace};
use tagger::{DOCUMENT, LOCAL, Tagger, WeightParts, Weights};

use crate::document::{Entity, EntityLink, Mention, MentionKind};
use crate::model::trees::Forest;
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::SegmentedArticle;

const FILE: &[u8] = include_bytes!("../../models/entities.bin");

/// Finds and resolves entities. Immutable; share it.
pub struct EntityModel {
    info: ModelInfo,
    tagger: Tagger,
    links: Links,
    hints: Hints,
    describer: Describer,
    pronouns: Pronouns,
    ranker: Ranker,
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
        let describer = Describer {
            nouns: Nouns::new(NounParts::read(&file)?)?,
            forest: Forest::read(&file, describe::FOREST, describe::WIDTH)?,
        };
        Ok(Self {
            info: file.info().clone(),
            tagger,
            links,
            hints: Hints::new(),
            describer,
            pronouns: Pronouns::new(),
            ranker: Ranker::read(&file)?,
        })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Every entity with all its mentions in title and body, most salient first.
    pub fn find(&self, article: &SegmentedArticle) -> Vec<Entity> {
        let reading = Reading::new(article, &self.tagger.lexicon);
        let labelling = self.tagger.tag(&reading);
        let names = self.hints.typed(&reading, resolve::names(&reading, &labelling));
        let clusters = resolve::resolve(&reading, &self.links, names);
        let cluster_of = resolve::cluster_of(&reading, &clusters);
        let descriptions = self.describer.find(&reading, &clusters, &cluster_of);
        let pronouns = self.pronouns.find(&reading, &clusters, &cluster_of);
        let mut traces = Trace::all(&reading, &clusters, &pronouns);
        for description in &descriptions {
            traces[description.cluster].add(description);
        }
        let mut entities: Vec<Entity> = clusters
            .iter()
            .zip(self.ranker.salience(&traces))
            .map(|(cluster, salience)| entity(&reading, cluster, salience))
            .collect();
        for Description { line, units, cluster, confidence } in descriptions {
            let span = reading.text_span(line, units);
            entities[cluster].mentions.push(Mention { span, kind: MentionKind::Common, confidence });
        }
        for Pronoun { line, unit, cluster } in pronouns {
            let span = reading.text_span(line, unit..unit + 1);
            entities[cluster].mentions.push(Mention { span, kind: MentionKind::Pronoun, confidence: 0.7 });
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
    let link = |link: Link| EntityLink {
        knowledge_base: "wikidata".into(),
        id: format!("Q{}", link.number),
        confidence: link.confidence(),
    };
    Entity {
        name: fullest.span.of(reading.text(fullest.section)).to_owned(),
        kind: cluster.kind,
        salience,
        mentions: cluster.names.iter().map(mention).collect(),
        links: cluster.link.map(link).into_iter().collect(),
    }
}
