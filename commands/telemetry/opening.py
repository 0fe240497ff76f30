"""Telemetry from the settings: opened for a run, sent to its end, and what was lost of it told once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from agents.onlooker import Onlooker
from commands.output import say
from commands.settings import Settings
from commands.telemetry.collector import headers_of, traces_url
from commands.telemetry.delivery import Sending
from commands.telemetry.sampling import ShareOfItems
from commands.telemetry.spans import Spans
from memory.version import VERSION

SERVICE = "reaseq"


@asynccontextmanager
async def telemetry_to(endpoint: str, settings: Settings) -> AsyncIterator[Onlooker]:
    """Yield an onlooker whose spans go to a collector; raises `CollectorInvalid` before anything is sent."""
    sending = Sending(traces_url(endpoint), headers_of(settings.otel_exporter_otlp_headers))
    # Its own and not the process's: what other libraries would tell of themselves is not asked for.
    provider = TracerProvider(
        sampler=ShareOfItems(settings.otel_sample),
        resource=Resource({"service.name": SERVICE, "service.version": VERSION}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(sending.processor)
    try:
        yield Spans(provider.get_tracer(SERVICE, VERSION), settings.model, content=settings.otel_content)
    finally:
        lost = await asyncio.to_thread(sending.finish)
        if lost:
            of = f"{lost} of {sending.ended} spans"
            say(f"{of} were lost, or not confirmed, on their way to {sending.url}: {sending.problem}")
