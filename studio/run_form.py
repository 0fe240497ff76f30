"""What a run is asked for: which rows, how many, how much money and how many tokens at most."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

from nicegui import ui

from commands.catalog_run import Rows, catalog_rows, run_rows
from commands.run_options import RunOptions
from commands.stored_rows import failed_rows, stale_rows
from studio.parts import box, button, heading
from studio.run_desk import DeskRun
from studio.workbench import Workbench

MOST_ROWS = 10_000_000
FIELD = "dense outlined options-dense"


class RunForm:
    """The form; `began` is told as soon as a run has begun."""

    def __init__(self, bench: Workbench, began: Callable[[], object]) -> None:
        self._bench, self._began = bench, began

    def show(self) -> None:
        """Show the form; a page names a catalog by its place in a list, never by a path."""
        catalogs = self._bench.catalogs()
        with box("panel stack"):
            heading("Start a run")
            names = {number: _told(path) for number, path in enumerate(catalogs)}
            self._catalog = ui.select(names, value=0, label="Catalog").props(FIELD).classes("full")
            with box("columns"):
                self._limit = _number("Only the first rows", 1, MOST_ROWS)
                self._budget = _number("Money at most", 0, 1e9, step=0.01)
            with box("columns"):
                self._tokens = _number("Tokens at most", 1, 1e12)
                self._again = ui.checkbox("Also what failed before").props("dense")
            with box("row"):
                button("Start", lambda: self._start(catalogs), "primary start")
                button("Make stale results anew", self._stale, hint="what the present settings would find out anew")

    async def retry_failed(self) -> None:
        """Try again what failed, and nothing else."""
        await self._begin("failed items", failed_rows(), RunOptions(retry_failed=True))

    async def _start(self, catalogs: list[Path]) -> None:
        catalog = catalogs[int(self._catalog.value or 0)]
        options = self._options()
        await self._begin(catalog.name, catalog_rows(catalog, options), options)

    async def _stale(self) -> None:
        options = self._options()
        await self._begin("stale items", stale_rows(options.limit), options)

    def _options(self) -> RunOptions:
        money = self._budget.value
        return RunOptions(
            limit=None if self._limit.value is None else int(self._limit.value),
            budget=None if money is None else Decimal(str(money)),
            max_tokens=None if self._tokens.value is None else int(self._tokens.value),
            retry_failed=bool(self._again.value),
        )

    async def _begin(self, title: str, rows: Rows, options: RunOptions) -> None:
        settings = self._bench.settings
        self._bench.desk.begin(DeskRun(title, lambda watch: run_rows(settings, rows, options, watch)))
        told = self._began()
        if isinstance(told, Awaitable):
            await told


def _number(label: str, least: float, most: float, *, step: float = 1) -> ui.number:
    return ui.number(label, min=least, max=most, step=step).props(f"{FIELD} clearable").classes("full")


def _told(path: Path) -> str:
    return f"{path.name}  ({path.resolve().parent.name})"
