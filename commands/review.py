"""`reaseq review`: what waits for a person's word, and the word, which goes before every later run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.catalog_items import typed_id
from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.priorities import Priorities, gains_in
from commands.settings import settings_of

if TYPE_CHECKING:
    from agents.ruling_drafts import Case
    from commands.review_desk import Draft
    from memory.database import Database
    from memory.review_queue import QueueFilter
    from memory.rulings import HumanRuling

LISTED = 50
REASONS = "text_changed, abstained, disputed, contradiction, not_in_vocabulary, ungrounded, least_sure"

app = typer.Typer(help="Values that wait for a person to decide, and the decisions.", no_args_is_help=True)

Attribute = Annotated[str | None, typer.Option("--attribute", help="Only values of this attribute.", metavar="KEY")]
Category = Annotated[str | None, typer.Option("--category", help="Only items of this category.", metavar="ID")]
Reason = Annotated[
    list[str] | None, typer.Option("--reason", help=f"Only what waits for this reason; may be repeated: {REASONS}.")
]
Reviewer = Annotated[str, typer.Option("--reviewer", help="Who decides; nobody unless said.", metavar="NAME")]
Note = Annotated[str, typer.Option("--note", help="Why, in your words.", metavar="TEXT")]
Item = Annotated[str, typer.Argument(help="The item's id.", metavar="ITEM")]
Key = Annotated[str, typer.Argument(help="The attribute's key.", metavar="ATTRIBUTE")]
Claimed = Annotated[str | None, typer.Argument(help="The claimed value; not needed where one stands.", metavar="VALUE")]
InsteadOf = Annotated[
    str | None, typer.Option("--instead-of", help="The claimed value that is wrong, where there are several.")
]


@app.command(name="list")
def list_queue(
    context: typer.Context,
    attribute: Attribute = None,
    category: Category = None,
    reason: Reason = None,
    priorities: Priorities = None,
    limit: Annotated[int, typer.Option("--limit", help="At most N values.", min=1)] = LISTED,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """List the values that wait for a decision, the most useful first."""
    from commands.review_pages import entry_document, print_queue  # noqa: PLC0415 - SQL takes a moment to import
    from memory.review_queue import queue  # noqa: PLC0415

    wanted = _filter(attribute, category, reason, priorities)
    with _opened(context, kb) as database, database.session() as session:
        found = queue(session, wanted, limit + 1)
    if as_json:
        print_json({"values": [entry_document(entry) for entry in found[:limit]], "more": len(found) > limit})
        return
    print_queue(found[:limit])
    say(f"… and more: --limit {2 * limit}" if len(found) > limit else f"{len(found)} values wait for a decision")


@app.command(name="next")
def decide_next(
    context: typer.Context,
    attribute: Attribute = None,
    category: Category = None,
    reason: Reason = None,
    priorities: Priorities = None,
    reviewer: Reviewer = "",
    kb: KnowledgeBase = None,
) -> None:
    """Decide one value after the other with single keys; from a pipe, with one line a key."""
    from commands.review_session import Lines, ReviewSession, Terminal  # noqa: PLC0415 - as above

    wanted = _filter(attribute, category, reason, priorities)
    with _opened(context, kb) as database:
        keys = Terminal() if sys.stdin.isatty() else Lines()
        session = ReviewSession(database, wanted, keys, reviewer)
        session.run()
    say(f"{len(session.decided)} decided, {session.skipped} skipped")


@app.command()
def accept(
    context: typer.Context,
    item: Item,
    attribute: Key,
    value: Claimed = None,
    reviewer: Reviewer = "",
    note: Note = "",
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Say that a claimed value is right."""
    from agents.ruling_drafts import acceptance  # noqa: PLC0415 - as above
    from commands.review_desk import value_meant  # noqa: PLC0415

    def draft(case: "Case") -> "HumanRuling":
        meant = value_meant(case, attribute, value)
        return acceptance(case, attribute, meant, reviewer=reviewer, note=note)

    _decide(context, kb, item, draft, as_json)


@app.command()
def correct(
    context: typer.Context,
    item: Item,
    attribute: Key,
    value: Annotated[str, typer.Argument(help="The right value.", metavar="VALUE")],
    instead_of: InsteadOf = None,
    reviewer: Reviewer = "",
    note: Note = "",
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """State the right value of an attribute, in place of a claimed one or where there is none."""
    from agents.ruling_drafts import correction  # noqa: PLC0415 - as above
    from commands.review_desk import value_to_correct  # noqa: PLC0415

    def draft(case: "Case") -> "HumanRuling":
        judged = value_to_correct(case, attribute, instead_of)
        return correction(case, attribute, judged, value, reviewer=reviewer, note=note)

    _decide(context, kb, item, draft, as_json)


@app.command()
def reject(
    context: typer.Context,
    item: Item,
    attribute: Key,
    value: Claimed = None,
    reviewer: Reviewer = "",
    note: Note = "",
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Say that a claimed value is wrong; it is not claimed of the item again."""
    from agents.ruling_drafts import rejection  # noqa: PLC0415 - as above
    from commands.review_desk import value_meant  # noqa: PLC0415

    def draft(case: "Case") -> "HumanRuling":
        meant = value_meant(case, attribute, value)
        return rejection(case, attribute, meant, reviewer=reviewer, note=note)

    _decide(context, kb, item, draft, as_json)


@app.command()
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="The file to write (JSON Lines).", metavar="FILE")],
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Write what was decided as golden items, for `reaseq evaluate`."""
    from commands.review_gold import write_gold  # noqa: PLC0415 - as above

    with _opened(context, kb) as database:
        items = write_gold(database, out)
    if as_json:
        print_json({"items": items, "file": str(out)})
    else:
        say(f"wrote {items} golden items to {out}")


def _decide(context: typer.Context, kb: str | None, item: str, draft: "Draft", as_json: bool) -> None:
    from commands.review_desk import decide  # noqa: PLC0415 - as above
    from commands.review_pages import phrase_ruling  # noqa: PLC0415

    with _opened(context, kb) as database:
        decided = decide(database, typed_id(item), draft)
    if as_json:
        print_json(decided.ruling.model_dump(mode="json"))
    else:
        say(phrase_ruling(decided.ruling))


def _filter(
    attribute: str | None, category: str | None, reasons: list[str] | None, priorities: Path | None
) -> "QueueFilter":
    from memory.review_queue import QueueFilter, QueueReason  # noqa: PLC0415 - as above

    try:
        chosen = tuple(QueueReason(reason) for reason in reasons) if reasons else tuple(QueueReason)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; there are: {REASONS}") from None
    named = {"attribute": attribute, "category": category}
    given = {name: typed_id(text) for name, text in named.items() if text is not None}
    return QueueFilter(**given, reasons=chosen, first=tuple(gains_in(priorities)))


def _opened(context: typer.Context, kb: str | None) -> "Database":
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    return open_existing_database(settings_of(context, kb=kb).kb)
