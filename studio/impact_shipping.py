"""Shipping what a report is about, and taking it back: asked before, and twice where the report says not to."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from commands.impact.shipping import advises_against, ship_report, what_next
from evaluators.impact.report import Decision, ImpactReport
from memory.database import Session
from memory.impact_reports import KeptReport, Switch, roll_back
from studio.parts import box, button, text
from studio.telling import tell
from studio.workbench import Workbench

Does = Callable[[], Awaitable[None]]


class Shipping:
    """The buttons of one report; `after` is done once another version is read."""

    def __init__(self, bench: Workbench, kept: KeptReport, report: ImpactReport, after: Does) -> None:
        self._bench, self._kept, self._report, self._after = bench, kept, report, after

    def show(self, current: int | None) -> None:
        """Show what is read now, and the buttons that change it."""
        with box("row"):
            if current == self._kept.after_version:
                text(f"version {current} is read: it is shipped", "badge good")
            else:
                button("Ship …", self._ask_to_ship, "ship", hint="read the version after the change from now on")
            if current == self._kept.before_version:
                text(f"version {current}, from before the change, is read", "badge")
            else:
                button("Roll back …", self._ask_to_roll_back, "roll-back", hint="read the version before the change")

    def _ask_to_ship(self) -> None:
        question = f"Read version {self._kept.after_version} from now on?"
        notes = ["Everything reads it at once, as a whole: show, export, the ranker. Roll back leads back."]
        if advises_against(self._report):
            notes = [f"This report says: {Decision.KEEP_OLD.value}.", *self._report.verdict.reasons]
            _ask(question, notes, "Ship against the verdict …", self._ask_again)
        else:
            _ask(question, [*notes, *what_next(self._report)], "Ship", self._ship)

    async def _ask_again(self) -> None:
        notes = [f"The verdict of report {self._kept.id} is {Decision.KEEP_OLD.value!r}, and it is overruled by this."]
        question = "Really ship what was found to be no better?"
        _ask(question, [*notes, *what_next(self._report)], "Ship all the same", self._ship_all_the_same)

    def _ask_to_roll_back(self) -> None:
        question = f"Read version {self._kept.before_version}, from before the change, again?"
        notes = ["Nothing is lost: the version after the change stays, and can be shipped."]
        _ask(question, notes, "Roll back", self._back)

    async def _ship(self) -> None:
        await self._switch(lambda session: ship_report(session, self._kept.id)[0])

    async def _ship_all_the_same(self) -> None:
        await self._switch(lambda session: ship_report(session, self._kept.id, against_verdict=True)[0])

    async def _back(self) -> None:
        await self._switch(lambda session: roll_back(session, self._kept.id))

    async def _switch(self, work: Callable[[Session], Switch]) -> None:
        switch = await self._bench.write(work)
        tell(f"version {switch.current} is read from now on (before: {switch.before})", "positive")
        await self._after()


def _ask(question: str, notes: list[str], yes: str, do: Does) -> None:
    """Ask in a dialog, and do it where the answer is yes."""
    dialog = ui.dialog()

    async def agreed() -> None:
        dialog.close()
        await do()

    with dialog, box("question"):
        text(question, tag="h2")
        for note in notes:
            text(note, "soft")
        with box("row end"):
            button("Cancel", dialog.close, "quiet")
            button(yes, agreed, "primary agree")
    dialog.on_value_change(lambda change: None if change.value else dialog.delete())
    dialog.open()
