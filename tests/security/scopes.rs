//! What callers may do, in which corpora: every RPC against every combination of grants.

use std::sync::OnceLock;

use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::server_info_service_client::ServerInfoServiceClient;
use copydesk::api::v1::taxonomy_service_client::TaxonomyServiceClient;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tokio::runtime::Runtime;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::authority::{Files, Issuer};
use super::callers::{server, with};
use super::test_server::{TestServer, error_info};

/// A server where each of three corpora has the document `here`.
struct Desk {
    runtime: Runtime,
    issuer: Issuer,
    channel: Channel,
    _server: TestServer,
    _files: Files,
}

const CORPORA: [&str; 3] = ["a", "b", "c"];

fn desk() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let (files, issuer) = (Files::new(), Issuer::new());
        let (server, channel) = runtime.block_on(async {
            let server = server(&files, "", &issuer, &[]).await;
            let channel = server.connect().await;
            let token = issuer.token("write");
            for corpus in CORPORA {
                let request = with(&token, ingest(corpus));
                DocumentServiceClient::new(channel.clone()).ingest_document(request).await.unwrap();
            }
            (server, channel)
        });
        Desk { runtime, issuer, channel, _server: server, _files: files }
    })
}

fn document() -> v1::Document {
    let content = v1::document::Source::Content("Mayor Ann Example spoke in Paris on Friday.".into());
    v1::Document { source: Some(content), ..Default::default() }
}

fn ingest(corpus: &str) -> v1::IngestDocumentRequest {
    v1::IngestDocumentRequest {
        parent: format!("corpora/{corpus}"),
        document_id: "here".into(),
        document: Some(document()),
        ..Default::default()
    }
}

fn name(corpus: &str, id: &str) -> String {
    format!("corpora/{corpus}/documents/{id}")
}

