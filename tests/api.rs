//! What the contract promises, over a real socket.

mod test_server;

use std::time::Duration;

use copydesk::api::v1;
use copydesk::api::v1::analysis_service_client::AnalysisServiceClient;
use copydesk::api::v1::document_service_client::DocumentServiceClient;
use copydesk::api::v1::server_info_service_client::ServerInfoServiceClient;
use copydesk::api::v1::stream_analyze_documents_response::Result as AnalysisOutcome;
use copydesk::api::v1::stream_ingest_documents_response::Result as IngestOutcome;
use copydesk::api::v1::taxonomy_service_client::TaxonomyServiceClient;
use copydesk::api::v1::{
    analyze_document_request, summarize_document_request, summarize_documents_source, summarized_document,
    tag_document_request,
};
use test_server::{TestServer, error_info};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const ARTICLE: &str = "Harbour Bridge Reopens After Repairs\n\nPORT LARSEN, March 3 (Example Times) -- Mayor Ada Quill \
     reopened the harbour bridge on Friday after two years of repairs.\n\n\"The bridge is safe again,\" Quill said \
     \u{1f389}. \u{201c}Nobody was hurt,\u{201d} said engineer Tom Brandt of Larsen Works.\n\nThe repairs cost the \
     city 40 million euros, more than twice what the council of Port Larsen had planned in 2021.";

/// A server with clients for all of its services.
struct Desk {
    server: TestServer,
    documents: DocumentServiceClient<Channel>,
    analysis: AnalysisServiceClient<Channel>,
}

impl Desk {
    async fn open(flags: &[&str]) -> Self {
        let server = TestServer::whole(flags).await;
        let channel = server.connect().await;
        Self {
            server,
            documents: DocumentServiceClient::new(channel.clone()),
            analysis: AnalysisServiceClient::new(channel),
        }
    }

    async fn ingest(
        &mut self,
        request: v1::IngestDocumentRequest,
    ) -> Result<v1::IngestDocumentResponse, Status> {
        Ok(self.documents.ingest_document(request).await?.into_inner())
    }

    async fn analyze(&mut self, request: v1::AnalyzeDocumentRequest) -> Result<v1::DocumentAnalysis, Status> {
        let answer = self.analysis.analyze_document(request).await?.into_inner();
        Ok(answer.analysis.expect("an answer has an analysis"))
    }

    async fn get(&mut self, name: &str) -> Result<v1::GetDocumentResponse, Status> {
        let request = v1::GetDocumentRequest { name: name.into(), ..Default::default() };
        Ok(self.documents.get_document(request).await?.into_inner())
    }

    async fn list(&mut self, request: v1::ListDocumentsRequest) -> Result<v1::ListDocumentsResponse, Status> {
        Ok(self.documents.list_documents(request).await?.into_inner())
    }
}

fn document(content: impl Into<String>) -> v1::Document {
    v1::Document { source: Some(v1::document::Source::Content(content.into())), ..Default::default() }
}

fn raw(bytes: Vec<u8>, mime_type: &str) -> v1::Document {
    let source = Some(v1::document::Source::RawContent(bytes));
    v1::Document { source, mime_type: mime_type.into(), ..Default::default() }
}

/// A request to keep a text under an id.
fn ingest(document_id: &str, content: &str) -> v1::IngestDocumentRequest {
    v1::IngestDocumentRequest {
        document_id: document_id.into(),
        document: Some(document(content)),
        ..Default::default()
    }
}

fn analyze(document: v1::Document) -> v1::AnalyzeDocumentRequest {
    let source = Some(analyze_document_request::Source::Document(document));
    v1::AnalyzeDocumentRequest { source, ..Default::default() }
}

fn analyze_stored(name: &str) -> v1::AnalyzeDocumentRequest {
    let source = Some(analyze_document_request::Source::Name(name.into()));
    v1::AnalyzeDocumentRequest { source, ..Default::default() }
}

fn summarize(document: v1::Document) -> v1::SummarizeDocumentRequest {
    let source = Some(summarize_document_request::Source::Document(document));
    v1::SummarizeDocumentRequest { source, ..Default::default() }
}

fn tag(document: v1::Document) -> v1::TagDocumentRequest {
    let source = Some(tag_document_request::Source::Document(document));
    v1::TagDocumentRequest { source, ..Default::default() }
}

fn all_features() -> Vec<i32> {
    (1..=7).collect()
}

/// Code and reason of an error.
fn told<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    (status.code(), error_info(&status).reason)
}

/// The fields that a request was refused for.
fn wrong_fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    assert_eq!(error_info(&status).reason, "INVALID_FIELD");
    let request = status.get_details_bad_request().expect("a wrong field is named");
    assert!(request.field_violations.iter().all(|violation| !violation.description.is_empty()));
    request.field_violations.into_iter().map(|violation| violation.field).collect()
}

/// No value of any enum.
const UNKNOWN: i32 = 99;

#[tokio::test]
async fn every_wrong_field_of_a_document_is_named() {
    let mut desk = Desk::open(&[]).await;
    let bad = v1::Document {
        source: Some(v1::document::Source::Content(" \n\u{3000}".into())),
        title: "t".repeat(2000),
        mime_type: "application/pdf".into(),
        language_code: "english".into(),
        uri: "u".repeat(3000),
        publisher: "p".repeat(2000),
        authors: vec!["a".into(); 1000],
        publish_time: "yesterday".into(),
        labels: (0..1000).map(|number| (format!("key-{number}"), String::new())).collect(),
        ..Default::default()
    };
    let paths = [
        "document.mime_type", "document.content", "document.title", "document.uri", "document.publisher",
        "document.language_code", "document.authors", "document.publish_time", "document.labels",
    ];
    assert_eq!(wrong_fields(desk.analyze(analyze(bad.clone())).await), paths);
    assert_eq!(wrong_fields(desk.analysis.summarize_document(summarize(bad.clone())).await), paths);
    assert_eq!(wrong_fields(desk.analysis.tag_document(tag(bad.clone())).await), paths);
    let request = v1::IngestDocumentRequest { document: Some(bad), ..Default::default() };
    assert_eq!(wrong_fields(desk.ingest(request).await), paths);
}

