"""One value after the other: what is asked, the decision, and the way back; each decision is stored at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from agents.phrasing import phrase_path
from agents.ruling_drafts import acceptance, correction, phrase_stated, rejection
from commands.review_desk import Decided, Draft, decide, undo
from commands.review_pages import WHY, phrase_ruling
from memory.category import AttributeSpec
from memory.review_queue import Key, QueueEntry, QueueFilter, QueueReason, queue
from memory.reviewed_results import template_behind
from studio.evidence import show_source
from studio.parts import Cell, box, button, empty, link, table, text, waiting
from studio.telling import in_tab
from studio.workbench import Workbench

AHEAD = 6  # entries read at a time: each is read whole
SHOWN_VALUES = 60  # allowed values that are offered


class ReviewDesk:
    """A person at the queue."""

    def __init__(self, bench: Workbench, decided: Callable[[], Awaitable[None]]) -> None:
        self._bench, self._tell_decided = bench, decided
        self._ahead: deque[QueueEntry] = deque()
        self._passed: set[Key] = set()
        self._decided: list[tuple[QueueEntry, Decided]] = []
        self._spec: AttributeSpec | None = None
        self._turn = asyncio.Lock()  # a decision's, until the next entry is shown: what is decided is what is seen
        self.place = ui.element()

    def filters(self) -> None:
        """Show what narrows the queue."""
        with box("row"):
            reasons = {"": "all reasons"} | {reason.value: reason.value.replace("_", " ") for reason in QueueReason}
            self._reason = ui.select(reasons, value="", label="Why", on_change=self.load)
            self._attribute = ui.input("Attribute", placeholder="all").on("change", in_tab(self.load), [])
            self._category = ui.input("Category", placeholder="all").on("change", in_tab(self.load), [])
            for field in (self._reason, self._attribute, self._category):
                field.props("dense outlined options-dense")

    async def load(self) -> None:
        """Read the first entries of the queue."""
        async with self._turn:
            self._ahead.clear()
            if not self.place.default_slot.children:
                with self.place:
                    waiting("looking for what is worth a person's word")
            await self._show_next()

    async def accept(self) -> None:
        """Say that the value is right."""
        await self._decide(lambda entry: partial(acceptance, attribute=entry.attribute, value=entry.value))

    async def reject(self) -> None:
        """Say that the value is wrong."""
        await self._decide(lambda entry: partial(rejection, attribute=entry.attribute, value=entry.value))

    async def correct(self) -> None:
        """Say what is right in place of the value."""
        right = str(self._right.value or "").strip()
        if right:
            await self._decide(
                lambda entry: partial(correction, attribute=entry.attribute, judged=entry.value, text=right)
            )

    def begin_correction(self) -> None:
        """Put the cursor where the right value is written."""
        if self._ahead:
            self._right.run_method("focus")

    async def skip(self) -> None:
        """Pass over the value, for this time."""
        if self._ahead and not self._turn.locked():
            async with self._turn:
                self._passed.add(self._ahead.popleft().key)
                await self._show_next()

    async def undo(self) -> None:
        """Take the last decision of this sitting back."""
        if self._turn.locked():
            return
        if not self._decided:
            ui.notify("there is nothing to undo")
            return
        async with self._turn:
            entry, decided = self._decided[-1]
            await asyncio.to_thread(undo, self._bench.database, decided)
            self._decided.pop()
            self._passed.discard(entry.key)
            self._ahead.appendleft(entry)
            ui.notify(f"taken back: {phrase_ruling(decided.ruling)}")
            await self._show_next()
        await self._tell_decided()

    async def _decide(self, draft_for: Callable[[QueueEntry], Draft]) -> None:
        if not self._ahead or self._turn.locked():
            return
        async with self._turn:
            entry = self._ahead[0]
            item = entry.known.item
            decided = await asyncio.to_thread(
                decide, self._bench.database, item.id, draft_for(entry), seen=item.content_hash
            )
            self._decided.append((entry, decided))
            self._passed.add(entry.key)
            # A decision settles the rivals of its value too: they are asked for anew.
            self._ahead = deque(e for e in self._ahead if (e.known.item.id, e.attribute) != (item.id, entry.attribute))
            await self._show_next()
        await self._tell_decided()

    async def _show_next(self) -> None:
        if not self._ahead:
            wanted, passed = self._wanted(), frozenset(self._passed)
            self._ahead.extend(await self._bench.read(lambda session: queue(session, wanted, AHEAD, passed)))
        entry = next(iter(self._ahead), None)
        if entry is not None:
            made = entry.known.enrichment
            template = await self._bench.read(lambda session: template_behind(session, made))
            self._spec = template.spec(entry.attribute)
        self.place.clear()
        with self.place:
            if entry is None:
                empty("Nothing waits for a decision", "Run a catalog, or choose another reason above; u takes back.")
            else:
                self._show(entry)

    def _wanted(self) -> QueueFilter:
        reason = self._reason.value
        return QueueFilter(
            attribute=str(self._attribute.value or "").strip() or None,
            category=str(self._category.value or "").strip() or None,
            reasons=(QueueReason(reason),) if reason else tuple(QueueReason),
        )

    def _show(self, entry: QueueEntry) -> None:
        item, enrichment = entry.known
        evidence = entry.claim.evidence if entry.claim else None
        with box("stack"):
            with box("row between"):
                text(entry.reason.value.replace("_", " "), "badge doubt reason")
                link(f"{item.id} →", "items", "small", item=item.id)
            with box():
                text(entry.attribute.replace("_", " "), "soft")
                text(phrase_stated(entry.value), "claim-value")
                text(WHY[entry.reason.value], "soft small")
            with box("row"):
                button("Accept", self.accept, "primary accept", key="a")
                button("Reject", self.reject, "danger reject", key="r")
                button("Skip", self.skip, key="s")
                button("Undo", self.undo, key="u", off=not self._decided)
            self._correction()
            show_source(item, [evidence] if evidence else [], evidence)
            text(phrase_path(enrichment.category.path), "soft small")
            _show_claims(entry)

    def _correction(self) -> None:
        allowed = [value.value for value in self._spec.values[:SHOWN_VALUES]] if self._spec else []
        with box("row"):
            self._right = (
                ui.input("The right value", autocomplete=allowed).props("dense outlined").classes("right-value")
            )
            self._right.on("keydown.enter", in_tab(self.correct), [])
            button("Correct", self.correct, key="c")


def _show_claims(entry: QueueEntry) -> None:
    enrichment = entry.known.enrichment
    rows: list[list[str | Cell]] = []
    for claim in enrichment.claims:
        if claim.name == entry.attribute:
            verdict = enrichment.verdict_on(claim)
            by = " + ".join((claim.producer, *claim.seconded_by))
            ruled = f"{verdict.decision.value}: {verdict.reason.value}"
            rows.append([claim.value, by, f"{claim.confidence:.2f}", ruled, verdict.note])
    if rows:
        table(["claimed", "by", "confidence", "verdict", "note"], rows, numbers=[2])
