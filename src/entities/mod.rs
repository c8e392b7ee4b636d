//! Who, where and which organisation.

mod features;
mod lexicon;
mod reading;
mod table;
mod tagger;
mod tags;
pub mod train;
mod words;

use lexicon::{Lexicon, LexiconParts};
use reading::Reading;
use tagger::{DOCUMENT, LOCAL, Tagger, WeightParts, Weights};

use crate::document::{Entity, Mention, MentionKind, TextSpan};
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::SegmentedArticle;

const FILE: &[u8] = include_bytes!("../../models/entities.bin");

/// Finds and resolves entities. Immutable; share it.
pub struct EntityModel {
    info: ModelInfo,
    tagger: Tagger,
}

impl EntityModel {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let file = ModelFile::parse(FILE)?;
        let tagger = Tagger {
            lexicon: Lexicon::new(LexiconParts::read(&file)?)?,
            local: Weights::new(&WeightParts::read(&file, &LOCAL)?)?,
            document: Some(Weights::new(&WeightParts::read(&file, &DOCUMENT)?)?),
        };
        Ok(Self { info: file.info().clone(), tagger })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// Every entity with all its mentions in title and body, most salient first.
    pub fn find(&self, article: &SegmentedArticle) -> Vec<Entity> {
        let reading = Reading::new(article, &self.tagger.lexicon);
        let tags = self.tagger.tag(&reading);
        reading
            .lines
            .iter()
            .flat_map(|line| {
                let (reading, base) = (&reading, line.units.start);
                tags::names(&tags[line.units.clone()]).map(move |(units, kind)| {
                    let span = reading.span(units.start + base..units.end + base);
                    let span = TextSpan { section: line.section, span };
                    Entity {
                        name: span.span.of(reading.text(line.section)).to_owned(),
                        kind: tags::KINDS[kind],
                        salience: 0.0,
                        mentions: vec![Mention { span, kind: MentionKind::Proper, confidence: 1.0 }],
                        links: Vec::new(),
                    }
                })
            })
            .collect()
    }
}