#[tokio::test]
async fn nothing_to_read_and_too_much_to_read_are_wrong_fields() {
    let mut desk = Desk::open(&["--max-content-bytes=64KiB"]).await;
    for (content, field) in [
        (v1::Document::default(), "document.content"),
        (document(""), "document.content"),
        (raw(b" \r\n".to_vec(), ""), "document.raw_content"),
        (document("a".repeat((64 << 10) + 1)), "document.content"),
        (raw(vec![b'a'; (64 << 10) + 1], ""), "document.raw_content"),
    ] {
        assert_eq!(wrong_fields(desk.analyze(analyze(content.clone())).await), [field]);
        let request = v1::IngestDocumentRequest { document: Some(content), ..Default::default() };
        assert_eq!(wrong_fields(desk.ingest(request).await), [field]);
    }
    let most = desk.analyze(analyze(document("word ".repeat((64 << 10) / 5)))).await.unwrap();
    assert_eq!(most.statistics.unwrap().token_count, (64 << 10) / 5);
}

#[tokio::test]
async fn what_a_request_lacks_is_named() {
    let mut desk = Desk::open(&[]).await;
    assert_eq!(wrong_fields(desk.analyze(Default::default()).await), ["source"]);
    assert_eq!(
        wrong_fields(desk.analysis.summarize_document(v1::SummarizeDocumentRequest::default()).await),
        ["source"]
    );
    assert_eq!(wrong_fields(desk.analysis.tag_document(v1::TagDocumentRequest::default()).await), ["source"]);
    assert_eq!(wrong_fields(desk.ingest(Default::default()).await), ["document"]);
    assert_eq!(wrong_fields(desk.get("").await), ["name"]);
    assert_eq!(
        wrong_fields(desk.documents.delete_document(v1::DeleteDocumentRequest::default()).await),
        ["name"]
    );
    assert_eq!(
        wrong_fields(desk.documents.batch_ingest_documents(v1::BatchIngestDocumentsRequest::default()).await),
        ["requests"]
    );
    assert_eq!(
        wrong_fields(
            desk.analysis.batch_analyze_documents(v1::BatchAnalyzeDocumentsRequest::default()).await
        ),
        ["requests"]
    );
}

#[tokio::test]
async fn an_unknown_enum_value_is_a_wrong_field() {
    let mut desk = Desk::open(&[]).await;
    let summary_options = Some(v1::SummaryOptions { order: UNKNOWN, ..Default::default() });
    let request = v1::AnalyzeDocumentRequest {
        features: vec![1, UNKNOWN],
        offset_encoding: UNKNOWN,
        extraction_mode: UNKNOWN,
        summary_options: summary_options.clone(),
        ..analyze(document(ARTICLE))
    };
    let paths = ["features", "summary_options.order", "extraction_mode", "offset_encoding"];
    assert_eq!(wrong_fields(desk.analyze(request).await), paths);
    let request = v1::IngestDocumentRequest {
        features: vec![0, UNKNOWN],
        offset_encoding: UNKNOWN,
        extraction_mode: UNKNOWN,
        summary_options: summary_options.clone(),
        ..ingest("", ARTICLE)
    };
    // Nothing is a feature that says nothing.
    let paths = ["features", "features", "summary_options.order", "extraction_mode", "offset_encoding"];
    assert_eq!(wrong_fields(desk.ingest(request).await), paths);

    let paths = ["options.order", "extraction_mode", "offset_encoding"];
    let request = v1::SummarizeDocumentRequest {
        options: summary_options,
        offset_encoding: -1,
        extraction_mode: UNKNOWN,
        ..summarize(document(ARTICLE))
    };
    assert_eq!(wrong_fields(desk.analysis.summarize_document(request).await), paths);
    let request =
        v1::TagDocumentRequest { offset_encoding: UNKNOWN, extraction_mode: -1, ..tag(document(ARTICLE)) };
    assert_eq!(wrong_fields(desk.analysis.tag_document(request).await), paths[1..]);

    let request = v1::GetDocumentRequest {
        name: "corpora/default/documents/a".into(),
        view: UNKNOWN,
        offset_encoding: UNKNOWN,
    };
    assert_eq!(wrong_fields(desk.documents.get_document(request).await), ["view", "offset_encoding"]);
    let request = v1::ListDocumentsRequest { view: UNKNOWN, offset_encoding: UNKNOWN, ..Default::default() };
    assert_eq!(wrong_fields(desk.list(request).await), ["view", "offset_encoding"]);
}

#[tokio::test]
async fn options_out_of_bounds_are_wrong_fields() {
    use v1::summary_options::Length;
    let mut desk = Desk::open(&[]).await;
    for (length, field) in [
        (Length::SentenceCount(0), "options.sentence_count"),
        (Length::MaxCharacters(i32::MIN), "options.max_characters"),
        (Length::MaxShare(f64::NAN), "options.max_share"),
        (Length::MaxShare(1.5), "options.max_share"),
    ] {
        let options = Some(v1::SummaryOptions { length: Some(length), ..Default::default() });
        let request = v1::SummarizeDocumentRequest { options, ..summarize(document(ARTICLE)) };
        assert_eq!(wrong_fields(desk.analysis.summarize_document(request).await), [field]);
    }
    let options =
        Some(v1::TopicOptions { max_topics: -1, min_confidence: Some(f32::NAN), ..Default::default() });
    let request = v1::TagDocumentRequest { options, ..tag(document(ARTICLE)) };
    assert_eq!(
        wrong_fields(desk.analysis.tag_document(request).await),
        ["options.max_topics", "options.min_confidence"]
    );
    let request = v1::ListDocumentsRequest {
        parent: "corpora/Über".into(),
        page_size: -1,
        filter: Some(v1::DocumentFilter { language_code: "?".into(), ..Default::default() }),
        ..Default::default()
    };
    assert_eq!(wrong_fields(desk.list(request).await), ["parent", "page_size", "filter.language_code"]);
    let request = v1::IngestDocumentRequest {
        parent: "documents/a".into(),
        request_id: "r".repeat(500),
        ..ingest("a/b", ARTICLE)
    };
    assert_eq!(wrong_fields(desk.ingest(request).await), ["parent", "document_id", "request_id"]);
}

