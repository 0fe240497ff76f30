"""What differs between two traces, as the rows of a table: what it is of, before, after, and how it changed."""

from collections.abc import Iterator

from commands.trace_view import money
from evaluators.trace_comparison import Differences, Ruled, TextChange, TraceComparison
from memory.record import Record

NONE = "–"


class ComparedRow(Record):
    """One row: what it is of, the text on each side, and what happened."""

    of: str
    before: str
    after: str
    change: str


def outcome_rows(compared: TraceComparison) -> list[ComparedRow]:
    """Return what differs in what two traces came to; none where they came to the same."""
    failures = None
    if compared.failure_before != compared.failure_after:
        failures = TextChange(before=compared.failure_before or "done", after=compared.failure_after or "done")
    return [
        *_text_row("ended", failures),
        *_text_row("category", compared.category),
        *_ruled_rows(compared.claims),
        *_ruled_rows(compared.demands),
        *_text_row("summary", compared.summary),
    ]


def cost_rows(compared: TraceComparison) -> list[ComparedRow]:
    """Return what each trace cost, all its steps together."""
    a, b = compared.before, compared.after
    tokens = [spent.usage.prompt_tokens + spent.usage.completion_tokens for spent in (a, b)]
    return [
        ComparedRow(of="calls", before=str(a.calls), after=str(b.calls), change=f"{b.calls - a.calls:+d}"),
        ComparedRow(of="tokens", before=str(tokens[0]), after=str(tokens[1]), change=f"{tokens[1] - tokens[0]:+d}"),
        ComparedRow(of="money", before=money(a), after=money(b), change=f"{b.cost - a.cost:+.6f}"),
        ComparedRow(
            of="seconds", before=f"{a.seconds:.2f}", after=f"{b.seconds:.2f}", change=f"{b.seconds - a.seconds:+.2f}"
        ),
    ]


def _text_row(of: str, change: TextChange | None) -> Iterator[ComparedRow]:
    if change:
        yield ComparedRow(of=of, before=change.before or NONE, after=change.after or NONE, change="changed")


def _ruled_rows(found: Differences) -> Iterator[ComparedRow]:
    for pair in found.changed:
        yield _row(pair.before, pair.after, "changed")
    for pair in found.verdicts:
        yield _row(pair.before, pair.after, "another verdict")
    for gained in found.gained:
        yield _row(None, gained, "gained")
    for lost in found.lost:
        yield _row(lost, None, "lost")


def _row(before: Ruled | None, after: Ruled | None, change: str) -> ComparedRow:
    of = next(side.attribute for side in (before, after) if side)
    return ComparedRow(of=of, before=_said(before), after=_said(after), change=change)


def _said(ruled: Ruled | None) -> str:
    if ruled is None:
        return NONE
    if ruled.verdict is None or ruled.decision is None:
        return f"{ruled.value}: not ruled"
    reason = "" if ruled.decision.value == "accept" else f" ({ruled.verdict.reason.value})"
    note = f": {ruled.verdict.note}" if ruled.verdict.note and reason else ""
    return f"{ruled.value}: {ruled.decision.value}{reason}{note}"
