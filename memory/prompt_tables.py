"""The tables of prompts that were used, and of the scores that they had; private to memory."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Text
from sqlmodel import Field

from memory.column_types import AnyText, Json, Money, UtcTime
from memory.tables import Table


class PromptTextRow(Table, table=True):
    """One prompt as it was when a run first used it; a fingerprint leaves out its name, purpose and notes."""

    __tablename__ = "prompt_text"

    fingerprint: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_type=Json)
    first_used: datetime = Field(sa_type=UtcTime)


class ScoreRow(Table, table=True):
    """What one system reached on golden items; nothing that may be pruned is referred to."""

    __tablename__ = "score"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcTime)
    label: str = Field(sa_type=AnyText)
    model: str
    prompts: list[list[str]] = Field(sa_type=Json)
    gold_file: str = Field(sa_type=AnyText)
    gold_fingerprint: str = Field(sa_type=Text)
    items: int
    protocol: dict[str, Any] = Field(sa_type=Json)
    precision: float
    recall: float
    f1: float
    category_accuracy: float
    cost: Decimal | None = Field(default=None, sa_type=Money)
