"""`reaseq export`: the knowledge base as one file that other programs read."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.settings import settings_of


class Format(StrEnum):
    """What can be written."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    GRAPHML = "graphml"


def export(
    context: typer.Context,
    format: Annotated[Format, typer.Option("--format", help="The file's format.")],  # noqa: A002 - the option's name
    out: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")],
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Write all knowledge to a file; an existing one is replaced only by a whole new one."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.export import export_knowledge  # noqa: PLC0415
    from memory.knowledge_graph.graph import graph_of, write_graphml  # noqa: PLC0415
    from memory.store import enrichments  # noqa: PLC0415

    settings = settings_of(context, kb=kb)
    with open_existing_database(settings.kb) as database, database.session() as session:
        if format is Format.GRAPHML:
            graph = graph_of(enrichments(session))
            write_graphml(graph, out)
            items = sum(1 for node in graph.nodes if node.kind == "item")
        else:
            items = export_knowledge(session, out, format.value)
    if as_json:
        print_json({"items": items, "file": str(out), "format": format.value})
    else:
        say(f"wrote {items} items to {out}")
