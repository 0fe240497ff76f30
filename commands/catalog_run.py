"""One run over a catalog: opened, watched, stopped and counted; what the commands around it print."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from commands.kept_prompts import to_keep
from commands.progress import Standing
from commands.run_options import RunControls, RunOptions, controls_of
from commands.run_report import RunReport
from commands.run_watch import Progress, TerminalWatch, Watch
from commands.settings import Settings
from commands.workshop import Workshop, open_workshop
from graphs.batch import Batch, BatchSettings
from memory.catalog import RejectedRow, read_catalog
from memory.database import Session
from memory.errors import ReaseqError
from memory.kept_prompts import keep_prompts
from memory.outcomes import forget_rejected_rows
from memory.owners import Owner
from memory.runs import RunCounts, RunState, end_run, start_run, update_run
from memory.schema import CatalogItem
from memory.versions import use, version_for

COUNTED_BYTES = 20_000_000  # a larger catalog is not read twice just to show how far the run is
COUNTS_EVERY = 5.0  # seconds


@dataclass(frozen=True)
class Rows:
    """Where a run's rows come from: `source` names it in the list of runs; `total` is None where it is not known."""

    source: str
    read: Callable[[Workshop], Iterable[CatalogItem | RejectedRow]]
    total: Callable[[Workshop], int | None]


async def run_catalog(settings: Settings, catalog: Path, options: RunOptions | None = None) -> RunReport:
    """Enrich a catalog and return what came of it, also when it was stopped; progress is shown on standard error."""
    options = options or RunOptions()
    return await run_rows(settings, catalog_rows(catalog, options), options)


def catalog_rows(catalog: Path, options: RunOptions) -> Rows:
    """Return the rows of a catalog; wrong usage is said before anything is opened."""
    columns = options.columns
    return Rows(
        str(catalog),
        lambda _: islice(read_catalog(catalog, columns), options.limit),
        lambda _: _total(catalog, options),
    )


async def run_rows(settings: Settings, rows: Rows, options: RunOptions, watch: Watch | None = None) -> RunReport:
    """Enrich rows and return what came of them, also when the run was stopped; without rows there is no run."""
    controls, watch = controls_of(settings, options), watch or TerminalWatch()
    report = RunReport()
    async with open_workshop(settings, controls=controls) as workshop:
        total = rows.total(workshop)  # before anything is stored: a file that cannot be read is no run
        if total == 0:
            return report
        owner = str(Owner.present())
        version_id = begun(workshop, settings, rows.source, owner, report)
        workshop.ledger.begin_run(report.run_id, fresh=options.fresh)
        try:
            with watch.stopping(controls, report):
                batch = _batch(workshop, settings, options, version_id, owner, controls)
                progress = watch.progress(total, lambda: _standing(workshop, batch, report))
                await _worked(workshop, batch, rows, report, progress)
                report.whole = True
        except ReaseqError as error:
            report.problem = error
        finally:
            report.spend = workshop.ledger.spend
            ended(workshop, version_id, report, switch=not options.unread)
    return report


async def _worked(workshop: Workshop, batch: Batch, rows: Rows, report: RunReport, progress: Progress) -> None:
    with progress, workshop.onlooker.run(rows.source, report.run_id) as told:
        beside = [
            asyncio.create_task(work)
            for work in (progress.keep_telling(), keep_counts(workshop, report, lambda: report.counts))
        ]
        try:
            async for outcome in batch.outcomes(rows.read(workshop)):
                report.count(outcome)
        finally:
            for task in beside:
                task.cancel()
            report.seconds, report.cpu_seconds = progress.seconds, progress.cpu_seconds
            told(report.counts, workshop.ledger.spend)


async def keep_counts(workshop: Workshop, report: RunReport, now: Callable[[], RunCounts]) -> None:
    """Store now and then how far the run is, for `reaseq runs`, also of a run that is killed."""
    while report.run_id is not None:
        await asyncio.sleep(COUNTS_EVERY)
        run_id, counts = report.run_id, now()
        await workshop.ledger.write(lambda session: update_run(session, run_id, counts))  # noqa: B023


def _standing(workshop: Workshop, batch: Batch, report: RunReport) -> Standing:
    return Standing(
        report.counts, report.failed, workshop.ledger.spend, workshop.model.state, batch.elsewhere, workshop.batches()
    )


def _batch(
    workshop: Workshop, settings: Settings, options: RunOptions, version_id: int, owner: str, controls: RunControls
) -> Batch:
    batch_settings = BatchSettings(
        version_id=version_id,
        owner=owner,
        concurrency=settings.concurrency,
        again=options.fresh,
        retry_failed=options.retry_failed,
    )
    return Batch(
        workshop.graph,
        workshop.context,
        workshop.database,
        workshop.ledger,
        settings=batch_settings,
        stop=controls.stop,
        onlooker=workshop.onlooker,
    )


def begun(workshop: Workshop, settings: Settings, source: str, owner: str, report: RunReport) -> int:
    """Store that the run begins; return the version of the results that it works in."""

    def store(session: Session) -> tuple[int, int]:
        forget_rejected_rows(session, source)
        version_id = version_for(session, workshop.context.provenance)
        keep_prompts(session, to_keep(workshop.context.prompts))
        return version_id, start_run(session, version_id, source, settings.model_dump(mode="json"), owner)

    version_id, report.run_id = workshop.database.write(store)
    return version_id


def ended(workshop: Workshop, version_id: int, report: RunReport, *, switch: bool = True) -> None:
    """Store how the run ended; only one that ended well switches to its version, as a whole, where it may."""
    state = RunState.FINISHED if report.whole and not report.stopped_by else RunState.STOPPED

    def store(session: Session) -> None:
        end_run(session, report.run_id or 0, state, report.counts, str(report.problem or ""))
        if switch and state is RunState.FINISHED:
            use(session, version_id)

    workshop.database.write(store)


def _total(catalog: Path, options: RunOptions) -> int | None:
    """Return how many rows the run will read, or None where counting them would cost too much."""
    if catalog.is_file() and catalog.stat().st_size > COUNTED_BYTES:
        return options.limit
    return sum(1 for _ in islice(read_catalog(catalog, options.columns), options.limit))
