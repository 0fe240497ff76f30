"""How spans reach a collector: from a bounded queue, in a thread, and counted, so that no run waits for them."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import httpx
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

QUEUED = 8192  # spans; the oldest are lost where more wait
SENT_TOGETHER = 256  # spans of one request
SENT_EVERY = 1000  # milliseconds
ANSWER_SECONDS = 10.0  # the longest that the collector may be silent
PAUSES = (0.0, 0.5, 2.0)  # seconds before each try of one request
TRY_AGAIN = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
# Once the run has ended, seconds without a span being taken: from a collector that is slow, and from one in trouble.
PATIENCE, PATIENCE_IN_TROUBLE = ANSWER_SECONDS, 2.0
LONGEST_END = 30.0  # seconds in all, then

# Its own words would come for each span that is lost; `commands.telemetry.opening` says it once.
logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)


class CollectorExporter(SpanExporter):
    """Posts spans to a collector by OTLP, and counts those that it has taken.

    The exporter of OpenTelemetry's own counts a redirect as delivered and does not read how many a collector refused.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.taken = 0  # spans
        self.problem = ""  # what was in the way last, in words of ours: a library's may quote a header
        self._url = url
        self._hurried = threading.Event()
        self._client = httpx.Client(
            headers={**headers, "content-type": "application/x-protobuf"}, timeout=ANSWER_SECONDS
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; tries again where the collector cannot be reached or is busy."""
        body = encode_spans(spans).SerializeToString()
        for pause in PAUSES:
            self._hurried.wait(pause)
            response = self._post(body)
            if response is not None and response.status_code not in TRY_AGAIN:
                return self._judged(response, len(spans))
        return SpanExportResult.FAILURE

    def hurry(self) -> None:
        """Make no more pauses: the run has ended."""
        self._hurried.set()

    def shutdown(self) -> None:
        """Close the connections."""
        self._client.close()

    def _post(self, body: bytes) -> httpx.Response | None:
        try:
            response = self._client.post(self._url, content=body)
        except httpx.TimeoutException:
            self.problem = f"no answer within {ANSWER_SECONDS:g} seconds"
        except httpx.ConnectError:
            self.problem = "no connection came about"
        except httpx.HTTPError as error:
            self.problem = type(error).__name__
        else:
            self.problem = "" if response.is_success else f"it answered with status {response.status_code}"
            return response
        return None

    def _judged(self, response: httpx.Response, sent: int) -> SpanExportResult:
        if not response.is_success:
            return SpanExportResult.FAILURE
        refused = _refused(response)
        if refused:
            self.problem = "it refused them"
        self.taken += max(0, sent - refused)
        return SpanExportResult.SUCCESS


class Sending:
    """Spans on their way to one collector."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self.url = url
        self._exporter = CollectorExporter(url, headers)
        self.processor = _CountingProcessor(
            self._exporter,
            max_queue_size=QUEUED,
            max_export_batch_size=SENT_TOGETHER,
            schedule_delay_millis=SENT_EVERY,
        )

    @property
    def ended(self) -> int:
        """How many spans there were to be sent."""
        return self.processor.ended

    @property
    def problem(self) -> str:
        """What was in the way last."""
        return self._exporter.problem or "it was too slow"

    def finish(self) -> int:
        """Send what waits for as long as the collector takes some, and return how many spans were lost.

        One that takes nothing is waited for `PATIENCE`, or `PATIENCE_IN_TROUBLE` where that is known, one that is slow
        for `LONGEST_END`.
        """
        exporter = self._exporter
        exporter.hurry()
        closing = threading.Thread(target=self.processor.shutdown, daemon=True)
        closing.start()
        began = moved = time.monotonic()
        taken = exporter.taken
        while closing.is_alive():
            patience = PATIENCE_IN_TROUBLE if exporter.problem else PATIENCE
            if time.monotonic() > min(began + LONGEST_END, moved + patience):
                break
            closing.join(0.02)
            if taken != exporter.taken:
                taken, moved = exporter.taken, time.monotonic()
        return self.ended - exporter.taken


class _CountingProcessor(BatchSpanProcessor):
    """The queue and its thread; counts what comes in."""

    ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span that has ended."""
        self.ended += bool(span.context and span.context.trace_flags.sampled)
        super().on_end(span)


def _refused(response: httpx.Response) -> int:
    """Return how many spans the collector says it did not take; an answer of another form says nothing."""
    if "protobuf" not in response.headers.get("content-type", ""):
        return 0
    try:
        said = ExportTraceServiceResponse.FromString(response.content)
    except DecodeError:
        return 0
    return int(said.partial_success.rejected_spans)
