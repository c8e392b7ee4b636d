//! Runs the chosen analyses over one document.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::document::{
    Article, Entity, JointSummary, KeyPhrase, Quote, Source, Span, Summary, TemporalExpression, Topic,
    Warning,
};
use crate::entities::EntityModel;
use crate::extract::{Extraction, Extractor, Mode};
use crate::keyphrases::PhraseModel;
use crate::model::{ModelError, ModelInfo};
use crate::summary::Summarizer;
use crate::text::segment_article;
use crate::topics::{Choice, Definition, OwnTaxonomy, TaxonomyInfo, TopicInfo, TopicModel};
use crate::{dates, quotes, summary, topics};

/// How many key phrases a document gets at most.
const KEY_PHRASES: usize = 12;

/// One kind of result that a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    Sentences,
    Entities,
    Quotes,
    TemporalExpressions,
    KeyPhrases,
    Summary,
    Topics,
}

impl Feature {
    pub const ALL: [Self; 7] = [
        Self::Sentences,
        Self::Entities,
        Self::Quotes,
        Self::TemporalExpressions,
        Self::KeyPhrases,
        Self::Summary,
        Self::Topics,
    ];

    /// As the command line and the metrics spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sentences => "sentences",
            Self::Entities => "entities",
            Self::Quotes => "quotes",
            Self::TemporalExpressions => "dates",
            Self::KeyPhrases => "key-phrases",
            Self::Summary => "summary",
            Self::Topics => "topics",
        }
    }
}

/// A set of features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features(u8);

impl Features {
    pub const NONE: Self = Self(0);
    pub const ALL: Self = Self(0x7f);

    pub const fn contains(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    #[must_use]
    pub const fn with(self, feature: Feature) -> Self {
        Self(self.0 | 1 << feature as u8)
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        features.into_iter().fold(Self::NONE, Self::with)
    }
}

/// What to compute and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub features: Features,
    pub summary: summary::Options,
    pub topics: topics::Options,
}

/// Everything the engine found in one document; features that were not asked for are none.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    pub article: Article,
    pub sentences: Option<Vec<Span>>,
    pub entities: Option<Vec<Entity>>,
    pub quotes: Option<Vec<Quote>>,
    pub temporal_expressions: Option<Vec<TemporalExpression>>,
    pub key_phrases: Option<Vec<KeyPhrase>>,
    pub summary: Option<Summary>,
    pub topics: Option<Vec<Topic>>,
    /// Features that were asked for and failed; the others are there.
    pub failed: Vec<Feature>,
    pub warnings: Vec<Warning>,
    pub token_count: usize,
    pub sentence_count: usize,
}

/// Why an analysis stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    #[error("the deadline passed")]
    Deadline,
    #[error("the caller has gone away")]
    Cancelled,
}

/// Says between two stages whether the result is still wanted.
#[derive(Clone, Debug, Default)]
pub struct Checkpoint {
    pub deadline: Option<Instant>,
    cancelled: Arc<AtomicBool>,
}

impl Checkpoint {
    pub fn until(deadline: Option<Instant>) -> Self {
        Self { deadline, cancelled: Arc::default() }
    }

    /// Stops every analysis that holds a clone of this checkpoint at its next stage.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn check(&self) -> Result<(), Stopped> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(Stopped::Cancelled);
        }
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Stopped::Deadline),
            _ => Ok(()),
        }
    }
}

/// Told how long each stage took; the engine knows no metrics library.
pub trait Stopwatch {
    fn stage(&self, stage: &'static str, seconds: f64);
}

impl Stopwatch for () {
    fn stage(&self, _: &'static str, _: f64) {}
}

/// The whole engine. Immutable; share it.
pub struct Analyzer {
    extractor: Extractor,
    entities: EntityModel,
    summarizer: Summarizer,
    topics: TopicModel,
    phrases: PhraseModel,
}

impl Analyzer {
    /// Loads every model from the binary.
    pub fn load() -> Result<Self, ModelError> {
        Ok(Self {
            extractor: Extractor::load()?,
            entities: EntityModel::load()?,
            summarizer: Summarizer::load()?,
            topics: TopicModel::load()?,
            phrases: PhraseModel::load()?,
        })
    }

    pub fn models(&self) -> [&ModelInfo; 7] {
        let [lines, pages, metadata] = self.extractor.infos();
        let [entities, phrases] = [self.entities.info(), self.phrases.info()];
        [lines, pages, metadata, entities, phrases, self.summarizer.info(), self.topics.info()]
    }

    pub fn taxonomy(&self) -> &TaxonomyInfo {
        self.topics.taxonomy()
    }

    /// Every topic of a taxonomy, parents before their children.
    pub fn topics<'a>(&'a self, taxonomy: &'a Choice) -> impl ExactSizeIterator<Item = TopicInfo<'a>> {
        self.topics.topics(taxonomy)
    }

    /// A taxonomy of the user's own, ready to tag documents.
    pub fn learn_taxonomy(&self, definition: &Definition) -> OwnTaxonomy {
        self.topics.learn(definition)
    }

    /// The article in a page.
    pub fn extract(&self, source: &Source, mode: Mode) -> Extraction {
        self.extractor.extract(source, mode)
    }

    /// The article in a page, and what is in the article.
    pub fn analyze(
        &self,
        source: &Source,
        mode: Mode,
        options: &Options,
        checkpoint: &Checkpoint,
        stopwatch: &dyn Stopwatch,
    ) -> Result<Analysis, Stopped> {
        checkpoint.check()?;
        let started = Instant::now();
        let extraction = self.extract(source, mode);
        stopwatch.stage("extract", started.elapsed().as_secs_f64());
        let mut analysis = self.analyze_article(extraction.article, options, checkpoint, stopwatch)?;
        analysis.warnings.splice(0..0, extraction.warnings);
        Ok(analysis)
    }

