"""The page Review: what waits for a person's word, one key a decision; what came of the decisions so far."""

import asyncio

from nicegui import ui

from commands.review_pages import phrase_ruling
from memory.reviews import judged_claims, latest_rulings
from memory.rulings import HumanRuling, JudgedClaim
from studio.parts import Cell, address, box, empty, figures, heading, table, text
from studio.plots import reliability_plot
from studio.review_desk import ReviewDesk
from studio.shell import Shell
from studio.workbench import Workbench

LISTED = 12  # decisions
KEYS = {
    "a": "accept: the value is right",
    "c": "correct: then type the right value, Enter stores it",
    "r": "reject: the value is wrong",
    "s": "skip, for this time",
    "u": "undo the last decision",
}


async def review_page(bench: Workbench, shell: Shell) -> None:
    """Show the page."""
    shell.show("review", KEYS)
    with box("title"):
        text("Review", tag="h1")
        text("A person's decision goes before every later run and is never overwritten.", "soft")
    with box("columns wide-left"):
        left, right = box(), box()
    learnt = Learnt(bench)
    with right:
        learnt.place = box("stack")
    with left, box("stack"):
        desk = ReviewDesk(bench, learnt.fill)
        desk.filters()
        desk.place = box("panel")
    does = {"a": desk.accept, "c": desk.begin_correction, "r": desk.reject, "s": desk.skip, "u": desk.undo}
    for key, do in does.items():
        shell.on_key(key, do)
    await desk.load()
    await learnt.fill()


class Learnt:
    """What came of the decisions."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._filling = asyncio.Lock()  # the last one shows the last decision: a slow one never overtakes it
        self.place = ui.element()

    async def fill(self) -> None:
        """Show it anew."""
        async with self._filling:
            latest, judged = await self._bench.read(lambda s: (latest_rulings(s, LISTED), list(judged_claims(s))))
            self.place.clear()
            with self.place:
                self._calibration(judged)
                self._latest(latest)

    def _calibration(self, judged: list[JudgedClaim]) -> None:
        with box("panel stack"):
            heading("Calibration", "how sure producers were, and how often they were right")
            if not judged:
                empty("Nothing judged yet", "Each accepted or rejected claim is a point of this plot.")
                return
            right = sum(claim.right for claim in judged)
            figures([(f"{len(judged):,}", "claims judged"), (f"{right / len(judged):.0%}", "of them right")])
            reliability_plot(judged)
            rows = _by_producer(judged)
            table(["producer", "judged", "right", "mean confidence"], rows, numbers=[1, 2, 3])
            text("`reaseq calibrate` fits confidences to these decisions.", "soft small")

    def _latest(self, latest: list[HumanRuling]) -> None:
        with box("panel part"):
            heading("What was learnt", "later runs begin with it")
            if not latest:
                empty("No decision yet", "Press a, c or r for the value that is shown.")
                return
            rows: list[list[str | Cell]] = [
                [Cell(one.item_id, to=address("items", item=one.item_id)), phrase_ruling(one)] for one in latest
            ]
            table(["item", "decision"], rows)


def _by_producer(judged: list[JudgedClaim]) -> list[list[str]]:
    rows = []
    for producer in sorted({claim.producer for claim in judged}):
        own = [claim for claim in judged if claim.producer == producer]
        right, sure = sum(c.right for c in own) / len(own), sum(c.confidence for c in own) / len(own)
        rows.append([producer, f"{len(own):,}", f"{right:.0%}", f"{sure:.2f}"])
    return rows