fn analyze(corpus: &str) -> v1::AnalyzeDocumentRequest {
    use v1::analyze_document_request::Source;
    v1::AnalyzeDocumentRequest { source: Some(Source::Name(name(corpus, "here"))), ..Default::default() }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rpc {
    Get,
    List,
    DeleteMissing,
    Ingest,
    BatchIngest,
    StreamIngest,
    AnalyzeInline,
    Analyze,
    BatchAnalyze,
    StreamAnalyze,
    Summarize,
    SummarizeTogether,
    Tag,
    ServerInfo,
    ListTaxonomies,
    GetTaxonomy,
}

const RPCS: [Rpc; 16] = [
    Rpc::Get,
    Rpc::List,
    Rpc::DeleteMissing,
    Rpc::Ingest,
    Rpc::BatchIngest,
    Rpc::StreamIngest,
    Rpc::AnalyzeInline,
    Rpc::Analyze,
    Rpc::BatchAnalyze,
    Rpc::StreamAnalyze,
    Rpc::Summarize,
    Rpc::SummarizeTogether,
    Rpc::Tag,
    Rpc::ServerInfo,
    Rpc::ListTaxonomies,
    Rpc::GetTaxonomy,
];

impl Rpc {
    /// The scopes that it wants for each document, the one of the call itself first.
    fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Get | Self::List => &["read"],
            Self::DeleteMissing | Self::Ingest | Self::BatchIngest | Self::StreamIngest => &["write"],
            Self::AnalyzeInline => &["analyze"],
            Self::ServerInfo | Self::ListTaxonomies | Self::GetTaxonomy => &[],
            _ => &["analyze", "read"],
        }
    }

    fn has_items(self) -> bool {
        use Rpc::{BatchAnalyze, BatchIngest, StreamAnalyze, StreamIngest, SummarizeTogether};
        matches!(self, BatchIngest | StreamIngest | BatchAnalyze | StreamAnalyze | SummarizeTogether)
    }

    /// What each document should come to, or the call as a whole.
    fn expected(self, grants: &[&str], corpora: &[&str]) -> Result<Vec<Code>, Code> {
        let has = |scope: &str| grants.iter().any(|grant| grant.split(':').next() == Some(scope));
        let has_in = |scope: &str, corpus: &str| {
            grants.iter().any(|grant| *grant == scope || *grant == format!("{scope}:{corpus}"))
        };
        let one = |corpus: &str| {
            for scope in self.scopes() {
                if !has(scope) {
                    return Code::PermissionDenied;
                }
                if self != Self::AnalyzeInline && !has_in(scope, corpus) {
                    return Code::NotFound;
                }
            }
            if self == Self::DeleteMissing { Code::NotFound } else { Code::Ok }
        };
        if self.scopes().first().is_some_and(|scope| !has(scope)) {
            return Err(Code::PermissionDenied);
        }
        let items: Vec<Code> = corpora.iter().map(|corpus| one(corpus)).collect();
        match self.has_items() {
            true if self != Self::SummarizeTogether || items.contains(&Code::Ok) => Ok(items),
            // The first one's error, too, where none is left to summarise.
            _ if items[0] == Code::Ok => Ok(Vec::new()),
            _ => Err(items[0]),
        }
    }

    async fn call(self, channel: &Channel, token: &str, corpora: &[&str]) -> Result<Vec<Code>, Code> {
        self.answer(channel.clone(), token, corpora).await.map_err(|status| status.code())
    }

    async fn answer(self, channel: Channel, token: &str, corpora: &[&str]) -> Result<Vec<Code>, Status> {
        let corpus = corpora[0];
        let mut documents = DocumentServiceClient::new(channel.clone());
        let mut analysis = AnalysisServiceClient::new(channel.clone());
        let nothing = Ok(Vec::new());
        match self {
            Self::Get => {
                let request = v1::GetDocumentRequest { name: name(corpus, "here"), ..Default::default() };
                documents.get_document(with(token, request)).await?;
                nothing
            }
            Self::List => {
                let parent = format!("corpora/{corpus}");
                let request = v1::ListDocumentsRequest { parent, ..Default::default() };
                let listed = documents.list_documents(with(token, request)).await?.into_inner();
                assert_eq!(listed.documents.len(), 1);
                nothing
            }
            Self::DeleteMissing => {
                let request =
                    v1::DeleteDocumentRequest { name: name(corpus, "nowhere"), ..Default::default() };
                documents.delete_document(with(token, request)).await?;
                nothing
            }
            Self::Ingest => {
                documents.ingest_document(with(token, ingest(corpus))).await?;
                nothing
            }
            Self::BatchIngest => {
                use v1::ingest_document_result::Result as Out;
                let requests = corpora.iter().map(|corpus| ingest(corpus)).collect();
                let request = v1::BatchIngestDocumentsRequest { requests, ..Default::default() };
                let answer = documents.batch_ingest_documents(with(token, request)).await?.into_inner();
                let code = |result: v1::IngestDocumentResult| match result.result.unwrap() {
                    Out::Response(_) => Code::Ok,
                    Out::Error(error) => Code::from_i32(error.code),
                };
                Ok(answer.results.into_iter().map(code).collect())
            }
            Self::StreamIngest => {
                use v1::stream_ingest_documents_response::Result as Out;
                let each = corpora.iter().map(|corpus| v1::StreamIngestDocumentsRequest {
                    request: Some(ingest(corpus)),
                    ..Default::default()
                });
                let requests = tokio_stream::iter(each.collect::<Vec<_>>());
                let mut answers =
                    documents.stream_ingest_documents(with(token, requests)).await?.into_inner();
                let mut codes = Vec::new();
                while let Some(answer) = answers.message().await? {
                    codes.push(match answer.result.unwrap() {
                        Out::Response(_) => Code::Ok,
                        Out::Error(error) => Code::from_i32(error.code),
                    });
                }
                Ok(codes)
            }
            Self::AnalyzeInline => {
                let source = Some(v1::analyze_document_request::Source::Document(document()));
                let request = v1::AnalyzeDocumentRequest { source, ..Default::default() };
                analysis.analyze_document(with(token, request)).await?;
                nothing
            }
            Self::Analyze => {
                analysis.analyze_document(with(token, analyze(corpus))).await?;
                nothing
            }
            Self::BatchAnalyze => {
                use v1::analyze_document_result::Result as Out;
                let requests = corpora.iter().map(|corpus| analyze(corpus)).collect();
                let request = with(token, v1::BatchAnalyzeDocumentsRequest { requests });
                let answer = analysis.batch_analyze_documents(request).await?.into_inner();
                let code = |result: v1::AnalyzeDocumentResult| match result.result.unwrap() {
                    Out::Analysis(_) => Code::Ok,
                    Out::Error(error) => Code::from_i32(error.code),
                };
                Ok(answer.results.into_iter().map(code).collect())
            }
            Self::StreamAnalyze => {
                use v1::stream_analyze_documents_response::Result as Out;
                let each = corpora.iter().map(|corpus| v1::StreamAnalyzeDocumentsRequest {
                    request: Some(analyze(corpus)),
                    ..Default::default()
                });
                let requests = tokio_stream::iter(each.collect::<Vec<_>>());
                let mut answers =
                    analysis.stream_analyze_documents(with(token, requests)).await?.into_inner();
                let mut codes = Vec::new();
                while let Some(answer) = answers.message().await? {
                    codes.push(match answer.result.unwrap() {
                        Out::Analysis(_) => Code::Ok,
                        Out::Error(error) => Code::from_i32(error.code),
                    });
                }
                Ok(codes)
            }
            Self::Summarize => {
                let source = Some(v1::summarize_document_request::Source::Name(name(corpus, "here")));
                let request = v1::SummarizeDocumentRequest { source, ..Default::default() };
                analysis.summarize_document(with(token, request)).await?;
                nothing
            }
            Self::SummarizeTogether => {
                use v1::summarize_documents_source::Source;
                use v1::summarized_document::Result as Out;
                let source = |corpus: &&str| Some(Source::Name(name(corpus, "here")));
                let sources =
                    corpora.iter().map(|corpus| v1::SummarizeDocumentsSource { source: source(corpus) });
                let request =
                    v1::SummarizeDocumentsRequest { sources: sources.collect(), ..Default::default() };
                let answer = analysis.summarize_documents(with(token, request)).await?.into_inner();
                let code = |result: v1::SummarizedDocument| match result.result.unwrap() {
                    Out::Document(_) => Code::Ok,
                    Out::Error(error) => Code::from_i32(error.code),
                };
                Ok(answer.documents.into_iter().map(code).collect())
            }
            Self::Tag => {
                let source = Some(v1::tag_document_request::Source::Name(name(corpus, "here")));
                let request = v1::TagDocumentRequest { source, ..Default::default() };
                analysis.tag_document(with(token, request)).await?;
                nothing
            }
            Self::ServerInfo => {
                let request = with(token, v1::GetServerInfoRequest {});
                ServerInfoServiceClient::new(channel).get_server_info(request).await?;
                nothing
            }
            Self::ListTaxonomies => {
                let request = with(token, v1::ListTaxonomiesRequest::default());
                TaxonomyServiceClient::new(channel).list_taxonomies(request).await?;
                nothing
            }
            Self::GetTaxonomy => {
                let request = with(token, v1::GetTaxonomyRequest { taxonomy: "iptc-media-topics".into() });
                TaxonomyServiceClient::new(channel).get_taxonomy(request).await?;
                nothing
            }
        }
    }
}

