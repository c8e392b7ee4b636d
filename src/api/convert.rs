//! From the domain's own types to messages.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::error::ApiError;
use super::names::DocumentName;
use super::{Limits, v1};
use crate::analyzer::{Analysis, Feature};
use crate::document::{
    Article, Attribution, Block, BlockKind, Content, Entity, EntityKind, JointSummary, MentionKind, MimeType,
    Quote, QuoteKind, Section, Source, Span, Summary, TemporalExpression, TemporalKind, TextSpan, Topic,
    Warning,
};
use crate::model::ModelInfo;
use crate::store::{Outcome, StoredDocument};
use crate::text::offsets::{OffsetConverter, OffsetUnit};
use crate::topics::{TaxonomyInfo, TopicInfo};

/// Turns spans of one article into messages in the unit that the client asked for.
pub struct Spans<'a> {
    body: &'a str,
    title: &'a str,
    in_body: OffsetConverter<'a>,
    in_title: OffsetConverter<'a>,
}

impl<'a> Spans<'a> {
    pub fn new(article: &'a Article, unit: OffsetUnit) -> Self {
        Self {
            body: &article.text,
            title: &article.title,
            in_body: OffsetConverter::new(&article.text, unit),
            in_title: OffsetConverter::new(&article.title, unit),
        }
    }

    /// With the text that it covers.
    fn quoted(&self, place: TextSpan) -> v1::TextSpan {
        let (text, offsets, section) = match place.section {
            Section::Body => (self.body, &self.in_body, v1::TextSection::Body),
            Section::Title => (self.title, &self.in_title, v1::TextSection::Title),
        };
        v1::TextSpan { text: place.span.of(text).to_owned(), ..span(offsets, place.span, section) }
    }

    /// Into the body, without the text.
    fn bare(&self, place: Span) -> v1::TextSpan {
        span(&self.in_body, place, v1::TextSection::Body)
    }
}

fn span(offsets: &OffsetConverter, span: Span, section: v1::TextSection) -> v1::TextSpan {
    v1::TextSpan {
        begin: number(offsets.convert(span.begin)),
        end: number(offsets.convert(span.end)),
        text: String::new(),
        section: section as i32,
    }
}

/// Counts and offsets; content is far smaller than 2 GiB.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub fn offset_encoding(unit: OffsetUnit) -> i32 {
    let encoding = match unit {
        OffsetUnit::Utf8 => v1::OffsetEncoding::Utf8,
        OffsetUnit::Utf16 => v1::OffsetEncoding::Utf16,
        OffsetUnit::Utf32 => v1::OffsetEncoding::Utf32,
    };
    encoding as i32
}

/// A document as a client sends it.
pub fn sent_document(source: Source) -> v1::Document {
    let (content, charset) = match source.content {
        Content::Text(text) => (v1::document::Source::Content(text), None),
        Content::Bytes { bytes, charset } => (v1::document::Source::RawContent(bytes), charset),
    };
    let charset = charset.map(|charset| format!("; charset={charset}")).unwrap_or_default();
    v1::Document {
        source: Some(content),
        mime_type: mime_type(source.mime_type) + &charset,
        title: source.title,
        language_code: source.language_code,
        uri: source.uri,
        publisher: source.publisher,
        authors: source.authors,
        publish_time: source.publish_time.map(|time| time.to_string()).unwrap_or_default(),
        ..v1::Document::default()
    }
}

/// The document of an analysis: what was sent and found, without the content as sent.
pub fn inline_document(
    source: &Source,
    labels: BTreeMap<String, String>,
    article: &Article,
    unit: OffsetUnit,
) -> v1::Document {
    let mut document = found(article, &Spans::new(article, unit));
    place_in_source(&mut document, article, &source.content, unit);
    v1::Document { mime_type: mime_type(source.mime_type), uri: source.uri.clone(), labels, ..document }
}

