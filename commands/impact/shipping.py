"""A changed version is read from now on, or the one before it again: what is to be known is said."""

import typer

from commands.impact.telling import Report, read_report
from commands.output import fail, print_json, say
from commands.settings import Settings
from evaluators.impact.report import Decision, ImpactReport
from memory.database import Session, open_existing_database
from memory.errors import ReaseqError
from memory.impact_reports import Switch, kept_report, roll_back, ship


class AgainstTheVerdict(ReaseqError):
    """A report says not to ship, and nobody has said that it is to be done all the same."""


def advises_against(report: Report) -> bool:
    """Return whether a report says not to ship."""
    return isinstance(report, ImpactReport) and report.verdict.decision is Decision.KEEP_OLD


def ship_report(session: Session, number: int | None, *, against_verdict: bool = False) -> tuple[Switch, Report]:
    """Read the version after the change from now on; return the switch and the report.

    Raises `AgainstTheVerdict` where the report says not to and `against_verdict` does not overrule it, and as
    `memory.impact_reports.ship` does.
    """
    kept = kept_report(session, number)
    report = read_report(kept.content)
    if advises_against(report) and isinstance(report, ImpactReport) and not against_verdict:
        reasons = "; ".join(report.verdict.reasons)
        raise AgainstTheVerdict(f"report {kept.id} says: {Decision.KEEP_OLD.value} ({reasons})")
    return ship(session, kept.id), report


def what_next(report: ImpactReport) -> list[str]:
    """Return what shipping does not do by itself: later runs, and items that were not in the sample."""
    said = []
    if report.after.prompts:
        said.append(f'so that later runs do the same: prompts = "{report.after.prompts}" in reaseq.toml')
    if not report.sample.whole:
        left = report.sample.of - report.sample.items
        said.append(f"{left:,} items are still as they were before: reaseq enrich --stale-only makes them anew")
    return said


def shipped(settings: Settings, number: int | None, *, force: bool, as_json: bool) -> None:
    """Read the version after the change; what the verdict says against it stops that, unless it is forced."""
    with open_existing_database(settings.kb) as database, database.writing() as session:
        try:
            switch, report = ship_report(session, number, against_verdict=force)
        except AgainstTheVerdict as against:
            raise typer.Exit(fail(f"{against}; --force does it all the same")) from None
    _tell(switch, as_json)
    if not as_json and isinstance(report, ImpactReport):
        for line in what_next(report):
            say(line)


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
