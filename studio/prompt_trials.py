"""An edit tried: on the chosen item, and on golden items beside the saved prompt, with an interval."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from nicegui import ui

from commands.evaluate import EVALUATION_KB
from commands.evaluation_gold import GoldChoice
from commands.evaluations import EvaluationOptions, evaluated
from commands.prompt_choices import folder_of
from commands.run_options import RunOptions
from commands.run_watch import Watch
from evaluators.evaluation import Evaluation
from memory.errors import ReaseqError
from memory.schema import CatalogItem
from prompts.library import PromptLibrary
from studio.golden_view import show_evaluation
from studio.parts import address, bar, box, button, heading, text, waiting
from studio.run_desk import DeskRun
from studio.workbench import Workbench

SIZES = {3: "3 golden items", 10: "10 golden items", 40: "40 golden items", 0: "all golden items"}
LOOK_SECONDS = 0.4
ABOUT = "golden"


class NothingToTry(ReaseqError):
    """There is no item, or no golden set."""


class Edit(Protocol):
    """What is tried."""

    @property
    def file(self) -> Path:
        """Its file, within the folder of the prompts."""

    @property
    def text(self) -> str:
        """Its text as it is edited."""

    @property
    def item(self) -> CatalogItem | None:
        """The item to try it on."""

    def edited(self) -> PromptLibrary:
        """The prompts with the edit; `PromptError` where it breaks a rule."""


class PromptTrials:
    """The buttons, and what came of the last golden run of this process."""

    def __init__(self, bench: Workbench, edit: Edit) -> None:
        self._bench, self._edit = bench, edit
        self._told: object = None

    def show(self) -> None:
        """Show them."""
        with box("panel part stack"):
            with box("row"):
                heading("Try it")
                button("Run on the item", self._run_item, "run-on-item", hint="a trace of it, with this text")
                self._size = ui.select(SIZES, value=10).props("dense outlined options-dense").classes("gold-size")
                button("Run on golden items", self._run_gold, "run-on-gold", hint="the saved prompt beside this text")
            text(f"Golden items of {self._bench.gold.name}; answers are kept in {EVALUATION_KB}.", "soft small")
            self._place = box("golden")
        self._look()
        ui.timer(LOOK_SECONDS, self._look)

    def _run_item(self) -> None:
        item = self._edit.item
        if item is None:
            raise NothingToTry("choose an item first")
        self._bench.traces.trace(self._bench.settings, item, self._edit.edited())
        ui.navigate.to(address("items", item=item.id, live=1))

    def _run_gold(self) -> None:
        self._edit.edited()  # an error of it is told now
        size, file, edited = int(self._size.value or 0) or None, self._edit.file, self._edit.text

        async def work(watch: Watch) -> Evaluation:
            return await _compared(self._bench, size, file, edited, watch)

        self._bench.desk.begin(DeskRun(f"golden items with {file}", work, about=ABOUT))
        self._look()

    def _look(self) -> None:
        run = self._bench.desk.run
        if run is None or run.about != ABOUT:
            return
        told = (id(run), run.ended, run.stopping, run.standing)
        if told == self._told:
            return
        self._told = told
        self._place.clear()
        with self._place:
            _show_run(run)


def _show_run(run: DeskRun) -> None:
    if run.problem:
        text(run.problem, "told bad")
    elif isinstance(run.outcome, Evaluation):
        show_evaluation(run.outcome)
    else:
        with box("row between"):
            waiting(f"{run.title}: first as saved, then as edited")
            button("Stopping …" if run.stopping else "Stop", run.stop, "danger", off=run.stopping)
        if run.standing is not None and run.total:
            bar(sum(dict(run.standing.counts).values()) / run.total)


async def _compared(bench: Workbench, size: int | None, file: Path, edited: str, watch: Watch) -> Evaluation:
    """Run golden items with the saved prompts and with the edit, in folders that are gone at the end."""
    folder = folder_of(bench.settings)
    with TemporaryDirectory(prefix="reaseq-prompts-") as place:
        sides = [Path(place) / name for name in ("saved", "edited")]
        for side in sides:
            shutil.copytree(folder, side, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        (sides[1] / file).write_text(edited, encoding="utf-8")
        gold = GoldChoice(file=bench.gold, catalog=bench.gold_catalog, sample=size)
        options = EvaluationOptions(gold=gold, compare=(str(sides[0]), str(sides[1])))
        settings = bench.settings.overridden(kb=EVALUATION_KB)
        return await evaluated(settings, options, RunOptions(), watch)
