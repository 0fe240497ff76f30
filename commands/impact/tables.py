"""A report in the terminal: the verdict first, then what it rests on."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from commands.output import print_table, say
from evaluators.impact.report import (
    AgentsReport,
    AgentWorth,
    Count,
    ImpactReport,
    Measured,
    SideCost,
    ValueChange,
    VectorChange,
)
from evaluators.significance import Difference
from memory.impact_reports import KeptReport

SHOWN = 10  # rows of a long table; the JSON and the page have all
COLUMNS = ["", "before", "after", "difference", "95 % interval"]


def print_impact(report: ImpactReport, number: int | None) -> None:
    """Print all tables, and the verdict at the end, where a terminal shows it."""
    print_table(_title(report, number), ["", "before", "after"], _sides(report))
    _print_work(report)
    if report.golden:
        rows = [_points(name, found) for name, found in report.golden.judged]
        print_table(f"{report.golden.gold.items} golden items", COLUMNS, rows)
    _print_knowledge(report)
    if any(one.moved for one in report.vectors):
        columns = ["vectors", "items", "moved", "median 1 - cosine", "farthest"]
        print_table("Vectors", columns, map(_vector_cells, report.vectors))
    rankings = [_points(f"{model}: {one.metric}", one.difference) for model, one in report.differences()]
    if rankings:
        print_table("Ranking, the same seeds on both sides", COLUMNS, rankings)
        if clear := list(_clear_slices(report)):
            print_table("Slices that differ for sure", ["model", "events of", "events", *COLUMNS[1:]], clear)
    print_table("An item costs", ["", "before", "after"], _costs(report.costs))
    for note in report.notes:
        say(note)
    _print_verdict(report)


def print_agents(report: AgentsReport) -> None:
    """Print what each agent adds to each figure, for what it takes."""
    columns = ["agent", "tokens an item", "money an item", "adds to", "points", "95 % interval"]
    title = f"What each agent is worth, of {report.sample.items} items: from without to with it"
    rates = ["points per 1,000 tokens", "per unit of money"]
    print_table(title, [*columns, *rates], [row for own in report.agents for row in _worth_rows(own)])
    for note in report.notes:
        say(note)


def print_kept(reports: Sequence[KeptReport], current: int | None) -> None:
    """Print the list of reports, and which of their versions is read."""
    rows = [
        [
            str(one.id),
            f"{one.made_at:%Y-%m-%d %H:%M}",
            one.what,
            f"{one.before_version} -> {one.after_version or '-'}",
            one.verdict or "-",
            "after" if one.after_version == current else "before" if one.before_version == current else "",
        ]
        for one in reports
    ]
    print_table("Reports", ["report", "made (UTC)", "what differs", "versions", "verdict", "is read"], rows)


def _title(report: ImpactReport, number: int | None) -> str:
    name = "Impact" if number is None else f"Impact, report {number}"
    return f"{name}: {'; '.join(report.what)}"


def _sides(report: ImpactReport) -> list[list[str]]:
    found = report.knowledge
    return [
        ["version", str(report.before.version), str(report.after.version)],
        ["accepted claims", str(found.claims[0]), str(found.claims[1])],
        ["contradictions", str(found.contradictions[0]), str(found.contradictions[1])],
    ]


def _print_work(report: ImpactReport) -> None:
    work, spent = report.work, report.work.spent
    rows = [[cause.agent, cause.why, str(cause.results)] for cause in work.causes[:SHOWN]]
    print_table(f"Stale of {report.sample.items} items", ["agent", "why", "results"], rows)
    money = "money unknown" if work.expected_cost is None else f"{work.expected_cost:.4f} in money"
    say(f"foreseen: {work.expected_calls:.0f} calls, {work.expected_tokens:.0f} tokens, {money}")
    unpriced = f" and {spent.unpriced} calls of unknown price" if spent.unpriced else ""
    say(
        f"spent: {spent.calls} calls, {spent.tokens} tokens, {spent.cost:.4f} in money{unpriced}, "
        f"{spent.replayed} answers from the ledger; {sum(step.seconds for step in report.steps):.0f} s in all"
    )


def _print_knowledge(report: ImpactReport) -> None:
    found = report.knowledge
    say(
        f"{found.differing} of {found.items} items differ: {found.gained} claims gained, {found.lost} lost, "
        f"{found.changed} changed; {found.recategorized} in another category; demands {found.demands[0]} gained, "
        f"{found.demands[1]} lost; {found.summaries} other summaries"
    )
    for name, counts in (("attribute", found.by_attribute), ("category", found.by_category)):
        if counts:
            print_table(f"By {name}", [name, "gained", "lost", "changed"], map(_count_cells, counts[:SHOWN]))
    if found.examples:
        columns = ["item", "title", "attribute", "before", "after"]
        print_table("For example", columns, map(_example_cells, found.examples[:SHOWN]))


def _print_verdict(report: ImpactReport) -> None:
    if report.verdict.measured:
        print_table("What decides", [*COLUMNS, "p (Holm)", ""], map(_measured_cells, report.verdict.measured))
    say(f"verdict: {report.verdict.decision.value}")
    for reason in report.verdict.reasons:
        say(f"  {reason}")


def _measured_cells(one: Measured) -> list[str]:
    word = "worse" if one.lost else "better" if one.won else "no matter" if one.same else "not settled"
    return [*_points(one.name, one.difference), f"{one.adjusted_p:.3f}", word]


def _points(name: str, found: Difference) -> list[str]:
    span = f"{100 * found.low:+.2f} to {100 * found.high:+.2f}"
    return [name, f"{100 * found.before:.2f}", f"{100 * found.after:.2f}", f"{100 * found.difference:+.2f}", span]


def _clear_slices(report: ImpactReport) -> Iterator[list[str]]:
    """Yield those whose interval is clear of zero; of so many a few are by chance."""
    for ranking in report.rankings:
        for one in (own for own in ranking.slices if own.difference.better or own.difference.worse):
            cells = _points(one.metric, one.difference)
            yield [f"{ranking.model}: {one.metric}", f"{one.by}: {one.name}", str(one.events), *cells[1:]]


def _vector_cells(one: VectorChange) -> list[str]:
    median = f"{one.quantiles[len(one.quantiles) // 2]:.3f}" if one.quantiles else "-"
    farthest = f"{one.farthest[0].distance:.3f} {one.farthest[0].title}" if one.farthest else "-"
    return [one.name, str(one.items), str(one.moved), median, farthest]


def _count_cells(one: Count) -> list[str]:
    return [one.name or "(none)", str(one.gained), str(one.lost), str(one.changed)]


def _example_cells(one: ValueChange) -> list[str]:
    return [one.item_id, one.title, one.attribute, one.before or "-", one.after or "-"]


def _costs(costs: Iterable[SideCost]) -> list[list[str]]:
    before, after = costs
    return [
        ["calls", f"{before.calls:.2f}", f"{after.calls:.2f}"],
        ["tokens", f"{before.tokens:.0f}", f"{after.tokens:.0f}"],
        ["money", _money(before.cost), _money(after.cost)],
    ]


def _money(cost: Decimal | None) -> str:
    return "unknown" if cost is None else f"{cost:.6f}"


def _worth_rows(own: AgentWorth) -> Iterator[list[str]]:
    """Yield a row for each figure; the agent and what it takes are told once."""
    tokens, money = own.tokens[1] - own.tokens[0], _gap(own.cost)
    found = [(f"{one.metric} of {model}", one.difference) for model, one in own.rankings]
    golden = [] if own.golden is None else [("F1 of golden items", own.golden.f1)]
    taken = [own.agent, f"{tokens:+.0f}", _money(money)]
    for place, (name, difference) in enumerate([*golden, *found]):
        cells = [
            name,
            f"{100 * difference.difference:+.2f}",
            f"{100 * difference.low:+.2f} to {100 * difference.high:+.2f}",
        ]
        yield [*(taken if place == 0 else [""] * 3), *cells, _rate(difference, tokens / 1000), _rate(difference, money)]


def _gap(cost: tuple[Decimal | None, Decimal | None]) -> Decimal | None:
    return None if cost[0] is None or cost[1] is None else cost[1] - cost[0]


def _rate(found: Difference, taken: float | Decimal | None) -> str:
    """Return points for one unit of what is taken; none for what takes nothing, or nobody knows what."""
    return "-" if not taken or taken < 0 else f"{100 * found.difference / float(taken):+.3f}"
