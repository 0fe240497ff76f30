"""Which item a prompt is tried on: chosen by its id or by words of its title, kept for the next page."""

import asyncio
from collections.abc import Awaitable, Callable

from nicegui import ui

from commands.catalog_items import SAMPLE_CATALOG, find_item, typed_id
from memory.items import item_of
from memory.schema import CatalogItem
from studio.telling import in_tab
from studio.workbench import Workbench

OFFERED = 12
FIRST_OF_SAMPLE = "S001"  # where the knowledge base has no item yet


class ItemChoice:
    """The field, and the item that it means."""

    def __init__(self, bench: Workbench, chosen: Callable[[], Awaitable[None]]) -> None:
        self._bench, self._chosen = bench, chosen
        self.item = _present(bench)

    def show(self) -> None:
        """Show the field; an id is taken over with Enter."""
        told = self.item.id if self.item else ""
        self._field = ui.input("Tried on item", value=told).props("dense outlined").classes("try-item")
        self._field.on_value_change(self._offer)
        self._field.on("keydown.enter", in_tab(self._take), [])
        self._field.on("blur", in_tab(self._take), [])

    async def _offer(self) -> None:
        words = str(self._field.value or "")
        found = await asyncio.to_thread(self._bench.search.find, words, OFFERED)
        if words == str(self._field.value or ""):  # no other letter was typed meanwhile
            self._field.set_autocomplete([one.id for one in found])

    async def _take(self) -> None:
        item_id = typed_id(str(self._field.value or ""))
        if self.item is not None and item_id == self.item.id:
            return
        found = await self._bench.read(lambda session: item_of(session, item_id))
        if found is None:
            ui.notify(f"there is no item {item_id!r}", type="warning")
            return
        self.item, self._bench.chosen = found, item_id
        await self._chosen()


def _present(bench: Workbench) -> CatalogItem | None:
    """Return the item that was looked at last, else the first one there is, else one of the sample."""
    with bench.database.session() as session:
        if bench.chosen and (item := item_of(session, bench.chosen)) is not None:
            return item
    first = bench.search.find("", 1)
    if first:
        with bench.database.session() as session:
            return item_of(session, first[0].id)
    return find_item(SAMPLE_CATALOG, FIRST_OF_SAMPLE)
