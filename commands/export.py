"""`reaseq export`: the knowledge base as files that other programs read."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.settings import settings_of
from commands.vector_options import AsOf, Name, Version, milliseconds
from memory.extras import extras

if TYPE_CHECKING:
    from memory.database import Database


class Format(StrEnum):
    """What can be written."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    GRAPHML = "graphml"


def export(
    context: typer.Context,
    format: Annotated[Format | None, typer.Option("--format", help="The file's format.")] = None,  # noqa: A002 - the option's name
    features: Annotated[
        bool, typer.Option("--features", help="Values with their numbers and masks, and vectors, as typed Parquet.")
    ] = False,
    recbole: Annotated[
        Path | None, typer.Option("--recbole", help="Write a folder that RecBole reads.", metavar="DIR")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; of --features also a folder.")] = None,
    name: Name = "items",
    version: Version = None,
    as_of: AsOf = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Write all knowledge to files; an existing one is replaced only by a whole new one."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    moment = milliseconds(as_of)
    _refuse_mixtures(format, features, recbole, out, dated=moment is not None)
    with open_existing_database(settings_of(context, kb=kb).kb) as database:
        if recbole is not None:
            document = _recbole(database, recbole, name, version, moment)
        elif out is not None:
            document = _file(database, format, out, name, version, moment)
    print_json(document) if as_json else say(f"wrote {document['items']} items to {recbole or out}")


def _refuse_mixtures(
    format_: Format | None, features: bool, recbole: Path | None, out: Path | None, *, dated: bool
) -> None:
    if [format_ is not None, features, recbole is not None].count(True) != 1:
        raise typer.BadParameter("name one of --format, --features and --recbole")
    if (out is None) != (recbole is not None):
        raise typer.BadParameter("--recbole names its folder itself; --format and --features need --out")
    if dated and format_ is not None:
        raise typer.BadParameter("--as-of goes with --features and --recbole")


def _file(
    database: "Database", format_: Format | None, out: Path, name: str, version: int | None, moment: int | None
) -> dict[str, object]:
    if format_ is None:
        return _features(database, out, name, version, moment)
    return _knowledge(database, format_, out, version)


def _knowledge(database: "Database", format_: Format, out: Path, version: int | None) -> dict[str, object]:
    from memory.export import export_knowledge  # noqa: PLC0415 - DuckDB takes a moment to import
    from memory.knowledge_graph.graph import graph_of, write_graphml  # noqa: PLC0415
    from memory.store import enrichments  # noqa: PLC0415

    with database.session() as session:
        if format_ is Format.GRAPHML:
            graph = graph_of(enrichments(session, version))
            write_graphml(graph, out)
            items = sum(1 for node in graph.nodes if node.kind == "item")
        else:
            items = export_knowledge(session, out, format_.value, version)
    return {"items": items, "file": str(out), "format": format_.value}


def _features(database: "Database", out: Path, name: str, version: int | None, as_of: int | None) -> dict[str, object]:
    with extras():
        from memory.item_vectors.feature_files import export_features  # noqa: PLC0415

    with database.session() as session:
        written = export_features(session, out, name=name, version_id=version, as_of=as_of)
    _miss_vectors(written.vectors is None, name)
    return written.model_dump(mode="json")


def _recbole(
    database: "Database", folder: Path, name: str, version: int | None, as_of: int | None
) -> dict[str, object]:
    with extras():
        from memory.item_vectors.recbole import export_recbole  # noqa: PLC0415

    with database.session() as session:
        written = export_recbole(session, folder, name=name, version_id=version, as_of=as_of)
    _miss_vectors(written.vectors == 0, name)
    return written.model_dump(mode="json")


def _miss_vectors(missing: bool, name: str) -> None:
    if missing:
        say(f"without vectors: there are none named {name!r} yet (reaseq vectors build)")
