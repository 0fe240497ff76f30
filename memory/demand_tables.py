"""The table of demands; private to memory."""

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from memory.column_types import AnyText, Json
from memory.tables import Table


class DemandRow(Table, table=True):
    """One demand of an enrichment with the one ruling on it; `position` keeps their order."""

    __tablename__ = "demand"
    __table_args__ = (
        ForeignKeyConstraint(
            ["item_id", "version_id"], ["enrichment.item_id", "enrichment.version_id"], ondelete="CASCADE"
        ),
        Index(None, "relation", "text"),
    )

    item_id: str = Field(primary_key=True)
    version_id: int = Field(primary_key=True)
    demand_id: str = Field(primary_key=True, sa_type=AnyText)
    position: int
    relation: str
    text: str = Field(sa_type=AnyText)
    positive: bool
    plausibility: float
    typicality: float
    rests_on: list[str] = Field(sa_type=Json)  # claim ids
    producer: str
    decision: str
    reason: str
    checked_by: str
    note: str = Field(sa_type=AnyText)
    round: int
