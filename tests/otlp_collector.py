"""A collector of spans on this machine: speaks OTLP over HTTP, keeps what it is sent, fails on request."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Fault = Literal["hang", "redirect", "busy", "refuse", "unauthorized"]
STATUS: dict[Fault, int] = {"redirect": 307, "busy": 503, "unauthorized": 401}


@dataclass(frozen=True)
class SeenSpan:
    """One span as it arrived."""

    name: str
    kind: str  # INTERNAL, CLIENT
    attributes: Mapping[str, object]
    events: tuple[tuple[str, Mapping[str, object]], ...]
    failed: bool
    said: str  # of its status
    trace: bytes
    id: bytes
    parent: bytes
    began: int  # nanoseconds
    ended: int


@dataclass
class OtlpCollector:
    """Runs in a thread between `with` and its end."""

    fault: Fault | None = None
    spans: list[SeenSpan] = field(default_factory=list)
    resources: list[Mapping[str, object]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)  # ends the hanging of `hang`

    @property
    def endpoint(self) -> str:
        """The address, without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"collector": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def named(self, name: str) -> list[SeenSpan]:
        """Return the spans of a name, in the order in which they began."""
        return sorted((span for span in self.spans if span.name == name), key=lambda span: span.began)

    def children(self, parent: SeenSpan) -> list[SeenSpan]:
        """Return the spans within another, in the order in which they began."""
        return sorted((span for span in self.spans if span.parent == parent.id), key=lambda span: span.began)

    def take(self, body: bytes) -> bytes:
        """Keep what one request holds, and return the answer to it."""
        request = ExportTraceServiceRequest.FromString(body)
        self.bodies.append(body)
        response = ExportTraceServiceResponse()
        for resource in request.resource_spans:
            self.resources.append(_plain(resource.resource.attributes))
            found = [_seen(span) for scope in resource.scope_spans for span in scope.spans]
            if self.fault == "refuse":
                response.partial_success.rejected_spans += len(found)
            else:
                self.spans.extend(found)
        return bytes(response.SerializeToString())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collector: OtlpCollector

    def do_POST(self) -> None:
        collector = self.collector
        collector.paths.append(self.path)
        collector.headers.append({name.lower(): value for name, value in self.headers.items()})
        body = self.rfile.read(int(self.headers["content-length"]))
        if collector.fault == "hang":
            collector.released.wait(60)
            return
        status = STATUS.get(collector.fault, 200) if collector.fault else 200
        answer = collector.take(body) if status == 200 else b""
        self.send_response(status)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", str(len(answer)))
        if status == 307:
            self.send_header("location", "/elsewhere")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the one it stands for
        pass


def _seen(span: Span) -> SeenSpan:
    return SeenSpan(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        attributes=_plain(span.attributes),
        events=tuple((event.name, _plain(event.attributes)) for event in span.events),
        failed=span.status.code == Status.StatusCode.STATUS_CODE_ERROR,
        said=span.status.message,
        trace=span.trace_id,
        id=span.span_id,
        parent=span.parent_span_id,
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
    )


def _plain(attributes: Iterable[KeyValue]) -> dict[str, object]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind) if kind else None
