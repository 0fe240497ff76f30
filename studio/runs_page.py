"""The page Runs: the run under way, what failed, what is stale, earlier runs, and the versions of the results."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from nicegui import ui
from nicegui.element import Element

from commands.progress import held_back, remaining
from memory.ledger import Spend
from memory.outcomes import ItemFailure, failures
from memory.runs import Run, RunState, runs
from studio.parts import Cell, address, bar, box, button, empty, figures, heading, table, text, waiting
from studio.run_desk import DeskRun
from studio.run_form import RunForm
from studio.shell import Shell
from studio.stale_part import stale_part
from studio.versions_part import versions_part
from studio.workbench import Workbench

LISTED = 15  # earlier runs, and failures of a reason
LOOK_SECONDS = 0.5

STATES = {
    RunState.RUNNING: "accent",
    RunState.FINISHED: "good",
    RunState.STOPPED: "doubt",
    RunState.KILLED: "bad",
    RunState.FAILED: "bad",
}


async def runs_page(bench: Workbench, shell: Shell) -> None:
    """Show the page."""
    shell.show("runs", {"s": "stop the run under way"})
    with box("title"):
        text("Runs", tag="h1")
        text("A run belongs to this process: closing the tab does not stop it.", "soft")
    page = _RunsPage(bench)
    shell.on_key("s", page.stop)
    with box("columns wide-left"):
        page.left = box()
        page.right = box()
    page.below = box("part")
    await page.fill()
    ui.timer(LOOK_SECONDS, page.look)


class _RunsPage:
    """What the page shows at the moment."""

    left: Element
    right: Element
    below: Element

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._told: object = None  # what the live part shows
        self._ended = True
        self._filling = asyncio.Lock()  # the last one shows what is stored last

    async def fill(self) -> None:
        """Show all parts."""
        with self.left:
            self._live = box("panel")
            self._stored = box("part")
        with self.right:
            RunForm(self._bench, self.look).show()
            stale_part(self._bench)
        self._look_at_run()
        await self._fill_stored()

    def stop(self) -> None:
        """Ask the run under way to stop."""
        run = self._bench.desk.run
        if run is not None and not run.ended:
            run.stop()
            self._look_at_run()

    async def look(self) -> None:
        """Show where the run stands; what is stored anew, once it has begun or ended."""
        ended = self._ended
        self._look_at_run()
        if ended != self._ended:
            await self._fill_stored()

    def _look_at_run(self) -> None:
        run = self._bench.desk.run
        self._ended = run is None or run.ended
        told = run and (id(run), run.standing, run.stopping, self._ended, round(run.seconds))
        if told == self._told and told is not None:
            return
        self._told = told
        self._live.clear()
        with self._live:
            show_run(run, self.stop)

    async def _fill_stored(self) -> None:
        async with self._filling:
            found, failed = await self._bench.read(lambda session: (runs(session, limit=LISTED), failures(session)))
            self._stored.clear()
            with self._stored:
                _show_failures(self._bench, failed, self.look)
                _show_runs(found)
            self.below.clear()
            with self.below:
                await versions_part(self._bench)


def show_run(run: DeskRun | None, stop: Callable[[], None]) -> None:
    """Show the present run, else the last one of this process."""
    if run is None:
        empty("No run yet in this process", "Choose a catalog and start one; earlier runs are listed below.")
        return
    with box("row between"):
        with box("row"):
            text(run.title, tag="h2")
            text(*_state(run))
        if not run.ended:
            button("Stopping …" if run.stopping else "Stop", stop, "danger", key="s", off=run.stopping)
    if run.standing is not None:
        _show_standing(run)
    elif not run.ended:
        waiting("opening the model and the taxonomy")
    if run.problem or (run.report and run.report.problem):
        text(run.problem or str(run.report and run.report.problem), "told bad")
    elif run.report is not None and run.report.run_id is None:
        text("There was nothing to do.", "told")


def _state(run: DeskRun) -> tuple[str, str]:
    if not run.ended:
        return ("stopping", "badge doubt") if run.stopping else ("under way", "badge accent")
    if run.problem or (run.report and run.report.problem):
        return "stopped by a problem", "badge bad"
    stopped = run.report is not None and run.report.stopped_by
    return ("stopped: the same run goes on where it was", "badge doubt") if stopped else ("finished", "badge good")


def _show_standing(run: DeskRun) -> None:
    standing = run.standing
    assert standing is not None  # noqa: S101 - the caller looked
    counts, spend = standing.counts, standing.spend
    ended = sum(dict(counts).values())
    with box("stack"):
        bar(ended / run.total if run.total else 0.0, "good" if run.ended else "")
        figures(
            [
                (f"{ended:,} of {'?' if run.total is None else f'{run.total:,}'}", "rows ended"),
                (f"{counts.enriched:,}", "enriched"),
                (f"{counts.failed:,}", "failed"),
                (_money(spend), "spent"),
                (f"{spend.usage.prompt_tokens + spend.usage.completion_tokens:,}", "tokens"),
                (f"{run.seconds:.0f} s", "so far" if not run.ended else "in all"),
            ]
        )
        more = (
            f"{counts.skipped:,} done before, {counts.rejected:,} rejected, {spend.replayed:,} answers from the ledger"
        )
        left = remaining(ended, run.total, run.seconds)
        now = f"{more}; {left}; {held_back(standing.rate, standing.batches)}"
        text(more if run.ended else now, "soft small")
        for reason, number in sorted(standing.failed.items(), key=lambda pair: -pair[1]):
            text(f"{reason}: {number:,}", "bad small")


def _money(spend: Spend) -> str:
    return f"{spend.cost:.4f}" + (" + ?" if spend.unpriced else "")


def _show_failures(bench: Workbench, failed: list[ItemFailure], look: Callable[[], object]) -> None:
    if not failed:
        return
    reasons = Counter(failure.reason for failure in failed)
    with box("row between"):
        heading("What failed", f"{len(failed):,} items of the version that is read")
        button("Retry these", lambda: RunForm(bench, look).retry_failed(), hint="and nothing else")
    rows = [[reason, f"{number:,}", *_example(reason, failed)] for reason, number in reasons.most_common(LISTED)]
    table(["reason", "items", "for example", "which said"], rows, numbers=[1])


def _example(reason: str, failed: list[ItemFailure]) -> list[str | Cell]:
    first = next(failure for failure in failed if failure.reason == reason)
    return [Cell(first.item_id, to=address("items", item=first.item_id)), first.detail]


def _show_runs(found: list[Run]) -> None:
    with box("part"):
        heading("Earlier runs", "newest first; all processes of this knowledge base")
        if not found:
            empty("Nothing was run yet", "The first run makes the first version of the results.")
            return
        columns = ["run", "began (UTC)", "rows from", "state", "ended rows", "calls", "tokens", "spent", "version"]
        table(columns, map(_run_cells, found), numbers=[0, 5, 6, 7, 8])


def _run_cells(run: Run) -> list[str | Cell]:
    counts = ", ".join(f"{number:,} {end}" for end, number in run.counts if number) or "none"
    return [
        str(run.id),
        Cell(f"{run.started_at:%Y-%m-%d %H:%M}", "nowrap"),
        Path(run.catalog).name,
        Cell(make=lambda: text(run.state.value, f"badge {STATES[run.state]}")),
        counts,
        f"{run.calls:,}",
        f"{run.usage.prompt_tokens + run.usage.completion_tokens:,}",
        f"{run.cost:.4f}" + (" + ?" if run.unpriced else ""),
        "pruned" if run.version_id is None else str(run.version_id),
    ]
