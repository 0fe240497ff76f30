"""The tables of traces; private to memory."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Text
from sqlmodel import Field

from memory.column_types import AnyText, Money, UtcTime
from memory.tables import Table


class TraceRow(Table, table=True):
    """One trace, its steps aside; the item need not be stored, so nothing is referred to but the trace it replays."""

    __tablename__ = "trace"

    id: int | None = Field(default=None, primary_key=True)
    item_id: str = Field(index=True)
    title: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=UtcTime)
    model: str
    failure: str = Field(sa_type=AnyText)
    replay_of: int | None = Field(default=None, foreign_key="trace.id", ondelete="SET NULL")
    replay_from: int | None = None
    thread: str
    ended: bool  # False: it is under way, or its process was killed
    steps: int
    accepted: int  # claims
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usage_estimated: bool
    cost: Decimal = Field(sa_type=Money)
    unpriced: int
    seconds: float
    content: str = Field(sa_type=Text)  # item, prompts, provenance, enrichment: JSON in ASCII


class TraceStepRow(Table, table=True):
    """One step of a trace."""

    __tablename__ = "trace_step"

    trace_id: int = Field(primary_key=True, foreign_key="trace.id", ondelete="CASCADE")
    number: int = Field(primary_key=True)
    node: str
    seconds: float
    content: str = Field(sa_type=Text)  # calls, update and the rest: JSON in ASCII
