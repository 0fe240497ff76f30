"""A changed version is read from now on, or the one before it again: what is to be known is said."""

import typer

from commands.output import fail, invoked, print_json, say
from commands.settings import Settings
from evaluators.impact.report import Decision, ImpactReport
from memory.database import open_existing_database
from memory.impact_reports import Switch, kept_report, roll_back, ship


def shipped(settings: Settings, number: int | None, *, force: bool, as_json: bool) -> None:
    """Read the version after the change; what the verdict says against it stops that, unless it is forced."""
    from commands.impact.telling import read_report  # noqa: PLC0415

    with open_existing_database(settings.kb) as database:
        with database.session() as session:
            kept = kept_report(session, number)
        report = read_report(kept.content)
        if isinstance(report, ImpactReport) and report.verdict.decision is Decision.KEEP_OLD and not force:
            reasons = "; ".join(report.verdict.reasons)
            raise typer.Exit(fail(f"report {kept.id} says: do not ship ({reasons}); --force does it all the same"))
        with database.writing() as session:
            switch = ship(session, kept.id)
    _tell(switch, as_json)
    if not as_json and isinstance(report, ImpactReport):
        _say_what_next(report)


def taken_back(settings: Settings, number: int | None, *, as_json: bool) -> None:
    """Read the version before the change again."""
    with open_existing_database(settings.kb) as database, database.writing() as session:
        switch = roll_back(session, number)
    _tell(switch, as_json)


def _tell(switch: Switch, as_json: bool) -> None:
    if as_json:
        print_json(switch.model_dump(mode="json"))
    else:
        say(f"version {switch.current} is read from now on (before: {switch.before}), as of report {switch.report}")


def _say_what_next(report: ImpactReport) -> None:
    """Say what shipping does not do by itself: later runs, and items that were not in the sample."""
    if report.after.prompts:
        say(f'so that later runs do the same: prompts = "{report.after.prompts}" in reaseq.toml')
    if not report.sample.whole:
        left = report.sample.of - report.sample.items
        say(f"{left} items are still as they were before: {invoked()} enrich --stale-only makes them anew")
