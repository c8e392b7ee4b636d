//! DocumentService: takes documents in, keeps them and gives them back.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::error::ApiError;
use super::v1::document_service_server::DocumentService;
use super::validate::IngestJob;
use super::{
    Desk, STREAM_WINDOW, answer, caller, charge_others, checkpoint, convert, paced, page_token, v1, validate,
};
use crate::access::Caller;
use crate::analyzer::{self, Analysis, Checkpoint, Feature, Features, Stopped};
use crate::store::{Ingested, NewDocument, Terms};
use crate::text::offsets::OffsetUnit;
use crate::topics::Choice;

/// Serves DocumentService.
pub struct Documents(pub Arc<Desk>);

/// What a message costs in the one around it, beside its own bytes: a tag and a length.
const FRAME_BYTES: usize = 6;

type IngestAnswer = v1::stream_ingest_documents_response::Result;

#[tonic::async_trait]
impl DocumentService for Documents {
    async fn ingest_document(
        &self,
        request: Request<v1::IngestDocumentRequest>,
    ) -> Result<Response<v1::IngestDocumentResponse>, Status> {
        let (caller, checkpoint) = (caller(&request), checkpoint(&request));
        let job = validate::ingest(request.into_inner(), "", &self.0.rules())?;
        self.0.store.of(&caller).check_ingest(&job.corpus)?;
        let read =
            self.0.pool.run(&checkpoint, reading(&self.0, job, &checkpoint)).await.map_err(ApiError::from)?;
        let ingested = keep(&self.0, &caller, read.new_document).await?;
        let mut answer = read.answer.with(ingested);
        answer.fit(&self.0);
        Ok(Response::new(answer.message()))
    }

    async fn batch_ingest_documents(
        &self,
        request: Request<v1::BatchIngestDocumentsRequest>,
    ) -> Result<Response<v1::BatchIngestDocumentsResponse>, Status> {
        let (caller, deadline) = (caller(&request), checkpoint(&request).deadline);
        let v1::BatchIngestDocumentsRequest { parent, requests } = request.into_inner();
        validate::batch_size(requests.len(), &self.0.limits)?;
        charge_others(&caller, requests.len())?;
        let read = |request| read_one(&self.0, Some(request), &parent, &caller, deadline);
        let each = requests.into_iter().map(read);
        let read: Vec<_> = stream::iter(each).buffered(STREAM_WINDOW).collect().await;
        let mut results = keep_batch(&self.0, &caller, read).await;
        let room = answer::room_beside_errors(&results, self.0.limits.max_message_bytes);
        answer::fit(results.iter_mut().flatten().map(|answer| &mut answer.analysis), room);
        let results = results.into_iter().map(|result| {
            use v1::ingest_document_result::Result as Out;
            let result = match result {
                Ok(answer) => Out::Response(answer.message()),
                Err(error) => Out::Error(error.to_document_error()),
            };
            v1::IngestDocumentResult { result: Some(result) }
        });
        Ok(Response::new(v1::BatchIngestDocumentsResponse { results: results.collect() }))
    }

    type StreamIngestDocumentsStream =
        Pin<Box<dyn Stream<Item = Result<v1::StreamIngestDocumentsResponse, Status>> + Send>>;

