"""`reaseq behaviors`: what shoppers did, imported from logs, looked at, and deleted."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.catalog_items import typed_id
from commands.enrich import ColumnMap
from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.run_options import columns_of
from commands.settings import settings_of
from memory.errors import ReaseqError
from memory.extras import extras

if TYPE_CHECKING:
    from memory.behaviors.files import BehaviorLog
    from memory.behaviors.imports import Import, PackedLog
    from memory.behaviors.overview import Deed, Overview
    from memory.behaviors.store import Added
    from memory.database import Database

KINDS = ("view", "click", "cart", "buy")
SOURCES = ("log", "diffusion")
SHOWN_REFUSALS = 10
LISTED = 20

app = typer.Typer(help="What shoppers did: views, clicks, carts, purchases.", no_args_is_help=True)


class NoBehaviors(ReaseqError):
    """A log without a behaviour, or a user who did nothing."""


@app.command(name="import")
def import_log(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A log: CSV, TSV, RecBole .inter (also .gz) or Parquet.")],
    map_columns: ColumnMap = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="What all rows are, where no column tells it.", metavar="|".join(KINDS))
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option("--time-format", help="How times are written, if not in ISO form.", metavar="%d/%m/%Y"),
    ] = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Add the behaviours of a log to the knowledge base; a log that is there already adds nothing."""
    from memory.database import open_database  # noqa: PLC0415 - SQL takes a moment to import

    log = opened_log(file, columns_of(map_columns), kind, time_format)
    with open_database(settings_of(context, kb=kb).kb) as database:
        found, added = imported(database, log)
    if as_json:
        print_json(_document(log, found, added))
    else:
        _tell(log, found, added)


