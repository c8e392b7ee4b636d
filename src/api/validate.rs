//! From requests to the domain's own types. Every wrong field is named, not only the first, as far as an error
//! has room.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::error::{ApiError, Violations, shown};
use super::names::{self, DocumentName};
use super::{Limits, v1};
use crate::analyzer::{self, Feature, Features};
use crate::document::{Content, MimeType, PublishTime, Source};
use crate::extract::Mode;
use crate::store::{Filter, View};
use crate::text::offsets::OffsetUnit;
use crate::topics::Catalogue;
use crate::{summary, topics};

const MAX_URI_BYTES: usize = 2048;
const MAX_NAME_BYTES: usize = 1024;
const MAX_AUTHORS: usize = 100;
const MAX_LABELS: usize = 64;
const MAX_LABEL_KEY_BYTES: usize = 63;
const MAX_LABEL_VALUE_BYTES: usize = 1024;
const MAX_ID_BYTES: usize = 128;
const MAX_QUERY_BYTES: usize = 1024;
const MAX_FILTER_BYTES: usize = 1024;
const MAX_SUMMARY_SENTENCES: i32 = 1000;
const MAX_SUMMARY_CHARACTERS: i32 = 1 << 20;
const MAX_TOPICS: i32 = 100;
const DEFAULT_PAGE_SIZE: usize = 50;
const MAX_PAGE_SIZE: usize = 1000;

/// What a request may ask for.
pub struct Rules {
    pub limits: Limits,
    pub catalogue: Arc<Catalogue>,
}

/// Collects what is wrong with a request, each thing with its path.
#[derive(Default)]
pub struct Fields {
    path: String,
    violations: Violations,
}

impl Fields {
    fn wrong(&mut self, field: &str, description: impl fmt::Display) {
        match self.path.as_str() {
            "" => self.violations.add(field, description),
            path => self.violations.add(format_args!("{path}.{field}"), description),
        }
    }

    /// Takes the value, or notes what is wrong with it.
    fn take<T: Default>(&mut self, field: &str, value: Result<T, String>) -> T {
        value.unwrap_or_else(|description| {
            self.wrong(field, description);
            T::default()
        })
    }

    fn at_most(&mut self, field: &str, text: &str, bytes: usize) {
        if text.len() > bytes {
            self.wrong(field, format_args!("has {} bytes; at most {bytes} are taken", text.len()));
        }
    }

    /// Checks the fields of a message inside the request.
    fn inside<T>(&mut self, field: &str, check: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(field);
        let value = check(self);
        self.path.truncate(length);
        value
    }

    fn into_result(self) -> Result<(), ApiError> {
        if self.violations.is_empty() { Ok(()) } else { Err(ApiError::Invalid(self.violations)) }
    }
}

/// An enum's known value.
fn known<E: TryFrom<i32> + Default>(value: i32) -> Result<E, String> {
    E::try_from(value).map_err(|_| format!("{value} is no value of this enum"))
}

/// How the answer is wanted, whatever is asked.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub options: analyzer::Options,
    pub mode: Mode,
    pub unit: OffsetUnit,
}

/// What an analysis is to be made of.
#[derive(Clone, Debug)]
pub enum Target {
    Inline { source: Source, labels: BTreeMap<String, String> },
    Stored(DocumentName),
}

/// A checked request to analyse.
#[derive(Clone, Debug)]
pub struct AnalysisJob {
    pub target: Target,
    pub wanted: Wanted,
}

/// A checked request for one summary of several documents.
#[derive(Debug)]
pub struct JointSummaryJob {
    /// What could be understood, and what is wrong with the others.
    pub targets: Vec<Result<Target, ApiError>>,
    pub options: summary::Options,
    pub mode: Mode,
    pub unit: OffsetUnit,
}

/// A checked request to ingest.
#[derive(Clone, Debug)]
pub struct IngestJob {
    pub corpus: String,
    pub document_id: String,
    pub request_id: String,
    pub request_digest: String,
    pub etag: String,
    pub source: Source,
    pub labels: BTreeMap<String, String>,
    pub content_hash: String,
    pub wanted: Wanted,
}

