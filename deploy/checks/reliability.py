"""Shows with real servers, haproxy and PostgreSQL that copydesk keeps what docs/reliability.md promises.

    .venv/bin/python deploy/checks/reliability.py COPYDESK LOAD [PROOF...]
"""

import asyncio
import collections
import contextlib
import gzip
import json
import os
import pathlib
import re
import signal
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

import grpc
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import zstandard
from grpc_health.v1 import health_pb2, health_pb2_grpc

from operations import ARTICLE, ROOT, SERVICE_CONFIG, Server, analysis_service, calls_answered, documents, free_address
from operations import document_service, document_service_pb2_grpc, ingest

PATH = "/copydesk.v1.AnalysisService/AnalyzeDocument"
INGEST = "copydesk.v1.DocumentService/IngestDocument"

# What bounded memory means here: a limit of the manifests' pods.
MEMORY_LIMIT_MB = 1024


# The parts.


class Postgres:
    """A PostgreSQL of our own, in a directory, with the settings that docs/operations.md advises."""

    SETTINGS = {
        "listen_addresses": "''",
        "max_connections": "100",
        "shared_buffers": "1GB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
    }

    def __init__(self, directory):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = str(found[-1]) if found else shutil.which("initdb")
        assert initdb, "PostgreSQL is not installed"
        self.programs = pathlib.Path(initdb).parent
        # Sockets have short names.
        self.directory = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
        self.log = open(directory / "postgres.log", "wb")
        self.run("initdb", "-D", "data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C")
        flags = " ".join(f"-c {name}={value}" for name, value in self.SETTINGS.items()) + f" -k {self.directory}"
        self.run("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", flags, "start")
        self.url = f"postgres://postgres@{str(self.directory).replace('/', '%2F')}/postgres"

    def run(self, program, *arguments):
        command = [self.programs / program, *arguments]
        if os.getuid() == 0:
            # PostgreSQL does not run as root.
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, cwd=self.directory, check=True, stdout=self.log, stderr=self.log)

    def size(self):
        """Of the database in bytes, with its indices."""
        folder = self.directory / "data" / "base"
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", "data", "-w", "-m", "immediate", "stop")
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Haproxy:
    """A proxy in front of the servers that are ready, as operators are told to configure it: it deals out
    calls, or in the mode tcp connections."""

    def __init__(self, directory, servers, mode="http"):
        self.address = free_address()
        given = (ROOT / "deploy" / "haproxy.cfg").read_text(encoding="utf-8")
        lines = [line for line in given.splitlines() if not line.startswith("    server ")]
        for number, server in enumerate(servers):
            host, port = server.admin.split(":")
            lines.append(f"    server s{number} {server.address} addr {host} port {port} inter 100ms")
        config = "\n".join(lines).replace("bind 127.0.0.1:50050", f"bind {self.address}") + "\n"
        if mode == "tcp":
            config = config.replace("mode http", "mode tcp").replace(" proto h2", "")
        file = directory / f"haproxy-{mode}.cfg"
        file.write_text(config)
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        self.process = subprocess.Popen([program, "-f", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def replicas(binary, directory, count, mode, **flags):
    """Servers on one PostgreSQL, and a proxy in front of them. They are not started yet."""
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(Postgres(directory)).url
        # Not started by the constructor: one of them may come later.
        servers = [Server.__new__(Server) for _ in range(count)]
        for server in servers:
            server.configure(binary, store, **flags)
            stack.callback(server.__exit__)
        proxy = stack.enter_context(Haproxy(directory, servers, mode))
        yield servers, proxy


class Clients:
    """Clients with connections of their own that ingest documents, one after another each, and retry as the
    service config says."""

    def __init__(self, address, count, pause):
        self.address, self.count, self.pause = address, count, pause
        self.ended = collections.Counter()
        self.stopped = asyncio.Event()

    async def __aenter__(self):
        self.tasks = [asyncio.create_task(self.call(number)) for number in range(self.count)]
        return self

    async def __aexit__(self, *_):
        self.stopped.set()
        await asyncio.gather(*self.tasks)

    async def call(self, client):
        options = [("grpc.service_config", SERVICE_CONFIG), ("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self.address, options=options) as channel:
            stub = document_service_pb2_grpc.DocumentServiceStub(channel)
            number = 0
            while not self.stopped.is_set():
                identifier = f"client-{client}-{number}"
                document = documents.Document(content=f"{ARTICLE}\n\n{identifier}")
                request = document_service.IngestDocumentRequest(document=document, document_id=identifier)
                try:
                    await stub.IngestDocument(request, timeout=30)
                    self.ended["OK"] += 1
                except grpc.RpcError as error:
                    self.ended[error.code().name] += 1
                number += 1
                await asyncio.sleep(self.pause)


def kept(server):
    """How many documents the store lists."""
    with grpc.insecure_channel(server.address) as channel:
        stub = document_service_pb2_grpc.DocumentServiceStub(channel)
        count, token = 0, ""
        while True:
            request = document_service.ListDocumentsRequest(page_size=1000, page_token=token)
            page = stub.ListDocuments(request, timeout=30)
            count += len(page.documents)
            token = page.next_page_token
            if not token:
                return count


def status(server, field):
    """A line of /proc/PID/status in MB."""
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(text.split(f"{field}:")[1].split()[0]) // 1024


def gauge(server, name):
    [value] = re.findall(rf"^{name} (\S+)$", server.metrics(), re.MULTILINE)
    return float(value)


def is_healthy(address):
    with grpc.insecure_channel(address) as channel:
        request = health_pb2.HealthCheckRequest()
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


# The proofs.


async def rolling(binary, _, directory):
    """Three replicas behind haproxy, one after another restarted under load: no call fails, whether it deals
    out connections or calls."""
    return {mode: await restarted(binary, directory, mode) for mode in ("tcp", "http")}


async def restarted(binary, directory, mode):
    with replicas(binary, directory, 3, mode, drain_delay="1s") as (servers, proxy):
        for server in servers:
            await asyncio.to_thread(server.start)
        async with Clients(proxy.address, count=24, pause=0.05) as clients:
            await asyncio.sleep(3)
            for server in servers:
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
                await asyncio.sleep(2)
        documents_kept = await asyncio.to_thread(kept, servers[0])
    assert clients.ended.keys() == {"OK"}, f"calls ended with {dict(clients.ended)}"
    assert documents_kept == clients.ended["OK"], f"{documents_kept} documents of {clients.ended['OK']}"
    return {"calls": clients.ended["OK"], "failed": 0, "documents": documents_kept}


async def added(binary, _, directory):
    """A third replica comes: the load is even within 20% after one connection age."""
    age = 5
    with replicas(binary, directory, 3, "tcp", max_connection_age=f"{age}s") as (servers, proxy):
        for server in servers[:2]:
            await asyncio.to_thread(server.start)
        async with Clients(proxy.address, count=30, pause=0.1) as clients:
            await asyncio.sleep(2)
            await asyncio.to_thread(servers[2].start)
            # Its age, a tenth more, and what the proxy's check and the client take to notice.
            await asyncio.sleep(1.1 * age + 1)
            before = [calls_answered(server, rpc_method=INGEST) for server in servers]
            await asyncio.sleep(5)
            after = [calls_answered(server, rpc_method=INGEST) for server in servers]
    shares = [now - then for then, now in zip(before, after)]
    mean = sum(shares) / len(shares)
    off = max(abs(share - mean) / mean for share in shares)
    assert clients.ended.keys() == {"OK"}, f"calls ended with {dict(clients.ended)}"
    assert off < 0.2, f"not even: {shares}"
    return {"calls by replica in 5 s": shares, "furthest from the mean": f"{off:.0%}", "failed": 0}


def load(program, server, seconds=10, **flags):
    flags = {"seconds": seconds} | flags
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    done = subprocess.run([program, f"http://{server.address}", *arguments], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


async def hop(binary, program, directory):
    """The same calls straight to a server and through haproxy, which deals out connections (tcp) or calls."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(binary, directory / "hop.db"))
        ways = {"direct": server}
        for mode in ("tcp", "http"):
            ways[mode] = stack.enter_context(Haproxy(directory, [server], mode))
        await asyncio.sleep(1)
        # In turns, since a machine is not as fast at all times.
        rounds = [{name: await asyncio.to_thread(measure, program, server, way) for name, way in ways.items()}
                  for _ in range(5)]
    each = {name: [one[name] for one in rounds] for name in ways}
    return {name: {what: statistics.median(one[what] for one in all_) for what in all_[0]}
            for name, all_ in each.items()}


def measure(program, server, way):
    """What calls one way take, of time and of CPU."""
    processes = {"server": server.process, "haproxy": way.process}
    before = {name: cpu_seconds(process) for name, process in processes.items()}
    done = load(program, way, 5, rate=100)
    assert done["codes"].keys() == {"Ok"}, done["codes"]
    took = {name: cpu_seconds(process) - before[name] for name, process in processes.items()}
    if way is server:
        del took["haproxy"]
    times = {f"{quantile}, ms": done["answered"][quantile] for quantile in ("p50", "p99")}
    return times | {f"CPU of {name}, ms a call": round(1000 * cpu / done["calls"], 3) for name, cpu in took.items()}


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def overload(binary, program, directory):
    """Five times what one thread of the engine can do, for a minute, with the limits as they are."""
    with Server(binary, directory / "overload.db", engine_threads=1) as server:
        return await asyncio.to_thread(flood, server, program)


def flood(server, program):
    document = {"paragraphs": 64}
    alone = load(program, server, 5, **document)
    capacity = load(program, server, 5, in_flight=3, **document)["answered_per_second"]
    before = status(server, "VmRSS")
    with Reader(server) as reader:
        flooded = load(program, server, 60, rate=5 * capacity, connections=32, **document)
    most = status(server, "VmHWM")
    time.sleep(2)
    again = load(program, server, 5, **document)
    figures = {
        "capacity, calls a second": capacity,
        "sent and answered a second": [round(flooded["calls"] / 60), flooded["answered_per_second"]],
        "codes": flooded["codes"],
        "p99 alone before, and 2 s after, ms": [alone["answered"]["p99"], again["answered"]["p99"]],
        "p50 and p99 of the admitted, ms": [flooded["answered"]["p50"], flooded["answered"]["p99"]],
        "p50 and p99 of the refused, ms": [flooded["refused"]["p50"], flooded["refused"]["p99"]],
        "p50 and p99 of GetDocument meanwhile, ms": reader.took(),
        "memory before and at most, MB": [before, most],
    }
    print(json.dumps(figures), flush=True)
    assert flooded["codes"].keys() <= {"Ok", "Unavailable"}, "calls ended in another way"
    assert flooded["answered"]["p99"] < 3 * alone["answered"]["p99"], "the admitted had to wait"
    assert flooded["refused"]["p99"] < 50, "the refused had to wait"
    assert most < MEMORY_LIMIT_MB, "memory"
    assert again["codes"].keys() == {"Ok"}, "it has not recovered"
    return figures


class Reader:
    """Gets one document again and again, without retries."""

    def __init__(self, server):
        self.channel = grpc.insecure_channel(server.address)
        ingest(self.channel, "read-me")
        self.milliseconds = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.read)

    def read(self):
        stub = document_service_pb2_grpc.DocumentServiceStub(self.channel)
        request = document_service.GetDocumentRequest(name="corpora/default/documents/read-me")
        while not self.stopped.wait(0.05):
            begun = time.monotonic()
            stub.GetDocument(request, timeout=10)
            self.milliseconds.append(1000 * (time.monotonic() - begun))

    def took(self):
        ordered = sorted(self.milliseconds)
        return [round(ordered[int(len(ordered) * share)], 1) for share in (0.5, 0.99)]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        self.channel.close()
        assert len(self.milliseconds) > 100, "reads failed"


class Wire:
    """A client that does on an HTTP/2 connection what no library would."""

    def __init__(self, address, window=None):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(10)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        if window is not None:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def open(self, headers=()):
        """A call whose messages are still to come."""
        stream = self.h2.get_next_available_stream_id()
        own = {":method": "POST", ":scheme": "http", ":authority": "copydesk", ":path": PATH}
        own |= {"content-type": "application/grpc", "te": "trailers"}
        self.h2.send_headers(stream, [*own.items(), *headers])
        return stream

    def send(self, stream, data, end=False):
        """As far as the server's window allows; gives what is left."""
        while data:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
            if room == 0:
                break
            self.h2.send_data(stream, data[:room], end_stream=end and room == len(data))
            data = data[room:]
        self.flush()
        return data

    def send_all(self, stream, data):
        while data := self.send(stream, data, end=True):
            self.events()

    def events(self):
        received = self.socket.recv(1 << 16)
        if not received:
            raise ConnectionError("closed")
        events = self.h2.receive_data(received)
        for event in events:
            if isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        self.flush()
        return events

    def ending(self, stream):
        """How a call ends: its gRPC status, or what became of the stream or the connection."""
        try:
            while True:
                for event in self.events():
                    if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                        headers = dict(event.headers)
                        if "grpc-status" in headers:
                            return f"grpc-status {headers['grpc-status']}"
                        if headers.get(":status", "200") != "200":
                            return f"HTTP {headers[':status']}"
                    elif isinstance(event, h2.events.StreamReset):
                        return f"reset {event.error_code!s}"
                    elif isinstance(event, h2.events.ConnectionTerminated):
                        return f"goaway {event.error_code!s}"
        except (ConnectionError, h2.exceptions.H2Error) as error:
            return f"closed: {type(error).__name__}"


def framed(payload, compressed=False):
    return struct.pack(">BI", compressed, len(payload)) + payload


def request(content):
    document = documents.Document(content=content)
    return analysis_service.AnalyzeDocumentRequest(document=document).SerializeToString()


async def hostile(binary, _, directory):
    """Idle, slow, half-hearted and rude clients, and then a drain with one that says nothing."""
    limits = {"drain_timeout": "3s", "keepalive_timeout": "5s", "max_unread_bytes": "4MiB"}
    # What is refused shall be refused for answers that nobody reads, and not for want of the engine.
    limits |= {"max_wait": "10s", "max_in_flight": 512, "default_deadline": "1m"}
    with Server(binary, directory / "hostile.db", **limits) as server:
        figures = {"memory, MB": {"after the start": status(server, "VmRSS")}}
        memory = figures["memory, MB"]

        idle = [Wire(server.address) for _ in range(1000)]
        assert is_healthy(server.address)
        memory["1,000 idle connections"] = status(server, "VmRSS")

        message = framed(request(ARTICLE * 20))
        slow = [Wire(server.address, window=0) for _ in range(100)]
        for client in slow:
            for _ in range(4):
                client.send_all(client.open(), message)
        await asyncio.sleep(1)
        while any(gauge(server, f"copydesk_engine_{name}") for name in ("queue_depth", "busy_threads")):
            await asyncio.sleep(0.5)
        assert is_healthy(server.address)
        memory["400 answers of 100 clients that do not read, at most 4 MiB of them"] = status(server, "VmRSS")
        refused = calls_answered(server, rpc_method=PATH[1:], rpc_response_status_code="UNAVAILABLE")
        assert refused > 0, "all of them are kept"
        figures["of these refused"] = refused

        half = [Wire(server.address) for _ in range(200)]
        for client in half:
            client.send(client.open(), framed(bytes(1 << 20))[: 1 << 15])
        await asyncio.sleep(1)
        assert is_healthy(server.address)
        memory["200 messages that were begun"] = status(server, "VmRSS")

        rude = Wire(server.address)
        resets = 0
        with contextlib.suppress(ConnectionError, h2.exceptions.H2Error, OSError):
            for _ in range(10_000):
                stream = rude.open()
                rude.h2.reset_stream(stream, error_code=8)
                rude.flush()
                resets += 1
        assert is_healthy(server.address)
        memory[f"{resets:,} of 10,000 calls begun and reset on one connection"] = status(server, "VmRSS")
        memory["at most"] = status(server, "VmHWM")

        # None of these has a call that could finish by itself.
        begun = time.monotonic()
        server.stop()
        figures["drain with all of them, s"] = round(time.monotonic() - begun, 1)
        figures["its bound, s"] = 3
    del idle, slow, half
    assert memory["at most"] < MEMORY_LIMIT_MB, memory
    assert figures["drain with all of them, s"] < 3 + 2, figures
    return figures


async def bombs(binary, _, directory):
    """A kilobyte that unpacks to a gigabyte, and more headers than anybody needs."""
    with Server(binary, directory / "bombs.db") as server:
        before = status(server, "VmRSS")
        endings = {}
        packed = {"gzip": gzip.compress(bytes(1 << 30), 9), "zstd": zstandard.compress(bytes(1 << 30))}
        for encoding, payload in packed.items():
            for _ in range(20):
                client = Wire(server.address)
                stream = client.open([("grpc-encoding", encoding)])
                client.send_all(stream, framed(payload, compressed=True))
                endings.setdefault(f"{encoding}, {len(payload):,} bytes for 1 GiB", set()).add(client.ending(stream))
        for size in (100, 10_000):
            client = Wire(server.address)
            # The library holds itself to what the server announced; these clients do not.
            client.h2.remote_settings[h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE] = 1 << 30
            with contextlib.suppress(ConnectionError, OSError):
                stream = client.open([(f"x-header-{number}", "a" * 20) for number in range(size)])
                client.send_all(stream, framed(request("A short text.")))
            endings[f"{size:,} headers"] = {client.ending(stream)}
        assert is_healthy(server.address)
        most = status(server, "VmHWM")
    endings = {what: sorted(how) for what, how in endings.items()}
    figures = {"endings": endings, "memory before and at most, MB": [before, most]}
    print(json.dumps(figures), flush=True)
    for encoding in packed:
        [how] = [how for what, how in endings.items() if what.startswith(encoding)]
        assert how == ["grpc-status 8"], f"{encoding}: {how}"
    assert endings["100 headers"] == ["grpc-status 0"]
    assert endings["10,000 headers"] != ["grpc-status 0"]
    assert most < before + 256, f"{before} MB, then {most} MB"
    return figures


async def soak(binary, program, directory, count=1_000_000):
    """As many small documents as a day may bring, one after another: the last calls take no more than twice as
    long as the first, in a file and in PostgreSQL."""
    figures = {"a file": await asyncio.to_thread(soak_file, binary, program, directory, count)}
    with Postgres(directory) as postgres:
        empty = postgres.size()
        figures["PostgreSQL"] = await asyncio.to_thread(ingest_many, binary, program, postgres.url, count)
        figures["PostgreSQL"]["bytes a document"] = round((postgres.size() - empty) / count)
    for store, told in figures.items():
        for what in ("ingest", "get"):
            first, last = told[what]["first"]["p99"], told[what]["last"]["p99"]
            assert last < 2 * first, f"{store}: p99 of {what} from {first} to {last} ms: {figures}"
    return figures


def soak_file(binary, program, directory, count):
    file = directory / "soak.db"
    figures = ingest_many(binary, program, file, count)
    figures["bytes a document"] = round(file.stat().st_size / count)
    return figures


def ingest_many(binary, program, store, count):
    # One stream that outlives the age of connections.
    with Server(binary, store, max_connection_age="off") as server:
        figures = load(program, server, documents=count)
        figures["memory at most, MB"] = status(server, "VmHWM")
        server.stop()
    print(json.dumps(figures), flush=True)
    return figures


PROOFS = {proof.__name__: proof for proof in (rolling, added, hop, overload, hostile, bombs, soak)}


def main(binary, program, *names):
    with tempfile.TemporaryDirectory() as directory:
        for name in names or [name for name in PROOFS if name != "soak"]:
            name, _, count = name.partition("=")
            # A proof that hangs has failed.
            signal.alarm(7200 if name == "soak" else 900)
            begun = time.monotonic()
            arguments = [int(count)] if count else []
            figures = asyncio.run(PROOFS[name](binary, program, pathlib.Path(directory), *arguments))
            took = time.monotonic() - begun
            print(f"ok   {name} ({took:.0f} s): {json.dumps(figures, ensure_ascii=False)}", flush=True)


if __name__ == "__main__":
    main(*(str(pathlib.Path(program).resolve()) for program in sys.argv[1:3]), *sys.argv[3:])
