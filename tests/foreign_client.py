"""A client in another language calls every RPC of a real server, kills it, and finds what was
stored after a restart.

    .venv/bin/python tests/foreign_client.py target/debug/copydesk

Prints a line for each promise and ends with "N passed, N failed".
"""

import contextlib
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

import grpc
from google.protobuf import timestamp_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".venv" / "generated"))

from copydesk.v1 import analysis_pb2 as analysis  # noqa: E402
from copydesk.v1 import analysis_service_pb2 as analysis_service  # noqa: E402
from copydesk.v1 import analysis_service_pb2_grpc, document_service_pb2_grpc  # noqa: E402
from copydesk.v1 import server_info_service_pb2_grpc, taxonomy_service_pb2_grpc  # noqa: E402
from copydesk.v1 import document_pb2 as documents  # noqa: E402
from copydesk.v1 import document_service_pb2 as document_service  # noqa: E402
from copydesk.v1 import server_info_service_pb2 as server_info_service  # noqa: E402
from copydesk.v1 import taxonomy_service_pb2 as taxonomy_service  # noqa: E402

TEXT_PAGE = (ROOT / "examples" / "articles" / "harbour-bridge.txt").read_text(encoding="utf-8")
HTML_PAGE = (ROOT / "examples" / "articles" / "lithium-merger.html").read_bytes()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A copydesk of its own, on free ports of the loopback address."""

    def __init__(self, binary, store, flags=(), credentials=None):
        """With credentials calls go by TLS."""
        self.address, self.admin = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        command = [binary, "serve", "--listen", self.address, "--admin-listen", self.admin, "--store", store, *flags]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        if credentials:
            self.channel = grpc.secure_channel(self.address, credentials)
        else:
            self.channel = grpc.insecure_channel(self.address)
        grpc.channel_ready_future(self.channel).result(timeout=30)
        self.documents = document_service_pb2_grpc.DocumentServiceStub(self.channel)
        self.analysis = analysis_service_pb2_grpc.AnalysisServiceStub(self.channel)
        self.info = server_info_service_pb2_grpc.ServerInfoServiceStub(self.channel)
        self.taxonomies = taxonomy_service_pb2_grpc.TaxonomyServiceStub(self.channel)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.channel.close()

    def terminate(self):
        """Asks it to drain; gives its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.channel.close()
        return status


def page(**fields):
    return documents.Document(content=TEXT_PAGE, **fields)


def ingest(identifier="", **fields):
    return document_service.IngestDocumentRequest(document=page(), document_id=identifier, **fields)


def raises(code, call, *arguments, **keywords):
    """Makes a call that must fail; gives the details of its status by type."""
    try:
        call(*arguments, **keywords)
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}"
        status = rpc_status.from_call(error)
        found = {}
        for detail in status.details if status else []:
            message = getattr(error_details_pb2, detail.type_url.rsplit(".", 1)[-1])()
            detail.Unpack(message)
            found[type(message).__name__] = message
        return found
    raise AssertionError(f"no error; {code} was expected")


def check_spans(result, document):
    """Every quoted span equals the text at its place, counted in code points."""
    assert result.offset_encoding == documents.OFFSET_ENCODING_UTF32
    spans = [m.span for e in result.entities for m in e.mentions]
    spans += [q.span for q in result.quotes] + [t.span for t in result.temporal_expressions]
    spans += [s.span for s in result.summary.sentences] + [s for k in result.key_phrases for s in k.spans]
    assert spans
    for span in spans:
        text = document.title if span.section == documents.TEXT_SECTION_TITLE else document.text
        assert text[span.begin : span.end] == span.text, (span, text[span.begin : span.end])
    for block in document.blocks:
        if block.HasField("source_span"):
            assert 0 <= block.source_span.begin <= block.source_span.end <= len(TEXT_PAGE)


