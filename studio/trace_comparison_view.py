"""Two traces of one item side by side: what was gained, lost, ruled differently, and what each cost."""

from collections.abc import Iterable, Iterator

from evaluators.trace_comparison import Change, Differences, Ruled, TraceComparison, compare_traces
from memory.trace import Spent, Trace
from studio.parts import Cell, box, heading, table, text


def show_comparison(first: Trace, second: Trace) -> None:
    """Show how the second trace differs from the first."""
    compared = compare_traces(first, second)
    heading(f"Trace {first.id} beside trace {second.id}", f"{first.model} and {second.model}")
    if not compared.same_text:
        text("They are not of the same text: the item has changed in between.", "told doubt")
    if compared.same_outcome:
        text("Both came to the same.", "told good")
    rows = list(_rows(compared))
    if rows:
        table(["", "what", f"trace {first.id}", f"trace {second.id}"], rows)
    with box("part"):
        heading("What each cost", "when its calls were made; what was taken over counts too")
        columns = ["", "calls", "tokens", "money", "seconds"]
        before, after = _cost(f"trace {first.id}", compared.before), _cost(f"trace {second.id}", compared.after)
        table(columns, [before, after], numbers=[1, 2, 3, 4])


def _rows(compared: TraceComparison) -> Iterator[list[str | Cell]]:
    for what, change in (("category", compared.category), ("summary", compared.summary)):
        if change:
            yield [Cell("changed", "doubt"), what, change.before, change.after]
    if compared.failure_before != compared.failure_after:
        yield [Cell("failure", "bad"), "", compared.failure_before or "none", compared.failure_after or "none"]
    yield from _of(compared.claims)
    yield from _of(compared.demands)


def _of(found: Differences) -> Iterator[list[str | Cell]]:
    yield from _changes("changed", found.changed)
    yield from _changes("verdict", found.verdicts)
    for one in found.gained:
        yield [Cell("gained", "good"), one.attribute, "", _phrase(one)]
    for one in found.lost:
        yield [Cell("lost", "bad"), one.attribute, _phrase(one), ""]


def _changes(kind: str, changes: Iterable[Change]) -> Iterator[list[str | Cell]]:
    for one in changes:
        yield [Cell(kind, "doubt"), one.after.attribute, _phrase(one.before), _phrase(one.after)]


def _phrase(one: Ruled) -> str:
    ruled = "not ruled" if one.decision is None else one.decision.value
    return f"{one.value}  ({ruled}{'' if one.reason is None else f': {one.reason.value}'})"


def _cost(name: str, spent: Spent) -> list[str | Cell]:
    tokens = spent.usage.prompt_tokens + spent.usage.completion_tokens
    money = f"{spent.cost:.4f}" + (" + ?" if spent.unpriced else "")
    return [name, f"{spent.calls}", f"{tokens:,}", money, f"{spent.seconds:.2f}"]
