"""How often each fingerprint of a prompt was used: in which runs, for how many items, at what cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.kept_prompts import kept_prompts
from memory.record import Record
from memory.tables import ModelCallRow, RunRow
from memory.versions import versions


class PromptUse(Record):
    """What became of one fingerprint of a prompt."""

    fingerprint: str
    first: datetime | None  # None: nobody knows any more
    last: datetime | None
    runs: int
    items: int  # enrichments that it took part in and that are still there
    calls: int
    tokens: int
    cost: Decimal  # of the calls whose price is known
    unpriced: int  # calls whose price is not


def prompt_uses(session: Session, name: str) -> list[PromptUse]:
    """Return every fingerprint of a prompt that a run, a call or a version names, the last used one last."""
    times: defaultdict[str, list[datetime]] = defaultdict(list)
    calls = {row.fingerprint: row for row in session.connection().execute(_calls(name))}
    for row in calls.values():
        times[row.fingerprint] += [row.first, row.last]
    for kept in kept_prompts(session, name):
        times[kept.fingerprint] += [kept.first_used] if kept.first_used else []
    runs, items = _of_versions(session, name, times)
    found = [_use(fingerprint, times[fingerprint], runs, items, calls.get(fingerprint)) for fingerprint in times]
    return sorted(found, key=_by_time)


def joined(uses: Iterable[PromptUse]) -> list[PromptUse]:
    """Return the uses of several knowledge bases as one a fingerprint, the last used one last."""
    found: dict[str, PromptUse] = {}
    for use in uses:
        known = found.get(use.fingerprint)
        found[use.fingerprint] = use if known is None else _sum(known, use)
    return sorted(found.values(), key=_by_time)


def _sum(one: PromptUse, other: PromptUse) -> PromptUse:
    added = {name: getattr(one, name) + getattr(other, name) for name in ("runs", "items", "calls", "tokens", "cost")}
    firsts = [use.first for use in (one, other) if use.first]
    lasts = [use.last for use in (one, other) if use.last]
    return PromptUse(
        fingerprint=one.fingerprint,
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        unpriced=one.unpriced + other.unpriced,
        **added,
    )


def _by_time(use: PromptUse) -> tuple[float, str]:
    return (use.last.timestamp() if use.last else 0.0, use.fingerprint)


def _of_versions(
    session: Session, name: str, times: defaultdict[str, list[datetime]]
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the number of runs and of items by fingerprint, and add the times of the runs."""
    runs: defaultdict[str, int] = defaultdict(int)
    items: defaultdict[str, int] = defaultdict(int)
    begun: defaultdict[int | None, list[datetime]] = defaultdict(list)
    for version_id, started in session.exec(select(RunRow.version_id, RunRow.started_at)).all():
        begun[version_id].append(started)
    for version in versions(session):
        for prompt, fingerprint in version.provenance.prompts if version.provenance else ():
            if prompt == name:
                runs[fingerprint] += len(begun[version.id])
                items[fingerprint] += version.results
                times[fingerprint] += begun[version.id]
    return runs, items


def _use(
    fingerprint: str, times: Iterable[datetime], runs: Mapping[str, int], items: Mapping[str, int], calls: Any
) -> PromptUse:
    known = sorted(times)
    return PromptUse(
        fingerprint=fingerprint,
        first=known[0] if known else None,
        last=known[-1] if known else None,
        runs=runs.get(fingerprint, 0),
        items=items.get(fingerprint, 0),
        calls=calls.calls if calls else 0,
        tokens=calls.tokens if calls else 0,
        cost=(calls.cost if calls else None) or Decimal(0),
        unpriced=calls.calls - calls.priced if calls else 0,
    )


def _calls(name: str) -> Any:
    """Return the query for what the calls with each fingerprint add up to."""
    return (
        select_columns(
            col(ModelCallRow.prompt_fingerprint).label("fingerprint"),
            func.min(col(ModelCallRow.created_at)).label("first"),
            func.max(col(ModelCallRow.created_at)).label("last"),
            func.count().label("calls"),
            func.count(col(ModelCallRow.cost)).label("priced"),
            func.sum(col(ModelCallRow.prompt_tokens) + col(ModelCallRow.completion_tokens)).label("tokens"),
            func.sum(col(ModelCallRow.cost)).label("cost"),
        )
        .where(col(ModelCallRow.prompt) == name)
        .group_by(col(ModelCallRow.prompt_fingerprint))
    )
