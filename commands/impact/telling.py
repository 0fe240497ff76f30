"""Reports on their way into the knowledge base and back, to the terminal, to a page, to a file."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from commands.impact.tables import print_agents, print_impact
from commands.model_options import write_file
from commands.output import print_json
from commands.settings import Settings
from evaluators.impact.report import AgentsReport, ImpactReport
from memory.database import open_existing_database
from memory.errors import ReaseqError
from memory.impact_reports import keep_report

Report = ImpactReport | AgentsReport
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


class ReportUnreadable(ReaseqError):
    """A stored document is no report that this reaseq reads."""


def keep(settings: Settings, report: Report) -> int:
    """Store a report in the knowledge base; return its number."""
    content = report.model_dump_json()
    with open_existing_database(settings.kb) as database, database.writing() as session:
        if isinstance(report, ImpactReport):
            return keep_report(
                session,
                content,
                what="; ".join(report.what),
                verdict=report.verdict.decision.value,
                before_version=report.before.version,
                after_version=report.after.version,
            )
        what = "without " + ", ".join(one.agent for one in report.agents)
        return keep_report(
            session, content, what=what, verdict="", before_version=report.side.version, after_version=None
        )


def read_report(content: str) -> Report:
    """Return a stored report; raises `ReportUnreadable`."""
    try:
        return _REPORT.validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ReportUnreadable(f"the stored report is none that this reaseq reads: {first['msg']}") from error


def tell(report: Report, number: int | None, *, html: Path | None, out: Path | None, as_json: bool) -> None:
    """Write the page and the file that are asked for, and print the tables or the JSON."""
    if html is not None:
        from evaluators.impact.report_page import impact_page  # noqa: PLC0415 - jinja takes a moment

        write_file(html, impact_page(report, number))
    if out is not None:
        write_file(out, report.model_dump_json(indent=2) + "\n")
    if as_json:
        print_json({"report": number} | report.model_dump(mode="json"))
    elif isinstance(report, ImpactReport):
        print_impact(report, number)
    else:
        print_agents(report)
