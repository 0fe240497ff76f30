"""`reaseq kb`: the versions of the results in a knowledge base, compared, switched as a whole, and dropped."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.settings import settings_of

if TYPE_CHECKING:
    from memory.database import Database
    from memory.schema import Provenance
    from memory.version_diff import ItemDiff, Value
    from memory.versions import Version

LISTED = 50

app = typer.Typer(help="The versions of the results.", no_args_is_help=True)


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


def _opened(context: typer.Context, kb: str | None) -> "Database":
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    return open_existing_database(settings_of(context, kb=kb).kb)


def _cells(version: "Version", parents: "Provenance | None") -> list[str]:
    return [
        "*" if version.current else "",
        str(version.id),
        str(version.parent_id or ""),
        f"{version.created_at:%Y-%m-%d %H:%M}",
        str(version.results),
        "\n".join(_configuration(version.provenance, parents)) or "the same",
    ]


def _configuration(made: "Provenance | None", parents: "Provenance | None") -> list[str]:
    """Return what tells a configuration from the one that it is laid over, else what it is."""
    if made is None:
        return ["several"]
    if parents is None:
        return [made.model, f"max_revisions {made.max_revisions}", f"reaseq {made.code_version}"]
    before, after = dict(parents), dict(made)
    changed = [name for name in after if name not in ("prompts", "aids") and before[name] != after[name]]
    prompts = [f"prompt {name}" for name, fingerprint in made.prompts if (name, fingerprint) not in parents.prompts]
    return [f"{name} {before[name]} -> {after[name]}" for name in changed] + prompts + _aids(made, parents)


def _aids(made: "Provenance", parents: "Provenance") -> list[str]:
    """Return what aided the extractor and does not any more, or does now, or is another one."""
    before, after = dict(parents.aids), dict(made.aids)
    lost = [f"without {name}" for name in before if name not in after]
    return lost + [
        f"{'another' if name in before else 'with'} {name}" for name in after if before.get(name) != after[name]
    ]


def _difference_cells(difference: "ItemDiff") -> list[str]:
    lines = []
    if not all(difference.known):
        lines.append("only the second knows it" if difference.known[1] else "only the first knows it")
    if difference.category:
        lines.append(f"category {' -> '.join(difference.category)}")
    lines += [f"{was[0]}: {_phrase(was)} -> {_phrase(now)}" for was, now in difference.changed]
    lines += [f"- {value[0]}: {_phrase(value)}" for value in difference.removed]
    lines += [f"+ {value[0]}: {_phrase(value)}" for value in difference.added]
    more, fewer = difference.demands
    lines += [f"demands: {more} more, {fewer} fewer"] if more or fewer else []
    lines += ["another summary"] if difference.summary else []
    return [difference.item_id, difference.title, "\n".join(lines)]


def _phrase(value: "Value") -> str:
    return value[1] if value[2] is None else f"{value[1]} {value[2]}"