/// A checked request for a page of a corpus.
#[derive(Clone, Debug)]
pub struct ListJob {
    pub corpus: String,
    pub filter: Filter,
    pub view: View,
    pub unit: OffsetUnit,
    pub page_size: usize,
}

pub fn analyze(request: v1::AnalyzeDocumentRequest, rules: &Rules) -> Result<AnalysisJob, ApiError> {
    use v1::analyze_document_request::Source as From;
    let mut fields = Fields::default();
    let features = features(&mut fields, &request.features);
    let wanted = Wanted {
        options: analyzer::Options {
            features: if features == Features::NONE { Features::ALL } else { features },
            summary: fields.inside("summary_options", |f| summary_options(f, request.summary_options)),
            topics: fields.inside("topic_options", |f| topic_options(f, request.topic_options, rules))?,
        },
        mode: extraction_mode(&mut fields, request.extraction_mode),
        unit: offset_unit(&mut fields, request.offset_encoding),
    };
    let target = match request.source {
        Some(From::Document(document)) => inline(&mut fields, document, &rules.limits),
        Some(From::Name(name)) => stored(&mut fields, &name),
        None => neither(&mut fields),
    };
    fields.into_result()?;
    Ok(AnalysisJob { target, wanted })
}

pub fn summarize(request: v1::SummarizeDocumentRequest, limits: &Limits) -> Result<AnalysisJob, ApiError> {
    use v1::summarize_document_request::Source as From;
    let mut fields = Fields::default();
    let wanted = Wanted {
        options: analyzer::Options {
            features: Features::NONE.with(Feature::Summary),
            summary: fields.inside("options", |f| summary_options(f, request.options)),
            ..Default::default()
        },
        mode: extraction_mode(&mut fields, request.extraction_mode),
        unit: offset_unit(&mut fields, request.offset_encoding),
    };
    let target = match request.source {
        Some(From::Document(document)) => inline(&mut fields, document, limits),
        Some(From::Name(name)) => stored(&mut fields, &name),
        None => neither(&mut fields),
    };
    fields.into_result()?;
    Ok(AnalysisJob { target, wanted })
}

/// Checks a request for one summary of several documents. A source that is wrong keeps its error in
/// its place.
pub fn summarize_together(
    request: v1::SummarizeDocumentsRequest,
    limits: &Limits,
) -> Result<JointSummaryJob, ApiError> {
    use v1::summarize_documents_source::Source as From;
    let mut fields = Fields::default();
    let (count, most) = (request.sources.len(), limits.max_summary_documents);
    if !(1..=most).contains(&count) {
        fields.wrong("sources", format!("has {count} documents; 1 to {most} are taken"));
    }
    let options = fields.inside("options", |f| summary_options(f, request.options));
    let mode = extraction_mode(&mut fields, request.extraction_mode);
    let unit = offset_unit(&mut fields, request.offset_encoding);
    fields.into_result()?;
    let target = |(place, source): (usize, v1::SummarizeDocumentsSource)| {
        let mut fields = Fields { path: format!("sources[{place}]"), ..Fields::default() };
        let target = match source.source {
            Some(From::Document(document)) => inline(&mut fields, document, limits),
            Some(From::Name(name)) => stored(&mut fields, &name),
            None => neither(&mut fields),
        };
        fields.into_result().map(|()| target)
    };
    let targets = request.sources.into_iter().enumerate().map(target).collect();
    Ok(JointSummaryJob { targets, options, mode, unit })
}

pub fn tag(request: v1::TagDocumentRequest, rules: &Rules) -> Result<AnalysisJob, ApiError> {
    use v1::tag_document_request::Source as From;
    let mut fields = Fields::default();
    let wanted = Wanted {
        options: analyzer::Options {
            features: Features::NONE.with(Feature::Topics),
            topics: fields.inside("options", |f| topic_options(f, request.options, rules))?,
            ..Default::default()
        },
        mode: extraction_mode(&mut fields, request.extraction_mode),
        unit: offset_unit(&mut fields, request.offset_encoding),
    };
    let target = match request.source {
        Some(From::Document(document)) => inline(&mut fields, document, &rules.limits),
        Some(From::Name(name)) => stored(&mut fields, &name),
        None => neither(&mut fields),
    };
    fields.into_result()?;
    Ok(AnalysisJob { target, wanted })
}