/// Every grant that there is in these corpora.
fn all_grants() -> Vec<&'static str> {
    let mut all = vec!["analyze", "read", "write"];
    all.extend(["analyze:a", "analyze:b", "analyze:c", "read:a", "read:b", "read:c"]);
    all.extend(["write:a", "write:b", "write:c"]);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_rpc_does_what_its_callers_grants_say(
        grants in subsequence(all_grants(), 0..=4),
        rpc in select(&RPCS[..]),
        corpora in subsequence(&CORPORA[..], 1..=3).prop_shuffle(),
    ) {
        let desk = desk();
        // Scopes of other services do no harm.
        let token = desk.issuer.token(&format!("openid {} read:Z admin", grants.join(" ")));
        let found = desk.runtime.block_on(rpc.call(&desk.channel, &token, &corpora));
        prop_assert_eq!(found, rpc.expected(&grants, &corpora));
    }
}

#[test]
fn a_document_out_of_reach_and_one_that_is_missing_are_told_in_the_same_bytes() {
    let desk = desk();
    let (owner, stranger) =
        (desk.issuer.token("read analyze write"), desk.issuer.token("read:a analyze write:a"));
    desk.runtime.block_on(async {
        let mut documents = DocumentServiceClient::new(desk.channel.clone());
        let mut analysis = AnalysisServiceClient::new(desk.channel.clone());
        let get = |token: &str, id: &str| {
            with(token, v1::GetDocumentRequest { name: name("b", id), ..Default::default() })
        };
        let same = |one: &Status, other: &Status| {
            assert_eq!(
                (one.code(), one.message(), one.details()),
                (other.code(), other.message(), other.details())
            );
        };
        let missing = documents.get_document(get(&owner, "x")).await.unwrap_err();
        assert_eq!(error_info(&missing).reason, "DOCUMENT_NOT_FOUND");
        same(&missing, &documents.get_document(get(&stranger, "x")).await.unwrap_err());
        let delete = v1::DeleteDocumentRequest { name: name("b", "x"), ..Default::default() };
        same(&missing, &documents.delete_document(with(&stranger, delete)).await.unwrap_err());
        let source = Some(v1::tag_document_request::Source::Name(name("b", "x")));
        let tag = v1::TagDocumentRequest { source, ..Default::default() };
        same(&missing, &analysis.tag_document(with(&stranger, tag)).await.unwrap_err());

        // A document that is there differs from one that is not in nothing but the name asked for.
        let there = documents.get_document(get(&stranger, "here")).await.unwrap_err();
        assert_eq!(there.message(), missing.message().replace("/x", "/here"));
        let list = |corpus: &str| v1::ListDocumentsRequest {
            parent: format!("corpora/{corpus}"),
            ..Default::default()
        };
        let listed = documents.list_documents(with(&stranger, list("b"))).await.unwrap_err();
        let nowhere = documents.list_documents(with(&stranger, list("z"))).await.unwrap_err();
        assert_eq!(error_info(&listed).reason, "CORPUS_NOT_FOUND");
        assert_eq!(listed.message().replace("corpus \"b\"", "corpus \"z\""), nowhere.message());
    });
}