/// A stored document, with its content where that was read and is wanted.
pub fn stored_document(stored: &StoredDocument, unit: OffsetUnit, with_content: bool) -> v1::Document {
    let article = &stored.article;
    let mut document = found(article, &Spans::new(article, unit));
    if let Some(source) = &stored.source {
        place_in_source(&mut document, article, &source.content, unit);
        if with_content {
            document.source = Some(match &source.content {
                Content::Text(text) => v1::document::Source::Content(text.clone()),
                Content::Bytes { bytes, .. } => v1::document::Source::RawContent(bytes.clone()),
            });
        }
    }
    let name = DocumentName { corpus: stored.corpus.clone(), document_id: stored.document_id.clone() };
    v1::Document {
        name: name.to_string(),
        uid: stored.uid.to_string(),
        mime_type: mime_type(stored.mime_type),
        uri: stored.uri.clone(),
        labels: stored.labels.clone(),
        create_time: Some(timestamp(stored.create_time)),
        update_time: Some(timestamp(stored.update_time)),
        revision_id: stored.revision.to_string(),
        etag: stored.etag(),
        content_hash: stored.content_hash.clone(),
        ..document
    }
}

fn found(article: &Article, spans: &Spans) -> v1::Document {
    v1::Document {
        title: article.title.clone(),
        language_code: article.language_code.clone(),
        publisher: article.publisher.clone(),
        authors: article.authors.clone(),
        publish_time: article.publish_time.map(|time| time.to_string()).unwrap_or_default(),
        text: article.text.clone(),
        blocks: article.blocks.iter().map(|block| self::block(block, spans)).collect(),
        ..Default::default()
    }
}

fn block(block: &Block, spans: &Spans) -> v1::Block {
    let kind = match block.kind {
        BlockKind::Title => v1::BlockKind::Title,
        BlockKind::Heading => v1::BlockKind::Heading,
        BlockKind::Paragraph => v1::BlockKind::Paragraph,
        BlockKind::ListItem => v1::BlockKind::ListItem,
        BlockKind::Quotation => v1::BlockKind::Quotation,
        BlockKind::Caption => v1::BlockKind::Caption,
        BlockKind::Byline => v1::BlockKind::Byline,
        BlockKind::Dateline => v1::BlockKind::Dateline,
        BlockKind::Boilerplate => v1::BlockKind::Boilerplate,
    };
    v1::Block { kind: kind as i32, span: block.span.map(|span| spans.bare(span)), source_span: None }
}

/// Fills in the blocks' places in the content, where that is text that the client can count in:
/// sent as text, or as UTF-8 without a byte order mark.
fn place_in_source(document: &mut v1::Document, article: &Article, content: &Content, unit: OffsetUnit) {
    let text = match content {
        Content::Text(text) => text.as_str(),
        Content::Bytes { bytes, .. } => match std::str::from_utf8(bytes) {
            Ok(text) if !text.starts_with('\u{feff}') => text,
            _ => return,
        },
    };
    let offsets = OffsetConverter::new(text, unit);
    for (message, block) in document.blocks.iter_mut().zip(&article.blocks) {
        message.source_span =
            block.source_span.map(|place| span(&offsets, place, v1::TextSection::Unspecified));
    }
}

fn mime_type(kind: MimeType) -> String {
    match kind {
        MimeType::Plain => "text/plain",
        MimeType::Html => "text/html",
    }
    .to_owned()
}

