"""A decision is about the value that is shown, however fast keys follow one another and however slow the base is."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

pytest.importorskip("nicegui", reason="the studio is an extra")

from nicegui import Client, ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from commands.settings import Settings
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.database import Session
from memory.reviews import all_rulings
from memory.schema import CatalogItem
from memory.store import save_enrichment, save_template
from memory.versions import use, version_for
from studio.review_desk import ReviewDesk
from studio.review_page import Learnt
from studio.workbench import Workbench
from tests.memory.knowledge_samples import DRILLS, PROVENANCE, enriched, quoted

T = TypeVar("T")


class HeldBench(Workbench):
    """A workbench whose next reading can be held back between the reading and its answer."""

    slow: "SlowReading | None" = None

    async def read(self, work: Callable[[Session], T]) -> T:
        """Read at once, and give what was read when it may go on."""
        slow, self.slow = self.slow, None
        result = await super().read(work)
        if slow is not None:
            slow.has_read.set()
            await slow.may_answer.wait()
        return result


class SlowReading:
    """One reading that is held back."""

    def __init__(self) -> None:
        self.has_read, self.may_answer = asyncio.Event(), asyncio.Event()


@pytest.fixture
def bench(tmp_path: Path) -> HeldBench:
    """Three items whose brand waits for a decision."""
    opened = HeldBench.open(Settings(kb=f"sqlite:///{tmp_path}/shop.db", cache=tmp_path))
    specs = (AttributeSpec(key="brand", name="brand", type=AttributeType.TEXT),)
    template = CategoryTemplate(category_id="drills", path=DRILLS, attributes=specs, taxonomy_version="starter-1")
    with opened.database.writing() as session:
        save_template(session, template)
        version = version_for(session, PROVENANCE)
        for number, brand in enumerate(("Acme", "Bosch", "Casa")):
            item = CatalogItem(id=f"K{number}", title=f"{brand} kettle")
            made = enriched(item, [quoted(item, "c1", "brand", brand)]).model_copy(update={"ungrounded": ()})
            save_enrichment(session, version, item, made)
        use(session, version)
    return opened  # type: ignore[return-value]


def decided(bench: Workbench) -> list[str]:
    return sorted(bench.database.read(all_rulings))


def figure(place: Element, label: str) -> str:
    """Return the number that is shown large over a label."""
    texts: list[str] = [one.text for one in place.descendants() if isinstance(one, TextElement)]
    return texts[texts.index(label) - 1]


async def _nothing() -> None:
    """Tell nobody."""


def in_a_tab(story: Callable[[], Any]) -> None:
    """Run a story as a page runs it."""

    async def run() -> None:
        with Client(ui.page("/")):
            await story()

    asyncio.run(run())


def test_a_second_key_before_the_next_value_is_shown_decides_nothing(bench: HeldBench) -> None:
    async def story() -> None:
        desk = ReviewDesk(bench, _nothing)
        desk.filters()
        await desk.load()
        slow = bench.slow = SlowReading()

        first = asyncio.create_task(desk.accept())
        await slow.has_read.wait()  # decided, and what comes next is not shown yet
        for key in (desk.accept, desk.reject, desk.skip, desk.undo):
            await asyncio.wait_for(key(), 10)
        slow.may_answer.set()
        await first
        assert decided(bench) == ["K0"]

        await desk.accept()
        assert decided(bench) == ["K0", "K1"]
        await desk.undo()
        assert decided(bench) == ["K0"]

    in_a_tab(story)


def test_what_was_read_before_a_decision_does_not_stay_in_place_of_what_was_read_after_it(bench: HeldBench) -> None:
    async def story() -> None:
        learnt = Learnt(bench)
        desk = ReviewDesk(bench, _nothing)
        desk.filters()
        await desk.load()
        await desk.accept()
        slow = bench.slow = SlowReading()
        early = asyncio.create_task(learnt.fill())
        await slow.has_read.wait()
        await desk.accept()
        late = asyncio.create_task(learnt.fill())
        await asyncio.wait([late], timeout=0.5)  # where nothing orders them the late one is through by then
        slow.may_answer.set()
        await asyncio.gather(early, late)

        assert figure(learnt.place, "claims judged") == "2"

    in_a_tab(story)