/// Checks a request to ingest; `parent` is its batch's, empty outside a batch.
pub fn ingest(
    request: v1::IngestDocumentRequest,
    parent: &str,
    rules: &Rules,
) -> Result<IngestJob, ApiError> {
    let mut fields = Fields::default();
    if !parent.is_empty() && !request.parent.is_empty() && request.parent != parent {
        fields.wrong("parent", format!("must be empty or the batch's own, {}", shown(parent)));
    }
    let own = if request.parent.is_empty() { parent } else { &request.parent };
    let corpus = fields.take("parent", names::parse_parent(own));
    if !request.document_id.is_empty() {
        fields.take("document_id", names::check_document_id(&request.document_id));
    }
    fields.at_most("request_id", &request.request_id, MAX_ID_BYTES);
    let wanted = Wanted {
        options: analyzer::Options {
            features: features(&mut fields, &request.features),
            summary: fields.inside("summary_options", |f| summary_options(f, request.summary_options)),
            topics: fields.inside("topic_options", |f| topic_options(f, request.topic_options, rules))?,
        },
        mode: extraction_mode(&mut fields, request.extraction_mode),
        unit: offset_unit(&mut fields, request.offset_encoding),
    };
    let mut etag = String::new();
    let (source, labels) = match request.document {
        Some(mut document) => {
            etag = std::mem::take(&mut document.etag);
            fields.inside("document", |f| source(f, document, &rules.limits))
        }
        None => {
            fields.wrong("document", "is required");
            Default::default()
        }
    };
    fields.at_most("document.etag", &etag, MAX_ID_BYTES);
    if !etag.is_empty() && request.document_id.is_empty() {
        fields.wrong("document_id", "is required with an etag, which is one document's");
    }
    fields.into_result()?;
    let content_hash = content_hash(&source, &labels, wanted.mode);
    let request_digest = digest([&*corpus, &request.document_id, &etag, &content_hash]);
    Ok(IngestJob {
        corpus,
        document_id: request.document_id,
        request_id: request.request_id,
        request_digest,
        etag,
        source,
        labels,
        content_hash,
        wanted,
    })
}

pub fn get(request: &v1::GetDocumentRequest) -> Result<(DocumentName, View, OffsetUnit), ApiError> {
    let mut fields = Fields::default();
    let name = fields.take("name", names::parse_document(&request.name).map(Some));
    let view = view(&mut fields, request.view, View::Full);
    let unit = offset_unit(&mut fields, request.offset_encoding);
    fields.into_result()?;
    // Without a violation there is a name.
    let name = name.ok_or_else(|| ApiError::invalid("name", "is required"))?;
    Ok((name, view, unit))
}

pub fn list(request: &v1::ListDocumentsRequest) -> Result<ListJob, ApiError> {
    let mut fields = Fields::default();
    let corpus = fields.take("parent", names::parse_parent(&request.parent));
    let page_size = fields.take("page_size", items_of_page(request.page_size));
    let view = view(&mut fields, request.view, View::Basic);
    let unit = offset_unit(&mut fields, request.offset_encoding);
    let filter = fields.inside("filter", |f| filter(f, request.filter.clone().unwrap_or_default()));
    fields.into_result()?;
    Ok(ListJob { corpus, filter, view, unit, page_size })
}

/// How many items a page has.
pub fn page_size(wanted: i32) -> Result<usize, ApiError> {
    items_of_page(wanted).map_err(|description| ApiError::invalid("page_size", description))
}

