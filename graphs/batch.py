"""Many items through the graph: a bounded number at a time, each ending in exactly one stored outcome."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from agents.providers.base import AuthenticationFailed, ModelNotFound, ProviderUnavailable
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph
from graphs.single_item import enrich_item
from memory.catalog import RejectedRow
from memory.database import Database, DatabaseBusy, DatabaseFull, DatabaseUnreadable
from memory.errors import ReaseqError
from memory.schema import CatalogItem, Enrichment
from memory.store import save_enrichment, save_failure, save_rejected_row

logger = logging.getLogger(__name__)

# The whole run fails with these: the next item would fail the same way.
SYSTEMIC = (AuthenticationFailed, ModelNotFound, ProviderUnavailable, DatabaseBusy, DatabaseFull, DatabaseUnreadable)


@dataclass(frozen=True)
class Enriched:
    """An item that went through, with its stored enrichment."""

    item: CatalogItem
    enrichment: Enrichment


@dataclass(frozen=True)
class Failed:
    """An item that did not, with the stored reason."""

    item: CatalogItem
    reason: str
    detail: str


Outcome = Enriched | Failed | RejectedRow


async def enrich_catalog(
    rows: Iterable[CatalogItem | RejectedRow],
    graph: EnrichmentGraph,
    context: EnrichmentContext,
    database: Database,
    *,
    version_id: int,
    concurrency: int = 1,
) -> AsyncIterator[Outcome]:
    """Yield one outcome a row, each stored before it is yielded; at most `concurrency` items are on their way.

    Results go into the given version. A failure that would meet every item, such as a refused key, ends the run.
    """
    shelf = _Shelf(database, version_id)
    pending: set[asyncio.Task[Outcome]] = set()
    try:
        for row in rows:
            pending.add(asyncio.create_task(_outcome(row, graph, context, shelf)))
            while len(pending) >= concurrency:
                yield await _next_outcome(pending)
        while pending:
            yield await _next_outcome(pending)
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _next_outcome(pending: set[asyncio.Task[Outcome]]) -> Outcome:
    """Take the next finished task out; others that have finished too stay in, so that each one's error is fetched."""
    done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    task = done.pop()
    pending.remove(task)
    return task.result()


class _Shelf(NamedTuple):
    """Where outcomes are stored."""

    database: Database
    version_id: int


async def _outcome(
    row: CatalogItem | RejectedRow, graph: EnrichmentGraph, context: EnrichmentContext, shelf: _Shelf
) -> Outcome:
    if not isinstance(row, RejectedRow):
        return await _enriched(row, graph, context, shelf)
    with shelf.database.writing() as session:
        save_rejected_row(session, row.file, row.line, row.reason, row.item_id)
    return row


async def _enriched(
    item: CatalogItem, graph: EnrichmentGraph, context: EnrichmentContext, shelf: _Shelf
) -> Enriched | Failed:
    """Enrich one item and store the outcome; the one place where a failure becomes a stored reason."""
    try:
        enrichment = await enrich_item(graph, item, context)
    except SYSTEMIC:
        raise
    except ReaseqError as error:
        return _failed(item, _reason(error), str(error), shelf)
    except Exception as error:
        trace_id = uuid4().hex
        logger.exception("item %r failed; trace id %s", item.id, trace_id)
        return _failed(item, "internal", f"{type(error).__name__}: {error} (trace id {trace_id})", shelf)
    with shelf.database.writing() as session:
        save_enrichment(session, shelf.version_id, item, enrichment)
    return Enriched(item, enrichment)


def _failed(item: CatalogItem, reason: str, detail: str, shelf: _Shelf) -> Failed:
    with shelf.database.writing() as session:
        save_failure(session, shelf.version_id, item, reason, detail)
    return Failed(item, reason, detail)


def _reason(error: ReaseqError) -> str:
    """Return the error's class as a reason code: `AnswerInvalid` becomes `answer_invalid`."""
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() and n else letter.lower() for n, letter in enumerate(name))
