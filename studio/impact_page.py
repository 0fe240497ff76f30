"""The page Impact: the reports of what changes did, one of them in full, and the way to ship it or back."""

from functools import partial

from nicegui.element import Element
from nicegui.page_arguments import PageArguments

from commands.impact.telling import ReportUnreadable, read_report
from evaluators.impact.report import Decision, ImpactReport
from memory.database import Session
from memory.impact_reports import KeptReport, kept_reports
from memory.versions import current_version
from studio.impact_agents_view import show_agents
from studio.impact_shipping import Does, Shipping
from studio.impact_view import show_impact, show_verdict
from studio.parts import address, box, empty, heading, text, waiting
from studio.shell import Shell
from studio.workbench import Workbench

TONES = {Decision.SHIP.value: "good", Decision.KEEP_OLD.value: "bad", Decision.UNDECIDED.value: "doubt"}
LISTED = 200  # reports


async def impact_page(bench: Workbench, shell: Shell, arguments: PageArguments) -> None:
    """Show the page; the address says which report."""
    shell.show("impact")
    with box("title"):
        text("Impact", tag="h1")
        text("What a change of prompts, model or agents does, from golden items to the ranking.", "soft")
    with box("columns aside"):
        left, right = box("panel"), box("report")
    with left:
        waiting("reading")
    await _fill(bench, left, right, arguments.query_parameters.get("report", ""))


async def _fill(bench: Workbench, left: Element, right: Element, asked: str) -> None:
    """Show the reports, and the one that is asked for, else the newest."""
    found, current = await bench.read(_stored)
    chosen = next((one for one in found if str(one.id) == asked or not asked), None)
    left.clear()
    with left:
        heading("Reports", f"{len(found):,}, newest first")
        with box("list"):
            for one in found[:LISTED]:
                _entry(one, current, here=one is chosen)
    right.clear()
    with right:
        if chosen is not None:
            _show_report(bench, chosen, current, partial(_fill, bench, left, right, str(chosen.id)))
        elif asked:
            empty("There is no such report", "It may be of another knowledge base.")
        else:
            empty("No report yet", "reaseq impact --prompts DIR makes one: what an edit does, before it is shipped.")


def _show_report(bench: Workbench, kept: KeptReport, current: int | None, after: Does) -> None:
    """Show one report in full; `after` is done once another version is read."""
    text(kept.what, "what", "h2")
    try:
        report = read_report(kept.content)
    except ReportUnreadable as error:
        text(str(error), "told bad")
        return
    if isinstance(report, ImpactReport):
        show_verdict(report, kept.id, Shipping(bench, kept, report, after), current)
        show_impact(report)
    else:
        show_agents(report, kept.id)


def _entry(one: KeptReport, current: int | None, *, here: bool) -> None:
    with box("chosen" if here else "", "a") as entry:
        with box("row between"):
            text(f"{one.id}  {one.made_at:%Y-%m-%d %H:%M}", "small", "span")
            text(one.verdict or "agents", f"badge {TONES.get(one.verdict, '')}", "span")
        text(one.what, "sub")
        if one.after_version is not None and one.after_version == current:
            text("its version is read", "good small")
    entry.props["href"] = address("impact", report=one.id)


def _stored(session: Session) -> tuple[list[KeptReport], int | None]:
    return kept_reports(session), current_version(session)
