//! The sentences that carry the story.

mod centrality;
mod features;
mod lead;
mod query;
mod select;
pub mod train;
mod words;

use features::Prepared;
use lead::LeadModel;
use select::{Budget, Choice};
use words::Lexicon;

use crate::document::{Entity, Summary, SummarySentence};
use crate::model::trees::{Forest, probability};
use crate::model::{ModelError, ModelFile, ModelInfo};
use crate::text::SegmentedArticle;

const MODEL: &[u8] = include_bytes!("../../models/summary.bin");

/// The worth of a sentence that belongs into every summary.
const FULL_WORTH: f32 = 2.0;

/// A sentence that is likelier than this to be a caption, a credit, a fragment or the like is
/// left out, unless there is no other.
const HARMFUL: f32 = 0.5;

/// How long a summary may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Length {
    /// At most so many sentences.
    Sentences(usize),
    /// At most so many characters (code points), the sentences' own, without what joins them.
    Characters(usize),
    /// At most this share of the text's characters, over 0 and at most 1.
    Share(f64),
}

impl Default for Length {
    fn default() -> Self {
        Self::Sentences(3)
    }
}

/// In which order a summary's sentences come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they stand in the text.
    #[default]
    Position,
    /// The most important first.
    Rank,
}

/// What kind of summary is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    pub length: Length,
    pub order: Order,
    /// What the summary should be about; empty for the document's own story.
    pub query: String,
}

/// Chooses summary sentences. Immutable; share it.
pub struct Summarizer {
    info: ModelInfo,
    reader: Reader,
    judge: Judge,
}

/// What turns a document into features.
struct Reader {
    lexicon: Lexicon,
    lead: LeadModel,
}

/// What turns features into the worth of a sentence.
struct Judge {
    /// The grade that readers would give, 0 to 2.
    grade: Forest,
    /// Log-odds that the sentence must not appear.
    harm: Forest,
}

impl Summarizer {
    /// Loads the weights compiled into the binary.
    pub fn load() -> Result<Self, ModelError> {
        let file = ModelFile::parse(MODEL)?;
        Ok(Self { info: file.info().clone(), reader: Reader::load(&file)?, judge: Judge::load(&file)? })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The sentences of the body that tell its story, or what it says about the query.
    ///
    /// A query that nothing in the text matches is as good as none. The summary is empty where
    /// not even one sentence fits the length.
    pub fn summarize(&self, article: &SegmentedArticle, entities: &[Entity], options: &Options) -> Summary {
        let sentences = &article.body.sentences;
        let prepared = self.reader.read(article);
        let mut worth = self.judge.worth(&prepared);
        if let Some(relevance) = query::relevance(&options.query, &article.body, entities) {
            query::turn_to(&mut worth, &relevance);
        }
        let characters: Vec<usize> =
            sentences.iter().map(|sentence| sentence.span.of(article.body.text).chars().count()).collect();
        let budget = budget(options.length, article.body.text);
        let choices = select::choose(&worth, &characters, &prepared.vectors, budget);
        let mut chosen: Vec<SummarySentence> = choices
            .into_iter()
            .enumerate()
            .map(|(nth, Choice { sentence, worth })| SummarySentence {
                span: sentences[sentence].span,
                score: (worth / FULL_WORTH).clamp(0.0, 1.0),
                rank: nth + 1,
            })
            .collect();
        if options.order == Order::Position {
            chosen.sort_by_key(|sentence| sentence.span);
        }
        Summary { sentences: chosen, source_sentence_count: sentences.len() }
    }
}

impl Reader {
    fn load(file: &ModelFile) -> Result<Self, ModelError> {
        let rarity = file.bytes("rarity")?.to_vec();
        let lead = file.i8s("lead")?;
        let step = file.f32s("lead step")?;
        match step.as_slice() {
            [step] if rarity.len() == words::RARITY_BUCKETS && lead.len() == lead::BUCKETS => {
                Ok(Self { lexicon: Lexicon::new(rarity), lead: LeadModel::new(lead, *step) })
            }
            _ => Err(ModelError::Damaged(0)),
        }
    }

    fn read(&self, article: &SegmentedArticle) -> Prepared {
        features::prepare(article, &self.lexicon, &self.lead)
    }
}

impl Judge {
    fn load(file: &ModelFile) -> Result<Self, ModelError> {
        let judge = Self { grade: Forest::read(file, "grade")?, harm: Forest::read(file, "harm")? };
        let fits = [&judge.grade, &judge.harm].iter().all(|forest| forest.width() == features::COUNT);
        fits.then_some(judge).ok_or(ModelError::Damaged(0))
    }

    /// The worth of every sentence, 0 to about [`FULL_WORTH`]; none for one that must not appear.
    fn worth(&self, prepared: &Prepared) -> Vec<Option<f32>> {
        let judged: Vec<(f32, f32)> = prepared
            .rows
            .iter()
            .map(|row| (self.grade.score(row), probability(self.harm.score(row))))
            .collect();
        // A text of fragments only still has a summary.
        let all_harmful = judged.iter().all(|&(_, harm)| harm > HARMFUL);
        judged
            .into_iter()
            .map(|(grade, harm)| (all_harmful || harm <= HARMFUL).then_some(grade * (1.0 - harm)))
            .collect()
    }
}

fn budget(length: Length, text: &str) -> Budget {
    let unbounded = Budget { sentences: usize::MAX, characters: usize::MAX };
    match length {
        Length::Sentences(sentences) => Budget { sentences, ..unbounded },
        Length::Characters(characters) => Budget { characters, ..unbounded },
        // The product is at most the length of the text, so that it fits.
        Length::Share(share) => {
            Budget { characters: (text.chars().count() as f64 * share) as usize, ..unbounded }
        }
    }
}