    /// What is in an article that was extracted before.
    pub fn analyze_article(
        &self,
        article: Article,
        options: &Options,
        checkpoint: &Checkpoint,
        stopwatch: &dyn Stopwatch,
    ) -> Result<Analysis, Stopped> {
        let mut analysis = Analysis::default();
        if options.features != Features::NONE {
            Run { engine: self, options, checkpoint, stopwatch }.features(&article, &mut analysis)?;
        }
        analysis.article = article;
        Ok(analysis)
    }
}

impl Analyzer {
    /// The sentences that tell the common story of several articles.
    pub fn summarize_together(
        &self,
        articles: &[Article],
        options: &summary::Options,
        checkpoint: &Checkpoint,
        stopwatch: &dyn Stopwatch,
    ) -> Result<JointSummary, Stopped> {
        let mut sources = Vec::with_capacity(articles.len());
        for article in articles {
            checkpoint.check()?;
            let started = Instant::now();
            let segmented = segment_article(article);
            stopwatch.stage("segment", started.elapsed().as_secs_f64());
            let started = Instant::now();
            let entities = self.entities.find(&segmented);
            stopwatch.stage(Feature::Entities.name(), started.elapsed().as_secs_f64());
            sources.push(summary::Source { article: segmented, entities });
        }
        checkpoint.check()?;
        let started = Instant::now();
        let summary = self.summarizer.summarize_together(&sources, options);
        stopwatch.stage(Feature::Summary.name(), started.elapsed().as_secs_f64());
        Ok(summary)
    }
}

/// One document's way through the analyses.
struct Run<'a> {
    engine: &'a Analyzer,
    options: &'a Options,
    checkpoint: &'a Checkpoint,
    stopwatch: &'a dyn Stopwatch,
}

impl Run<'_> {
    fn features(&self, article: &Article, out: &mut Analysis) -> Result<(), Stopped> {
        self.checkpoint.check()?;
        let started = Instant::now();
        let segmented = segment_article(article);
        self.stopwatch.stage("segment", started.elapsed().as_secs_f64());
        out.token_count = segmented.body.tokens.len();
        out.sentence_count = segmented.body.sentences.len();
        let wanted = |feature| self.options.features.contains(feature);

        let readers = [Feature::Entities, Feature::Quotes, Feature::KeyPhrases, Feature::Summary];
        let entities = if readers.into_iter().any(wanted) {
            self.stage(Feature::Entities, out, || self.engine.entities.find(&segmented))?
        } else {
            None
        };
        let known = entities.as_deref().unwrap_or_default();
        if wanted(Feature::Quotes) {
            out.quotes = self.stage(Feature::Quotes, out, || quotes::find(&segmented, known))?;
        }
        if wanted(Feature::TemporalExpressions) {
            let find = || dates::find(&segmented, article.publish_time);
            out.temporal_expressions = self.stage(Feature::TemporalExpressions, out, find)?;
        }
        if wanted(Feature::KeyPhrases) {
            let find = || self.engine.phrases.find(&segmented, known, KEY_PHRASES);
            out.key_phrases = self.stage(Feature::KeyPhrases, out, find)?;
        }
        if wanted(Feature::Summary) {
            let summarize = || self.engine.summarizer.summarize(&segmented, known, &self.options.summary);
            out.summary = self.stage(Feature::Summary, out, summarize)?;
            let unanswered = out.summary.as_ref().is_some_and(|summary| !summary.answers);
            out.warnings.extend(unanswered.then(|| query_warning(&self.options.summary.query)));
        }
        if wanted(Feature::Topics) {
            out.topics = self
                .stage(Feature::Topics, out, || self.engine.topics.tag(&segmented, &self.options.topics))?;
        }
        if wanted(Feature::Entities) {
            out.entities = entities;
        }
        if wanted(Feature::Sentences) {
            out.sentences = Some(segmented.body.sentences.iter().map(|sentence| sentence.span).collect());
        }
        out.warnings.extend(language_warning(article));
        Ok(())
    }

    /// Runs one analysis. A bug in it costs its own result and no other.
    fn stage<T>(
        &self,
        feature: Feature,
        out: &mut Analysis,
        run: impl FnOnce() -> T,
    ) -> Result<Option<T>, Stopped> {
        self.checkpoint.check()?;
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(run));
        self.stopwatch.stage(feature.name(), started.elapsed().as_secs_f64());
        Ok(result.map_err(|_| out.failed.push(feature)).ok())
    }
}

/// The reason of the warning that the models have not read a text's language.
pub const NO_MODEL_FOR_LANGUAGE: &str = "NO_MODEL_FOR_LANGUAGE";

/// That a summary is not about the query.
pub fn query_warning(query: &str) -> Warning {
    let message = format!("nothing in the text answers {query:?}, so the summary is of the whole story");
    Warning { reason: "QUERY_NOT_ANSWERED", message }
}

/// The models for entities, quotes, dates and topics have read English only.
fn language_warning(article: &Article) -> Option<Warning> {
    let language = article.language_code.split('-').next().unwrap_or_default();
    let message = match language {
        "en" => return None,
        "" => "the language could not be told; the models are for English".to_owned(),
        _ => format!(
            "the text is in {language:?}; the models are for English, so expect little of their results"
        ),
    };
    Some(Warning { reason: NO_MODEL_FOR_LANGUAGE, message })
}
