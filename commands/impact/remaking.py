"""The results that a change makes stale, made anew: in a version of their own, which nobody reads yet."""

from collections.abc import Sequence

import typer

from commands.catalog_run import run_rows
from commands.forecasts import ToDo
from commands.output import INTERRUPTED, TERMINATED, say
from commands.run_options import RunOptions
from commands.run_report import RunReport
from commands.settings import Settings
from commands.stored_rows import chosen_rows
from evaluators.impact.report import Spent, StaleCause, Work

SOURCE = "(impact)"


async def make_anew(settings: Settings, ids: Sequence[str], options: RunOptions) -> Spent:
    """Run the items through the graph; answers that the ledger has cost nothing.

    A run that was stopped raises its problem, after a signal `typer.Exit`; the same command goes on where it was.
    """
    report = await run_rows(settings, chosen_rows(ids, SOURCE), options.model_copy(update={"unread": True}))
    if report.problem:
        raise report.problem
    if report.stopped_by:
        say("stopped; the same command goes on where this run was")
        raise typer.Exit(INTERRUPTED if report.stopped_by == 2 else TERMINATED)
    return spent(report)


def spent(report: RunReport) -> Spent:
    """Return what a run took."""
    return Spent(
        items=report.rows,
        failed=sum(report.failed.values()),
        calls=report.spend.calls,
        replayed=report.spend.replayed,
        tokens=report.tokens,
        cost=report.spend.cost,
        unpriced=report.spend.unpriced,
        seconds=report.seconds,
        cpu_seconds=report.cpu_seconds,
    )


def foreseen(work: ToDo) -> Work:
    """Return what is to be done, before it is."""
    return Work(
        causes=tuple(StaleCause(agent=cause.agent, why=cause.why, results=cause.results) for cause in work.causes),
        expected_calls=work.forecast.calls,
        expected_tokens=work.forecast.tokens,
        expected_cost=work.cost,
        unforeseen=work.unknown,
    )