    /// Documents are read by the engine side by side and handed to the store in the order in
    /// which they came, so that the last of several revisions of one document is the one that
    /// stays.
    async fn stream_ingest_documents(
        &self,
        request: Request<Streaming<v1::StreamIngestDocumentsRequest>>,
    ) -> Result<Response<Self::StreamIngestDocumentsStream>, Status> {
        let (caller, deadline) = (caller(&request), checkpoint(&request).deadline);
        let (reader, keeper) = ((Arc::clone(&self.0), caller.clone()), (Arc::clone(&self.0), caller));
        let allowance = reader.1.allowance.clone();
        let messages = paced(request.into_inner(), self.0.limits.max_message_bytes, allowance);
        let read = messages.map(move |(item, share)| {
            let (desk, caller) = reader.clone();
            async move {
                let v1::StreamIngestDocumentsRequest { correlation_id, request } = item?;
                let read = match validate::correlation_id(&correlation_id) {
                    Ok(()) => read_one(&desk, request, "", &caller, deadline).await,
                    Err(error) => Err(error),
                };
                Ok::<_, Status>((correlation_id, read, share))
            }
        });
        let answers = read.buffered(STREAM_WINDOW).map(move |item| {
            let (desk, caller) = keeper.clone();
            async move {
                let (correlation_id, read, share) = item?;
                let result = match read {
                    Ok(read) => {
                        let kept = keep(&desk, &caller, read.new_document).await;
                        kept.map(|ingested| read.answer.with(ingested))
                    }
                    Err(error) => Err(error),
                };
                let result = match result {
                    Ok(mut answer) => {
                        answer.fit(&desk);
                        IngestAnswer::Response(answer.message())
                    }
                    Err(error) => IngestAnswer::Error(error.to_document_error()),
                };
                Ok((v1::StreamIngestDocumentsResponse { correlation_id, result: Some(result) }, share))
            }
        });
        let answers = answers.buffered(STREAM_WINDOW).map_ok(|(answer, _share)| answer);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_document(
        &self,
        request: Request<v1::GetDocumentRequest>,
    ) -> Result<Response<v1::GetDocumentResponse>, Status> {
        let caller = caller(&request);
        let (name, view, unit) = validate::get(request.get_ref())?;
        let stored = self.0.store.of(&caller).get(&name, view).await?;
        let mut document = convert::stored_document(&stored, unit, true);
        let warnings =
            answer::fit_document(&mut document, self.0.limits.max_message_bytes).into_iter().collect();
        let offset_encoding = convert::offset_encoding(unit);
        Ok(Response::new(v1::GetDocumentResponse { document: Some(document), offset_encoding, warnings }))
    }

    async fn list_documents(
        &self,
        request: Request<v1::ListDocumentsRequest>,
    ) -> Result<Response<v1::ListDocumentsResponse>, Status> {
        let caller = caller(&request);
        let request = request.into_inner();
        let job = validate::list(&request)?;
        let filter = request.filter.as_ref();
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(
                page_token::decode(token, &job.corpus, filter)
                    .map_err(|description| ApiError::invalid("page_token", description))?,
            ),
        };
        let store = self.0.store.of(&caller);
        let page = store.list(&job.corpus, &job.filter, job.view, after, job.page_size).await?;

        let mut answer = v1::ListDocumentsResponse {
            offset_encoding: convert::offset_encoding(job.unit),
            ..Default::default()
        };
        let mut room = self.0.limits.max_message_bytes;
        let mut last = None;
        let mut more = page.more;
        for (cursor, stored) in page.documents {
            let mut document = convert::stored_document(&stored, job.unit, true);
            if last.is_none() {
                answer.warnings.extend(answer::fit_document(&mut document, room));
            } else if document.encoded_len() + answer::SLACK_BYTES > room {
                more = true;
                break;
            }
            room = room.saturating_sub(document.encoded_len() + FRAME_BYTES);
            answer.documents.push(document);
            last = Some(cursor);
        }
        if let (true, Some(cursor)) = (more, last) {
            answer.next_page_token = page_token::encode(cursor, &job.corpus, filter);
        }
        Ok(Response::new(answer))
    }

    async fn delete_document(
        &self,
        request: Request<v1::DeleteDocumentRequest>,
    ) -> Result<Response<v1::DeleteDocumentResponse>, Status> {
        let name = validate::delete(request.get_ref())?;
        self.0.store.of(&caller(&request)).delete(&name, &request.get_ref().etag).await?;
        Ok(Response::new(v1::DeleteDocumentResponse {}))
    }
}

/// A document that the engine has read and the store has not yet taken.
struct Read {
    new_document: NewDocument,
    answer: Unkept,
}

/// The part of an answer that does not depend on the store.
struct Unkept {
    analysis: v1::DocumentAnalysis,
    /// Whether the client asked for features.
    wanted: bool,
    unit: OffsetUnit,
}

/// A whole answer, its document still inside the analysis, so that both are fitted together.
struct Answer {
    analysis: v1::DocumentAnalysis,
    wanted: bool,
    outcome: v1::IngestOutcome,
}

impl Unkept {
    fn with(mut self, ingested: Ingested) -> Answer {
        self.analysis.document = Some(convert::stored_document(&ingested.document, self.unit, false));
        let outcome = convert::outcome(ingested.outcome);
        Answer { analysis: self.analysis, wanted: self.wanted, outcome }
    }
}

impl Answer {
    fn fit(&mut self, desk: &Desk) {
        answer::fit(std::iter::once(&mut self.analysis), desk.limits.max_message_bytes);
    }

    fn message(mut self) -> v1::IngestDocumentResponse {
        v1::IngestDocumentResponse {
            document: self.analysis.document.take(),
            outcome: self.outcome as i32,
            warnings: std::mem::take(&mut self.analysis.warnings),
            offset_encoding: self.analysis.offset_encoding,
            analysis: self.wanted.then_some(self.analysis),
        }
    }
}

