//! SummarizeDocuments: one summary of several documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use prost::Message;

use super::error::ApiError;
use super::validate::{JointSummaryJob, Target};
use super::{Desk, answer, convert, v1};
use crate::access::Caller;
use crate::analyzer::{self, Checkpoint, Stopped};
use crate::document::{Article, Source};
use crate::store::StoredDocument;

/// How many documents are fetched from the store at once.
const FETCH_WINDOW: usize = 16;

/// A document as it came, before the engine reads it.
enum Fetched {
    Inline { source: Box<Source>, labels: BTreeMap<String, String> },
    Stored(Box<StoredDocument>),
}

/// The whole answer; a document that cannot be had is left out of the summary and says why.
pub async fn answer(
    desk: &Arc<Desk>,
    mut job: JointSummaryJob,
    caller: &Caller,
    checkpoint: &Checkpoint,
) -> Result<v1::SummarizeDocumentsResponse, ApiError> {
    let each = std::mem::take(&mut job.targets).into_iter().map(|target| fetch(desk, caller, target));
    let fetched: Vec<Result<Fetched, ApiError>> = stream::iter(each).buffered(FETCH_WINDOW).collect().await;
    if let (true, Some(Err(first))) = (fetched.iter().all(Result::is_err), fetched.first()) {
        return Err(first.clone());
    }
    let work = {
        let (desk, checkpoint) = (Arc::clone(desk), checkpoint.clone());
        move || summarize(&desk, fetched, &job, &checkpoint)
    };
    let mut answer = desk.pool.run(checkpoint, work).await?;
    fit(&mut answer, desk.limits.max_message_bytes);
    Ok(answer)
}

/// The engine's part.
fn summarize(
    desk: &Desk,
    fetched: Vec<Result<Fetched, ApiError>>,
    job: &JointSummaryJob,
    checkpoint: &Checkpoint,
) -> Result<v1::SummarizeDocumentsResponse, Stopped> {
    let mut documents = Vec::with_capacity(fetched.len());
    let mut names = Vec::with_capacity(fetched.len());
    let mut articles = Vec::with_capacity(fetched.len());
    for (place, fetched) in fetched.into_iter().enumerate() {
        checkpoint.check()?;
        let (document, article) = read(desk, fetched, job);
        if let Some(article) = article {
            names.push((place, name(&document).to_owned()));
            articles.push(article);
        }
        documents.push(document);
    }
    let engine = &desk.analyzer;
    let summary = engine.summarize_together(&articles, &job.options, checkpoint, &*desk.stopwatch)?;
    let named = names.into_iter().zip(&articles).map(|((place, name), article)| (place, name, article));
    let named: Vec<(usize, String, &Article)> = named.collect();
    let unanswered = (!summary.answers).then(|| analyzer::query_warning(&job.options.query));
    Ok(v1::SummarizeDocumentsResponse {
        summary: Some(convert::joint_summary(&summary, &named, job.unit)),
        documents,
        offset_encoding: convert::offset_encoding(job.unit),
        models: engine.models().into_iter().map(convert::model).collect(),
        warnings: convert::warnings(unanswered.as_slice()),
    })
}

/// One document as the answer names it, with its article, if it could be had.
fn read(
    desk: &Desk,
    fetched: Result<Fetched, ApiError>,
    job: &JointSummaryJob,
) -> (v1::SummarizedDocument, Option<Article>) {
    match fetched {
        Ok(Fetched::Inline { source, labels }) => {
            let extraction = desk.analyzer.extract(&source, job.mode);
            let document = convert::inline_document(&source, labels, &extraction.article, job.unit);
            let warnings = convert::warnings(&extraction.warnings);
            (summarized(Ok(document), warnings), Some(extraction.article))
        }
        Ok(Fetched::Stored(stored)) => {
            let document = convert::stored_document(&stored, job.unit, false);
            (summarized(Ok(document), Vec::new()), Some(stored.article))
        }
        Err(error) => (summarized(Err(error), Vec::new()), None),
    }
}

async fn fetch(desk: &Desk, caller: &Caller, target: Result<Target, ApiError>) -> Result<Fetched, ApiError> {
    match target? {
        Target::Inline { source, labels } => Ok(Fetched::Inline { source: Box::new(source), labels }),
        Target::Stored(name) => {
            Ok(Fetched::Stored(Box::new(desk.store.of(caller).get_to_analyze(&name).await?)))
        }
    }
}

fn summarized(
    document: Result<v1::Document, ApiError>,
    warnings: Vec<v1::Warning>,
) -> v1::SummarizedDocument {
    use v1::summarized_document::Result as Out;
    let result = document.map_or_else(|error| Out::Error(error.to_document_error()), Out::Document);
    v1::SummarizedDocument { result: Some(result), warnings }
}

fn name(document: &v1::SummarizedDocument) -> &str {
    match &document.result {
        Some(v1::summarized_document::Result::Document(document)) => &document.name,
        _ => "",
    }
}

/// Keeps the answer within the message limit: each document gets an equal share of the room, and
/// the sentences, which matter most, what is left.
fn fit(answer: &mut v1::SummarizeDocumentsResponse, max_message_bytes: usize) {
    if answer.encoded_len() <= max_message_bytes {
        return;
    }
    let share = max_message_bytes / 2 / answer.documents.len().max(1);
    for summarized in &mut answer.documents {
        if let Some(v1::summarized_document::Result::Document(document)) = &mut summarized.result {
            summarized.warnings.extend(answer::fit_document(document, share));
        }
    }
    if answer.encoded_len() > max_message_bytes {
        let sentences = answer.summary.iter_mut().flat_map(|summary| &mut summary.sentences);
        sentences.flat_map(|sentence| &mut sentence.span).for_each(|span| span.text.clear());
        answer.warnings.extend(answer::warning(&["the texts of the summary's sentences"]));
    }
}