fn timestamp(time: Timestamp) -> pbjson_types::Timestamp {
    pbjson_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// Everything that was found, without the document.
pub fn analysis(analysis: &Analysis, models: &[&ModelInfo], unit: OffsetUnit) -> v1::DocumentAnalysis {
    let spans = Spans::new(&analysis.article, unit);
    let entities = analysis.entities.as_deref().unwrap_or_default();
    v1::DocumentAnalysis {
        document: None,
        sentences: each(&analysis.sentences, |&span| v1::Sentence { span: Some(spans.bare(span)) }),
        entities: entities.iter().map(|entity| self::entity(entity, &spans)).collect(),
        quotes: each(&analysis.quotes, |quote| self::quote(quote, entities, &spans)),
        temporal_expressions: each(&analysis.temporal_expressions, |found| {
            temporal_expression(found, &spans)
        }),
        key_phrases: each(&analysis.key_phrases, |phrase| v1::KeyPhrase {
            text: phrase.text.clone(),
            score: phrase.score,
            spans: phrase.spans.iter().map(|&span| spans.quoted(span)).collect(),
        }),
        summary: analysis.summary.as_ref().map(|found| summary(found, &spans)),
        topics: each(&analysis.topics, |found| topic(found, &spans)),
        feature_errors: analysis.failed.iter().map(|&feature| feature_error(feature)).collect(),
        warnings: warnings(&analysis.warnings),
        offset_encoding: offset_encoding(unit),
        models: models.iter().map(|info| model(info)).collect(),
        statistics: Some(v1::AnalysisStatistics {
            sentence_count: number(analysis.sentence_count),
            token_count: number(analysis.token_count),
            character_count: number(analysis.article.text.chars().count()),
        }),
    }
}

fn each<T, M>(found: &Option<Vec<T>>, convert: impl Fn(&T) -> M) -> Vec<M> {
    found.iter().flatten().map(convert).collect()
}

fn entity(entity: &Entity, spans: &Spans) -> v1::Entity {
    let kind = match entity.kind {
        EntityKind::Person => v1::EntityType::Person,
        EntityKind::Organization => v1::EntityType::Organization,
        EntityKind::Location => v1::EntityType::Location,
        EntityKind::Event => v1::EntityType::Event,
        EntityKind::WorkOfArt => v1::EntityType::WorkOfArt,
        EntityKind::Product => v1::EntityType::Product,
        EntityKind::Norp => v1::EntityType::Norp,
        EntityKind::Facility => v1::EntityType::Facility,
        EntityKind::Other => v1::EntityType::Other,
    };
    let mentions = entity.mentions.iter().map(|mention| {
        let kind = match mention.kind {
            MentionKind::Proper => v1::MentionType::Proper,
            MentionKind::Common => v1::MentionType::Common,
            MentionKind::Pronoun => v1::MentionType::Pronoun,
        };
        v1::EntityMention {
            span: Some(spans.quoted(mention.span)),
            r#type: kind as i32,
            confidence: mention.confidence,
        }
    });
    let links = entity.links.iter().map(|link| v1::EntityLink {
        knowledge_base: link.knowledge_base.clone(),
        id: link.id.clone(),
        confidence: link.confidence,
    });
    v1::Entity {
        name: entity.name.clone(),
        r#type: kind as i32,
        salience: entity.salience,
        mentions: mentions.collect(),
        links: links.collect(),
    }
}

fn quote(quote: &Quote, entities: &[Entity], spans: &Spans) -> v1::Quote {
    let kind = match quote.kind {
        QuoteKind::Direct => v1::QuoteKind::Direct,
        QuoteKind::Mixed => v1::QuoteKind::Mixed,
        QuoteKind::Indirect => v1::QuoteKind::Indirect,
    };
    let attribution = match quote.attribution {
        Attribution::Resolved => v1::Attribution::Resolved,
        Attribution::Anonymous => v1::Attribution::Anonymous,
        Attribution::Unknown => v1::Attribution::Unknown,
    };
    let speaker = quote.speaker_entity.and_then(|index| entities.get(index));
    v1::Quote {
        span: Some(spans.quoted(quote.span)),
        kind: kind as i32,
        speaker: quote.speaker.map(|span| spans.quoted(span)),
        speaker_entity: speaker.map(|entity| entity.name.clone()).unwrap_or_default(),
        attribution: attribution as i32,
    }
}

fn temporal_expression(found: &TemporalExpression, spans: &Spans) -> v1::TemporalExpression {
    let kind = match found.kind {
        TemporalKind::Date => v1::TemporalType::Date,
        TemporalKind::Time => v1::TemporalType::Time,
        TemporalKind::Duration => v1::TemporalType::Duration,
        TemporalKind::Set => v1::TemporalType::Set,
    };
    v1::TemporalExpression {
        span: Some(spans.quoted(found.span)),
        r#type: kind as i32,
        value: found.value.clone(),
        anchor: found.anchor.clone(),
    }
}

fn summary(summary: &Summary, spans: &Spans) -> v1::Summary {
    let sentences = summary.sentences.iter().map(|sentence| v1::SummarySentence {
        span: Some(spans.quoted(TextSpan { section: Section::Body, span: sentence.span })),
        score: sentence.score,
        rank: number(sentence.rank),
    });
    v1::Summary {
        sentences: sentences.collect(),
        source_sentence_count: number(summary.source_sentence_count),
    }
}

/// `documents` are the articles with their names, in the order of the summary's sources.
pub fn joint_summary(
    summary: &JointSummary,
    documents: &[(usize, String, &Article)],
    unit: OffsetUnit,
) -> v1::MultiDocumentSummary {
    let spans: Vec<Spans> = documents.iter().map(|(_, _, article)| Spans::new(article, unit)).collect();
    let sentences = summary.sentences.iter().map(|sentence| {
        let (place, name, _) = &documents[sentence.document];
        let span = TextSpan { section: Section::Body, span: sentence.span };
        v1::MultiDocumentSummarySentence {
            document_index: number(*place),
            document: name.clone(),
            span: Some(spans[sentence.document].quoted(span)),
            score: sentence.score,
            rank: number(sentence.rank),
        }
    });
    v1::MultiDocumentSummary {
        sentences: sentences.collect(),
        source_sentence_count: number(summary.source_sentence_count),
    }
}

fn topic(topic: &Topic, spans: &Spans) -> v1::Topic {
    let path = topic.path.iter().map(|ancestor| v1::TopicReference {
        topic: ancestor.id.clone(),
        display_name: ancestor.display_name.clone(),
    });
    v1::Topic {
        topic: topic.id.clone(),
        display_name: topic.display_name.clone(),
        path: path.collect(),
        confidence: topic.confidence,
        evidence: topic.evidence.iter().map(|&span| spans.quoted(span)).collect(),
    }
}

/// As a request names a feature.
pub fn feature_message(feature: Feature) -> v1::Feature {
    match feature {
        Feature::Sentences => v1::Feature::Sentences,
        Feature::Entities => v1::Feature::Entities,
        Feature::Quotes => v1::Feature::Quotes,
        Feature::TemporalExpressions => v1::Feature::TemporalExpressions,
        Feature::KeyPhrases => v1::Feature::KeyPhrases,
        Feature::Summary => v1::Feature::Summary,
        Feature::Topics => v1::Feature::Topics,
    }
}

fn feature_error(feature: Feature) -> v1::FeatureError {
    let error = ApiError::internal(&format_args!("the analysis {:?} failed", feature.name()));
    v1::FeatureError { feature: feature_message(feature) as i32, error: Some(error.to_document_error()) }
}

/// The feature that a request names; none for UNSPECIFIED.
pub fn feature(value: v1::Feature) -> Option<Feature> {
    match value {
        v1::Feature::Unspecified => None,
        v1::Feature::Sentences => Some(Feature::Sentences),
        v1::Feature::Entities => Some(Feature::Entities),
        v1::Feature::Quotes => Some(Feature::Quotes),
        v1::Feature::TemporalExpressions => Some(Feature::TemporalExpressions),
        v1::Feature::KeyPhrases => Some(Feature::KeyPhrases),
        v1::Feature::Summary => Some(Feature::Summary),
        v1::Feature::Topics => Some(Feature::Topics),
    }
}

pub fn warnings(warnings: &[Warning]) -> Vec<v1::Warning> {
    warnings
        .iter()
        .map(|warning| v1::Warning { reason: warning.reason.to_owned(), message: warning.message.clone() })
        .collect()
}

pub fn model(info: &ModelInfo) -> v1::ModelInfo {
    v1::ModelInfo { name: info.name.clone(), version: info.version.clone(), digest: info.digest.clone() }
}

pub fn outcome(outcome: Outcome) -> v1::IngestOutcome {
    match outcome {
        Outcome::Created => v1::IngestOutcome::Created,
        Outcome::Unchanged => v1::IngestOutcome::Unchanged,
        Outcome::Revised => v1::IngestOutcome::Revised,
    }
}

/// The limits as `GetServerInfo` publishes them.
pub fn limits(limits: &Limits) -> v1::ServerLimits {
    v1::ServerLimits {
        max_content_bytes: i64::try_from(limits.max_content_bytes).unwrap_or(i64::MAX),
        max_message_bytes: i64::try_from(limits.max_message_bytes).unwrap_or(i64::MAX),
        max_batch_size: number(limits.max_batch_size),
        max_summary_documents: number(limits.max_summary_documents),
        default_deadline: Some(pbjson_types::Duration {
            seconds: i64::try_from(limits.default_deadline.as_secs()).unwrap_or(i64::MAX),
            // Nanoseconds of a second are below 10^9.
            nanos: limits.default_deadline.subsec_nanos().cast_signed(),
        }),
    }
}

pub fn taxonomy(info: &TaxonomyInfo) -> v1::Taxonomy {
    v1::Taxonomy {
        taxonomy: info.id.clone(),
        display_name: info.display_name.clone(),
        version: info.version.clone(),
        topic_count: number(info.topic_count),
    }
}

pub fn taxonomy_topic(topic: TopicInfo) -> v1::TaxonomyTopic {
    v1::TaxonomyTopic {
        topic: topic.id.to_owned(),
        display_name: topic.display_name.to_owned(),
        parent: topic.parent.unwrap_or_default().to_owned(),
        description: topic.description.to_owned(),
    }
}
