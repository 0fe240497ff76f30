"""Reports of what changes did: kept, listed, shipped, taken back; session first, the caller commits."""

from datetime import datetime

from sqlmodel import Session, col, select

from memory.errors import ReaseqError
from memory.impact_tables import ImpactReportRow
from memory.record import Record
from memory.rows import now
from memory.versions import current_version, use


class UnknownReport(ReaseqError):
    """There is no report of that number, or none at all."""


class NothingToShip(ReaseqError):
    """A report has no version that could be read from now on."""


class KeptReport(Record):
    """One report as the knowledge base keeps it."""

    id: int
    made_at: datetime
    before_version: int
    after_version: int | None  # None: a report of agents
    verdict: str  # empty for a report of agents
    what: str  # what differs between both sides
    content: str  # the document, as JSON


class Switch(Record):
    """Which version was read before, and which one is read now."""

    report: int
    before: int | None
    current: int


def keep_report(
    session: Session, content: str, *, what: str, verdict: str, before_version: int, after_version: int | None
) -> int:
    """Store a document as of now; return its number."""
    row = ImpactReportRow(
        made_at=now(),
        before_version=before_version,
        after_version=after_version,
        verdict=verdict,
        what=what,
        content=content,
    )
    session.add(row)
    session.flush()
    return row.id or 0


def kept_reports(session: Session) -> list[KeptReport]:
    """Return all reports, the newest first."""
    return [_kept(row) for row in session.exec(select(ImpactReportRow).order_by(col(ImpactReportRow.id).desc()))]


def kept_report(session: Session, number: int | None = None) -> KeptReport:
    """Return a report, the newest with a version to ship unless a number is given; raises `UnknownReport`."""
    query = select(ImpactReportRow).order_by(col(ImpactReportRow.id).desc()).limit(1)
    if number is None:
        row = session.exec(query.where(col(ImpactReportRow.after_version).is_not(None))).first()
    else:
        row = session.exec(query.where(ImpactReportRow.id == number)).first()
    if row is None:
        raise UnknownReport(
            "there is no report: reaseq impact makes one"
            if number is None
            else f"there is no report {number}: reaseq impact list"
        )
    return _kept(row)


def ship(session: Session, number: int | None = None) -> Switch:
    """Read the version after a change from now on; raises `UnknownReport`, `NothingToShip` and `UnknownVersion`."""
    report = kept_report(session, number)
    return _switched(session, report, report.after_version)


def roll_back(session: Session, number: int | None = None) -> Switch:
    """Read the version before a change again; raises as `ship` does."""
    report = kept_report(session, number)
    return _switched(session, report, None if report.after_version is None else report.before_version)


def _switched(session: Session, report: KeptReport, version_id: int | None) -> Switch:
    if version_id is None:
        raise NothingToShip(f"report {report.id} compares agents and has no version that could be read")
    before = current_version(session)
    use(session, version_id)
    return Switch(report=report.id, before=before, current=version_id)


def _kept(row: ImpactReportRow) -> KeptReport:
    content = {name: getattr(row, name) for name in KeptReport.model_fields}
    return KeptReport.model_validate(content)