/// One document of several: it waits for its turn in the engine rather than being refused.
async fn read_one(
    desk: &Arc<Desk>,
    request: Option<v1::IngestDocumentRequest>,
    parent: &str,
    caller: &Caller,
    deadline: Option<Instant>,
) -> Result<Read, ApiError> {
    let request = request.ok_or_else(|| ApiError::invalid("request", "is required"))?;
    let job = validate::ingest(request, parent, &desk.rules())?;
    desk.store.of(caller).check_ingest(&job.corpus)?;
    let checkpoint = Checkpoint::until(deadline);
    Ok(desk.pool.run_patiently(&checkpoint, reading(desk, job, &checkpoint)).await?)
}

/// The engine's work on a document that is ingested: beside what the client asked for, the
/// topics and entities that it can be found by.
fn reading(
    desk: &Arc<Desk>,
    job: IngestJob,
    checkpoint: &Checkpoint,
) -> impl FnOnce() -> Result<Read, Stopped> + Send + use<> {
    let desk = Arc::clone(desk);
    let checkpoint = checkpoint.clone();
    move || {
        let mut options = job.wanted.options.clone();
        let wanted = options.features;
        options.features = wanted.with(Feature::Entities).with(Feature::Topics);
        let engine = &desk.analyzer;
        let stopwatch = &*desk.stopwatch;
        let mut analysis = engine.analyze(&job.source, job.wanted.mode, &options, &checkpoint, stopwatch)?;
        let mut terms = terms(&analysis);
        if let Choice::Own(_) = options.topics.taxonomy {
            // A document is found by the built-in topics too, whatever taxonomy is asked for.
            let built_in =
                analyzer::Options { features: Features::NONE.with(Feature::Topics), ..Default::default() };
            let article = std::mem::take(&mut analysis.article);
            let tagged = engine.analyze_article(article, &built_in, &checkpoint, stopwatch)?;
            terms.topics.extend(self::terms(&tagged).topics);
            terms.topics.sort_unstable();
            terms.topics.dedup();
            analysis.article = tagged.article;
        }
        if !wanted.contains(Feature::Topics) {
            analysis.topics = None;
        }
        if !wanted.contains(Feature::Entities) {
            analysis.entities = None;
        }
        let unit = job.wanted.unit;
        let message = convert::analysis(&analysis, &engine.models(), unit);
        let answer = Unkept { analysis: message, wanted: wanted != Default::default(), unit };
        let new_document = NewDocument {
            corpus: job.corpus,
            document_id: if job.document_id.is_empty() {
                Uuid::now_v7().to_string()
            } else {
                job.document_id
            },
            request_id: job.request_id,
            request_digest: job.request_digest,
            etag: job.etag,
            source: job.source,
            article: analysis.article,
            labels: job.labels,
            content_hash: job.content_hash,
            terms,
        };
        Ok(Read { new_document, answer })
    }
}

fn terms(analysis: &Analysis) -> Terms {
    let mut topics: Vec<String> = Vec::new();
    for topic in analysis.topics.iter().flatten() {
        topics.push(topic.id.clone());
        topics.extend(topic.path.iter().map(|ancestor| ancestor.id.clone()));
    }
    topics.sort_unstable();
    topics.dedup();
    let entities = analysis.entities.iter().flatten().map(|entity| entity.name.clone()).collect();
    Terms { topics, entities }
}

async fn keep(desk: &Desk, caller: &Caller, document: NewDocument) -> Result<Ingested, ApiError> {
    let kept = desk.store.of(caller).ingest(vec![document]).await.pop();
    kept.unwrap_or_else(|| Err(no_answer()))
}

fn no_answer() -> ApiError {
    ApiError::internal(&"the store gave no answer for a document")
}

/// Hands the documents of a batch to the store together; those that could not be read keep
/// their errors in their places.
async fn keep_batch(
    desk: &Desk,
    caller: &Caller,
    read: Vec<Result<Read, ApiError>>,
) -> Vec<Result<Answer, ApiError>> {
    let mut documents = Vec::new();
    let waiting: Vec<Result<Unkept, ApiError>> = read
        .into_iter()
        .map(|result| {
            result.map(|read| {
                documents.push(read.new_document);
                read.answer
            })
        })
        .collect();
    let mut kept = desk.store.of(caller).ingest(documents).await.into_iter();
    waiting
        .into_iter()
        .map(|answer| {
            let answer = answer?;
            Ok(answer.with(kept.next().unwrap_or_else(|| Err(no_answer()))?))
        })
        .collect()
}