def analyze_document(server):
    request = analysis_service.AnalyzeDocumentRequest(document=page(), offset_encoding=documents.OFFSET_ENCODING_UTF32)
    result = server.analysis.AnalyzeDocument(request, timeout=10).analysis
    assert result.document.title == "Kessington reopens harbour bridge two years after collapse", result.document.title
    assert result.document.publish_time.startswith("2024-06-14"), result.document.publish_time
    assert result.document.language_code == "en"
    for words in ("Skip to content", "Most read", "newsletter", "Comments are moderated", "Photo: Priya Raman"):
        assert words not in result.document.text, words
    for words in ("Thousands of people walked", "nobody has told us yet", "I told my granddaughter"):
        assert words in result.document.text, words
    assert any(e.name == "Helen Marsh" for e in result.entities), [e.name for e in result.entities]
    assert 0 < sum(e.salience for e in result.entities) <= 1.0001
    assert result.sentences and result.quotes and result.key_phrases and result.temporal_expressions
    assert 1 <= len(result.summary.sentences) <= 3
    assert [m.digest[:7] for m in result.models] == ["sha256:"] * len(result.models)
    check_spans(result, result.document)


def batch_analyze_documents(server):
    one = analysis_service.AnalyzeDocumentRequest(document=page(), features=[analysis.FEATURE_SENTENCES])
    html = analysis_service.AnalyzeDocumentRequest(
        document=documents.Document(raw_content=HTML_PAGE, mime_type="text/html"), features=[analysis.FEATURE_TOPICS])
    bad = analysis_service.AnalyzeDocumentRequest(document=documents.Document(content="  "))
    request = analysis_service.BatchAnalyzeDocumentsRequest(requests=[one, bad, html])
    results = server.analysis.BatchAnalyzeDocuments(request, timeout=10).results
    assert [r.WhichOneof("result") for r in results] == ["analysis", "error", "analysis"]
    assert results[1].error.code == 3 and results[1].error.field_violations[0].field == "document.content"
    assert results[0].analysis.sentences and not results[0].analysis.entities
    assert results[2].analysis.document.authors == ["Ingrid Solheim", "Carlos Mendieta"]
    assert results[2].analysis.document.publish_time == "2024-11-05T06:30:00+01:00"


def stream_analyze_documents(server):
    def feed():
        for number in range(40):
            content = "" if number == 7 else f"Mayor Ann Example spoke in Paris on day {number}."
            request = analysis_service.AnalyzeDocumentRequest(document=documents.Document(content=content))
            yield analysis_service.StreamAnalyzeDocumentsRequest(correlation_id=str(number), request=request)
    answers = list(server.analysis.StreamAnalyzeDocuments(feed(), timeout=30))
    assert [a.correlation_id for a in answers] == [str(n) for n in range(40)]
    assert [a.WhichOneof("result") for a in answers].count("error") == 1 and answers[7].error.code == 3


def summarize_document(server):
    request = analysis_service.SummarizeDocumentRequest(
        document=page(), options=analysis.SummaryOptions(sentence_count=1, order=analysis.SUMMARY_ORDER_RANK))
    answer = server.analysis.SummarizeDocument(request, timeout=10)
    [sentence] = answer.summary.sentences
    assert sentence.rank == 1 and answer.summary.source_sentence_count > 10
    request.options.query = "corrosion in the suspension cables"
    [about] = server.analysis.SummarizeDocument(request, timeout=10).summary.sentences
    assert "corrosion" in about.span.text, about.span.text
    request.options.Clear()
    request.options.max_characters = 200
    short = server.analysis.SummarizeDocument(request, timeout=10).summary
    assert sum(len(s.span.text) for s in short.sentences) <= 200


def tag_document(server):
    html = documents.Document(raw_content=HTML_PAGE, mime_type="text/html")
    request = analysis_service.TagDocumentRequest(document=html, options=analysis.TopicOptions(max_topics=2))
    answer = server.analysis.TagDocument(request, timeout=10)
    assert 1 <= len(answer.topics) <= 2 and answer.topics[0].topic == "medtop:04000000"
    request.options.taxonomy = "nothing-of-the-kind"
    details = raises(grpc.StatusCode.NOT_FOUND, server.analysis.TagDocument, request, timeout=10)
    assert details["ErrorInfo"].reason == "TAXONOMY_NOT_FOUND" and details["ErrorInfo"].domain == "copydesk"
    assert details["ResourceInfo"].resource_name == "nothing-of-the-kind"


