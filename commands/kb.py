"""`reaseq kb`: the versions of the results in a knowledge base, compared, switched and dropped; copies of all of it."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.settings import settings_of

if TYPE_CHECKING:
    from memory.database import Database
    from memory.schema import Provenance
    from memory.version_diff import ItemDiff
    from memory.versions import Version

LISTED = 50

app = typer.Typer(help="The versions of the results, and copies of a knowledge base.", no_args_is_help=True)


@app.command()
def versions(context: typer.Context, kb: KnowledgeBase = None, as_json: AsJson = False) -> None:
    """List the versions, oldest first: one a configuration, each laid over its parent."""
    from memory import versions as stored  # noqa: PLC0415 - SQL takes a moment to import

    with _opened(context, kb) as database, database.session() as session:
        found = stored.versions(session)
    if as_json:
        print_json([version.model_dump(mode="json") for version in found])
        return
    made = {version.id: version.provenance for version in found}
    rows = [_cells(version, made.get(version.parent_id or 0)) for version in found]
    print_table("Versions (* is read)", ["", "version", "over", "made (UTC)", "results", "configuration"], rows)


@app.command()
def diff(
    context: typer.Context,
    first: Annotated[int, typer.Argument(help="A version, as in `reaseq kb versions`.", metavar="A")],
    second: Annotated[int, typer.Argument(help="Another.", metavar="B")],
    limit: Annotated[int, typer.Option("--limit", help="At most N items.", min=1)] = LISTED,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Show what two versions say differently, item by item."""
    from memory.version_diff import diff as differences  # noqa: PLC0415 - SQL takes a moment to import

    with _opened(context, kb) as database, database.session() as session:
        found = list(islice(differences(session, first, second), limit + 1))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        print_json(
            {"first": first, "second": second, "items": [d.model_dump(mode="json") for d in shown], "more": more}
        )
        return
    print_table(f"From version {first} to {second}", ["item", "title", "difference"], map(_difference_cells, shown))
    say(f"… and more: --limit {2 * limit}" if more else f"{len(shown)} items differ")


@app.command()
def use(
    context: typer.Context,
    version: Annotated[int, typer.Argument(help="A version, as in `reaseq kb versions`.", metavar="V")],
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Read another version from now on, as a whole: show, export and all else."""
    from memory.versions import current_version  # noqa: PLC0415 - SQL takes a moment to import
    from memory.versions import use as switch  # noqa: PLC0415

    with _opened(context, kb) as database, database.writing() as session:
        before = current_version(session)
        switch(session, version)
    if as_json:
        print_json({"before": before, "current": version})
    else:
        say(f"version {version} is read from now on (before: {before})")


@app.command()
def prune(
    context: typer.Context,
    keep: Annotated[list[int] | None, typer.Option("--keep", help="A version to keep; may be repeated.")] = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Drop all versions but the current one and those to keep; what these say stays the same."""
    from memory.version_pruning import prune as drop  # noqa: PLC0415 - SQL takes a moment to import

    with _opened(context, kb) as database, database.writing() as session:
        dropped = drop(session, keep or ())
    if as_json:
        print_json({"dropped": dropped})
    else:
        say(f"dropped: {', '.join(map(str, dropped)) or 'nothing'}")


@app.command()
def copy(
    source: Annotated[str, typer.Argument(help="The database URL of a knowledge base.", metavar="SOURCE_URL")],
    target: Annotated[str, typer.Argument(help="That of an empty database, or of a new file.", metavar="TARGET_URL")],
    as_json: AsJson = False,
) -> None:
    """Copy a whole knowledge base into an empty one, such as SQLite into PostgreSQL, and verify it row by row."""
    from memory.copying import copy_knowledge  # noqa: PLC0415 - SQL takes a moment to import
    from memory.database import open_database, open_existing_database  # noqa: PLC0415

    with open_existing_database(source) as held, open_database(target) as empty:
        copied = copy_knowledge(held, empty, lambda table, rows: say(f"{table}: {rows} rows …") if rows else None)
        names = {"source": held.url, "target": empty.url}
    rows = sum(one.rows for one in copied)
    if as_json:
        print_json(names | {"rows": rows, "tables": [one.model_dump(mode="json") for one in copied]})
        return
    cells = [[one.table, str(one.rows), one.digest] for one in copied]
    print_table(f"Copied to {names['target']}", ["table", "rows", "digest, the same on both sides"], cells)
    say(f"{rows} rows copied, each read back and equal")


def _opened(context: typer.Context, kb: str | None) -> "Database":
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    return open_existing_database(settings_of(context, kb=kb).kb)


def _cells(version: "Version", parents: "Provenance | None") -> list[str]:
    from commands.version_words import phrase_configuration  # noqa: PLC0415 - SQL takes a moment to import

    return [
        "*" if version.current else "",
        str(version.id),
        str(version.parent_id or ""),
        f"{version.created_at:%Y-%m-%d %H:%M}",
        str(version.results),
        "\n".join(phrase_configuration(version.provenance, parents)) or "the same",
    ]


def _difference_cells(difference: "ItemDiff") -> list[str]:
    from commands.version_words import difference_lines  # noqa: PLC0415 - SQL takes a moment to import

    return [difference.item_id, difference.title, "\n".join(difference_lines(difference))]
