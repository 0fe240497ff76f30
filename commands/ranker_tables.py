"""How evaluations and rankings of the ranker look in a terminal."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from commands.output import print_table, say
from memory.text import printable

if TYPE_CHECKING:
    from commands.ranker_training import RankedItem
    from evaluators.ranking.report import RankingReport

SHOWN_METRICS = 4  # a terminal is 80 wide


def print_report(report: "RankingReport") -> None:
    """Print each system's metrics, the slices, and what is gained over the floor."""
    told = report.protocol
    say(f"{told.task}, {told.split}; {told.candidates}; {told.events} events of {told.users} users, {told.items} items")
    say(f"data: {told.data}; seeds {', '.join(map(str, told.seeds))}; ties {told.ties}; {told.machine}")
    metrics = report.metrics[:SHOWN_METRICS]
    print_table("Systems", ["system", *metrics, "CPU-s"], _systems(report, metrics))
    if report.slices:
        shown = list(dict.fromkeys([report.floor, report.systems[-1].label, report.best.label]))
        print_table(f"{report.slices[0].metric} by slice", ["slice", "events", *shown], _slices(report, shown))
    if report.differences:
        columns = ["from", "to", "metric", "difference", "95 % interval"]
        print_table("Paired differences, over users", columns, _differences(report))


def print_ablation(report: "RankingReport") -> None:
    """Print what each attribute is worth, and what would pay most to be known of more items."""
    items = report.protocol.items
    rows = [
        [
            printable(effect.attribute, 40),
            f"{effect.items} of {items}",
            f"{effect.difference.difference:+.4f}",
            f"{effect.difference.low:+.4f} to {effect.difference.high:+.4f}",
            str(items - effect.items),
        ]
        for effect in sorted(report.attributes, key=lambda one: -one.difference.difference)
    ]
    title = f"Attributes: what {report.metrics[0]} gains by each; to enrich first, where an interval is clear of zero"
    print_table(title, ["attribute", "known of", "gain", "95 % interval", "unknown of"], rows)


def print_ranked(found: Sequence["RankedItem"]) -> None:
    """Print a ranking with its reasons."""
    rows: list[list[str | Text]] = [
        [
            str(place),
            Text(printable(one.item, 40)),
            Text(printable(one.title, 60)),
            f"{one.score:.3f}",
            Text(printable(one.because, 60)),
            Text(printable("; ".join(f"{name} {value}" for name, value in one.shared), 120)),
        ]
        for place, one in enumerate(found, start=1)
    ]
    print_table("Ranking", ["", "item", "title", "score", "nearest behaviour", "both have"], rows)


def _systems(report: "RankingReport", metrics: Sequence[str]) -> Iterator[list[str]]:
    for system in report.systems:
        cells = [_with_spread(system.metrics[name].mean, system.spread.get(name)) for name in metrics]
        mark = " (floor)" if system.label == report.floor else ""
        seconds = "" if system.cpu_seconds is None else f"{system.cpu_seconds:.1f}"
        yield [system.label + mark, *cells, seconds]


def _with_spread(mean: float, spread: float | None) -> str:
    return f"{mean:.4f}" if spread is None else f"{mean:.4f} ± {spread:.4f}"


def _slices(report: "RankingReport", shown: Sequence[str]) -> Iterator[list[str]]:
    for part in report.slices:
        found = [part.systems.get(label) for label in shown]
        means = ["" if one is None else f"{one.mean:.3f}" for one in found]
        yield [f"{part.by}: {part.name}", str(part.events), *means]


def _differences(report: "RankingReport") -> Iterator[list[str]]:
    for pair in report.differences:
        found = pair.difference
        span = f"{found.low:+.4f} to {found.high:+.4f}"
        yield [pair.before, pair.after, pair.metric, f"{found.difference:+.4f}", span]
