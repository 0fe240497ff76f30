"""One run over a catalog: opened, watched, stopped and counted; what the commands around it print."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from commands.kept_prompts import to_keep
from commands.output import say
from commands.progress import RunProgress, Standing
from commands.run_options import RunControls, RunOptions, controls_of
from commands.settings import Settings
from commands.workshop import Workshop, open_workshop
from graphs.batch import Batch, BatchSettings
from graphs.outcomes import Enriched, Failed, Outcome, Skipped
from memory.catalog import RejectedRow, read_catalog
from memory.errors import ReaseqError
from memory.kept_prompts import keep_prompts
from memory.ledger import Spend
from memory.outcomes import forget_rejected_rows
from memory.owners import Owner
from memory.runs import RunCounts, RunState, end_run, start_run, update_run
from memory.schema import CatalogItem, Enrichment
from memory.versions import use, version_for

SHOWN_ITEMS = 12  # of a run, in the closing table
COUNTED_BYTES = 20_000_000  # a larger catalog is not read twice just to show how far the run is
STOPPING = "stopping: what is in flight is stored, nothing new is begun (once more: now). The same command resumes."
STOPPING_BATCHES = (
    "stopping: nothing new is submitted; what is submitted stays with the provider, goes on there and costs what it"
    " costs. The same command finds it again."
)
COUNTS_EVERY = 5.0  # seconds
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Rows:
    """Where a run's rows come from: `source` names it in the list of runs; `total` is None where it is not known."""

    source: str
    read: Callable[[Workshop], Iterable[CatalogItem | RejectedRow]]
    total: Callable[[Workshop], int | None]


@dataclass
class RunReport:
    """What came of a run: every row is counted once."""

    run_id: int | None = None  # None: there was nothing to do
    enriched: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    rejected: list[RejectedRow] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[CatalogItem, Enrichment]] = field(default_factory=list)
    worst: list[tuple[str, str, str]] = field(default_factory=list)
    spend: Spend = field(default_factory=Spend)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    whole: bool = False  # no error ended it, neither `problem` nor one that nobody foresaw
    stopped_by: int = 0  # the signal, if one stopped it
    problem: ReaseqError | None = None  # what stopped it, if something else did

    @property
    def counts(self) -> RunCounts:
        """Return where the rows ended."""
        return RunCounts(
            enriched=self.enriched,
            failed=sum(self.failed.values()),
            rejected=len(self.rejected),
            skipped=sum(self.skipped.values()),
        )

    @property
    def rows(self) -> int:
        """All rows whose end the run has seen."""
        return sum(dict(self.counts).values())

    @property
    def tokens(self) -> int:
        """Tokens paid in this run."""
        return self.spend.usage.prompt_tokens + self.spend.usage.completion_tokens

    def count(self, outcome: Outcome) -> None:
        """Count one row's end."""
        match outcome:
            case Enriched(item, enrichment):
                self.enriched += 1
                self.claims.update(verdict.decision.value for verdict in enrichment.verdicts)
                if len(self.shown) < SHOWN_ITEMS:
                    self.shown.append((item, enrichment))
            case Failed(item, reason, detail):
                self.failed[reason] += 1
                if len(self.worst) < SHOWN_ITEMS:
                    self.worst.append((item.id, reason, detail))
            case Skipped(_, why):
                self.skipped[why] += 1
            case RejectedRow():
                self.rejected.append(outcome)

    def as_json(self) -> dict[str, object]:
        """Return the counts for `--json`."""
        return {
            "run": self.run_id,
            "rows": self.rows,
            "enriched": self.enriched,
            "skipped": dict(self.skipped),
            "failed": dict(self.failed),
            "failures": [{"item": i, "reason": r, "detail": d} for i, r, d in self.worst],
            "rejected": [row.model_dump() for row in self.rejected],
            "claims": dict(self.claims),
            "calls": self.spend.calls,
            "replayed": self.spend.replayed,
            "tokens": self.tokens,
            "cost": str(self.spend.cost),
            "unpriced_calls": self.spend.unpriced,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "stopped": bool(self.stopped_by or self.problem),
        }


