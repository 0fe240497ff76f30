"""The tables of vectors; private to memory."""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, Text
from sqlmodel import Field

from memory.column_types import Json, UtcTime
from memory.tables import Table


class TextVectorRow(Table, table=True):
    """The vector that an encoder gave a text: many items may share it, and a text is encoded once."""

    __tablename__ = "text_vector"

    encoder: str = Field(primary_key=True)
    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)  # of the text; of the vector, where no text has it
    vector: bytes = Field(sa_type=LargeBinary)  # float32, the smallest byte first


class VectorSetRow(Table, table=True):
    """One built set of item vectors."""

    __tablename__ = "vector_set"

    name: str = Field(primary_key=True)
    encoder: str = Field(sa_type=Text)
    parts: list[str] = Field(sa_type=Json)
    version_id: int  # what it was made of; 0: from before the first run. No foreign key: versions may be pruned
    as_of: int | None = Field(default=None, sa_type=BigInteger)  # milliseconds since 1970; None: all of its time
    built_at: datetime = Field(sa_type=UtcTime)


class VectorSetItemRow(Table, table=True):
    """One item of a set, with the hash that its vector is stored under."""

    __tablename__ = "vector_set_item"

    set_name: str = Field(primary_key=True, foreign_key="vector_set.name", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    item_id: str
    hash: bytes = Field(sa_type=LargeBinary)
