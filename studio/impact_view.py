"""One report of a change in full: the verdict first, then golden items, knowledge, vectors, rankings, cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from evaluators.comparison import ItemChange
from evaluators.impact.report import (
    Count,
    Decision,
    GoldenChange,
    ImpactReport,
    KnowledgeChange,
    Measured,
    MovedItem,
    RankingChange,
    Side,
    StaleCause,
    ValueChange,
    VectorChange,
)
from evaluators.ranking.report import FALLING
from evaluators.significance import Difference
from studio.impact_shipping import Shipping
from studio.parts import Cell, address, box, figures, heading, table, text
from studio.plots import changes, intervals, movement

STYLES = {Decision.SHIP: "good", Decision.KEEP_OLD: "bad", Decision.UNDECIDED: "doubt"}
LISTED = 20  # rows of a table
POINTS = ["before", "after", "difference", "95 % interval"]


def show_verdict(report: ImpactReport, number: int, shipping: Shipping, current: int | None) -> None:
    """Show what to do and why, and the buttons that do it."""
    verdict = report.verdict
    with box(f"verdict told {STYLES[verdict.decision]}"):
        with box("row between"):
            text(verdict.decision.value, f"decision {STYLES[verdict.decision]}")
            shipping.show(current)
        for reason in verdict.reasons:
            text(reason)
    sample = "the whole catalog" if report.sample.whole else f"{report.sample.items:,} of {report.sample.of:,} items"
    sides = f"{_side(report.before)} → {_side(report.after)}"
    text(f"report {number}, {report.made_at:%Y-%m-%d %H:%M} UTC · {sides} · {sample}", "soft small")


def show_impact(report: ImpactReport) -> None:
    """Show what the verdict rests on."""
    found, costs, spent = report.knowledge, report.costs, report.work.spent
    with box("part"):
        figures(
            [
                (f"{found.differing:,} of {found.items:,}", "items say something else"),
                (f"+{found.gained:,} −{found.lost:,} ~{found.changed:,}", "claims gained, lost, changed"),
                (f"{found.contradictions[0]:,} → {found.contradictions[1]:,}", "contradictions"),
                (f"{costs[0].tokens:,.0f} → {costs[1].tokens:,.0f}", "tokens an item"),
                (f"{spent.tokens:,}", f"tokens spent on this report, {spent.cost:.4f} in money"),
            ]
        )
    if report.verdict.measured:
        _show_measured(report.verdict.measured)
    if report.golden is not None:
        _show_golden(report.golden)
    _show_knowledge(found)
    for vectors in report.vectors:
        _show_vectors(vectors)
    for ranking in report.rankings:
        _show_ranking(ranking)
    _show_cost(report)
    if report.notes:
        with box("part"):
            heading("What to bear in mind")
            for note in report.notes:
                text(note, "told")


def _side(side: Side) -> str:
    return f"version {side.version}" + (f" (prompts of {side.prompts})" if side.prompts else "")


def _show_measured(measured: Sequence[Measured]) -> None:
    with box("part what-decides"):
        heading("What decides", "in points, with 95 % intervals; green is better for sure, red worse, grey neither")
        intervals([(one.name, one.difference, _tone(one)) for one in measured])
        columns = ["", *POINTS, "p (Holm)", "of", ""]
        table(columns, [_measured_cells(one) for one in measured], numbers=[1, 2, 3, 4, 5, 6])


def _tone(one: Measured) -> str:
    return "good" if one.won else "bad" if one.lost else ""


def _measured_cells(one: Measured) -> list[str | Cell]:
    word = "worse" if one.lost else "better" if one.won else "no matter" if one.same else "not settled"
    if one.needed:
        word += f": {one.needed:,} in all would tell"
    of = f"{one.difference.items:,} {one.unit}"
    return [one.name, *points(one.difference), f"{one.adjusted_p:.3f}", of, Cell(word, _tone(one))]


def points(found: Difference) -> list[str]:
    """Return before, after, difference and interval in points of a hundred."""
    span = f"{100 * found.low:+.2f} to {100 * found.high:+.2f}"
    return [f"{100 * found.before:.2f}", f"{100 * found.after:.2f}", f"{100 * found.difference:+.2f}", span]


def _show_golden(found: GoldenChange) -> None:
    gold, compared = found.gold, found.comparison
    with box("part"):
        heading("Golden items", f"{gold.items:,} items of {gold.file.rsplit('/', 1)[-1]}, the same on both sides")
        rows = [[name, *points(difference)] for name, difference in found.judged]
        table(["", *POINTS], rows, numbers=[1, 2, 3, 4])
        precision, recall = (f"{one[0]:.1%} → {one[1]:.1%}" for one in (found.precision, found.recall))
        text(f"precision {precision}, recall {recall}", "soft small")
        items = [*compared.losses[:LISTED], *compared.wins[:LISTED]]
        if items:
            columns = ["item", "title", "F1 before", "after", "better at", "worse at"]
            table(columns, map(_item_cells, items), numbers=[2, 3])


def _item_cells(one: ItemChange) -> list[str | Cell]:
    better, worse = Cell(", ".join(one.gained), "good"), Cell(", ".join(one.lost), "bad")
    return [_item(one.item_id), one.title, f"{one.before:.0%}", f"{one.after:.0%}", better, worse]


def _item(item_id: str) -> Cell:
    return Cell(item_id, to=address("items", item=item_id))


def _show_knowledge(found: KnowledgeChange) -> None:
    with box("part"):
        heading("Knowledge", f"accepted claims of {found.items:,} items: {found.claims[0]:,} → {found.claims[1]:,}")
        text(
            f"{found.recategorized:,} items in another category; demands: {found.demands[0]:,} gained, "
            f"{found.demands[1]:,} lost; {found.summaries:,} other summaries",
            "soft small",
        )
        if not found.by_attribute:
            text("No claim differs.", "told")
            return
        with box("row small"):
            for classes, name in (("good", "gained"), ("bad", "lost"), ("doubt", "changed")):
                box(f"swatch {classes}", "span")
                text(name, tag="span")
        with box("columns"):
            _show_counts("attribute", found.by_attribute)
            _show_counts("category, as it was before", found.by_category)
        table(["for example", "title", "attribute", "before", "after"], map(_example_cells, found.examples))


def _example_cells(one: ValueChange) -> list[str | Cell]:
    return [_item(one.item_id), one.title, one.attribute, one.before or "–", one.after or "–"]


def _show_counts(name: str, counts: Sequence[Count]) -> None:
    most = max((one.all for one in counts), default=1)
    rows: list[list[str | Cell]] = [
        [
            one.name or "(none)",
            Cell(make=lambda one=one: changes(one.gained, one.lost, one.changed, most), classes="middle"),  # type: ignore[misc]
            *(str(number) for number in (one.gained, one.lost, one.changed)),
        ]
        for one in counts[:LISTED]
    ]
    table([name, "", "gained", "lost", "changed"], rows, numbers=[2, 3, 4])


def _show_vectors(found: VectorChange) -> None:
    with box("part"):
        heading(f"Vectors: {found.name}", f"{found.moved:,} of {found.items:,} items moved, by 1 − cosine")
        if not found.moved:
            return
        with box("columns"):
            with box():
                movement(found.histogram, found.greatest)
            table(["the farthest", "title", "moved"], map(_moved_cells, found.farthest), numbers=[2])


def _moved_cells(one: MovedItem) -> list[str | Cell]:
    return [_item(one.item_id), one.title, f"{one.distance:.3f}"]


def _show_ranking(found: RankingChange) -> None:
    protocol, differences, parts = found.report.protocol, found.report.differences, found.slices
    seeds = ", ".join(map(str, protocol.seeds))
    with box("part"):
        heading(found.model, f"trained on both sides with seeds {seeds}; {protocol.users:,} users, in points")
        intervals([(one.metric, one.difference, tone(one.metric, one.difference)) for one in differences])
        rows = [[one.metric, "all", "", *points(one.difference)] for one in differences]
        rows += [[one.metric, f"{one.by}: {one.name}", f"{one.events:,}", *points(one.difference)] for one in parts]
        table(["metric", "events of", "events", *POINTS], rows, numbers=[2, 3, 4, 5, 6])
        text(f"{protocol.split}; candidates: {protocol.candidates}", "soft small")


def tone(metric: str, found: Difference) -> str:
    """Return how a difference is shown: "good", "bad", or nothing where it is not sure."""
    better, worse = (found.worse, found.better) if metric in FALLING else (found.better, found.worse)
    return "good" if better else "bad" if worse else ""


def _show_cost(report: ImpactReport) -> None:
    work, spent, (before, after) = report.work, report.work.spent, report.costs
    with box("part"):
        heading("Cost", f"of an item; this report took {spent.calls:,} calls, {spent.replayed:,} from the ledger")
        rows = [
            ["calls", f"{before.calls:.2f}", f"{after.calls:.2f}"],
            ["tokens", f"{before.tokens:,.0f}", f"{after.tokens:,.0f}"],
            ["money", money(before.cost), money(after.cost)],
        ]
        with box("columns"):
            table(["", "before", "after"], rows, numbers=[1, 2])
            table(["step", "seconds", "CPU-s"], _steps(report), numbers=[1, 2])
        table(["made anew", "for", "results"], map(_cause_cells, work.causes[:LISTED]), numbers=[2])
        text(
            f"foreseen: {work.expected_calls:,.0f} calls, {work.expected_tokens:,.0f} tokens, "
            f"{money(work.expected_cost)} in money; {spent.failed:,} items failed",
            "soft small",
        )


def _cause_cells(one: StaleCause) -> list[str | Cell]:
    return [Cell(one.agent, "nowrap"), one.why, f"{one.results:,}"]


def _steps(report: ImpactReport) -> Iterator[list[str]]:
    yield from ([step.name, f"{step.seconds:.1f}", f"{step.cpu_seconds:.1f}"] for step in report.steps)


def money(cost: Decimal | None) -> str:
    """Return money as a text; nobody may know it."""
    return "unknown" if cost is None else f"{cost:.6f}"
