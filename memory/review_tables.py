"""The table of people's decisions; private to memory."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlmodel import Field

from memory.column_types import AnyText, Json, UtcTime
from memory.tables import Table


class ReviewRow(Table, table=True):
    """One decision about one value; rows are added and never dropped, so nothing that may be dropped is referred to."""

    __tablename__ = "review"

    id: int | None = Field(default=None, primary_key=True)
    item_id: str = Field(index=True)
    content_hash: str
    category_id: str
    attribute: str = Field(sa_type=AnyText)
    many: bool
    decision: str
    value: str | None = Field(default=None, sa_type=AnyText)
    normalized: str | None = Field(default=None, sa_type=AnyText)
    unit: str | None = Field(default=None, sa_type=AnyText)
    right_value: str | None = Field(default=None, sa_type=AnyText)
    right_normalized: str | None = Field(default=None, sa_type=AnyText)
    right_unit: str | None = Field(default=None, sa_type=AnyText)
    field: str | None = Field(default=None, sa_type=Text)  # where the item's text says what is right
    start: int | None = None
    end: int | None = None
    quote: str | None = Field(default=None, sa_type=AnyText)
    reviewer: str = Field(sa_type=AnyText)
    note: str = Field(sa_type=AnyText)
    at: datetime = Field(sa_type=UtcTime)
    claims: list[dict[str, Any]] = Field(sa_type=Json)
    withdraws: int | None = None  # the id of the decision that is taken back