fn items_of_page(wanted: i32) -> Result<usize, String> {
    match usize::try_from(wanted) {
        Ok(0) => Ok(DEFAULT_PAGE_SIZE),
        Ok(size) => Ok(size.min(MAX_PAGE_SIZE)),
        Err(_) => Err("must not be negative".to_owned()),
    }
}

pub fn delete(request: &v1::DeleteDocumentRequest) -> Result<DocumentName, ApiError> {
    let mut fields = Fields::default();
    fields.at_most("etag", &request.etag, MAX_ID_BYTES);
    fields.into_result()?;
    names::parse_document(&request.name).map_err(|description| ApiError::invalid("name", description))
}

/// Whether a stream's item can be told apart from the others.
pub fn correlation_id(id: &str) -> Result<(), ApiError> {
    let mut fields = Fields::default();
    fields.at_most("correlation_id", id, MAX_ID_BYTES);
    fields.into_result()
}

/// Whether a batch has a size that is taken.
pub fn batch_size(size: usize, limits: &Limits) -> Result<(), ApiError> {
    if (1..=limits.max_batch_size).contains(&size) {
        return Ok(());
    }
    let description = format!("has {size} documents; 1 to {} are taken", limits.max_batch_size);
    Err(ApiError::invalid("requests", description))
}

fn inline(fields: &mut Fields, document: v1::Document, limits: &Limits) -> Target {
    let (source, labels) = fields.inside("document", |f| source(f, document, limits));
    Target::Inline { source, labels }
}

fn stored(fields: &mut Fields, name: &str) -> Target {
    match names::parse_document(name) {
        Ok(name) => Target::Stored(name),
        Err(description) => {
            fields.wrong("name", description);
            Target::Inline { source: Source::default(), labels: BTreeMap::new() }
        }
    }
}

fn neither(fields: &mut Fields) -> Target {
    fields.wrong("source", "either document or name is required");
    Target::Inline { source: Source::default(), labels: BTreeMap::new() }
}

/// What a client says of a document.
fn source(
    fields: &mut Fields,
    document: v1::Document,
    limits: &Limits,
) -> (Source, BTreeMap<String, String>) {
    let (mime_type, charset) = fields.take("mime_type", parse_mime_type(&document.mime_type));
    let content = content(fields, document.source, charset, limits);
    fields.at_most("title", &document.title, MAX_NAME_BYTES);
    fields.at_most("uri", &document.uri, MAX_URI_BYTES);
    fields.at_most("publisher", &document.publisher, MAX_NAME_BYTES);
    fields.take("language_code", check_language_code(&document.language_code));
    if document.authors.len() > MAX_AUTHORS {
        fields.wrong(
            "authors",
            format!("has {} names; at most {MAX_AUTHORS} are taken", document.authors.len()),
        );
    }
    for author in &document.authors {
        fields.at_most("authors", author, MAX_NAME_BYTES);
    }
    let publish_time = match document.publish_time.as_str() {
        "" => None,
        text => fields.take("publish_time", text.parse::<PublishTime>().map(Some).map_err(|e| e.to_string())),
    };
    labels(fields, &document.labels);
    let source = Source {
        content,
        mime_type,
        title: document.title,
        language_code: document.language_code,
        uri: document.uri,
        publisher: document.publisher,
        authors: document.authors,
        publish_time,
    };
    (source, document.labels)
}

fn content(
    fields: &mut Fields,
    content: Option<v1::document::Source>,
    charset: Option<String>,
    limits: &Limits,
) -> Content {
    let (field, length) = match &content {
        Some(v1::document::Source::Content(text)) => ("content", text.len()),
        Some(v1::document::Source::RawContent(bytes)) => ("raw_content", bytes.len()),
        None => ("content", 0),
    };
    let blank = match &content {
        Some(v1::document::Source::Content(text)) => text.trim().is_empty(),
        Some(v1::document::Source::RawContent(bytes)) => bytes.trim_ascii().is_empty(),
        None => true,
    };
    if length > limits.max_content_bytes {
        let most = limits.max_content_bytes;
        fields.wrong(field, format!("has {length} bytes; at most {most} are taken"));
    } else if blank {
        fields.wrong(field, "is required and must not be blank");
    }
    match content {
        Some(v1::document::Source::RawContent(bytes)) => Content::Bytes { bytes, charset },
        Some(v1::document::Source::Content(text)) => Content::Text(text),
        None => Content::default(),
    }
}