#[tokio::test]
async fn an_error_is_never_too_large_for_its_client() {
    let mut desk = Desk::open(&[]).await;
    let with = |change: fn(&mut v1::Document)| {
        let mut document = document(ARTICLE);
        change(&mut document);
        analyze(document)
    };
    let labels = with(|it| it.labels = (0..64).map(|n| (format!("key-{n}"), "v".repeat(1100))).collect());
    let authors = with(|it| it.authors = vec!["a".repeat(1100); 100]);
    let pictures = with(|it| it.mime_type = format!("data:image/png;base64,{}", "iVBOR".repeat(2000)));
    let language = with(|it| it.language_code = "\u{1f389}".repeat(5000));
    let features = v1::AnalyzeDocumentRequest { features: vec![UNKNOWN; 1000], ..with(|_| {}) };
    for request in
        [labels.clone(), authors, pictures, language, features, analyze_stored(&"\u{1}".repeat(10_000))]
    {
        assert!(!wrong_fields(desk.analyze(request).await).is_empty());
    }
    let refused = desk.analyze(labels).await.unwrap_err();
    assert!(refused.message().starts_with("document.labels: has 1100 bytes"), "{}", refused.message());
    let named = refused.get_details_bad_request().unwrap().field_violations.len();
    assert!(refused.message().ends_with(&format!("; and {} more", 64 - named)), "{}", refused.message());

    let parent = format!("corpora/{}", "news".repeat(5000));
    let request = v1::ListDocumentsRequest { parent, ..Default::default() };
    assert_eq!(wrong_fields(desk.list(request).await), ["parent"]);
    let options = with_taxonomy(&"taxonomy".repeat(2500));
    let request = v1::TagDocumentRequest { options, ..tag(document(ARTICLE)) };
    let not_found = (Code::NotFound, "TAXONOMY_NOT_FOUND".into());
    assert_eq!(told(desk.analysis.tag_document(request).await), not_found);
    let mut taxonomies = TaxonomyServiceClient::new(desk.server.connect().await);
    let request = v1::GetTaxonomyRequest { taxonomy: "taxonomy".repeat(2500) };
    assert_eq!(told(taxonomies.get_taxonomy(request).await), not_found);
}

#[tokio::test]
async fn errors_leave_room_for_the_answers_of_their_batch() {
    let limit = 512 << 10;
    let mut desk = Desk::open(&["--max-message-bytes=512KiB", "--max-content-bytes=256KiB"]).await;
    let names = "John Smith met Mary Jones in New York. ".repeat(3000);
    let mut requests = vec![v1::IngestDocumentRequest { features: all_features(), ..ingest("good", &names) }];
    let parent = "\u{1}".repeat(3000);
    let bad = v1::IngestDocumentRequest { parent, features: vec![UNKNOWN; 1000], ..ingest("", ARTICLE) };
    requests.resize(60, bad);
    let batch = v1::BatchIngestDocumentsRequest { requests, ..Default::default() };
    let answer = desk.documents.batch_ingest_documents(batch).await.unwrap().into_inner();
    assert!(prost::Message::encoded_len(&answer) <= limit, "{}", prost::Message::encoded_len(&answer));
    assert!(matches!(answer.results[0].result, Some(v1::ingest_document_result::Result::Response(_))));
    for item in &answer.results[1..] {
        assert!(prost::Message::encoded_len(item) <= 4 << 10, "{}", prost::Message::encoded_len(item));
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let mut desk = Desk::open(&[]).await;
    let name = "corpora/news/documents/nobody";
    let missing = |status: &Status| {
        assert_eq!(status.code(), Code::NotFound);
        let resource = status.get_details_resource_info().expect("the resource is named");
        (error_info(status).reason, resource.resource_type, resource.resource_name)
    };
    let expected = ("DOCUMENT_NOT_FOUND".into(), "copydesk.v1.Document".into(), name.to_owned());
    assert_eq!(missing(&desk.get(name).await.unwrap_err()), expected);
    assert_eq!(missing(&desk.analyze(analyze_stored(name)).await.unwrap_err()), expected);
    let delete = v1::DeleteDocumentRequest { name: name.into(), ..Default::default() };
    assert_eq!(missing(&desk.documents.delete_document(delete).await.unwrap_err()), expected);

    let options = Some(v1::TopicOptions { taxonomy: "dewey".into(), ..Default::default() });
    let request = v1::TagDocumentRequest { options, ..tag(document(ARTICLE)) };
    let refused = desk.analysis.tag_document(request).await.unwrap_err();
    let expected = ("TAXONOMY_NOT_FOUND".into(), "copydesk.v1.Taxonomy".into(), "dewey".into());
    assert_eq!(missing(&refused), expected);
}

#[tokio::test]
async fn a_document_is_created_kept_and_revised() {
    let mut desk = Desk::open(&[]).await;
    let created = desk.ingest(ingest("bridge", ARTICLE)).await.unwrap();
    assert_eq!(created.outcome(), v1::IngestOutcome::Created);
    let first = created.document.unwrap();
    assert_eq!(first.name, "corpora/default/documents/bridge");
    assert!(created.analysis.is_none());

    let again = desk.ingest(ingest("bridge", ARTICLE)).await.unwrap();
    assert_eq!(again.outcome(), v1::IngestOutcome::Unchanged);
    assert_eq!(again.document.unwrap(), first);

    let mut request = ingest("bridge", &format!("{ARTICLE}\n\nTraffic was light on Saturday."));
    request.document.as_mut().unwrap().etag = first.etag.clone();
    let revised = desk.ingest(request.clone()).await.unwrap();
    assert_eq!(revised.outcome(), v1::IngestOutcome::Revised);
    let second = revised.document.unwrap();
    assert_eq!((&second.uid, &second.create_time), (&first.uid, &first.create_time));
    assert_ne!((&second.etag, &second.revision_id), (&first.etag, &first.revision_id));

    // An etag is of a document that has a name.
    let unnamed = v1::IngestDocumentRequest { document_id: String::new(), ..request.clone() };
    assert_eq!(wrong_fields(desk.ingest(unnamed).await), ["document_id"]);

    // The etag names the revision that is there no more.
    request.document = Some(v1::Document { etag: first.etag, ..document("Something else altogether.") });
    assert_eq!(told(desk.ingest(request).await), (Code::Aborted, "STALE_ETAG".into()));
    let stale = v1::DeleteDocumentRequest { name: second.name.clone(), etag: "0".into() };
    assert_eq!(told(desk.documents.delete_document(stale).await), (Code::Aborted, "STALE_ETAG".into()));
    let right = v1::DeleteDocumentRequest { name: second.name.clone(), etag: second.etag };
    desk.documents.delete_document(right).await.unwrap();
    assert_eq!(told(desk.get(&second.name).await).0, Code::NotFound);
}

#[tokio::test]
async fn a_request_id_is_for_one_request() {
    let mut desk = Desk::open(&[]).await;
    let request = v1::IngestDocumentRequest { request_id: "feed-1".into(), ..ingest("", ARTICLE) };
    let first = desk.ingest(request.clone()).await.unwrap();
    let again = desk.ingest(request.clone()).await.unwrap();
    assert_eq!(again.outcome(), v1::IngestOutcome::Unchanged);
    assert_eq!(again.document, first.document);
    let other = v1::IngestDocumentRequest { document: Some(document("Another text.")), ..request };
    let refused = desk.ingest(other).await.unwrap_err();
    assert_eq!(
        (refused.code(), error_info(&refused).reason.as_str()),
        (Code::InvalidArgument, "REQUEST_ID_REUSED")
    );
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "request_id");
}

