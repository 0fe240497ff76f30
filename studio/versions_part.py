"""The versions of the results: which is read, what two of them say differently, and the way back."""

import asyncio
from functools import partial
from itertools import islice

from nicegui import ui
from nicegui.element import Element

from commands.version_words import difference_lines, phrase_configuration
from memory.database import Session
from memory.version_diff import ItemDiff, diff
from memory.versions import Version, current_version, use, versions
from studio.parts import Cell, address, box, button, empty, heading, table, text, waiting
from studio.workbench import Workbench

LISTED = 50  # items that differ


async def versions_part(bench: Workbench) -> None:
    """Show the versions, newest first, and what compares two of them."""
    found = await bench.read(versions)
    heading("Versions of the results", "one a configuration; exactly one is read, by everything")
    if not found:
        empty("No version yet", "The first run makes one.")
        return
    part = _Versions(bench, found)
    part.table = box()
    with box("row part"):
        part.choices()
    part.differences = box("part")
    part.fill()


class _Versions:
    table: Element
    differences: Element

    def __init__(self, bench: Workbench, found: list[Version]) -> None:
        self._bench, self._found = bench, found
        self._comparing = asyncio.Lock()  # the last comparison asked for is the one that stays

    def fill(self) -> None:
        """Show the versions."""
        made = {version.id: version.provenance for version in self._found}
        self.table.clear()
        with self.table:
            rows: list[list[str | Cell]] = [
                [
                    str(version.id),
                    str(version.parent_id or ""),
                    Cell(f"{version.created_at:%Y-%m-%d %H:%M}", "nowrap"),
                    f"{version.results:,}",
                    "\n".join(phrase_configuration(version.provenance, made.get(version.parent_id or 0))) or "the same",
                    Cell(make=partial(self._use_cell, version)),
                ]
                for version in reversed(self._found)
            ]
            table(["version", "over", "made (UTC)", "results", "configuration", ""], rows, numbers=[0, 1, 3])

    def choices(self) -> None:
        """Show what chooses two versions to compare."""
        names = {version.id: f"version {version.id}" for version in self._found}
        last = self._found[-1].id
        first = self._found[-1].parent_id or self._found[0].id
        text("Compare", "soft")
        self._first = ui.select(names, value=first).props("dense outlined options-dense")
        text("with", "soft")
        self._second = ui.select(names, value=last).props("dense outlined options-dense")
        button("Compare", self._compare, "compare")

    def _use_cell(self, version: Version) -> None:
        if version.current:
            text("is read", "badge good")
        else:
            button("Read this one", lambda: self._use(version.id), hint="show, export and all else, from now on")

    async def _use(self, version_id: int) -> None:
        def switch(session: Session) -> int | None:
            before = current_version(session)
            use(session, version_id)
            return before

        before = await self._bench.write(switch)
        self._found = await self._bench.read(versions)
        self.fill()
        ui.notify(f"version {version_id} is read from now on (before: {before})", type="positive")

    async def _compare(self) -> None:
        async with self._comparing:
            first, second = int(self._first.value), int(self._second.value)
            self.differences.clear()
            with self.differences:
                waiting("comparing item by item")
            found = await self._bench.read(lambda session: list(islice(diff(session, first, second), LISTED + 1)))
            self.differences.clear()
            with self.differences:
                _show_differences(first, second, found)


def _show_differences(first: int, second: int, found: list[ItemDiff]) -> None:
    more = len(found) > LISTED
    note = f"the first {LISTED} items that differ" if more else f"{len(found)} items differ"
    heading(f"From version {first} to {second}", note)
    if not found:
        text("They say the same of every item.", "told good")
        return
    rows: list[list[str | Cell]] = [
        [Cell(one.item_id, to=address("items", item=one.item_id)), one.title, "\n".join(difference_lines(one))]
        for one in found[:LISTED]
    ]
    table(["item", "title", "difference"], rows)
