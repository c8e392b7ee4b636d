//! AnalysisService: reads documents and keeps nothing.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use tonic::{Request, Response, Status, Streaming};

use super::error::ApiError;
use super::v1::analysis_service_server::AnalysisService;
use super::validate::{AnalysisJob, Target};
use super::{
    Desk, STREAM_WINDOW, answer, caller, charge_others, checkpoint, convert, joint_summary, paced, v1,
    validate,
};
use crate::access::Caller;
use crate::analyzer::{self, Checkpoint, Stopped};

/// Serves AnalysisService.
pub struct Analysis(pub Arc<Desk>);

type AnswerStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AnalysisService for Analysis {
    async fn analyze_document(
        &self,
        request: Request<v1::AnalyzeDocumentRequest>,
    ) -> Result<Response<v1::AnalyzeDocumentResponse>, Status> {
        let (caller, checkpoint) = (caller(&request), checkpoint(&request));
        let job = validate::analyze(request.into_inner(), &self.0.rules())?;
        let analysis = analyze(&self.0, job, &caller, &checkpoint).await?;
        Ok(Response::new(v1::AnalyzeDocumentResponse { analysis: Some(analysis) }))
    }

    async fn batch_analyze_documents(
        &self,
        request: Request<v1::BatchAnalyzeDocumentsRequest>,
    ) -> Result<Response<v1::BatchAnalyzeDocumentsResponse>, Status> {
        let (caller, deadline) = (caller(&request), checkpoint(&request).deadline);
        let requests = request.into_inner().requests;
        validate::batch_size(requests.len(), &self.0.limits)?;
        charge_others(&caller, requests.len())?;
        let each = requests.into_iter().map(|request| analyze_one(&self.0, Some(request), &caller, deadline));
        let mut results: Vec<_> = stream::iter(each).buffered(STREAM_WINDOW).collect().await;
        let room = answer::room_beside_errors(&results, self.0.limits.max_message_bytes);
        answer::fit(results.iter_mut().flatten(), room);
        let results = results.into_iter().map(|result| {
            use v1::analyze_document_result::Result as Out;
            let result = result.map_or_else(|error| Out::Error(error.to_document_error()), Out::Analysis);
            v1::AnalyzeDocumentResult { result: Some(result) }
        });
        Ok(Response::new(v1::BatchAnalyzeDocumentsResponse { results: results.collect() }))
    }

    type StreamAnalyzeDocumentsStream = AnswerStream<v1::StreamAnalyzeDocumentsResponse>;

    async fn stream_analyze_documents(
        &self,
        request: Request<Streaming<v1::StreamAnalyzeDocumentsRequest>>,
    ) -> Result<Response<Self::StreamAnalyzeDocumentsStream>, Status> {
        let desk = Arc::clone(&self.0);
        let (caller, deadline) = (caller(&request), checkpoint(&request).deadline);
        let messages = paced(request.into_inner(), self.0.limits.max_message_bytes, caller.allowance.clone());
        let answers = messages.map(move |(item, share)| {
            let (desk, caller) = (Arc::clone(&desk), caller.clone());
            async move {
                let v1::StreamAnalyzeDocumentsRequest { correlation_id, request } = item?;
                use v1::stream_analyze_documents_response::Result as Out;
                let result = match validate::correlation_id(&correlation_id) {
                    Ok(()) => analyze_one(&desk, request, &caller, deadline).await,
                    Err(error) => Err(error),
                };
                let result = result.map_or_else(|error| Out::Error(error.to_document_error()), Out::Analysis);
                Ok((v1::StreamAnalyzeDocumentsResponse { correlation_id, result: Some(result) }, share))
            }
        });
        let answers = answers.buffered(STREAM_WINDOW).map_ok(|(answer, _share)| answer);
        Ok(Response::new(Box::pin(answers)))
    }

    async fn summarize_document(
        &self,
        request: Request<v1::SummarizeDocumentRequest>,
    ) -> Result<Response<v1::SummarizeDocumentResponse>, Status> {
        let (caller, checkpoint) = (caller(&request), checkpoint(&request));
        let job = validate::summarize(request.into_inner(), &self.0.limits)?;
        let analysis = analyze(&self.0, job, &caller, &checkpoint).await?;
        Ok(Response::new(v1::SummarizeDocumentResponse {
            summary: analysis.summary,
            document: analysis.document,
            warnings: analysis.warnings,
            offset_encoding: analysis.offset_encoding,
            models: analysis.models,
        }))
    }

    async fn summarize_documents(
        &self,
        request: Request<v1::SummarizeDocumentsRequest>,
    ) -> Result<Response<v1::SummarizeDocumentsResponse>, Status> {
        let (caller, checkpoint) = (caller(&request), checkpoint(&request));
        let job = validate::summarize_together(request.into_inner(), &self.0.limits)?;
        charge_others(&caller, job.targets.len())?;
        Ok(Response::new(joint_summary::answer(&self.0, job, &caller, &checkpoint).await?))
    }

    async fn tag_document(
        &self,
        request: Request<v1::TagDocumentRequest>,
    ) -> Result<Response<v1::TagDocumentResponse>, Status> {
        let (caller, checkpoint) = (caller(&request), checkpoint(&request));
        let job = validate::tag(request.into_inner(), &self.0.rules())?;
        let analysis = analyze(&self.0, job, &caller, &checkpoint).await?;
        Ok(Response::new(v1::TagDocumentResponse {
            topics: analysis.topics,
            document: analysis.document,
            warnings: analysis.warnings,
            offset_encoding: analysis.offset_encoding,
            models: analysis.models,
        }))
    }
}