#[tokio::test]
async fn one_of_many_that_race_with_the_same_etag_wins() {
    let mut desk = Desk::open(&[]).await;
    let first = desk.ingest(ingest("race", ARTICLE)).await.unwrap().document.unwrap();
    let racers: Vec<_> = (0..32)
        .map(|number| {
            let mut client = desk.documents.clone();
            let mut request = ingest("race", &format!("{ARTICLE} Version {number}."));
            request.document.as_mut().unwrap().etag = first.etag.clone();
            tokio::spawn(async move { client.ingest_document(request).await })
        })
        .collect();
    let mut winners = Vec::new();
    for racer in racers {
        match racer.await.unwrap() {
            Ok(answer) => winners.push(answer.into_inner().document.unwrap()),
            lost => assert_eq!(told(lost), (Code::Aborted, "STALE_ETAG".into())),
        }
    }
    let [winner] = winners.as_slice() else { panic!("{} won", winners.len()) };
    assert_eq!(desk.get(&winner.name).await.unwrap().document.unwrap().etag, winner.etag);
}

#[tokio::test]
async fn the_same_request_sent_at_once_is_done_once() {
    let mut desk = Desk::open(&[]).await;
    let request = v1::IngestDocumentRequest { request_id: "feed-1".into(), ..ingest("", ARTICLE) };
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let (mut client, request) = (desk.documents.clone(), request.clone());
            tokio::spawn(async move { client.ingest_document(request).await.unwrap().into_inner() })
        })
        .collect();
    let mut created = 0;
    let mut names = std::collections::BTreeSet::new();
    for sender in senders {
        let answer = sender.await.unwrap();
        created += usize::from(answer.outcome() == v1::IngestOutcome::Created);
        names.insert(answer.document.unwrap().name);
    }
    assert_eq!((created, names.len()), (1, 1));
    assert_eq!(desk.list(Default::default()).await.unwrap().documents.len(), 1);
}

#[tokio::test]
async fn what_is_got_is_what_was_answered_and_views_show_their_part() {
    let mut desk = Desk::open(&[]).await;
    let mut request = ingest("bridge", ARTICLE);
    let sent = request.document.as_mut().unwrap();
    // Finer than a second, which no publication is.
    sent.publish_time = "2023-03-30T08:09:00.123456+07:00".into();
    sent.labels = [("desk".to_owned(), "city".to_owned())].into();
    let created = desk.ingest(request).await.unwrap().document.unwrap();
    assert_eq!(created.publish_time, "2023-03-30T08:09:00+07:00");

    let full = desk.get(&created.name).await.unwrap().document.unwrap();
    assert_eq!(full.source, document(ARTICLE).source);
    assert_eq!(v1::Document { source: None, ..full.clone() }, created);

    let view = v1::DocumentView::Basic as i32;
    let request = v1::GetDocumentRequest { name: created.name.clone(), view, ..Default::default() };
    let basic = desk.documents.get_document(request).await.unwrap().into_inner().document.unwrap();
    assert_eq!(basic, v1::Document { source: None, text: String::new(), blocks: Vec::new(), ..full.clone() });
    assert_eq!(desk.list(Default::default()).await.unwrap().documents, [basic]);
    let view = v1::DocumentView::Full as i32;
    let listed = desk.list(v1::ListDocumentsRequest { view, ..Default::default() }).await.unwrap();
    assert_eq!(listed.documents, [full]);
}

/// The part of a text that a span says, in the unit of its offsets.
fn cut(text: &str, span: &v1::TextSpan, encoding: v1::OffsetEncoding) -> String {
    let range = span.begin as usize..span.end as usize;
    match encoding {
        v1::OffsetEncoding::Utf16 => {
            let units: Vec<u16> = text.encode_utf16().collect();
            String::from_utf16(&units[range]).unwrap()
        }
        v1::OffsetEncoding::Utf32 => text.chars().skip(range.start).take(range.len()).collect(),
        _ => text[range].to_owned(),
    }
}

#[tokio::test]
async fn offsets_are_in_the_unit_that_was_asked_for() {
    let mut desk = Desk::open(&[]).await;
    let name = desk.ingest(ingest("bridge", ARTICLE)).await.unwrap().document.unwrap().name;
    let mut sentences = Vec::new();
    for encoding in [
        v1::OffsetEncoding::Unspecified,
        v1::OffsetEncoding::Utf8,
        v1::OffsetEncoding::Utf16,
        v1::OffsetEncoding::Utf32,
    ] {
        for request in [analyze(document(ARTICLE)), analyze_stored(&name)] {
            let request = v1::AnalyzeDocumentRequest { offset_encoding: encoding as i32, ..request };
            let analysis = desk.analyze(request).await.unwrap();
            assert_ne!(analysis.offset_encoding(), v1::OffsetEncoding::Unspecified);
            let document = analysis.document.as_ref().unwrap();
            let summary = analysis.summary.iter().flat_map(|summary| &summary.sentences);
            let spans = (analysis.entities.iter().flat_map(|entity| &entity.mentions))
                .map(|mention| &mention.span)
                .chain(analysis.quotes.iter().map(|quote| &quote.span))
                .chain(summary.map(|sentence| &sentence.span))
                .flatten();
            for span in spans {
                let text = match span.section() {
                    v1::TextSection::Title => &document.title,
                    _ => &document.text,
                };
                assert_eq!(cut(text, span, encoding), span.text, "{encoding:?}");
            }
            let cuts = analysis.sentences.iter().flat_map(|sentence| &sentence.span);
            sentences.push(cuts.map(|span| cut(&document.text, span, encoding)).collect::<Vec<_>>());
            for block in &document.blocks {
                let Some(source) = &block.source_span else { continue };
                let Some(span) = &block.span else { continue };
                assert_eq!(cut(ARTICLE, source, encoding), cut(&document.text, span, encoding));
            }
        }
    }
    assert!(
        sentences[0].len() >= 4 && sentences.iter().all(|of_one| of_one == &sentences[0]),
        "{sentences:?}"
    );
}

