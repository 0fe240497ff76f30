"""`reaseq show`: what the knowledge base knows of one item, and its place in the knowledge graph."""

from typing import TYPE_CHECKING, Annotated

import typer

from commands.catalog_items import typed_id
from commands.graph import around_as_json, print_around, view_around
from commands.knowledge import print_knowledge
from commands.output import AsJson, KnowledgeBase, print_json
from commands.settings import settings_of
from memory.errors import ReaseqError

if TYPE_CHECKING:
    from memory.database import Database


class NothingKnown(ReaseqError):
    """The knowledge base has no enrichment of the item."""


def show(
    context: typer.Context,
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    kb: KnowledgeBase = None,
    graph: Annotated[bool, typer.Option("--graph", help="Also the values that it shares with other items.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the knowledge base knows of one item, with evidence."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.knowledge_graph.nodes import ItemNode  # noqa: PLC0415
    from memory.store import enrichment_of  # noqa: PLC0415

    settings, item_id = settings_of(context, kb=kb), typed_id(item_id)
    with open_existing_database(settings.kb) as database:
        with database.session() as session:
            known = enrichment_of(session, item_id)
        if known is None:
            raise NothingKnown(f"{database.url} has no enrichment of item {item_id!r}{_why(database, item_id)}")
        around = view_around(database, ItemNode(item_id)) if graph else None
    if as_json:
        document = {"item": known.item.model_dump(mode="json"), "enrichment": known.enrichment.model_dump(mode="json")}
        print_json(document | ({"graph": around_as_json(around)} if around else {}))
        return
    print_knowledge(known.item, known.enrichment)
    if around:
        print_around(around)


def _why(database: "Database", item_id: str) -> str:
    """Return what is known of an item that has no enrichment: its failure, or ids that are like its own."""
    from memory.store import failure_of, similar_ids  # noqa: PLC0415

    with database.session() as session:
        failure = failure_of(session, item_id)
        near = similar_ids(session, item_id)
    if failure:
        return f": its last run failed with {failure.reason}: {failure.detail}"
    return f"; there are {', '.join(near)}" if near else "; it is empty so far: reaseq enrich CATALOG"