async def run_catalog(settings: Settings, catalog: Path, options: RunOptions | None = None) -> RunReport:
    """Enrich a catalog and return what came of it, also when it was stopped; progress is shown on standard error."""
    options = options or RunOptions()
    columns = options.columns  # wrong usage is said before anything is opened
    rows = Rows(
        str(catalog),
        lambda _: islice(read_catalog(catalog, columns), options.limit),
        lambda _: _total(catalog, options),
    )
    return await run_rows(settings, rows, options)


async def run_rows(settings: Settings, rows: Rows, options: RunOptions) -> RunReport:
    """Enrich rows and return what came of them, also when the run was stopped; without rows there is no run."""
    controls = controls_of(settings, options)
    report = RunReport()
    async with open_workshop(settings, controls=controls) as workshop:
        total = rows.total(workshop)  # before anything is stored: a file that cannot be read is no run
        if total == 0:
            return report
        owner = str(Owner.present())
        version_id = _begun(workshop, settings, rows.source, owner, report)
        workshop.ledger.begin_run(report.run_id, fresh=options.fresh)
        try:
            with stopping_on_signals(controls, report):
                batch = _batch(workshop, settings, options, version_id, owner, controls)
                progress = RunProgress(total, lambda: _standing(workshop, batch, report))
                await _worked(workshop, batch, rows, report, progress)
                report.whole = True
        except ReaseqError as error:
            report.problem = error
        finally:
            report.spend = workshop.ledger.spend
            _ended(workshop, version_id, report)
    return report


async def _worked(workshop: Workshop, batch: Batch, rows: Rows, report: RunReport, progress: RunProgress) -> None:
    with progress, workshop.onlooker.run(rows.source, report.run_id) as ended:
        beside = [asyncio.create_task(work) for work in (progress.keep_telling(), _keep_counts(workshop, report))]
        try:
            async for outcome in batch.outcomes(rows.read(workshop)):
                report.count(outcome)
        finally:
            for task in beside:
                task.cancel()
            report.seconds, report.cpu_seconds = progress.seconds, progress.cpu_seconds
            ended(report.counts, workshop.ledger.spend)


async def _keep_counts(workshop: Workshop, report: RunReport) -> None:
    """Store now and then how far the run is, for `reaseq runs`, also of a run that is killed."""
    while report.run_id is not None:
        await asyncio.sleep(COUNTS_EVERY)
        run_id, counts = report.run_id, report.counts
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


def _begun(workshop: Workshop, settings: Settings, source: str, owner: str, report: RunReport) -> int:
    """Store that the run begins; return the version of the results that it works in."""
    with workshop.database.writing() as session:
        forget_rejected_rows(session, source)
        version_id = version_for(session, workshop.context.provenance)
        keep_prompts(session, to_keep(workshop.context.prompts))
        report.run_id = start_run(session, version_id, source, settings.model_dump(mode="json"), owner)
    return version_id


def _ended(workshop: Workshop, version_id: int, report: RunReport) -> None:
    """Store how the run ended; only one that ended well switches to its version, as a whole."""
    state = RunState.FINISHED if report.whole and not report.stopped_by else RunState.STOPPED
    with workshop.database.writing() as session:
        end_run(session, report.run_id or 0, state, report.counts, str(report.problem or ""))
        if state is RunState.FINISHED:
            use(session, version_id)


@contextmanager
def stopping_on_signals(controls: RunControls, report: RunReport) -> Iterator[None]:
    """Let the first signal stop the run at its ease, and the second at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    stop = controls.stop

    def asked(number: int) -> None:
        if stop.wished and task is not None:
            say("stopping now; answers that came are stored")
            task.cancel()
            return
        report.stopped_by = number
        stop.wish()
        say(STOPPING_BATCHES if controls.provider_batch else STOPPING)

    for number in SIGNALS:
        loop.add_signal_handler(number, asked, number)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def _total(catalog: Path, options: RunOptions) -> int | None:
    """Return how many rows the run will read, or None where counting them would cost too much."""
    if catalog.is_file() and catalog.stat().st_size > COUNTED_BYTES:
        return options.limit
    return sum(1 for _ in islice(read_catalog(catalog, options.columns), options.limit))
