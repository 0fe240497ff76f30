"""Rows of a run that the knowledge base has already: the items that failed, and the items that are stale."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice

from commands.catalog_run import Rows
from commands.workshop import Workshop
from graphs.dependencies import AGENTS
from memory.database import Database
from memory.item_vectors.unknown_attributes import worth_of_knowing
from memory.items import PAGE, item_of
from memory.outcomes import failures
from memory.schema import CatalogItem, Provenance
from memory.staleness import Wanted, stale, stale_among


def failed_rows() -> Rows:
    """Return the items that failed in the current version, with their stored texts."""

    def ids(workshop: Workshop) -> list[str]:
        with workshop.database.session() as session:
            return [failure.item_id for failure in failures(session)]

    return Rows(
        "(failed items)",
        lambda workshop: _stored(workshop.database, iter(ids(workshop))),
        lambda workshop: len(ids(workshop)),
    )


def stale_rows(
    limit: int | None = None, gains: Mapping[str, float] | None = None, only: Sequence[str] | None = None
) -> Rows:
    """Return the items of which something is stale, with their stored texts.

    `gains` is what each attribute is worth; those items come first that lack most of it. `only` are the items in
    question, in their order.
    """

    def found(workshop: Workshop) -> Iterator[str]:
        configuration = wanted(workshop.context.provenance)
        if only is None:
            return stale_ids(workshop.database, configuration)
        with workshop.database.session() as session:
            results = stale_among(session, configuration, only)
            return iter([item_id for item_id, _ in groupby(results, key=lambda result: result.item_id)])

    def items(workshop: Workshop) -> Iterator[CatalogItem]:
        ids = found(workshop)
        if gains:
            ids = worthiest_first(workshop.database, ids, gains)
        return _stored(workshop.database, islice(ids, limit))

    def total(workshop: Workshop) -> int:
        return sum(1 for _ in islice(found(workshop), limit))

    return Rows("(stale items)", items, total)


def chosen_rows(ids: Sequence[str], source: str) -> Rows:
    """Return some items with their stored texts; `source` names the run among others."""
    return Rows(source, lambda workshop: _stored(workshop.database, iter(ids)), lambda _: len(ids))


def wanted(provenance: Provenance) -> Wanted:
    """Return a configuration with what each agent of the graph needs."""
    return Wanted(provenance=provenance, agents=AGENTS)


def stale_ids(database: Database, configuration: Wanted) -> Iterator[str]:
    """Yield the ids of stale items, a page at a time, each page from a look of its own: the run changes what is."""
    last = ""
    while True:
        with database.session() as session:
            results = stale(session, configuration, after=last)
            page = [item_id for item_id, _ in islice(groupby(results, key=lambda result: result.item_id), PAGE)]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]


def worthiest_first(database: Database, ids: Iterator[str], gains: Mapping[str, float]) -> Iterator[str]:
    """Return the ids of items by what is unknown of them, the worthiest first; equal ones in the order given."""
    with database.session() as session:
        worth = worth_of_knowing(session, gains)
    return iter(sorted(ids, key=lambda item_id: -worth.get(item_id, 0.0)))


def _stored(database: Database, ids: Iterator[str]) -> Iterator[CatalogItem]:
    for item_id in ids:
        with database.session() as session:
            item = item_of(session, item_id)
        if item is not None:
            yield item
