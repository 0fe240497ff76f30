"""`reaseq unmapped`: what the catalog states and no allowed value, unit or range could hold."""

from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, print_table, say
from commands.settings import Settings, settings_of
from memory.text import printable

if TYPE_CHECKING:
    from agents.values.snapping import Snapped
    from memory.unmapped_values import Example, UnmappedValue

LISTED = 30

Category = Annotated[str | None, typer.Option("--category", help="Only of this category.", metavar="ID")]
Attribute = Annotated[str | None, typer.Option("--attribute", help="Only of this attribute.", metavar="KEY")]


def unmapped(
    context: typer.Context,
    category: Category = None,
    attribute: Attribute = None,
    limit: Annotated[int, typer.Option("--limit", help="At most N values.", min=1)] = LISTED,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """List the values that could not be mapped, those of most items first, with the nearest allowed values."""
    settings = settings_of(context, kb=kb)
    found = unmapped_in(settings, category, attribute)
    near = _nearest(found[:limit], settings)
    if as_json:
        shown = [_document(value, near[n]) for n, value in enumerate(found[:limit])]
        print_json({"values": len(found), "claims": sum(value.claims for value in found), "unmapped": shown})
        return
    if not found:
        asked = {"attribute": attribute, "category": category}
        narrowed = "".join(f" of {name} {printable(given, 60)!r}" for name, given in asked.items() if given)
        say(f"every stated value{narrowed} could be mapped")
        return
    print_table(
        "Values that could not be mapped",
        ["attribute", "value", "reason", "items", "nearest allowed values", "examples"],
        [_cells(value, near[n]) for n, value in enumerate(found[:limit])],
    )
    if len(found) > limit:
        say(f"… and {len(found) - limit} more: --limit {2 * limit}")
    say("reaseq taxonomy propose says what would map them")


def unmapped_in(settings: Settings, category: str | None, attribute: str | None) -> "list[UnmappedValue]":
    """Return what the current version of the knowledge base could not map."""
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.unmapped_values import unmapped_values  # noqa: PLC0415

    with open_existing_database(settings.kb) as database, database.session() as session:
        return unmapped_values(session, category=category, attribute=attribute)


def _nearest(values: "list[UnmappedValue]", settings: Settings) -> "list[list[Snapped]]":
    """Return the allowed values that each value comes nearest to; none where the taxonomy lists none."""
    from agents.values.snapping import nearest  # noqa: PLC0415 - embeddings take a moment to import
    from commands.choices import taxonomy_of  # noqa: PLC0415
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415

    if not values:
        return []
    attributes, encoder = taxonomy_of(settings).attributes, MiniLmEncoder()
    specs = [attributes.get(value.attribute) for value in values]
    return [nearest(value.value, spec, encoder) if spec else [] for value, spec in zip(values, specs, strict=True)]


def _document(value: "UnmappedValue", near: "list[Snapped]") -> dict[str, object]:
    return value.model_dump(mode="json") | {"nearest": [allowed._asdict() for allowed in near]}


def _cells(value: "UnmappedValue", near: "list[Snapped]") -> list[str]:
    return [
        printable(value.attribute, 40),
        printable(value.value, 60),
        value.reason.value,
        str(value.items),
        ", ".join(f"{printable(allowed.value, 30)} {allowed.score:.2f}" for allowed in near),
        "; ".join(map(_example, value.examples)),
    ]


def _example(example: "Example") -> str:
    place = "world knowledge" if example.field is None else f"{printable(example.field, 30)}"
    return f"{printable(example.item_id, 40)} {place} «{printable(example.quote, 60)}»"
