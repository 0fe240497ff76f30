"""The table of reports of what changes did; private to memory."""

from datetime import datetime

from sqlmodel import Field

from memory.column_types import AnyText, UtcTime
from memory.tables import Table


class ImpactReportRow(Table, table=True):
    """One report as the document that it is; versions that may be pruned are not referred to."""

    __tablename__ = "impact_report"

    id: int | None = Field(default=None, primary_key=True)
    made_at: datetime = Field(sa_type=UtcTime)
    before_version: int
    after_version: int | None = None  # None: a report of agents, which has no version to ship
    verdict: str
    what: str = Field(sa_type=AnyText)
    content: str = Field(sa_type=AnyText)