def ingest_document(server):
    request = ingest("bridge", request_id="first", features=[analysis.FEATURE_SUMMARY])
    first = server.documents.IngestDocument(request, timeout=10)
    assert first.outcome == document_service.INGEST_OUTCOME_CREATED
    assert first.document.name == "corpora/default/documents/bridge" and first.document.revision_id == "1"
    assert first.analysis.summary.sentences and not first.analysis.entities
    again = server.documents.IngestDocument(request, timeout=10)
    assert again.outcome == document_service.INGEST_OUTCOME_UNCHANGED and again.document.etag == first.document.etag
    request.document.labels["desk"] = "transport"
    details = raises(grpc.StatusCode.INVALID_ARGUMENT, server.documents.IngestDocument, request, timeout=10)
    assert details["ErrorInfo"].reason == "REQUEST_ID_REUSED"
    request.request_id = "second"
    revised = server.documents.IngestDocument(request, timeout=10)
    assert revised.outcome == document_service.INGEST_OUTCOME_REVISED and revised.document.revision_id == "2"
    request.request_id, request.document.labels["desk"] = "", "news"
    request.document.etag = first.document.etag
    details = raises(grpc.StatusCode.ABORTED, server.documents.IngestDocument, request, timeout=10)
    assert details["ErrorInfo"].reason == "STALE_ETAG"


def batch_ingest_documents(server):
    bad = document_service.IngestDocumentRequest(document=documents.Document(content="x", mime_type="image/png"))
    request = document_service.BatchIngestDocumentsRequest(
        parent="corpora/batches", requests=[ingest("one"), bad, ingest("two")])
    results = server.documents.BatchIngestDocuments(request, timeout=10).results
    assert [r.WhichOneof("result") for r in results] == ["response", "error", "response"]
    assert results[2].response.document.name == "corpora/batches/documents/two"
    assert results[1].error.field_violations[0].field == "document.mime_type"


def stream_ingest_documents(server):
    def feed():
        for number in range(200):
            document = documents.Document(content=f"The council of Exampleton met for the {number}th time on Friday.")
            request = document_service.IngestDocumentRequest(
                parent="corpora/feed", document=document, document_id=f"n{number % 100}")
            yield document_service.StreamIngestDocumentsRequest(correlation_id=str(number), request=request)
    answers = list(server.documents.StreamIngestDocuments(feed(), timeout=60))
    assert [a.correlation_id for a in answers] == [str(n) for n in range(200)]
    assert {a.WhichOneof("result") for a in answers} == {"response"}
    # The later of two revisions in one stream is the one that stays.
    request = document_service.GetDocumentRequest(name="corpora/feed/documents/n42")
    assert "142th time" in server.documents.GetDocument(request, timeout=10).document.content


def get_document(server):
    request = document_service.GetDocumentRequest(name="corpora/default/documents/bridge")
    full = server.documents.GetDocument(request, timeout=10).document
    assert full.content == TEXT_PAGE and full.text and full.blocks and full.labels["desk"] == "transport"
    request.view = documents.DOCUMENT_VIEW_BASIC
    basic = server.documents.GetDocument(request, timeout=10).document
    assert not basic.content and not basic.text and basic.title == full.title and basic.etag == full.etag
    request.name = "corpora/default/documents/nowhere"
    details = raises(grpc.StatusCode.NOT_FOUND, server.documents.GetDocument, request, timeout=10)
    assert details["ResourceInfo"].resource_name == request.name
    request.view = 99
    details = raises(grpc.StatusCode.INVALID_ARGUMENT, server.documents.GetDocument, request, timeout=10)
    assert [v.field for v in details["BadRequest"].field_violations] == ["view"]


