"""The database's tables and the column types they need; private to memory."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlmodel import Field, SQLModel, UniqueConstraint

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
TABLES = MetaData(naming_convention=NAMES)  # names are fixed, so that migrations can drop and change what they name

PARTS = 10**12  # of one unit of money: the price of one cached token still is a whole number of them

ESCAPE = "\N{SYMBOL FOR ESCAPE}"
_UNSTORABLE = re.compile(f"[\0\ud800-\udfff{ESCAPE}]")
_ESCAPED = re.compile(f"{ESCAPE}([0-9a-f]{{4}})")


def escaped(text: str) -> str:
    """Return `text` so that every database can hold it: NUL and lone surrogates become an escape and four hex digits.

    PostgreSQL refuses NUL, and UTF-8 has no lone surrogates, but a model's answer may contain both. The escape
    character itself (U+241B) is escaped too, so `unescaped` gives back exactly what came; all other text is unchanged.
    """
    return _UNSTORABLE.sub(lambda match: f"{ESCAPE}{ord(match[0]):04x}", text)


def unescaped(text: str) -> str:
    """Return the text that `escaped` was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


class AnyText(TypeDecorator[str]):
    """Text that comes back exactly as it was given, NUL and lone surrogates included."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape what the database would refuse."""
        return None if value is None else escaped(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text as it was given."""
        return None if value is None else unescaped(value)


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite drops the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any zone into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark the stored time as UTC."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Money(TypeDecorator[Decimal]):
    """An amount of money as a whole number of its 10^-12 parts: sums are exact in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Count the parts; what is smaller than one is rounded."""
        return None if value is None else int((value * PARTS).to_integral_value())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the amount."""
        return None if value is None else Decimal(value) / PARTS


class Table(SQLModel):
    """What every table shares: one metadata, and types that SQLModel need not understand."""

    metadata: ClassVar[MetaData] = TABLES


class ItemRow(Table, table=True):
    """One catalog item, with the file and line it was last read from."""

    __tablename__ = "item"

    id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    fields: list[list[str]] = Field(sa_type=JSON)  # [[name, text], …]
    content_hash: str
    catalog: str | None = None
    line: int | None = None
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)


class TemplateRow(Table, table=True):
    """One category's template, in one taxonomy version, as completed by one model or by none ("")."""

    __tablename__ = "category_template"

    category_id: str = Field(primary_key=True)
    taxonomy_version: str = Field(primary_key=True)
    completed_by: str = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_type=JSON)


class EnrichmentRow(Table, table=True):
    """What is known of one item, its claims aside."""

    __tablename__ = "enrichment"

    item_id: str = Field(primary_key=True, foreign_key="item.id", ondelete="CASCADE")
    content_hash: str
    category_id: str = Field(index=True)
    category_path: list[str] = Field(sa_type=JSON)
    choice: dict[str, Any] = Field(sa_type=JSON)
    ungrounded: list[dict[str, Any]] = Field(sa_type=JSON)
    summary: str = Field(sa_type=AnyText)
    rounds: int
    prompts: list[list[str]] = Field(sa_type=JSON)
    model: str
    parameters: str = Field(sa_type=Text)
    taxonomy_version: str
    encoder: str
    code_version: str
    max_revisions: int
    prompt_tokens: int
    completion_tokens: int
    usage_estimated: bool
    model_calls: int
    seconds: float
    created_at: datetime = Field(sa_type=UtcTime)


class ClaimRow(Table, table=True):
    """One claim of an enrichment; `position` keeps their order."""

    __tablename__ = "claim"
    __table_args__ = (Index(None, "name", "normalized"),)

    item_id: str = Field(primary_key=True, foreign_key="enrichment.item_id", ondelete="CASCADE")
    claim_id: str = Field(primary_key=True, sa_type=AnyText)
    position: int
    name: str = Field(sa_type=AnyText)
    value: str = Field(sa_type=AnyText)
    normalized: str = Field(sa_type=AnyText)
    unit: str | None = Field(default=None, sa_type=AnyText)
    source: str
    confidence: float
    producer: str = Field(index=True)


def _belongs_to_a_claim() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["item_id", "claim_id"], ["claim.item_id", "claim.claim_id"], ondelete="CASCADE")


class EvidenceRow(Table, table=True):
    """The span that proves one text claim."""

    __tablename__ = "evidence"
    __table_args__ = (_belongs_to_a_claim(),)

    item_id: str = Field(primary_key=True)
    claim_id: str = Field(primary_key=True, sa_type=AnyText)
    field: str = Field(sa_type=Text)
    start: int
    end: int
    quote: str = Field(sa_type=AnyText)


class VerdictRow(Table, table=True):
    """The critic's last ruling on one claim."""

    __tablename__ = "verdict"
    __table_args__ = (_belongs_to_a_claim(), Index(None, "decision", "reason"))

    item_id: str = Field(primary_key=True)
    claim_id: str = Field(primary_key=True, sa_type=AnyText)
    decision: str
    reason: str
    checked_by: str
    note: str = Field(sa_type=AnyText)
    round: int


class ModelCallRow(Table, table=True):
    """One call of a model; `item_id` may be a category's, and the item may not be stored yet: no foreign key."""

    __tablename__ = "model_call"

    id: int | None = Field(default=None, primary_key=True)
    item_id: str = Field(index=True)
    agent: str
    prompt: str
    prompt_fingerprint: str
    round: int
    model: str
    parameters: str = Field(sa_type=Text)
    schema_name: str
    messages: list[list[str]] = Field(sa_type=JSON)  # [[role, escaped content], …]
    raw_answer: str = Field(sa_type=AnyText)
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    usage_estimated: bool
    seconds: float
    created_at: datetime = Field(sa_type=UtcTime)
    key: str = Field(default="", index=True, sa_column_kwargs={"server_default": text("''")})
    outcome: str = Field(default="answered", sa_column_kwargs={"server_default": "answered"})
    run_id: int | None = Field(default=None, index=True)
    cost: Decimal | None = Field(default=None, sa_type=Money)


class ItemFailureRow(Table, table=True):
    """Why the last attempt at an item gave nothing."""

    __tablename__ = "item_failure"

    item_id: str = Field(primary_key=True, foreign_key="item.id", ondelete="CASCADE")
    reason: str
    detail: str = Field(sa_type=AnyText)
    at: datetime = Field(sa_type=UtcTime)


class RejectedRowRow(Table, table=True):
    """One catalog row that is no item, and why."""

    __tablename__ = "rejected_row"
    __table_args__ = (UniqueConstraint("catalog", "line"),)

    id: int | None = Field(default=None, primary_key=True)
    catalog: str = Field(sa_type=AnyText)
    line: int
    reason: str = Field(sa_type=AnyText)
    item_id: str | None = Field(default=None, sa_type=AnyText)
