"""What the catalog states and no allowed value could hold, and what the taxonomy could learn from it."""

import asyncio
from collections.abc import Awaitable, Callable

from commands.proposals import proposed
from memory.unmapped_values import UnmappedValue, unmapped_values
from studio.parts import Cell, address, box, button, heading, table, text, waiting
from studio.workbench import Workbench

LISTED = 50
LEAST_ITEMS = 2  # of a proposal


def unmapped_part(bench: Workbench, category: str | None) -> None:
    """Show what lists unmapped values when it is asked for."""

    async def show() -> None:
        found = await bench.read(lambda session: unmapped_values(session, category=category))
        heading("Values that could not be mapped", f"{len(found):,}, those of most items first")
        if not found:
            text("Every stated value could be mapped.", "told good")
            return
        table(["attribute", "value", "reason", "items", "for example"], map(_cells, found[:LISTED]), numbers=[3])

    _asked_for("Unmapped values", "What items state and no allowed value, unit or range could hold.", show)


def proposals_part(bench: Workbench, category: str | None) -> None:
    """Show what lists proposals when it is asked for: it embeds the unmapped values first."""

    async def show() -> None:
        found, listed = await asyncio.to_thread(proposed, bench.settings, category, None, LEAST_ITEMS)
        heading("Proposed for the taxonomy", "nothing is changed: a person decides")
        if not found and not listed:
            text("Nothing to propose: every stated value could be mapped, or too few items state it.", "told good")
        if found:
            rows = [
                [
                    one.attribute,
                    f"{'words for' if one.kind == 'alias' else 'new value'} {one.value}",
                    ", ".join(one.words),
                    f"{one.items:,}",
                    f"{one.coverage:.0%} → {one.coverage_after:.0%}",
                ]
                for one in found[:LISTED]
            ]
            table(["attribute", "proposal", "words", "items", "coverage"], rows, numbers=[3])
        if listed:
            heading("Free-text values that could be listed")
            rows = [
                [v.attribute, v.value, ", ".join(v.words), f"{v.items:,}", f"{v.share:.0%}"] for v in listed[:LISTED]
            ]
            table(["attribute", "value", "other spellings", "items", "share"], rows, numbers=[3, 4])
        text("`reaseq taxonomy propose --out FILE` writes them in the form of a taxonomy file.", "soft small")

    _asked_for("Proposals", "Words and allowed values that would map them, with the coverage gained.", show)


def _asked_for(title: str, note: str, show: Callable[[], Awaitable[None]]) -> None:
    async def fill() -> None:
        place.clear()
        with place:
            waiting("looking")
        with place:
            made = box("stack")
            with made:
                await show()
        for child in list(place.default_slot.children)[:-1]:
            child.delete()

    place = box("panel")
    with place, box("row between"):
        with box():
            text(title, tag="h2")
            text(note, "soft small")
        button("Show", fill)


def _cells(value: UnmappedValue) -> list[str | Cell]:
    first = value.examples[0]
    return [
        value.attribute,
        value.value,
        value.reason.value.replace("_", " "),
        f"{value.items:,}",
        Cell(f"{first.item_id}: «{first.quote}»", to=address("items", item=first.item_id)),
    ]