def list_documents(server):
    names, token = [], ""
    while True:
        request = document_service.ListDocumentsRequest(parent="corpora/feed", page_size=7, page_token=token)
        answer = server.documents.ListDocuments(request, timeout=10)
        names += [d.name for d in answer.documents]
        if len(names) == 7:
            late = document_service.IngestDocumentRequest(parent="corpora/feed", document=page(), document_id="late")
            server.documents.IngestDocument(late, timeout=10)
        token = answer.next_page_token
        if not token:
            break
    assert len(names) == len(set(names)) == 100, len(names)
    request.page_token = "nonsense"
    details = raises(grpc.StatusCode.INVALID_ARGUMENT, server.documents.ListDocuments, request, timeout=10)
    assert details["BadRequest"].field_violations[0].field == "page_token"
    day = timestamp_pb2.Timestamp()
    day.FromJsonString("2024-06-14T00:00:00Z")
    for matching in (document_service.DocumentFilter(entity="helen marsh"),
                     document_service.DocumentFilter(publish_time_from=day, language_code="en")):
        request = document_service.ListDocumentsRequest(filter=matching)
        found = server.documents.ListDocuments(request, timeout=10).documents
        assert [d.name for d in found] == ["corpora/default/documents/bridge"], matching
    request = document_service.ListDocumentsRequest(filter=document_service.DocumentFilter(entity="Nobody"))
    assert not server.documents.ListDocuments(request, timeout=10).documents


def delete_document(server):
    request = document_service.DeleteDocumentRequest(name="corpora/batches/documents/one")
    server.documents.DeleteDocument(request, timeout=10)
    raises(grpc.StatusCode.NOT_FOUND, server.documents.DeleteDocument, request, timeout=10)


def get_server_info(server):
    info = server.info.GetServerInfo(server_info_service.GetServerInfoRequest(), timeout=10)
    assert info.version and info.limits.max_content_bytes == 1 << 20 and info.limits.max_batch_size == 100
    assert [t.taxonomy for t in info.taxonomies] == ["iptc-media-topics"] and len(info.models) >= 4


def summarize_documents(server):
    source = analysis_service.SummarizeDocumentsSource
    missing = source(name="corpora/default/documents/nowhere")
    request = analysis_service.SummarizeDocumentsRequest(
        sources=[source(document=page()), missing, source(document=page())],
        offset_encoding=documents.OFFSET_ENCODING_UTF32)
    answer = server.analysis.SummarizeDocuments(request, timeout=10)
    assert [d.WhichOneof("result") for d in answer.documents] == ["document", "error", "document"]
    assert len(answer.summary.sentences) == 3
    # The same page twice says nothing twice.
    assert len({s.span.text for s in answer.summary.sentences}) == 3
    for s in answer.summary.sentences:
        text = answer.documents[s.document_index].document.text
        assert text[s.span.begin : s.span.end] == s.span.text
    request.ClearField("sources")
    raises(grpc.StatusCode.INVALID_ARGUMENT, server.analysis.SummarizeDocuments, request, timeout=10)


def taxonomies(server):
    listed = server.taxonomies.ListTaxonomies(taxonomy_service.ListTaxonomiesRequest(), timeout=10)
    assert [t.taxonomy for t in listed.taxonomies] == ["iptc-media-topics"] and not listed.next_page_token
    request = taxonomy_service.GetTaxonomyRequest(taxonomy="iptc-media-topics")
    answer = server.taxonomies.GetTaxonomy(request, timeout=10)
    known = set()
    for topic in answer.topics:
        assert not topic.parent or topic.parent in known
        known.add(topic.topic)
    assert len(known) == answer.taxonomy.topic_count
    request.taxonomy = "nowhere"
    details = raises(grpc.StatusCode.NOT_FOUND, server.taxonomies.GetTaxonomy, request, timeout=10)
    assert details["ResourceInfo"].resource_name == "nowhere"


def health_and_reflection(server):
    stub = health_pb2_grpc.HealthStub(server.channel)
    for service in ("", "copydesk.v1.DocumentService", "copydesk.v1.AnalysisService", "copydesk.v1.ServerInfoService",
                    "copydesk.v1.TaxonomyService"):
        status = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status
        assert status == health_pb2.HealthCheckResponse.SERVING, service
    reflection = ProtoReflectionDescriptorDatabase(server.channel)
    assert "copydesk.v1.DocumentService" in reflection.get_services()
    # The details of errors can be shown, too.
    assert reflection.FindFileContainingSymbol("google.rpc.BadRequest").package == "google.rpc"


