"""LangGraph's checkpoints of single items: a file of their own, safe to delete, pruned with the traces.

They let a thread go on from any step. A batch has none: they more than double what an item costs the processor (33 ms
were measured), take 50 to 220 KB of it, and the ledger loses less.
"""

from asyncio import to_thread
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiosqlite import DatabaseError
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from graphs.checkpoint_serializer import ItemSerializer
from graphs.enrichment import EnrichmentGraph
from memory.errors import ReaseqError
from memory.schema import CatalogItem

FILE = "checkpoints.db"


class CheckpointsUnusable(ReaseqError):
    """The file of checkpoints is none, or cannot be written."""


@asynccontextmanager
async def with_checkpoints(graph: EnrichmentGraph, folder: Path, item: CatalogItem) -> AsyncIterator[EnrichmentGraph]:
    """Yield the graph with checkpoints of one item's threads in a file of the folder.

    Raises `CheckpointsUnusable`.
    """
    await to_thread(folder.mkdir, parents=True, exist_ok=True)
    path = folder / FILE
    try:
        async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
            saver.serde = ItemSerializer(item)
            yield _copy(graph, saver)
    except DatabaseError as error:
        raise CheckpointsUnusable(f"{path} cannot be used ({error}); it is safe to delete") from error


def with_passing_checkpoints(graph: EnrichmentGraph, item: CatalogItem) -> EnrichmentGraph:
    """Return the graph with checkpoints in memory."""
    return _copy(graph, InMemorySaver(serde=ItemSerializer(item)))


async def drop_threads(folder: Path, threads: Sequence[str]) -> None:
    """Remove threads from the folder's file; nothing where there is none."""
    path = folder / FILE
    if not threads or not await to_thread(path.exists):
        return
    try:
        async with AsyncSqliteSaver.from_conn_string(str(path)) as saver:
            for thread in threads:
                await saver.adelete_thread(thread)
    except DatabaseError as error:
        raise CheckpointsUnusable(f"{path} cannot be used ({error}); it is safe to delete") from error


def _copy(graph: EnrichmentGraph, saver: BaseCheckpointSaver[str]) -> EnrichmentGraph:
    return graph.copy({"checkpointer": saver})
