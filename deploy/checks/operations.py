"""Checks against a real server that docs/operations.md and the manifests say what is true, and that
what they promise holds.

    .venv/bin/python deploy/checks/operations.py target/debug/copydesk
"""

import collections
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import grpc
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

import dashboard
import manifests

ROOT = manifests.ROOT
sys.path.insert(0, str(ROOT / ".venv" / "generated"))

from copydesk.v1 import analysis_service_pb2 as analysis_service  # noqa: E402
from copydesk.v1 import analysis_service_pb2_grpc, document_service_pb2_grpc  # noqa: E402
from copydesk.v1 import document_pb2 as documents  # noqa: E402
from copydesk.v1 import document_service_pb2 as document_service  # noqa: E402

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SERVICE_CONFIG = (ROOT / "deploy" / "service-config.json").read_text(encoding="utf-8")
ALERTS = ROOT / "deploy" / "monitoring" / "alerts.yaml"
ARTICLE = (ROOT / "examples" / "articles" / "harbour-bridge.txt").read_text(encoding="utf-8")

ANALYZE = "copydesk.v1.AnalysisService/AnalyzeDocument"
INGEST = "copydesk.v1.DocumentService/IngestDocument"


def free_address():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{s.getsockname()[1]}"


def table(name):
    """The rows of a marked table of the page: lists of cells, without backticks."""
    [body] = re.findall(rf"<!-- {name}: .*?-->\n(.*?)<!-- end -->", PAGE, re.DOTALL)
    rows = [line.strip("|").split("|") for line in body.strip().splitlines()[2:]]
    return [[cell.strip().replace("`", "") for cell in row] for row in rows]


class Server:
    """A copydesk on addresses of its own."""

    def __init__(self, binary, store, variables=(), **flags):
        self.configure(binary, store, variables, **flags)
        self.start()

    def configure(self, binary, store, variables=(), **flags):
        self.address, self.admin = free_address(), free_address()
        addresses = {"listen": self.address, "admin-listen": self.admin, "store": str(store)}
        flags = {name.replace("_", "-"): value for name, value in flags.items()}
        arguments = [f"--{name}={value}" for name, value in (addresses | flags).items()]
        self.command = [binary, "serve", *arguments]
        self.variables = os.environ | dict(variables)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, env=self.variables, stderr=subprocess.DEVNULL)
        with grpc.insecure_channel(self.address) as channel:
            grpc.channel_ready_future(channel).result(timeout=30)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, "the drain did not end well"

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.admin}/metrics") as response:
            return response.read().decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def analyze(channel, timeout=10):
    request = analysis_service.AnalyzeDocumentRequest(document=documents.Document(content=ARTICLE))
    return analysis_service_pb2_grpc.AnalysisServiceStub(channel).AnalyzeDocument(request, timeout=timeout)


def ingest(channel, identifier):
    document = documents.Document(content=f"{ARTICLE}\n\n{identifier}")
    request = document_service.IngestDocumentRequest(document=document, document_id=identifier)
    document_service_pb2_grpc.DocumentServiceStub(channel).IngestDocument(request, timeout=10)


