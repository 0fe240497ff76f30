"""The page Item: search the catalog, the item with its evidence, what the agents did, and what an edit would change."""

import asyncio
from functools import partial

from nicegui import ui
from nicegui.element import Element
from nicegui.page_arguments import PageArguments

from memory.item_search import FoundItem
from memory.items import item_of
from memory.store import enrichment_of, failure_of
from studio.item_traces import ItemTraces
from studio.item_view import show_item, show_unknown
from studio.parts import address, box, button, empty, text, waiting
from studio.shell import Shell
from studio.workbench import Workbench

PAGE = 30  # items of a page of results


async def items_page(bench: Workbench, shell: Shell, arguments: PageArguments) -> None:
    """Show the page; the address says which item."""
    item_id = arguments.query_parameters.get("item", "")
    shell.show("items", {"j, k": "next, previous of the items found"})
    with box("columns aside"):
        with box("panel"):
            found = _Results(bench, item_id)
            found.show()
        shown = box("item")
    shell.on_key("j", partial(found.step, 1))
    shell.on_key("k", partial(found.step, -1))
    with shown:
        if not item_id:
            with box("title"):
                text("Items", tag="h1")
            empty("Choose an item", "Type the first letters of its id or of words of its title; / puts you there.")
        else:
            waiting("reading")
    await found.search()
    if item_id:
        bench.chosen = item_id
        numbers = {name: _number(arguments, name) for name in ("trace", "step", "beside")}
        await _fill(bench, shown, item_id, numbers)


def _number(arguments: PageArguments, name: str) -> int:
    given = arguments.query_parameters.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 10 else 0


async def _fill(bench: Workbench, shown: Element, item_id: str, numbers: dict[str, int]) -> None:
    item, known, failure = await bench.read(
        lambda session: (
            item_of(session, item_id),
            enrichment_of(session, item_id),
            failure_of(session, item_id),
        )
    )
    shown.clear()
    with shown:
        if item is None:
            empty("There is no such item", "It may have been stored in another knowledge base.")
            return
        if known is None:
            show_unknown(item, failure)
        else:
            show_item(known.item, known.enrichment, folded=bool(numbers["trace"]))
        await ItemTraces(bench, item).show(**numbers)


class _Results:
    """The items found, a page at a time."""

    def __init__(self, bench: Workbench, chosen: str) -> None:
        self._bench, self._chosen = bench, chosen
        self._after, self._number = 0, 0
        self._found: list[FoundItem] = []

    def show(self) -> None:
        """Show the field to type in, and the place for what is found."""
        self._field = ui.input("Search id and title", value=self._bench.searched)
        self._field.props('dense outlined clearable debounce="150"').classes("search full")
        self._field.on_value_change(self._anew)
        self._list = box("list results").props("role=list")

    async def search(self) -> None:
        """Look for what the field says; an answer that another search has overtaken is dropped."""
        self._number += 1
        number, words = self._number, str(self._field.value or "")
        self._bench.searched = words
        found = await asyncio.to_thread(self._bench.search.find, words, PAGE + 1, self._after)
        if number == self._number:
            self._found = found
            self._fill()

    def step(self, by: int) -> None:
        """Go to the next or the previous of the items found."""
        ids = [one.id for one in self._found[:PAGE]]
        place = ids.index(self._chosen) + by if self._chosen in ids else 0
        if 0 <= place < len(ids):
            ui.navigate.to(address("items", item=ids[place]))

    async def _anew(self) -> None:
        self._after = 0
        await self.search()

    async def _turn(self, by: int) -> None:
        self._after = max(0, self._after + by * PAGE)
        await self.search()

    def _fill(self) -> None:
        self._list.clear()
        with self._list:
            for one in self._found[:PAGE]:
                with box("chosen" if one.id == self._chosen else "", "a") as entry:
                    text(one.title)
                    text(one.id, "sub mono")
                entry.props["href"] = address("items", item=one.id)
            if not self._found:
                empty("Nothing found", "Fewer letters find more; a run stores the items of a catalog.")
            with box("pager"):
                if self._after:
                    button("← Previous", partial(self._turn, -1))
                if len(self._found) > PAGE:
                    button("Next →", partial(self._turn, 1))
