"""How a run of the beyond-log benchmark looks in a terminal."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commands.output import print_table, say

if TYPE_CHECKING:
    from evaluators.beyond_log.report import BeyondLogReport

SHOWN_METRICS = 5  # a terminal is 80 wide


def print_beyond_log(report: "BeyondLogReport") -> None:
    """Print the protocol, every system under its rules, and what is gained over the strongest control."""
    told, over = report.protocol, report.coverage
    hiding = f"{told.share:.0%} of each user's leaf categories hidden" if told.share else "hidden by the log itself"
    say(f"{told.data}; {hiding}; seeds {', '.join(map(str, told.seeds))}; {told.machine}")
    say(
        f"{over.scored_users} of {over.users} users are scored, by {over.hidden_items:.0f} hidden items "
        f"({over.unseen_items:.0f} of them unseen in any visible history) of {over.categories} leaf categories"
    )
    for note in (*report.left_out, *told.notes):
        say(note)
    metrics = tuple(name for name in report.metrics if name.endswith(f"@{told.cuts[0]}"))[:SHOWN_METRICS]
    title = f"Systems, each under the rule that serves its {metrics[0]} best; * is the strongest control under any rule"
    print_table(title, ["system", "rule", *(name.replace("@", " @") for name in metrics)], _systems(report, metrics))
    if report.differences:
        columns = ["metric", "from the strongest control", "to", "difference", "95 % interval"]
        print_table("What is gained, over users", columns, _differences(report))
    for effect in report.ranker:
        rows = [
            [what, one.metric, f"{one.difference.difference:+.4f}", _span(one.difference.low, one.difference.high)]
            for what, pairs in (("own", effect.imagined), ("of another user", effect.placebo))
            for one in pairs
        ]
        print_table(f"A ranker with behaviours of {effect.system}", ["behaviours", "metric", "gain", "interval"], rows)
    for file in report.files:
        _print_file(file.system, file.rows, file.refused_rows, file.users_without)
        for one in file.refused[:SHOWN_METRICS]:
            say(f"  {one.file}, line {one.line}: {one.reason}")


def _systems(report: "BeyondLogReport", metrics: tuple[str, ...]) -> Iterator[list[str]]:
    for system in dict.fromkeys(judged.system for judged in report.systems):
        under = [judged for judged in report.systems if judged.system == system]
        best = max(under, key=lambda judged: judged.metrics[metrics[0]].mean)
        means = []
        for name in metrics:
            found, mark = best.metrics.get(name), "*" if report.strongest.get(name) == best.label else ""
            means.append("" if found is None else f"{found.mean:.3f}{mark}")
        yield [system, best.rule.value, *means]


def _differences(report: "BeyondLogReport") -> Iterator[list[str]]:
    for pair in report.differences:
        found = pair.difference
        yield [pair.metric, pair.before, pair.after, f"{found.difference:+.4f}", _span(found.low, found.high)]


def _span(low: float, high: float) -> str:
    return f"{low:+.4f} to {high:+.4f}"


def _print_file(system: str, rows: int, refused: int, without: int) -> None:
    say(f"{system}: {rows} rows, {refused} of them refused; nothing is said of {without} scored users")