#[test]
fn a_writer_does_not_read_by_writing_again_what_others_have_changed() {
    let desk = desk();
    let (owner, writer) = (desk.issuer.token("read write"), desk.issuer.token("write:c"));
    desk.runtime.block_on(async {
        let mut documents = DocumentServiceClient::new(desk.channel.clone());
        let mut request = ingest("c");
        request.document_id = "shared".into();
        request.request_id = "request-1".into();
        let own = documents.ingest_document(with(&writer, request.clone())).await.unwrap().into_inner();
        assert!(own.document.unwrap().text.contains("Mayor"));
        let mut changed = request.clone();
        changed.request_id.clear();
        changed.document.as_mut().unwrap().source = Some(v1::document::Source::Content("The secret.".into()));
        documents.ingest_document(with(&owner, changed)).await.unwrap();
        let again = documents.ingest_document(with(&writer, request.clone())).await.unwrap().into_inner();
        let shown = again.document.unwrap();
        assert_eq!(shown.name, name("c", "shared"));
        assert!(!format!("{shown:?}").contains("secret"), "{shown:?}");
        let again = documents.ingest_document(with(&owner, request)).await.unwrap().into_inner();
        assert_eq!(again.document.unwrap().text, "The secret.");
        // The other tests count on one document in each corpus.
        let delete = v1::DeleteDocumentRequest { name: name("c", "shared"), ..Default::default() };
        documents.delete_document(with(&owner, delete)).await.unwrap();
    });
}