def flags_of(binary):
    """Flag, variable and default of everything that `serve --help` lists."""
    text = subprocess.run([binary, "serve", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    # Flags stand further left than what is said of them.
    flags = re.split(r"^ {1,8}(?:-\w, )?(?=--[a-z])", text, flags=re.MULTILINE)[1:]
    found = set()
    for flag in flags:
        name = re.match(r"--[a-z-]+", flag).group()
        variable = re.search(r"\[env: (\w+)[=\]]", flag)  # without "=" where the value is hidden
        default = re.search(r"\[default: (.*?)\]", flag)
        if name != "--help":
            found.add((name, variable and variable.group(1), default and default.group(1)))
    return found


def every_flag_is_in_the_table(binary, _):
    told = {(flag.split()[0], variable or None, default or None) for flag, variable, default, _ in table("flags")}
    real = flags_of(binary)
    assert told == real, f"not as `serve --help` says: {sorted(told ^ real, key=str)}"
    return f"{len(real)} flags"


def every_metric_is_in_the_table(binary, directory):
    with Server(binary, directory / "metrics.db", max_in_flight=1) as server:
        channel = grpc.insecure_channel(server.address)
        ingest(channel, "one")

        def until_refused():
            with contextlib.suppress(grpc.RpcError):
                while "copydesk_calls_shed_total" not in server.metrics():
                    analyze(channel)

        # Only one call is let in, so some of these are refused.
        threads = [threading.Thread(target=until_refused) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        channel.close()
        text = server.metrics()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels = collections.defaultdict(set)
    for series, given in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        name = re.sub(r"_(bucket|sum|count)$", "", series) if series not in kinds else series
        labels[name] |= set(re.findall(r'(\w+)="', given)) - {"le"}
    told = {name: (kind, set(re.findall(r"\w+", its))) for name, kind, its, _ in table("metrics")}
    real = {name: (kind, labels[name]) for name, kind in kinds.items()}
    program = pathlib.Path(binary).read_bytes()
    for name, (kind, its) in told.items():
        # What counts misfortunes may not be there yet; but the program must know it.
        assert real.get(name, (kind, its)) == (kind, its), f"{name} is {real[name]}"
        assert name in real or name.encode() in program, f"there is no {name}"
    assert real.keys() <= told.keys(), f"not in the table: {sorted(real.keys() - told.keys())}"

    asked = "\n".join(dashboard.queries(json.loads(dashboard.DASHBOARD.read_text(encoding="utf-8"))))
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    asked += "\n".join(rule["expr"] for rule in rules)
    for name in re.findall(r"\b(?:copydesk|rpc_server)_\w+", asked):
        known = {name, re.sub(r"_(bucket|sum|count)$", "", name)} & told.keys()
        assert known, f"the dashboard or an alert asks for {name}, which there is not"
    alerts = {rule["alert"] for rule in rules}
    explained = set(re.findall(r"^\| (Copydesk\w+) \|", PAGE, re.MULTILINE))
    assert alerts == explained, f"alerts without advice, or the reverse: {alerts ^ explained}"
    return f"{len(told)} metrics, {len(alerts)} alerts"


def is_serving(address, service):
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def health_answers_for_every_service_in_the_table(binary, directory):
    told = set(re.findall(r"^\| `(copydesk[.]v1[.]\w+)` \|", PAGE, re.MULTILINE))
    services, _ = manifests.contract()
    assert told == services, f"the page and the contract differ by {told ^ services}"
    with Server(binary, directory / "health.db") as server:
        for service in services:
            assert is_serving(server.address, service), service
    return f"{len(services)} services"


def the_server_takes_the_manifests_settings_and_answers_their_probes(binary, directory):
    known = {variable for _, variable, _ in flags_of(binary)}
    for overlay in manifests.OVERLAYS:
        objects = manifests.render(overlay)
        unknown = manifests.setting_names(objects) - known
        assert not unknown, f"{overlay} sets what there is not: {unknown}"
        if manifests.has_tls(objects):
            # Its secrets are the operator's; tests/foreign_client.py starts such a server.
            continue
        with Server(binary, directory / "settings.db", manifests.settings(objects)) as server:
            for name, probe in manifests.probes(objects).items():
                assert is_serving(server.admin, probe.get("service", "")), f"{overlay}: {name}"
    return f"{len(manifests.OVERLAYS)} kustomizations"


@contextlib.contextmanager
def two_servers(binary, directory, **flags):
    """Two servers, and a channel to both with the service config."""
    with contextlib.ExitStack() as stack:
        stores = [directory / f"replica{number}.db" for number in range(2)]
        servers = [stack.enter_context(Server(binary, store, **flags)) for store in stores]
        target = "ipv4:" + ",".join(server.address for server in servers)
        # The authority would be the whole list otherwise, which is none.
        options = [("grpc.service_config", SERVICE_CONFIG), ("grpc.default_authority", "copydesk")]
        yield servers, stores, stack.enter_context(grpc.insecure_channel(target, options=options))


def a_rolling_restart_fails_no_call_of_a_client_with_the_service_config(binary, directory):
    with two_servers(binary, directory, drain_delay="200ms") as (servers, _, channel):
        ended = collections.Counter()
        stopped = threading.Event()

        def call():
            while not stopped.is_set():
                try:
                    analyze(channel, timeout=30)
                    ended["OK"] += 1
                except grpc.RpcError as error:
                    ended[error.code().name] += 1

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        # The client needs a moment until it has both connections.
        time.sleep(1)
        before = [calls_answered(server, rpc_method=ANALYZE) for server in servers]
        time.sleep(1)
        after = [calls_answered(server, rpc_method=ANALYZE) for server in servers]
        shares = [now - then for then, now in zip(before, after)]
        for server in servers:
            server.stop()
            server.start()
            # Until the client has found it again.
            time.sleep(2)
        stopped.set()
        for caller in callers:
            caller.join()
    assert max(shares) < 1.5 * min(shares), f"not balanced: {shares}"
    assert ended.keys() == {"OK"}, f"calls ended with {dict(ended)}"
    return f"{ended['OK']} calls; {shares[0]} and {shares[1]} in a second before"


def what_one_server_cannot_answer_another_does_by_the_service_config(binary, directory):
    with two_servers(binary, directory) as (servers, stores, channel):
        stores[0].rename(directory / "away.db")
        # Few enough that the client does not think better of retrying (retryThrottling).
        for number in range(20):
            ingest(channel, f"document-{number}")
        refused = calls_answered(servers[0], rpc_method=INGEST, rpc_response_status_code="UNAVAILABLE")
    assert refused > 0, "no call had to be retried"
    return f"20 of 20 calls, after {refused} refusals"


def calls_answered(server, **labels):
    wanted = [f'{name}="{value}"' for name, value in labels.items()]
    series = re.findall(r"^rpc_server_call_duration_seconds_count\{(.*)\} (\d+)$", server.metrics(), re.MULTILINE)
    return sum(int(count) for given, count in series if all(label in given for label in wanted))


def a_backup_made_during_an_ingest_holds_all_that_was_answered_before(binary, directory):
    store, copy, vacuumed = (directory / f"{name}.db" for name in ("store", "copy", "vacuumed"))
    with Server(binary, store) as server, grpc.insecure_channel(server.address) as channel:
        answered = []
        stopped = threading.Event()

        def write():
            while not stopped.is_set():
                identifier = f"document-{len(answered)}"
                ingest(channel, identifier)
                answered.append(identifier)

        writer = threading.Thread(target=write)
        writer.start()
        while len(answered) < 100:
            time.sleep(0.01)
        before = len(answered)
        # As the commands `.backup` and `VACUUM INTO` of the sqlite3 program do it.
        with contextlib.closing(sqlite3.connect(store)) as source:
            with contextlib.closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            source.execute(f"VACUUM INTO '{vacuumed}'")
        stopped.set()
        writer.join()
    assert before < len(answered), "nothing was ingested meanwhile"
    for backup in (copy, vacuumed):
        with Server(binary, backup) as restored, grpc.insecure_channel(restored.address) as channel:
            stub = document_service_pb2_grpc.DocumentServiceStub(channel)
            for identifier in answered[:before]:
                name = f"corpora/default/documents/{identifier}"
                stub.GetDocument(document_service.GetDocumentRequest(name=name), timeout=10)
    return f"{before} of {before}, {len(answered) - before} more came meanwhile"


PROMISES = [
    every_flag_is_in_the_table,
    every_metric_is_in_the_table,
    health_answers_for_every_service_in_the_table,
    the_server_takes_the_manifests_settings_and_answers_their_probes,
    a_rolling_restart_fails_no_call_of_a_client_with_the_service_config,
    what_one_server_cannot_answer_another_does_by_the_service_config,
    a_backup_made_during_an_ingest_holds_all_that_was_answered_before,
]


def main(binary):
    with tempfile.TemporaryDirectory() as directory:
        for promise in PROMISES:
            figures = promise(binary, pathlib.Path(directory))
            print(f"ok   {promise.__name__.replace('_', ' ')}: {figures}")


if __name__ == "__main__":
    main(*sys.argv[1:])
