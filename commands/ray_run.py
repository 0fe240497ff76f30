"""One run over a catalog on a Ray cluster: begun, watched, stopped and counted here, worked off by its workers."""

import asyncio
from pathlib import Path

from commands.catalog_run import begun, keep_counts
from commands.ray_driver import Order, RayRun
from commands.run_options import ClusterOptions, RunOptions, controls_of
from commands.run_report import RunReport
from commands.run_watch import Progress, TerminalWatch, Watch
from commands.settings import Settings
from commands.workshop import open_workshop
from graphs.ray_cluster import connected, hosts
from memory.catalog_files.places import catalog_files
from memory.errors import ReaseqError
from memory.outcomes import forget_rejected_rows
from memory.owners import Owner

SQLITE = "sqlite"


class NotForThisCluster(ReaseqError):
    """The knowledge base cannot be reached from all machines of the cluster."""


class WorkersStopped(ReaseqError):
    """What a worker met would have met every item; the text is its own."""


async def run_on_ray(
    settings: Settings, catalog: str, options: RunOptions, cluster: ClusterOptions, watch: Watch | None = None
) -> RunReport:
    """Enrich a catalog on a cluster and return what came of it, also when it was stopped."""
    files = catalog_files(catalog)
    settings = _anywhere(settings)
    with connected(cluster.address):
        _refuse_one_machines_file(settings.kb)
        controls, report = controls_of(settings, options), RunReport()
        async with open_workshop(settings, controls=controls) as workshop:
            version_id = begun(workshop, settings, catalog, str(Owner.present()), report)
            with workshop.database.writing() as session:
                for file in files:
                    forget_rejected_rows(session, file)
            workshop.ledger.begin_run(report.run_id, fresh=options.fresh)
            run = RayRun(Order(workshop, settings, options, controls, report, version_id, files, cluster.workers))
            await _watched(run, watch or TerminalWatch())
    return report


async def _watched(run: RayRun, watch: Watch) -> None:
    report = run.report
    try:
        with watch.stopping(run.controls, report), watch.progress(None, lambda: run.standing) as progress:
            await _worked(run, progress)
    except ReaseqError as error:
        report.problem = error
    finally:
        run.close()


async def _worked(run: RayRun, progress: Progress) -> None:
    report = run.report
    tasks = (
        progress.keep_telling(),
        keep_counts(run.workshop, report, lambda: run.counts),
        run.keep_looking(),
        run.keep_counting(),
    )
    beside = [asyncio.create_task(work) for work in tasks]
    try:
        while not run.over and not run.controls.stop.wished:
            await run.one_pass()
        if run.problem:
            raise WorkersStopped(run.problem)
        report.whole = run.over
    finally:
        for task in beside:
            task.cancel()
        report.seconds = progress.seconds
        report.cpu_seconds = progress.cpu_seconds + run.workers_cpu_seconds


def _anywhere(settings: Settings) -> Settings:
    """Return the settings with absolute paths: workers begin in folders of their own."""
    paths = {name: value.absolute() for name, value in dict(settings).items() if isinstance(value, Path)}
    file = settings.kb.removeprefix("sqlite:///")
    if settings.kb.startswith("sqlite:///") and file and not file.startswith((":", "/", "file:")):
        return settings.overridden(kb=f"sqlite:///{Path(file).absolute()}", **paths)
    return settings.overridden(**paths)


def _refuse_one_machines_file(kb: str) -> None:
    if not kb.startswith(SQLITE):
        return
    if kb.removeprefix("sqlite://") in {"", "/", "/:memory:"}:
        raise NotForThisCluster("a knowledge base in memory is one process's own; give --kb a file, or PostgreSQL")
    if len(hosts()) > 1:
        raise NotForThisCluster(
            f"the nodes of this cluster are {len(hosts())} machines, and {kb} is a file of one of them: give --kb a "
            "PostgreSQL server that all of them reach, as in postgresql+psycopg://user@host/name"
        )
