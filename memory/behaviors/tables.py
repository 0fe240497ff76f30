"""The tables of behaviours; private to memory, and known without polars."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary
from sqlmodel import Field

from memory.column_types import AnyText, UtcTime
from memory.tables import Table


class BehaviorImportRow(Table, table=True):
    """One addition of behaviours: a file that was read, or what a model imagined."""

    __tablename__ = "behavior_import"

    id: int | None = Field(default=None, primary_key=True)
    content_hash: str = Field(unique=True)  # of what was read and how; the same is not added twice
    origin: str = Field(sa_type=AnyText)  # the file's name, or the model's
    clock: str  # "time" or "order": what its behaviours are sorted by
    rows: int = Field(sa_type=BigInteger)
    rejected: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcTime)


class BehaviorSegmentRow(Table, table=True):
    """At most a million behaviours of one import and one source, in the order of the file, as Parquet."""

    __tablename__ = "behavior_segment"

    id: int | None = Field(default=None, primary_key=True)
    import_id: int = Field(index=True, foreign_key="behavior_import.id", ondelete="CASCADE")
    source: str = Field(index=True)
    model_version: str | None = Field(default=None, sa_type=AnyText)  # of what imagined them
    first_time: int = Field(sa_type=BigInteger)
    last_time: int = Field(sa_type=BigInteger)
    rows: int
    content: bytes = Field(sa_type=LargeBinary)


class InferenceOffRow(Table, table=True):
    """A user of whom nothing may be inferred; who has no row here has not objected."""

    __tablename__ = "inference_off"

    user_id: str = Field(primary_key=True, sa_type=AnyText)
    since: datetime = Field(sa_type=UtcTime)


class NothingImaginedRow(Table, table=True):
    """A user of whom a model was asked, and imagined nothing: it need not be asked again."""

    __tablename__ = "nothing_imagined"

    user_id: str = Field(primary_key=True, sa_type=AnyText)
    as_of: int = Field(sa_type=BigInteger)
    expires: int | None = Field(default=None, sa_type=BigInteger)
    model_version: str = Field(sa_type=AnyText)