@app.command()
def show(
    context: typer.Context,
    user: Annotated[str | None, typer.Option("--user", help="The last that this user did.", metavar="U")] = None,
    limit: Annotated[int, typer.Option("--limit", help="At most N behaviours of the user.", min=1)] = LISTED,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Count the stored behaviours, or show a user's last ones with the items' titles, the newest first."""
    with extras():
        from memory.behaviors.imports import imports  # noqa: PLC0415 - polars takes a moment to import
        from memory.behaviors.overview import clock_of, last_deeds, overview  # noqa: PLC0415

    with _opened(context, kb) as database, database.session() as session:
        if user is None:
            found, made = overview(session), imports(session)
        else:
            deeds, is_time = last_deeds(session, typed_id(user), limit), clock_of(session) == "time"
    if user is None:
        _show_overview(found, made, as_json)
    elif not deeds:
        raise NoBehaviors(f"nothing is stored of user {user!r}; `reaseq behaviors show` counts what is")
    elif as_json:
        print_json({"user": typed_id(user), "behaviors": [deed.model_dump(mode="json") for deed in deeds]})
    else:
        _print_deeds(user, deeds, is_time)


@app.command()
def delete(
    context: typer.Context,
    user: Annotated[str | None, typer.Option("--user", help="All that this user did.", metavar="U")] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Of the user, only what this tells.", metavar="|".join(SOURCES))
    ] = None,
    number: Annotated[
        int | None, typer.Option("--import", help="All of one import, as in `reaseq behaviors show`.", metavar="N")
    ] = None,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Delete what is stored of a user, or take an import back; the log of an import taken back may come again."""
    with extras():
        from memory.behaviors.schema import Source  # noqa: PLC0415 - polars takes a moment to import
        from memory.behaviors.store import delete_behaviors, delete_import  # noqa: PLC0415

    if (user is None) == (number is None) or (source and user is None):
        raise typer.BadParameter("say --user U (with --source, only what it tells), or --import N")
    only = Source(_one_of("--source", source, SOURCES)) if source else None
    with _opened(context, kb) as database, database.writing() as session:
        if user is not None:
            gone: int | None = delete_behaviors(session, user=typed_id(user), source=only)
        else:
            gone = delete_import(session, number or 0)
    _tell_deleted(number, gone, as_json)


def opened_log(
    file: Path, columns: dict[str, str] | None = None, kind: str | None = None, time_format: str | None = None
) -> "BehaviorLog":
    """Return a log that can be read; raises what `open_log` raises."""
    with extras():
        from memory.behaviors.files import open_log  # noqa: PLC0415 - polars takes a moment to import
        from memory.behaviors.schema import Kind  # noqa: PLC0415

    said = Kind(_one_of("--kind", kind, KINDS)) if kind else None
    log = open_log(file, columns, said or Kind.CLICK, time_format=time_format)
    if said and log.roles.kind:
        raise typer.BadParameter(f"the column {log.roles.kind!r} tells the kinds; leave out --kind")
    return log


def _opened(context: typer.Context, kb: str | None) -> "Database":
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    return open_existing_database(settings_of(context, kb=kb).kb)


def _one_of(option: str, given: str, known: tuple[str, ...]) -> str:
    if given not in known:
        raise typer.BadParameter(f"{option} is one of {', '.join(known)}; got {given!r}")
    return given


def imported(database: "Database", log: "BehaviorLog") -> "tuple[PackedLog, Added]":
    """Read a log and store it; one that is stored already is not even read."""
    from memory.behaviors.imports import PackedLog, packed_log, store_log  # noqa: PLC0415
    from memory.behaviors.store import Added, import_of  # noqa: PLC0415

    content_hash = log.content_hash
    with database.session() as session:
        before = import_of(session, content_hash)
    if before is not None:
        return PackedLog(), Added(before, 0, is_repeated=True)
    found = packed_log(log)
    if not found.rows:
        why = f"; line {found.reasons[0].line} {found.reasons[0].reason}" if found.reasons else ""
        raise NoBehaviors(f"{log.path}: none of its {found.rejected:,} rows is a behaviour{why}")
    with database.writing() as session:
        return found, store_log(session, log, found, content_hash)


def _document(log: "BehaviorLog", found: "PackedLog", added: "Added") -> dict[str, object]:
    return {
        "file": str(log.path),
        "import": added.import_id,
        "repeated": added.is_repeated,
        "stored": added.rows,
        "rejected": found.rejected,
        "rejected_rows": [{"line": row.line, "reason": row.reason} for row in found.reasons],
        "columns": log.roles.present(),
        "kind": None if log.roles.kind else log.kind,
    }


def _tell(log: "BehaviorLog", found: "PackedLog", added: "Added") -> None:
    if added.is_repeated:
        say(f"{log.path} is import {added.import_id} already; nothing was added")
        return
    for row in found.reasons[:SHOWN_REFUSALS]:
        say(f"rejected: {log.path}, line {row.line}: {row.reason}")
    if found.rejected > SHOWN_REFUSALS:
        say(f"… and {found.rejected - min(SHOWN_REFUSALS, len(found.reasons)):,} more rejected rows")
    columns = ", ".join(f"{role} = {column}" for role, column in log.roles.present().items())
    every = "" if log.roles.kind else f"; no column tells the kinds, so each row is a {log.kind}"
    say(f"columns: {columns}{every}")
    total = added.rows + found.rejected
    say(f"{total:,} rows = {added.rows:,} stored + {found.rejected:,} rejected (import {added.import_id})")


def _tell_deleted(number: int | None, gone: int | None, as_json: bool) -> None:
    if gone is None:
        raise NoBehaviors(f"there is no import {number}; `reaseq behaviors show` lists them")
    if as_json:
        print_json({"deleted": gone})
    else:
        say(f"deleted: {gone:,} behaviours")


def _show_overview(found: "Overview", made: "list[Import]", as_json: bool) -> None:
    if as_json:
        counted = found.model_dump(mode="json") | {"behaviors": found.behaviors}
        print_json(counted | {"imports": [one.model_dump(mode="json") for one in made]})
        return
    print_table(
        "Behaviours", ["kind", "source", "behaviours"], [[c.kind, c.source, f"{c.behaviors:,}"] for c in found.counts]
    )
    is_time = found.clock == "time"
    span = f"from {_when(found.first, is_time)} to {_when(found.last, is_time)}" if found.behaviors else "none yet"
    say(f"{found.behaviors:,} behaviours, {found.users:,} users, {found.items:,} items; {span}")
    if found.unknown_items:
        some = f": {', '.join(found.unknown)}{', …' if found.unknown_items > len(found.unknown) else ''}"
        say(f"{found.unknown_items:,} of the items are not in the catalog{some}")
    rows = [[str(one.id), one.origin, f"{one.rows:,}", f"{one.rejected:,}", one.at[:16]] for one in made]
    print_table("Imports", ["import", "from", "added", "rejected", "at (UTC)"], rows)


def _print_deeds(user: str, deeds: "list[Deed]", is_time: bool) -> None:
    rows = [
        [_when(d.time, is_time), d.kind, d.item, d.title or "(not in the catalog)", d.source, d.session or ""]
        for d in deeds
    ]
    columns = ["time (UTC)" if is_time else "order", "kind", "item", "title", "source", "session"]
    print_table(f"The last that {user} did", columns, rows)


def _when(time: int | None, is_time: bool) -> str:
    """Return a time in ISO form; an order number, and a time beyond the calendar, as it is."""
    if time is None or not is_time:
        return str(time)
    try:
        return datetime.fromtimestamp(time / 1000, UTC).isoformat(sep=" ", timespec="seconds")[:19]
    except (OverflowError, OSError, ValueError):
        return f"{time} ms"