#[tokio::test]
async fn without_extraction_the_text_is_the_content() {
    let mut desk = Desk::open(&[]).await;
    for content in [ARTICLE, " \u{feff}a\r\n\r\n\0b &amp; <p>c\u{202e}\n", "\u{1f389}"] {
        let request = v1::AnalyzeDocumentRequest {
            extraction_mode: v1::ExtractionMode::None as i32,
            ..analyze(document(content))
        };
        assert_eq!(desk.analyze(request).await.unwrap().document.unwrap().text, content);
        let request = v1::IngestDocumentRequest {
            extraction_mode: v1::ExtractionMode::None as i32,
            ..ingest("", content)
        };
        let name = desk.ingest(request).await.unwrap().document.unwrap().name;
        assert_eq!(desk.get(&name).await.unwrap().document.unwrap().text, content);
    }
}

#[tokio::test]
async fn only_what_was_asked_for_is_answered() {
    let mut desk = Desk::open(&[]).await;
    let features = vec![v1::Feature::Topics as i32];
    let request = v1::AnalyzeDocumentRequest { features, ..analyze(document(ARTICLE)) };
    let analysis = desk.analyze(request).await.unwrap();
    assert!(analysis.summary.is_none() && analysis.entities.is_empty() && analysis.sentences.is_empty());
    let all = desk.analyze(analyze(document(ARTICLE))).await.unwrap();
    assert!(all.summary.is_some() && !all.entities.is_empty() && !all.sentences.is_empty());
    let request = v1::IngestDocumentRequest { features: all_features(), ..ingest("", ARTICLE) };
    let ingested = desk.ingest(request).await.unwrap().analysis.unwrap();
    assert_eq!(ingested.summary, all.summary);
    assert_eq!(ingested.entities, all.entities);
    assert_eq!(ingested.topics, all.topics);
}

