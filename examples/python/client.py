"""Sends an article to copydesk and prints what came back.

    examples/python/generate.sh
    .venv/bin/python examples/python/client.py examples/articles/harbour-bridge.txt
"""

import argparse
import pathlib
import sys
import uuid

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".venv" / "generated"))

from copydesk.v1 import analysis_pb2, document_pb2, document_service_pb2, document_service_pb2_grpc  # noqa: E402

# A call that was refused because the server is full, draining or without its store is safe to
# repeat; nothing else is.
SERVICE_CONFIG = """{"methodConfig": [{"name": [{"service": "copydesk.v1.DocumentService"},
                                               {"service": "copydesk.v1.AnalysisService"}],
  "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.2s", "maxBackoff": "2s",
                  "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--server", default="localhost:50051")
    arguments = parser.parse_args()

    page = arguments.file.read_bytes()
    html = arguments.file.suffix in (".html", ".htm")
    request = document_service_pb2.IngestDocumentRequest(
        document=document_pb2.Document(raw_content=page, mime_type="text/html" if html else "text/plain"),
        document_id=arguments.file.stem,
        request_id=str(uuid.uuid4()),
        features=[analysis_pb2.FEATURE_ENTITIES, analysis_pb2.FEATURE_SUMMARY, analysis_pb2.FEATURE_TOPICS],
        # Python counts code points, so text[begin:end] below is the span.
        offset_encoding=document_pb2.OFFSET_ENCODING_UTF32,
    )
    with grpc.insecure_channel(arguments.server, options=[("grpc.service_config", SERVICE_CONFIG)]) as channel:
        documents = document_service_pb2_grpc.DocumentServiceStub(channel)
        answer = documents.IngestDocument(request, timeout=10)

    document, analysis = answer.document, answer.analysis
    print(document.name, document_service_pb2.IngestOutcome.Name(answer.outcome))
    print(document.title, "|", document.publish_time, "|", ", ".join(document.authors))
    for sentence in analysis.summary.sentences:
        print(" -", document.text[sentence.span.begin : sentence.span.end])
    for entity in analysis.entities[:6]:
        kind = analysis_pb2.EntityType.Name(entity.type).removeprefix("ENTITY_TYPE_").lower()
        print(f"   {entity.salience:.2f} {entity.name} ({kind}, {len(entity.mentions)} mentions)")
    for topic in analysis.topics:
        print(f"   {topic.confidence:.2f} {topic.topic} {topic.display_name}")


if __name__ == "__main__":
    main()