/// A media type and its charset: `text/html; charset=iso-8859-1`.
fn parse_mime_type(text: &str) -> Result<(MimeType, Option<String>), String> {
    let mut parts = text.split(';').map(str::trim);
    let mime_type = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "text/plain" => MimeType::Plain,
        "text/html" | "application/xhtml+xml" => MimeType::Html,
        _ => return Err(format!("{} is not taken; send text/plain or text/html", shown(text))),
    };
    let charset = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned());
    Ok((mime_type, charset))
}

/// A BCP 47 tag by its form: subtags of 1 to 8 letters and digits, the first of 2 or 3 letters.
fn check_language_code(code: &str) -> Result<(), String> {
    let mut subtags = code.split('-');
    let first = subtags.next().unwrap_or_default();
    let sound = (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && subtags.all(|s| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()));
    if code.is_empty() || sound {
        Ok(())
    } else {
        Err(format!("{} is no BCP 47 tag, as \"en\" or \"pt-BR\"", shown(code)))
    }
}

fn labels(fields: &mut Fields, labels: &BTreeMap<String, String>) {
    if labels.len() > MAX_LABELS {
        fields.wrong("labels", format!("has {} entries; at most {MAX_LABELS} are taken", labels.len()));
    }
    for (key, value) in labels {
        if !(1..=MAX_LABEL_KEY_BYTES).contains(&key.len()) {
            fields.wrong(
                "labels",
                format_args!("a key has {} bytes; 1 to {MAX_LABEL_KEY_BYTES} are taken", key.len()),
            );
        }
        fields.at_most("labels", value, MAX_LABEL_VALUE_BYTES);
    }
}

fn features(fields: &mut Fields, values: &[i32]) -> Features {
    let mut features = Features::NONE;
    for &value in values {
        match v1::Feature::try_from(value).ok().and_then(super::convert::feature) {
            Some(feature) => features = features.with(feature),
            None => fields.wrong("features", format_args!("{value} is no feature")),
        }
    }
    features
}

fn extraction_mode(fields: &mut Fields, value: i32) -> Mode {
    match fields.take("extraction_mode", known(value)) {
        v1::ExtractionMode::Unspecified | v1::ExtractionMode::Auto => Mode::Auto,
        v1::ExtractionMode::None => Mode::None,
    }
}

fn offset_unit(fields: &mut Fields, value: i32) -> OffsetUnit {
    match fields.take("offset_encoding", known(value)) {
        v1::OffsetEncoding::Unspecified | v1::OffsetEncoding::Utf8 => OffsetUnit::Utf8,
        v1::OffsetEncoding::Utf16 => OffsetUnit::Utf16,
        v1::OffsetEncoding::Utf32 => OffsetUnit::Utf32,
    }
}

fn view(fields: &mut Fields, value: i32, default: View) -> View {
    match fields.take("view", known(value)) {
        v1::DocumentView::Unspecified => default,
        v1::DocumentView::Basic => View::Basic,
        v1::DocumentView::Full => View::Full,
    }
}

fn summary_options(fields: &mut Fields, options: Option<v1::SummaryOptions>) -> summary::Options {
    use v1::summary_options::Length as L;
    let options = options.unwrap_or_default();
    let length = match options.length {
        None => summary::Length::default(),
        Some(L::SentenceCount(n)) => {
            summary::Length::Sentences(count(fields, "sentence_count", n, MAX_SUMMARY_SENTENCES))
        }
        Some(L::MaxCharacters(n)) => {
            summary::Length::Characters(count(fields, "max_characters", n, MAX_SUMMARY_CHARACTERS))
        }
        Some(L::MaxShare(share)) => {
            if !(share > 0.0 && share <= 1.0) {
                fields.wrong("max_share", format!("{share} is not over 0 and at most 1"));
            }
            summary::Length::Share(share)
        }
    };
    fields.at_most("query", &options.query, MAX_QUERY_BYTES);
    let order = match fields.take("order", known(options.order)) {
        v1::SummaryOrder::Unspecified | v1::SummaryOrder::Position => summary::Order::Position,
        v1::SummaryOrder::Rank => summary::Order::Rank,
    };
    summary::Options { length, order, query: options.query }
}