def admin_port(server):
    def get(path):
        with urllib.request.urlopen(f"http://{server.admin}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    assert get("/healthz")[0] == 200 and get("/readyz")[0] == 200
    assert 'DocumentService/IngestDocument"' in get("/metrics")[1]


def content_over_the_limit(server):
    request = analysis_service.AnalyzeDocumentRequest(document=documents.Document(content="a" * ((1 << 20) + 1)))
    details = raises(grpc.StatusCode.INVALID_ARGUMENT, server.analysis.AnalyzeDocument, request, timeout=10)
    assert details["BadRequest"].field_violations[0].field == "document.content"
    request.document.content = "a" * (5 << 20)
    details = raises(grpc.StatusCode.RESOURCE_EXHAUSTED, server.analysis.AnalyzeDocument, request, timeout=10)
    assert details["ErrorInfo"].domain == "copydesk"


CALLS = [analyze_document, batch_analyze_documents, stream_analyze_documents, summarize_document, tag_document,
         ingest_document, batch_ingest_documents, stream_ingest_documents, get_document, list_documents,
         delete_document, get_server_info, summarize_documents, taxonomies, health_and_reflection, admin_port, content_over_the_limit]


def survives_kill_9(binary, store, server):
    server.kill()
    again = Server(binary, store)
    try:
        request = document_service.GetDocumentRequest(name="corpora/default/documents/bridge")
        assert again.documents.GetDocument(request, timeout=10).document.content == TEXT_PAGE
        request.name = "corpora/feed/documents/n99"
        assert "199th" in again.documents.GetDocument(request, timeout=10).document.content
    finally:
        assert again.terminate() == 0


def tls_with_a_key(binary, folder):
    """As docs/security.md shows it."""
    folder = pathlib.Path(folder)
    certificate, private_key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", private_key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL)
    made = subprocess.run([binary, "key", "newsroom", "analyze"], check=True, capture_output=True, text=True)
    principals = folder / "principals.toml"
    principals.write_text(made.stderr)
    flags = ["--tls-cert", certificate, "--tls-key", private_key, "--principals", principals]
    tls = grpc.ssl_channel_credentials(certificate.read_bytes())
    key = grpc.access_token_call_credentials(made.stdout.strip())
    server = Server(binary, folder / "secure.db", flags, grpc.composite_channel_credentials(tls, key))
    try:
        request = analysis_service.AnalyzeDocumentRequest(document=page())
        assert server.analysis.AnalyzeDocument(request, timeout=10).analysis.entities
        details = raises(grpc.StatusCode.PERMISSION_DENIED, server.documents.IngestDocument, ingest(), timeout=10)
        assert details["ErrorInfo"].reason == "SCOPE_MISSING"
        with grpc.secure_channel(server.address, tls) as stranger:
            stub = analysis_service_pb2_grpc.AnalysisServiceStub(stranger)
            details = raises(grpc.StatusCode.UNAUTHENTICATED, stub.AnalyzeDocument, request, timeout=10)
            assert details["ErrorInfo"].reason == "CREDENTIALS_MISSING"
    finally:
        assert server.terminate() == 0


def main():
    binary = sys.argv[1]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/documents.db"
        server = Server(binary, store)
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(server.process.kill)
            steps = [(call.__name__, lambda call=call: call(server)) for call in CALLS]
            steps.append(("survives_kill_9", lambda: survives_kill_9(binary, store, server)))
            steps.append(("tls_with_a_key", lambda: tls_with_a_key(binary, folder)))
            for name, step in steps:
                started = time.monotonic()
                try:
                    step()
                    passed += 1
                    print(f"ok   {name} ({time.monotonic() - started:.2f} s)", flush=True)
                except Exception:
                    failed += 1
                    print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
