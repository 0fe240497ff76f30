"""The traces as they are stored: session first, the caller commits."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import ValidationError
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from memory.errors import ReaseqError
from memory.model_call import Usage
from memory.record import Record
from memory.rows import Row
from memory.schema import CatalogItem, Decision
from memory.trace import Spent, StepUpdate, Trace, TraceStep, UnknownStep, found_by, spent_on
from memory.trace_tables import TraceRow, TraceStepRow

__all__ = [  # all about traces, from one place
    "Spent",
    "StepUpdate",
    "Trace",
    "TraceHead",
    "TraceState",
    "TraceStep",
    "TraceUnreadable",
    "UnknownStep",
    "UnknownTrace",
    "forget_threads",
    "found_by",
    "prune_traces",
    "save_trace",
    "spent_on",
    "trace_heads",
    "trace_of",
]

TraceState = Literal["done", "failed", "unfinished"]  # unfinished: under way, or its process was killed

_IN_CONTENT = ("item", "prompts", "provenance", "enrichment")
_STEP_IN_CONTENT = ("calls", "recalled", "checkpoint")


class UnknownTrace(ReaseqError):
    """There is no trace of that number."""


class TraceUnreadable(ReaseqError):
    """What is stored of a trace is not one: it was changed from outside."""


class TraceHead(Record):
    """What a list shows of a trace; `spent` is the sum over its calls, those of a replay's taken steps as well."""

    id: int
    item_id: str
    title: str
    started_at: datetime
    model: str
    state: TraceState
    failure: str
    replay_of: int | None
    replay_from: int | None
    steps: int
    accepted: int  # claims
    spent: Spent


def save_trace(session: Session, trace: Trace) -> int:
    """Store a trace, or how far one has come that is stored already (`id`), and return its number.

    Steps are added and never changed. Raises `UnknownTrace` where it was pruned meanwhile.
    """
    head = _head_row(trace)
    row = TraceRow(**head) if trace.id is None else _row(session, trace.id).sqlmodel_update(head)
    session.add(row)
    session.flush()
    number = row.id or 0
    of_trace = select(func.count()).select_from(TraceStepRow).where(TraceStepRow.trace_id == number)
    for step in trace.steps[session.exec(of_trace).one() :]:
        session.add(_step_row(number, step))
    session.flush()
    return number


def trace_heads(session: Session, *, item_id: str | None = None, limit: int | None = None) -> list[TraceHead]:
    """Return the traces, of one item if it is given, newest first, at most `limit` of them."""
    query = select(TraceRow).order_by(col(TraceRow.id).desc()).limit(limit)
    if item_id is not None:
        query = query.where(TraceRow.item_id == item_id)
    return [_head(row) for row in session.exec(query)]


def trace_of(session: Session, trace_id: int) -> Trace:
    """Return one trace; every evidence is checked against its item's text again.

    Raises `UnknownTrace` and `TraceUnreadable`.
    """
    row = _row(session, trace_id)
    steps = select(TraceStepRow).where(TraceStepRow.trace_id == trace_id).order_by(col(TraceStepRow.number))
    try:
        content = json.loads(row.content)
        item = CatalogItem.model_validate(content["item"])
        shared = {name: getattr(row, name) for name in Trace.model_fields if name in TraceRow.model_fields}
        own = {"steps": [_step_content(step) for step in session.exec(steps)]}
        return Trace.model_validate(shared | content | own, context={"item": item})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise TraceUnreadable(f"what is stored of trace {trace_id} is not valid: {problem}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TraceUnreadable(f"what is stored of trace {trace_id} is not valid: {error}") from error


def prune_traces(session: Session, keep: int) -> list[str]:
    """Drop all but the newest `keep` traces; return the threads of checkpoints that no kept trace has."""
    kept = select(TraceRow.id).order_by(col(TraceRow.id).desc()).limit(keep)
    numbers = session.exec(kept).all()
    dropped = session.exec(select(TraceRow.thread).where(col(TraceRow.id).not_in(numbers))).all()
    session.connection().execute(delete(TraceRow).where(col(TraceRow.id).not_in(numbers)))
    session.expire_all()
    return _without_a_trace(session, dropped)


def forget_threads(session: Session, keep: int) -> list[str]:
    """Let all but the newest `keep` traces forget their threads; return those that no trace has any more."""
    newest = select(TraceRow.id).where(TraceRow.thread != "").order_by(col(TraceRow.id).desc()).limit(keep)
    numbers = session.exec(newest).all()
    older = (col(TraceRow.thread) != "") & col(TraceRow.id).not_in(numbers)
    dropped = session.exec(select(TraceRow.thread).where(older)).all()
    session.connection().execute(update(TraceRow).where(older).values(thread=""))
    session.expire_all()
    return _without_a_trace(session, dropped)


def _without_a_trace(session: Session, threads: Sequence[str]) -> list[str]:
    candidates = sorted({thread for thread in threads if thread})
    held = session.exec(select(TraceRow.thread).where(col(TraceRow.thread).in_(candidates))).all()
    return [thread for thread in candidates if thread not in set(held)]


def _row(session: Session, trace_id: int) -> TraceRow:
    row = session.get(TraceRow, trace_id)
    if row is None:
        raise UnknownTrace(f"there is no trace {trace_id}; `reaseq traces` lists them")
    return row


def _head_row(trace: Trace) -> Row:
    spent, enrichment = trace.spent, trace.enrichment
    accepted = {v.claim_id for v in trace.outcome.verdicts if v.decision is Decision.ACCEPT}
    return {
        "item_id": trace.item.id,
        "title": trace.item.title,
        **{name: getattr(trace, name) for name in ("started_at", "model", "failure", "replay_of", "replay_from")},
        "thread": trace.thread,
        "ended": enrichment is not None or bool(trace.failure),
        "steps": len(trace.steps),
        "accepted": len(accepted),
        "calls": spent.calls,
        "prompt_tokens": spent.usage.prompt_tokens,
        "completion_tokens": spent.usage.completion_tokens,
        "usage_estimated": spent.usage.estimated,
        "cost": spent.cost,
        "unpriced": spent.unpriced,
        "seconds": spent.seconds,
        "content": json.dumps(trace.model_dump(mode="json", include=set(_IN_CONTENT))),
    }


def _head(row: TraceRow) -> TraceHead:
    state: TraceState = "failed" if row.failure else "done" if row.ended else "unfinished"
    names = ("item_id", "title", "started_at", "model", "failure", "replay_of", "replay_from", "steps", "accepted")
    usage = Usage(
        prompt_tokens=row.prompt_tokens, completion_tokens=row.completion_tokens, estimated=row.usage_estimated
    )
    spent = Spent(calls=row.calls, usage=usage, cost=row.cost, unpriced=row.unpriced, seconds=row.seconds)
    return TraceHead(id=row.id or 0, state=state, spent=spent, **{name: getattr(row, name) for name in names})


def _step_row(trace_id: int, step: TraceStep) -> TraceStepRow:
    content = step.model_dump(mode="json", include=set(_STEP_IN_CONTENT))
    content["update"] = step.update.model_dump(mode="json", include=step.update.model_fields_set)
    return TraceStepRow(
        trace_id=trace_id, number=step.number, node=step.node, seconds=step.seconds, content=json.dumps(content)
    )


def _step_content(row: TraceStepRow) -> dict[str, object]:
    content: dict[str, object] = json.loads(row.content)
    return {"number": row.number, "node": row.node, "seconds": row.seconds} | content