/// One document of several: it waits for its turn in the engine rather than being refused.
async fn analyze_one(
    desk: &Arc<Desk>,
    request: Option<v1::AnalyzeDocumentRequest>,
    caller: &Caller,
    deadline: Option<Instant>,
) -> Result<v1::DocumentAnalysis, ApiError> {
    let request = request.ok_or_else(|| ApiError::invalid("request", "is required"))?;
    let job = validate::analyze(request, &desk.rules())?;
    // A checkpoint of its own: the end of one document must not stop the others.
    let checkpoint = Checkpoint::until(deadline);
    let work = prepare(desk, job, caller, &checkpoint).await?;
    Ok(desk.pool.run_patiently(&checkpoint, work).await?)
}

async fn analyze(
    desk: &Arc<Desk>,
    job: AnalysisJob,
    caller: &Caller,
    checkpoint: &Checkpoint,
) -> Result<v1::DocumentAnalysis, ApiError> {
    let work = prepare(desk, job, caller, checkpoint).await?;
    Ok(desk.pool.run(checkpoint, work).await?)
}

/// Fetches what the engine needs and gives the work that is left for its threads: to analyse
/// and to convert.
async fn prepare(
    desk: &Arc<Desk>,
    job: AnalysisJob,
    caller: &Caller,
    checkpoint: &Checkpoint,
) -> Result<impl FnOnce() -> Result<v1::DocumentAnalysis, Stopped> + Send + use<>, ApiError> {
    let stored = match &job.target {
        Target::Stored(name) => Some(desk.store.of(caller).get_to_analyze(name).await?),
        Target::Inline { .. } => None,
    };
    let desk = Arc::clone(desk);
    let checkpoint = checkpoint.clone();
    Ok(move || {
        let wanted = job.wanted;
        let unit = wanted.unit;
        let (engine, stopwatch) = (&desk.analyzer, &*desk.stopwatch);
        let (analysis, document) = match (job.target, stored) {
            (Target::Inline { source, labels }, _) => {
                let analysis =
                    engine.analyze(&source, wanted.mode, &wanted.options, &checkpoint, stopwatch)?;
                let document = convert::inline_document(&source, labels, &analysis.article, unit);
                (analysis, document)
            }
            (Target::Stored(_), Some(stored)) => {
                let document = convert::stored_document(&stored, unit, false);
                let article = stored.article;
                (engine.analyze_article(article, &wanted.options, &checkpoint, stopwatch)?, document)
            }
            // `stored` was read above for every stored target.
            (Target::Stored(_), None) => (analyzer::Analysis::default(), v1::Document::default()),
        };
        let mut message = convert::analysis(&analysis, &engine.models(), unit);
        message.document = Some(document);
        answer::fit(std::iter::once(&mut message), desk.limits.max_message_bytes);
        Ok(message)
    })
}