#[tokio::test]
async fn a_page_token_serves_the_listing_that_it_was_made_for() {
    let mut desk = Desk::open(&[]).await;
    for number in 0..5 {
        desk.ingest(ingest(&format!("d{number}"), ARTICLE)).await.unwrap();
    }
    let first = v1::ListDocumentsRequest { page_size: 2, ..Default::default() };
    let page = desk.list(first.clone()).await.unwrap();
    let token = page.next_page_token.clone();
    let mut seen = page.documents;
    // What arrives in between moves no page.
    desk.ingest(ingest("new", ARTICLE)).await.unwrap();
    let mut next = token.clone();
    while !next.is_empty() {
        let page = desk.list(v1::ListDocumentsRequest { page_token: next, ..first.clone() }).await.unwrap();
        seen.extend(page.documents);
        next = page.next_page_token;
    }
    let ids: Vec<_> = seen.iter().map(|document| document.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(ids, ["d4", "d3", "d2", "d1", "d0"]);

    let filter = v1::DocumentFilter { publisher: "Example Times".into(), ..Default::default() };
    for request in [
        v1::ListDocumentsRequest {
            parent: "corpora/other".into(),
            page_token: token.clone(),
            ..first.clone()
        },
        v1::ListDocumentsRequest { filter: Some(filter), page_token: token.clone(), ..first.clone() },
        v1::ListDocumentsRequest { page_token: token[..token.len() - 1].into(), ..first.clone() },
        v1::ListDocumentsRequest { page_token: format!("{token}AAAA"), ..first.clone() },
        // A later version's.
        v1::ListDocumentsRequest { page_token: format!("Ag{}", &token[2..]), ..first.clone() },
        v1::ListDocumentsRequest { page_token: "d2".into(), ..first },
    ] {
        assert_eq!(wrong_fields(desk.list(request).await), ["page_token"]);
    }
}

#[tokio::test]
async fn a_publication_is_listed_between_times_finer_than_a_second() {
    let mut desk = Desk::open(&[]).await;
    let mut request = ingest("ten", ARTICLE);
    request.document.as_mut().unwrap().publish_time = "1970-01-01T00:00:10Z".into();
    desk.ingest(request).await.unwrap();
    let time = |(seconds, nanos)| Some(pbjson_types::Timestamp { seconds, nanos });
    let mut list = async |from: Option<(i64, i32)>, before: Option<(i64, i32)>| {
        let filter = v1::DocumentFilter {
            publish_time_from: from.and_then(time),
            publish_time_before: before.and_then(time),
            ..Default::default()
        };
        let request = v1::ListDocumentsRequest { filter: Some(filter), ..Default::default() };
        desk.list(request).await.map(|page| page.documents.len())
    };
    for (from, before, found) in [
        (Some((10, 0)), None, 1),
        (Some((10, 500_000_000)), None, 0),
        (None, Some((10, 0)), 0),
        (None, Some((10, 500_000_000)), 1),
        (Some((9, 999_999_999)), Some((10, 1)), 1),
        (Some((10, 1)), Some((10, 9)), 0),
    ] {
        assert_eq!(list(from, before).await.unwrap(), found, "{from:?} {before:?}");
    }
    for before in [(10, 1), (10, 0), (9, 999_999_999)] {
        assert_eq!(wrong_fields(list(Some((10, 1)), Some(before)).await), ["filter.publish_time_before"]);
    }
}

#[tokio::test]
async fn a_batch_without_a_parent_leaves_each_request_its_own() {
    let mut desk = Desk::open(&[]).await;
    let own = v1::IngestDocumentRequest { parent: "corpora/news".into(), ..ingest("a", ARTICLE) };
    for (parent, expected) in [
        ("", Ok("corpora/news/documents/a")),
        ("corpora/news", Ok("corpora/news/documents/a")),
        ("corpora/default", Err("parent")),
    ] {
        let batch = v1::BatchIngestDocumentsRequest { parent: parent.into(), requests: vec![own.clone()] };
        let answer = desk.documents.batch_ingest_documents(batch).await.unwrap().into_inner();
        let told = match answer.results[0].result.as_ref().unwrap() {
            v1::ingest_document_result::Result::Response(response) => {
                Ok(response.document.as_ref().unwrap().name.as_str())
            }
            v1::ingest_document_result::Result::Error(error) => Err(error.field_violations[0].field.as_str()),
        };
        assert_eq!(told, expected, "{parent:?}");
    }
}

#[tokio::test]
async fn one_document_that_fails_does_not_fail_its_batch() {
    let mut desk = Desk::open(&["--max-batch=4"]).await;
    let stale = v1::Document { etag: "1".into(), ..document(ARTICLE) };
    let requests = vec![
        ingest("twice", ARTICLE),
        ingest("blank", ""),
        ingest("twice", "The second of that name in this batch."),
        v1::IngestDocumentRequest { document: Some(stale), ..ingest("stale", "") },
    ];
    let batch = v1::BatchIngestDocumentsRequest { parent: "corpora/wire".into(), requests: requests.clone() };
    let answer = desk.documents.batch_ingest_documents(batch).await.unwrap().into_inner();
    let told: Vec<_> = (answer.results.into_iter())
        .map(|item| match item.result.unwrap() {
            v1::ingest_document_result::Result::Response(response) => {
                format!("{:?} {}", response.outcome(), response.document.unwrap().name)
            }
            v1::ingest_document_result::Result::Error(error) => {
                let fields: Vec<_> = error.field_violations.into_iter().map(|wrong| wrong.field).collect();
                format!("{:?} {} {}", Code::from(error.code), error.reason, fields.join(" "))
            }
        })
        .collect();
    assert_eq!(
        told,
        [
            "Created corpora/wire/documents/twice",
            "InvalidArgument INVALID_FIELD document.content",
            "Revised corpora/wire/documents/twice",
            "NotFound DOCUMENT_NOT_FOUND ",
        ]
    );
    let kept = desk.get("corpora/wire/documents/twice").await.unwrap().document.unwrap();
    assert_eq!(kept.text, "The second of that name in this batch.");

    let requests: Vec<_> = requests.into_iter().cycle().take(5).collect();
    let batch = v1::BatchIngestDocumentsRequest { requests, ..Default::default() };
    assert_eq!(wrong_fields(desk.documents.batch_ingest_documents(batch).await), ["requests"]);

    let requests =
        vec![analyze(document(ARTICLE)), analyze_stored("corpora/wire/documents/no"), Default::default()];
    let batch = v1::BatchAnalyzeDocumentsRequest { requests };
    let answer = desk.analysis.batch_analyze_documents(batch).await.unwrap().into_inner();
    let told: Vec<_> = (answer.results.into_iter())
        .map(|item| match item.result.unwrap() {
            v1::analyze_document_result::Result::Analysis(analysis) => analysis.document.unwrap().title,
            v1::analyze_document_result::Result::Error(error) => error.reason,
        })
        .collect();
    assert_eq!(told, ["Harbour Bridge Reopens After Repairs", "DOCUMENT_NOT_FOUND", "INVALID_FIELD"]);
}

#[tokio::test]
async fn a_stream_answers_each_document_in_order_by_its_correlation_id() {
    let mut desk = Desk::open(&[]).await;
    let requests = (0..200).map(|number| {
        let content = if number % 10 == 3 { String::new() } else { format!("{ARTICLE}\n\nNumber {number}.") };
        v1::StreamIngestDocumentsRequest {
            correlation_id: format!("c{number}"),
            // Every document comes in several revisions, and the last of them stays.
            request: (number % 10 != 4).then(|| ingest(&format!("d{}", number % 20), &content)),
        }
    });
    let requests: Vec<_> = requests.collect();
    let mut answers =
        desk.documents.stream_ingest_documents(tokio_stream::iter(requests)).await.unwrap().into_inner();
    let mut number = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        assert_eq!(answer.correlation_id, format!("c{number}"));
        match (answer.result.unwrap(), number % 10) {
            (IngestOutcome::Error(error), 3) => {
                assert_eq!(error.field_violations[0].field, "document.content")
            }
            (IngestOutcome::Error(error), 4) => assert_eq!(error.field_violations[0].field, "request"),
            (IngestOutcome::Response(response), _) => {
                let document = response.document.unwrap();
                assert_eq!(document.revision_id, (number / 20 + 1).to_string());
            }
            (error, _) => panic!("{error:?}"),
        }
        number += 1;
    }
    assert_eq!(number, 200);
    let last = desk.get("corpora/default/documents/d19").await.unwrap().document.unwrap();
    assert!(last.text.ends_with("Number 199."), "{}", last.text);

    let requests = (0..50).map(|number| v1::StreamAnalyzeDocumentsRequest {
        correlation_id: format!("c{number}"),
        request: (number != 7).then(|| analyze(document(format!("{ARTICLE}\n\nNumber {number}.")))),
    });
    let requests: Vec<_> = requests.collect();
    let mut answers =
        desk.analysis.stream_analyze_documents(tokio_stream::iter(requests)).await.unwrap().into_inner();
    for number in 0..50 {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!(answer.correlation_id, format!("c{number}"));
        match answer.result.unwrap() {
            AnalysisOutcome::Analysis(analysis) => {
                assert!(analysis.document.unwrap().text.ends_with(&format!("Number {number}.")));
            }
            AnalysisOutcome::Error(error) => {
                assert_eq!((number, error.reason.as_str()), (7, "INVALID_FIELD"))
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_would_be_too_large_says_what_it_leaves_out() {
    let mut desk = Desk::open(&["--max-message-bytes=512KiB", "--max-content-bytes=256KiB"]).await;
    let limit = 512 << 10;
    let names = "John Smith met Mary Jones in New York. ".repeat(6500);
    let word = "x".repeat(250 << 10);
    // Bytes each of which is three in the text.
    let thai = raw(vec![0xa1; 250 << 10], "text/plain; charset=windows-874");
    for (id, content) in [("names", document(names)), ("word", document(word)), ("thai", thai)] {
        let analysis = desk.analyze(analyze(content.clone())).await.unwrap();
        assert!(prost::Message::encoded_len(&analysis) <= limit, "{id}");
        let summary = summarize(content.clone());
        let summary = desk.analysis.summarize_document(summary).await.unwrap().into_inner();
        assert!(prost::Message::encoded_len(&summary) <= limit, "{id}");
        let request =
            v1::IngestDocumentRequest { document: Some(content), features: all_features(), ..ingest(id, "") };
        let ingested = desk.ingest(request).await.unwrap();
        assert!(prost::Message::encoded_len(&ingested) <= limit, "{id}");
        let got = desk.get(&ingested.document.unwrap().name).await.unwrap();
        assert!(prost::Message::encoded_len(&got) <= limit, "{id}");
        let says_so = |warnings: &[v1::Warning]| warnings.iter().any(|it| it.reason == "ANSWER_TOO_LARGE");
        assert_eq!(
            (says_so(&analysis.warnings), says_so(&got.warnings)),
            (id != "word", id == "thai"),
            "{id}"
        );
    }

    let content = raw(vec![0xa1; 150 << 10], "text/plain; charset=windows-874");
    let requests = vec![analyze(content); 3];
    let batch = v1::BatchAnalyzeDocumentsRequest { requests };
    let batch = desk.analysis.batch_analyze_documents(batch).await.unwrap().into_inner();
    assert!(prost::Message::encoded_len(&batch) <= limit);

    let view = v1::DocumentView::Full as i32;
    let mut request = v1::ListDocumentsRequest { view, ..Default::default() };
    let mut listed = 0;
    loop {
        let page = desk.list(request.clone()).await.unwrap();
        assert!(prost::Message::encoded_len(&page) <= limit);
        listed += page.documents.len();
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, 3);
}

#[tokio::test]
async fn the_largest_document_is_got_again() {
    let mut desk = Desk::open(&["--max-message-bytes=512KiB", "--max-content-bytes=256KiB"]).await;
    let mut request = ingest("largest", &"word ".repeat((256 << 10) / 5));
    let sent = request.document.as_mut().unwrap();
    sent.authors = vec!["a".repeat(1024); 100];
    sent.labels = (10..74).map(|number| (format!("{}{number}", "k".repeat(61)), "v".repeat(1024))).collect();
    sent.uri = "u".repeat(2048);
    let name = desk.ingest(request.clone()).await.unwrap().document.unwrap().name;
    let got = desk.get(&name).await.unwrap();
    assert!(prost::Message::encoded_len(&got) <= 512 << 10, "{}", prost::Message::encoded_len(&got));
    assert_eq!(got.document.unwrap().source, request.document.unwrap().source);
}

#[tokio::test]
async fn a_language_without_models_is_named_and_still_summarised() {
    let mut desk = Desk::open(&[]).await;
    let german = "Der Bundeskanzler reiste am Dienstag nach Paris, um über die Energiepreise zu sprechen. Beide Länder \
                  wollen sich im Herbst wieder treffen. Die Gespräche dauerten länger als geplant.";
    let analysis = desk.analyze(analyze(document(german))).await.unwrap();
    assert_eq!(analysis.document.unwrap().language_code, "de");
    assert!(!analysis.warnings.is_empty());
    assert!(!analysis.summary.unwrap().sentences.is_empty());
}

#[tokio::test]
async fn a_call_whose_time_is_up_is_told_so() {
    let mut desk = Desk::open(&["--default-deadline=1ms"]).await;
    let long = "The council of Port Larsen met on Friday. ".repeat(20_000);
    assert_eq!(
        told(desk.analyze(analyze(document(long))).await),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED".into())
    );
}

#[tokio::test]
async fn a_server_says_its_limits_models_and_taxonomies() {
    let desk = Desk::open(&["--max-batch=7", "--default-deadline=3s"]).await;
    let mut client = ServerInfoServiceClient::new(desk.server.connect().await);
    let info = client.get_server_info(v1::GetServerInfoRequest {}).await.unwrap().into_inner();
    let limits = info.limits.unwrap();
    assert_eq!((limits.max_batch_size, limits.max_content_bytes), (7, 1 << 20));
    assert_eq!(limits.default_deadline, Some(Duration::from_secs(3).into()));
    assert!(!info.models.is_empty() && info.models.iter().all(|model| !model.digest.is_empty()));
    assert_eq!(info.taxonomies[0].taxonomy, "iptc-media-topics");
}

const BATTERY_DESK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/taxonomies/battery-desk.toml");

const MERGER: &str = "Norrland Metals agreed to a takeover on Tuesday: its shareholders will get 212 kronor a share, a \
     premium of 38%, from a maker of lithium carbonate. The regulators have yet to consent to the acquisition.";

fn with_taxonomy(taxonomy: &str) -> Option<v1::TopicOptions> {
    Some(v1::TopicOptions { taxonomy: taxonomy.into(), ..Default::default() })
}

fn topic_ids(topics: &[v1::Topic]) -> Vec<&str> {
    topics.iter().map(|topic| topic.topic.as_str()).collect()
}

#[tokio::test]
async fn a_taxonomy_of_the_users_own_is_listed_given_and_chosen() {
    let mut desk = Desk::open(&["--taxonomies", BATTERY_DESK]).await;
    let mut taxonomies = TaxonomyServiceClient::new(desk.server.connect().await);
    let mut info = ServerInfoServiceClient::new(desk.server.connect().await);
    let ids = |taxonomies: &[v1::Taxonomy]| -> Vec<String> {
        taxonomies.iter().map(|taxonomy| taxonomy.taxonomy.clone()).collect()
    };
    let served = info.get_server_info(v1::GetServerInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(ids(&served.taxonomies), ["battery-desk", "iptc-media-topics"]);

    // One a page.
    let mut request = v1::ListTaxonomiesRequest { page_size: 1, ..Default::default() };
    let mut listed = Vec::new();
    loop {
        let page = taxonomies.list_taxonomies(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.taxonomies.len(), 1);
        listed.extend(page.taxonomies);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, served.taxonomies);
    request.page_token = "nonsense".into();
    assert_eq!(wrong_fields(taxonomies.list_taxonomies(request.clone()).await), ["page_token"]);
    let negative = v1::ListTaxonomiesRequest { page_size: -1, ..Default::default() };
    assert_eq!(wrong_fields(taxonomies.list_taxonomies(negative).await), ["page_size"]);

    let get = |taxonomy: &str| v1::GetTaxonomyRequest { taxonomy: taxonomy.into() };
    let own = taxonomies.get_taxonomy(get("battery-desk")).await.unwrap().into_inner();
    let named = own.taxonomy.unwrap();
    assert_eq!((named.display_name.as_str(), named.version.as_str()), ("Battery trade desk", "2026-11"));
    assert_eq!(usize::try_from(named.topic_count).unwrap(), own.topics.len());
    let deals = own.topics.iter().find(|topic| topic.topic == "deals").unwrap();
    assert_eq!(deals.parent, "companies");
    assert!(deals.description.starts_with("Mergers, takeovers"));
    let built_in = taxonomies.get_taxonomy(get("iptc-media-topics")).await.unwrap().into_inner();
    assert!(built_in.topics.len() > 1000);
    let relations =
        built_in.topics.iter().find(|topic| topic.display_name == "international relations").unwrap();
    assert_eq!(relations.parent, "medtop:11000000");
    let status = taxonomies.get_taxonomy(get("fishing-desk")).await.unwrap_err();
    let resource = status.get_details_resource_info().unwrap();
    assert_eq!((status.code(), resource.resource_name.as_str()), (Code::NotFound, "fishing-desk"));
    assert_eq!(wrong_fields(taxonomies.get_taxonomy(get("")).await), ["taxonomy"]);

    let request = v1::TagDocumentRequest { options: with_taxonomy("battery-desk"), ..tag(document(MERGER)) };
    let tagged = desk.analysis.tag_document(request).await.unwrap().into_inner();
    assert_eq!(topic_ids(&tagged.topics)[..2], ["companies", "deals"]);
    assert_eq!(tagged.topics[1].path[0].topic, "companies");
    let evidence: Vec<&str> = tagged.topics[1].evidence.iter().map(|span| span.text.as_str()).collect();
    assert!(evidence.contains(&"takeover"), "{evidence:?}");
    let request = v1::AnalyzeDocumentRequest {
        topic_options: with_taxonomy("battery-desk"),
        ..analyze(document(MERGER))
    };
    assert_eq!(desk.analyze(request).await.unwrap().topics, tagged.topics);

    // A document that is kept is found by its topics in either taxonomy.
    let request = v1::IngestDocumentRequest {
        topic_options: with_taxonomy("battery-desk"),
        features: vec![v1::Feature::Topics as i32],
        ..ingest("merger", MERGER)
    };
    assert_eq!(desk.ingest(request).await.unwrap().analysis.unwrap().topics, tagged.topics);
    for (topic, found) in [("deals", 1), ("companies", 1), ("medtop:04000000", 1), ("cells", 0)] {
        let filter = Some(v1::DocumentFilter { topic: topic.into(), ..Default::default() });
        let page = desk.list(v1::ListDocumentsRequest { filter, ..Default::default() }).await.unwrap();
        assert_eq!(page.documents.len(), found, "{topic}");
    }
    let request = v1::TagDocumentRequest { options: with_taxonomy("fishing-desk"), ..tag(document(MERGER)) };
    assert_eq!(
        told(desk.analysis.tag_document(request).await),
        (Code::NotFound, "TAXONOMY_NOT_FOUND".into())
    );
}

fn inline_source(content: &str) -> v1::SummarizeDocumentsSource {
    v1::SummarizeDocumentsSource {
        source: Some(summarize_documents_source::Source::Document(document(content))),
    }
}

fn stored_source(name: &str) -> v1::SummarizeDocumentsSource {
    v1::SummarizeDocumentsSource { source: Some(summarize_documents_source::Source::Name(name.into())) }
}

#[tokio::test]
async fn several_documents_have_one_summary() {
    let mut desk = Desk::open(&["--max-summary-documents=4"]).await;
    let stored = "corpora/default/documents/bridge";
    desk.ingest(ingest("bridge", ARTICLE)).await.unwrap();
    let other = "The harbour bridge of Port Larsen is open again \u{1f389} after two years of repairs, Mayor Ada Quill said \
                 on Friday. The city had planned to spend less than half of the 40 million euros that they cost.";
    let request = v1::SummarizeDocumentsRequest {
        sources: vec![
            inline_source(other),
            stored_source("corpora/default/documents/nowhere"),
            stored_source(stored),
            inline_source(" "),
        ],
        options: Some(v1::SummaryOptions {
            length: Some(v1::summary_options::Length::SentenceCount(2)),
            order: v1::SummaryOrder::Rank as i32,
            ..Default::default()
        }),
        offset_encoding: v1::OffsetEncoding::Utf32 as i32,
        ..Default::default()
    };
    let answer = desk.analysis.summarize_documents(request.clone()).await.unwrap().into_inner();
    let texts: Vec<Result<String, String>> = answer
        .documents
        .iter()
        .map(|it| match it.result.clone().unwrap() {
            summarized_document::Result::Document(document) => Ok(document.text),
            summarized_document::Result::Error(error) => Err(error.reason),
        })
        .collect();
    assert_eq!(texts[1], Err("DOCUMENT_NOT_FOUND".into()));
    assert_eq!(texts[3], Err("INVALID_FIELD".into()));
    let summary = answer.summary.unwrap();
    assert_eq!(summary.sentences.len(), 2);
    assert_eq!(summary.sentences.iter().map(|sentence| sentence.rank).collect::<Vec<_>>(), [1, 2]);
    for sentence in &summary.sentences {
        assert_eq!(sentence.document, if sentence.document_index == 2 { stored } else { "" });
        let span = sentence.span.as_ref().unwrap();
        let text = texts[usize::try_from(sentence.document_index).unwrap()].as_ref().unwrap();
        let (begin, end) = (usize::try_from(span.begin).unwrap(), usize::try_from(span.end).unwrap());
        assert_eq!(text.chars().skip(begin).take(end - begin).collect::<String>(), span.text);
    }
    assert!(summary.source_sentence_count > 4);
    assert_eq!(answer.offset_encoding, v1::OffsetEncoding::Utf32 as i32);

    let none = v1::SummarizeDocumentsRequest::default();
    assert_eq!(wrong_fields(desk.analysis.summarize_documents(none).await), ["sources"]);
    let many = v1::SummarizeDocumentsRequest { sources: vec![inline_source(other); 5], ..Default::default() };
    assert_eq!(wrong_fields(desk.analysis.summarize_documents(many).await), ["sources"]);
    let nothing = v1::SummarizeDocumentsRequest {
        sources: vec![v1::SummarizeDocumentsSource::default()],
        ..Default::default()
    };
    assert_eq!(wrong_fields(desk.analysis.summarize_documents(nothing).await), ["sources[0].source"]);
    let info = ServerInfoServiceClient::new(desk.server.connect().await)
        .get_server_info(v1::GetServerInfoRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(info.limits.unwrap().max_summary_documents, 4);
}

#[tokio::test]
async fn a_summary_of_large_documents_stays_within_the_message_limit() {
    let mut desk = Desk::open(&["--max-message-bytes=512KiB", "--max-content-bytes=200KiB"]).await;
    let text = "The council of Port Larsen met on Friday and voted. ".repeat(3500);
    for id in ["one", "two", "three"] {
        desk.ingest(ingest(id, &text)).await.unwrap();
    }
    let source = |id: &str| stored_source(&format!("corpora/default/documents/{id}"));
    let request = v1::SummarizeDocumentsRequest {
        sources: ["one", "two", "three"].map(source).to_vec(),
        ..Default::default()
    };
    let answer = desk.analysis.summarize_documents(request).await.unwrap().into_inner();
    assert!(prost::Message::encoded_len(&answer) <= 512 << 10);
    assert!(answer.documents.iter().all(|document| document.warnings[0].reason == "ANSWER_TOO_LARGE"));
    assert!(!answer.summary.unwrap().sentences.is_empty());
}
