"""`reaseq graph`: what stands around an item, a value or a demand; with `--check`, what does not hold together."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import orjson
import typer

from commands.catalog_items import typed_id
from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.settings import settings_of

if TYPE_CHECKING:
    from commands.graph_view import GraphView
    from memory.database import Database
    from memory.knowledge_graph.nodes import Node

T = TypeVar("T")
OutFile = Path | None
HOPS, WIDTH = 2, 12

What = Annotated[str, typer.Argument(help="An item's id, attribute=value, or a demand's words.", metavar="WHAT")]
Hops = Annotated[int, typer.Option("--hops", min=1, max=4, help="How many edges away.")]
Width = Annotated[int, typer.Option("--width", min=1, max=200, help="Neighbours of each kind that a node shows.")]
Listed = Annotated[int, typer.Option("--limit", min=1, help="How many of each --check lists.")]


def graph(
    context: typer.Context,
    what: What = "",
    kb: KnowledgeBase = None,
    hops: Hops = HOPS,
    width: Width = WIDTH,
    svg: Annotated[OutFile, typer.Option("--svg", help="Draw it.", metavar="FILE")] = None,
    html: Annotated[OutFile, typer.Option("--html", help="Draw it, with tables, as a page.", metavar="FILE")] = None,
    graphml: Annotated[OutFile, typer.Option("--graphml", help="Write it as GraphML.", metavar="FILE")] = None,
    jsonld: Annotated[OutFile, typer.Option("--jsonld", help="Write it as JSON-LD.", metavar="FILE")] = None,
    check: Annotated[bool, typer.Option("--check", help="List contradictions and stale facts of all items.")] = False,
    limit: Listed = 50,
    as_json: AsJson = False,
) -> None:
    """Show what stands around an item, a value or a demand in the knowledge graph."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    if check == bool(what):
        raise typer.BadParameter("name an item, a value or a demand, or ask for --check")
    with open_existing_database(settings_of(context, kb=kb).kb) as database:
        if check:
            _check(database, limit, as_json)
            return
        view = view_around(database, _named(database, what), hops=hops, width=width)
    if as_json:
        print_json(around_as_json(view))
    else:
        print_around(view)
    _write(view, {"svg": svg, "html": html, "graphml": graphml, "jsonld": jsonld})


def view_around(database: "Database", start: "Node", *, hops: int = HOPS, width: int = WIDTH) -> "GraphView":
    """Return what stands around a node, with what does not hold together of the items there."""
    from commands.graph_view import GraphView  # noqa: PLC0415 - SQL takes a moment to import
    from graphs.dependencies import AGENTS  # noqa: PLC0415
    from memory.discrepancies import contradictions_in, stale_facts  # noqa: PLC0415
    from memory.knowledge_graph.neighbourhood import neighbourhood  # noqa: PLC0415
    from memory.knowledge_graph.stored import StoredGraph  # noqa: PLC0415
    from memory.store import enrichments_of  # noqa: PLC0415

    with database.session() as session:
        found = neighbourhood(StoredGraph(session), start, hops=hops, width=width)
        known = enrichments_of(session, found.item_ids)
        return GraphView(
            found,
            tuple(one for knowledge in known for one in contradictions_in(knowledge.enrichment)),
            tuple(stale_facts(session, AGENTS, found.item_ids)),
        )


def around_as_json(view: "GraphView") -> dict[str, object]:
    """Return what stands around a node as one JSON document."""
    from commands.graph_view import document_of  # noqa: PLC0415 - SQL takes a moment to import

    return document_of(view)


def print_around(view: "GraphView") -> None:
    """Print what stands around a node."""
    from commands.graph_tree import print_graph  # noqa: PLC0415 - SQL takes a moment to import

    print_graph(view)
    if len(view.found.distances) == 1:
        say("nothing is known around it; reaseq show says more of an item")


def _named(database: "Database", what: str) -> "Node":
    from memory.knowledge_graph.lookup import find_node  # noqa: PLC0415 - SQL takes a moment to import

    with database.session() as session:
        return find_node(session, typed_id(what))


def _write(view: "GraphView", files: dict[str, OutFile]) -> None:
    from commands.graph_drawing import drawing_of, page_of  # noqa: PLC0415 - only where something is written
    from memory.atomic_file import written_whole  # noqa: PLC0415
    from memory.knowledge_graph.graph import graph_of_edges, write_graphml  # noqa: PLC0415
    from memory.knowledge_graph.jsonld import as_jsonld  # noqa: PLC0415

    found = view.found
    texts: dict[str, Callable[[], bytes]] = {
        "svg": lambda: drawing_of(found).encode(),
        "html": lambda: page_of(view).encode(),
        "jsonld": lambda: orjson.dumps(as_jsonld(found), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
    }
    for name, path in files.items():
        if path is None:
            continue
        if name == "graphml":
            write_graphml(graph_of_edges(found.edges, found.labels), path)
        else:
            with written_whole(path) as unfinished:
                unfinished.write_bytes(texts[name]())
        say(f"wrote {path}")


def _check(database: "Database", limit: int, as_json: bool) -> None:
    from commands.graph_tree import print_contradictions, print_stale  # noqa: PLC0415 - SQL takes a moment to import
    from graphs.dependencies import AGENTS  # noqa: PLC0415
    from memory.discrepancies import contradictions, stale_facts  # noqa: PLC0415

    with database.session() as session:
        contradicted, more_contradicted = _first(contradictions(session), limit)
        stale, more_stale = _first(stale_facts(session, AGENTS), limit)
    if as_json:
        document = {"contradictions": contradicted, "more_contradictions": more_contradicted}
        print_json(document | {"stale": stale, "more_stale": more_stale})
        return
    print_contradictions(contradicted)
    print_stale(stale)
    for more, what in ((more_contradicted, "contradictions"), (more_stale, "stale facts")):
        if more:
            say(f"there are more {what}: --limit says how many are listed")
    if not contradicted and not stale:
        say("no contradictions, and nothing is stale")


def _first(found: Iterator[T], limit: int) -> tuple[tuple[T, ...], bool]:
    first = tuple(islice(found, limit))
    return first, next(found, None) is not None