/// A number from 1 to `most`.
fn count(fields: &mut Fields, field: &str, value: i32, most: i32) -> usize {
    match usize::try_from(value) {
        Ok(number) if (1..=most).contains(&value) => number,
        _ => {
            fields.wrong(field, format!("{value} is not in 1 to {most}"));
            1
        }
    }
}

/// An unknown taxonomy is not a wrong field but something that is not there.
fn topic_options(
    fields: &mut Fields,
    options: Option<v1::TopicOptions>,
    rules: &Rules,
) -> Result<topics::Options, ApiError> {
    let options = options.unwrap_or_default();
    let Some(taxonomy) = rules.catalogue.find(&options.taxonomy) else {
        return Err(ApiError::taxonomy_not_found(&options.taxonomy));
    };
    let mut wanted = topics::Options { taxonomy, ..Default::default() };
    if options.max_topics != 0 {
        wanted.max_topics = count(fields, "max_topics", options.max_topics, MAX_TOPICS);
    }
    if let Some(confidence) = options.min_confidence {
        if !(0.0..=1.0).contains(&confidence) {
            fields.wrong("min_confidence", format!("{confidence} is not in 0 to 1"));
        }
        wanted.min_confidence = Some(confidence);
    }
    Ok(wanted)
}

fn filter(fields: &mut Fields, filter: v1::DocumentFilter) -> Filter {
    fields.at_most("publisher", &filter.publisher, MAX_FILTER_BYTES);
    fields.at_most("topic", &filter.topic, MAX_FILTER_BYTES);
    fields.at_most("entity", &filter.entity, MAX_FILTER_BYTES);
    fields.take("language_code", check_language_code(&filter.language_code));
    let (from, before) = (filter.publish_time_from, filter.publish_time_before);
    if let (Some(from), Some(before)) = (from, before)
        && (from.seconds, from.nanos) >= (before.seconds, before.nanos)
    {
        fields.wrong("publish_time_before", "must be later than publish_time_from");
    }
    Filter {
        publisher: filter.publisher,
        language_code: filter.language_code,
        published_from: from.map(next_second),
        published_before: before.map(next_second),
        topic: filter.topic,
        entity: filter.entity,
    }
}

/// The first whole second that is not before this time. Publications are known to the second, so that as many of
/// them are before the one as before the other.
fn next_second(time: pbjson_types::Timestamp) -> i64 {
    time.seconds.saturating_add(i64::from(time.nanos > 0))
}

/// Digest of everything that makes a revision: the document as sent, and how it was extracted.
fn content_hash(source: &Source, labels: &BTreeMap<String, String>, mode: Mode) -> String {
    let (bytes, charset) = match &source.content {
        Content::Text(text) => (text.as_bytes(), ""),
        Content::Bytes { bytes, charset } => (bytes.as_slice(), charset.as_deref().unwrap_or("?")),
    };
    let kind = format!("{:?} {mode:?} {charset}", source.mime_type);
    let time = source.publish_time.map(|time| time.to_string()).unwrap_or_default();
    let mut parts: Vec<&[u8]> =
        vec![bytes, kind.as_bytes(), source.title.as_bytes(), source.language_code.as_bytes()];
    parts.extend([source.uri.as_bytes(), source.publisher.as_bytes(), time.as_bytes()]);
    parts.extend(source.authors.iter().map(String::as_bytes));
    parts.push(b"labels");
    parts.extend(labels.iter().flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]));
    digest(parts)
}

/// Digest of parts that cannot run into each other.
fn digest<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().fold(String::from("sha256:"), |text, byte| format!("{text}{byte:02x}"))
}
