"""`reaseq vectors`: item vectors from what is known, and the items nearest to one."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from commands.catalog_items import typed_id
from commands.cluster_maps import CLUSTER, cluster_of, mapped
from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.progress import remaining
from commands.setting_options import with_options
from commands.settings import settings_of
from commands.vector_options import AsOf, Name, Version, milliseconds
from memory.extras import extras
from memory.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from memory.encoder import Vectors
    from memory.item_vectors.neighbors import Neighbor
    from memory.item_vectors.parts import Part
    from memory.item_vectors.vectors import VectorSet

LINE_EVERY = 5.0  # seconds between two lines of progress

app = typer.Typer(help="Vectors of items, made from their titles and from what is known of them.", no_args_is_help=True)


@app.command()
@with_options(CLUSTER)
def build(
    context: typer.Context,
    parts: Annotated[
        str, typer.Option("--parts", help="What of an item is in its text, separated by commas.", metavar="PARTS")
    ] = "title,attributes,demands,summary",
    name: Name = "items",
    version: Version = None,
    as_of: AsOf = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
    **cluster_options: Any,
) -> None:
    """Make the vectors of all items; texts that were encoded before are not encoded again."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415
    from memory.item_vectors.building import build_vectors  # noqa: PLC0415

    chosen, told, encoder = _parts(parts), Telling(), MiniLmEncoder()
    cluster = cluster_of(**cluster_options)
    encoded = None if cluster is None else lambda pieces: mapped(cluster, pieces, _encoding)
    source = {"version_id": version, "as_of": milliseconds(as_of)}
    with open_existing_database(settings_of(context, kb=kb).kb) as database:
        vectors = build_vectors(database, encoder, name=name, parts=chosen, tell=told, encoded=encoded, **source)
    if as_json:
        print_json({"name": name, "items": len(vectors.ids), "encoded": told.texts, "encoder": vectors.encoder})
    else:
        say(f"{len(vectors.ids)} items have vectors named {name!r}; {told.texts} texts were new and are encoded")


@app.command()
def align(
    context: typer.Context,
    name: Name = "items",
    to: Annotated[str, typer.Option("--to", help="The name of the aligned set.", metavar="NAME")] = "aligned",
    as_of: AsOf = None,
    epochs: Annotated[int, typer.Option("--epochs", help="At most N.", min=1)] = 10,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal vectors.", min=0)] = 0,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Train a projection that draws together what the same shoppers choose, and store all vectors through it."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    with extras():
        from commands.vector_alignment import aligned_set  # noqa: PLC0415

    with open_existing_database(settings_of(context, kb=kb).kb) as database:
        vectors, report = aligned_set(database, name, milliseconds(as_of), epochs=epochs, seed=seed)
        with database.writing() as session:
            vectors.save(session, to)
    if as_json:
        print_json({"name": to, "items": len(vectors.ids), "pairs": report.pairs, "encoder": vectors.encoder})
    else:
        say(f"{len(vectors.ids)} items have vectors named {to!r}, from {report.pairs} pairs of items")
        say(f"left-out pairs find each other among the nearest ten: {report.raw:.1%} before, {report.aligned:.1%} now")


@app.command()
def neighbors(
    context: typer.Context,
    item_id: Annotated[str, typer.Argument(help="The item's id.")],
    k: Annotated[int, typer.Option("--k", help="How many.", min=1)] = 10,
    name: Name = "items",
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Show the items nearest to one, and what is accepted of both."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.item_vectors.vectors import ItemVectors  # noqa: PLC0415

    with extras():
        from memory.item_vectors.neighbors import neighbors as nearest  # noqa: PLC0415

    settings, item_id = settings_of(context, kb=kb), typed_id(item_id)
    with open_existing_database(settings.kb) as database, database.session() as session:
        found = nearest(session, ItemVectors.load(session, name), item_id, k)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    columns = ["item", "title", "cosine", "category", "both have"]
    print_table(f"Nearest to {printable(item_id, 40)}", columns, map(_neighbor_cells, found))


@app.command(name="list")
def list_sets(context: typer.Context, kb: KnowledgeBase = None, as_json: AsJson = False) -> None:
    """List the sets of vectors that were built."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.item_vectors.vectors import vector_sets  # noqa: PLC0415

    with open_existing_database(settings_of(context, kb=kb).kb) as database, database.session() as session:
        found = vector_sets(session)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
        return
    columns = ["name", "items", "parts", "version", "as of (UTC)", "built (UTC)", "encoder"]
    print_table("Vectors", columns, map(_set_cells, found))


class Telling:
    """Says every few seconds how far the encoding is; remembers how many texts there were."""

    def __init__(self) -> None:
        self.texts = 0
        self._started = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Hear how many texts are encoded, of how many."""
        self.texts, now = total, time.monotonic()
        if now - self._last >= LINE_EVERY or done == total:
            self._last = now
            say(f"encoded {done} texts of {remaining(done, total, now - self._started)}")


def _encoding() -> "Callable[[list[str]], Vectors]":
    """Return what encodes texts in a process of its own."""
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415 - onnxruntime takes a moment to import

    return MiniLmEncoder().encode


def _parts(typed: str) -> "tuple[Part, ...]":
    from memory.item_vectors.parts import Part  # noqa: PLC0415 - SQL takes a moment to import

    words = [word.strip().lower() for word in typed.split(",") if word.strip()]
    unknown = [word for word in words if word not in set(Part)]
    if unknown or not words:
        named = repr(unknown[0]) if unknown else "nothing"
        raise typer.BadParameter(f"{named} is no part of an item; choose from {', '.join(Part)}")
    return tuple(Part(word) for word in words)


def _neighbor_cells(one: "Neighbor") -> list[str | Text]:
    return [
        Text(printable(one.id, 40)),
        Text(printable(one.title, 70)),
        f"{one.cosine:.3f}",
        Text(printable(" > ".join(one.category), 80)),
        Text(printable("; ".join(f"{attribute} {value}" for attribute, value in one.shared), 120)),
    ]


def _set_cells(one: "VectorSet") -> list[str | Text]:
    as_of = "" if one.as_of is None else f"{datetime.fromtimestamp(one.as_of / 1000, UTC):%Y-%m-%d %H:%M}"
    return [
        Text(printable(one.name, 40)),
        str(one.items),
        ", ".join(one.parts),
        str(one.version),
        as_of,
        f"{one.built_at:%Y-%m-%d %H:%M}",
        one.encoder,
    ]
