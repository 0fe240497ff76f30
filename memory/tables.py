"""The database's tables; private to memory."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import ForeignKeyConstraint, Index, MetaData, Text, false, text
from sqlmodel import Field, SQLModel, UniqueConstraint

from memory.column_types import AnyText, Json, Money, UtcTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
TABLES = MetaData(naming_convention=NAMES)  # names are fixed, so that migrations can drop and change what they name


class Table(SQLModel):
    """What every table shares: one metadata, and types that SQLModel need not understand."""

    metadata: ClassVar[MetaData] = TABLES


class ItemRow(Table, table=True):
    """One catalog item, with the file and line it was last read from."""

    __tablename__ = "item"

    id: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    fields: list[list[str]] = Field(sa_type=Json)  # [[name, text], …]
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
    content: dict[str, Any] = Field(sa_type=Json)


class VersionRow(Table, table=True):
    """One configuration and all results that it gave; a parent is always older, so its id is smaller."""

    __tablename__ = "version"

    id: int | None = Field(default=None, primary_key=True)
    parent_id: int | None = Field(default=None, foreign_key="version.id")
    fingerprint: str = Field(index=True)
    provenance: dict[str, Any] | None = Field(
        default=None, sa_type=Json(none_as_null=True)
    )  # None: results of several configurations
    note: str = Field(default="", sa_type=AnyText)
    created_at: datetime = Field(sa_type=UtcTime)


class CurrentVersionRow(Table, table=True):
    """The one row that says which version is read."""

    __tablename__ = "current_version"

    id: int = Field(default=1, primary_key=True)
    version_id: int = Field(foreign_key="version.id")


class RunRow(Table, table=True):
    """One run of a catalog through the graph."""

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    version_id: int | None = Field(index=True, foreign_key="version.id", ondelete="SET NULL")
    catalog: str = Field(sa_type=AnyText)
    settings: dict[str, Any] = Field(sa_type=Json)
    state: str
    started_at: datetime = Field(sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reason: str = Field(default="", sa_type=AnyText)
    owner: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    enriched: int = 0
    failed: int = 0
    rejected: int = 0
    skipped: int = 0


class WorkRow(Table, table=True):
    """How far one version is with one item, and who is at it."""

    __tablename__ = "work"
    __table_args__ = (Index(None, "version_id", "state"),)

    item_id: str = Field(primary_key=True, foreign_key="item.id", ondelete="CASCADE")
    version_id: int = Field(primary_key=True, foreign_key="version.id", ondelete="CASCADE")
    content_hash: str
    state: str
    owner: str = ""
    leased_at: float = 0.0  # seconds, of the clock that the owners share
    lease_until: float = 0.0
    fence: int = 0
    attempts: int = 0
    reason: str = ""
    detail: str = Field(default="", sa_type=AnyText)
    at: datetime = Field(sa_type=UtcTime)


class EnrichmentRow(Table, table=True):
    """What one version knows of one item, its claims aside; hidden while `content_hash` is not the item's."""

    __tablename__ = "enrichment"

    item_id: str = Field(primary_key=True, foreign_key="item.id", ondelete="CASCADE")
    version_id: int = Field(primary_key=True, index=True, foreign_key="version.id", ondelete="CASCADE")
    content_hash: str
    category_id: str = Field(index=True)
    category_path: list[str] = Field(sa_type=Json)
    choice: dict[str, Any] = Field(sa_type=Json)
    ungrounded: list[dict[str, Any]] = Field(sa_type=Json)
    summary: str = Field(sa_type=AnyText)
    rounds: int
    prompts: list[list[str]] = Field(sa_type=Json)
    model: str
    parameters: str = Field(sa_type=Text)
    taxonomy_version: str
    encoder: str
    code_version: str
    max_revisions: int
    aids: list[list[str]] = Field(default_factory=list, sa_type=Json, sa_column_kwargs={"server_default": text("'[]'")})
    prompt_tokens: int
    completion_tokens: int
    usage_estimated: bool
    model_calls: int
    shortened: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    seconds: float
    created_at: datetime = Field(sa_type=UtcTime)


class ClaimRow(Table, table=True):
    """One claim of an enrichment; `position` keeps their order."""

    __tablename__ = "claim"
    __table_args__ = (
        ForeignKeyConstraint(
            ["item_id", "version_id"], ["enrichment.item_id", "enrichment.version_id"], ondelete="CASCADE"
        ),
        Index(None, "name", "normalized"),
        Index(None, "disputed", "confidence", "item_id", "position"),  # the order of the review queue
    )

    item_id: str = Field(primary_key=True)
    version_id: int = Field(primary_key=True)
    claim_id: str = Field(primary_key=True, sa_type=AnyText)
    position: int
    name: str = Field(sa_type=AnyText)
    value: str = Field(sa_type=AnyText)
    normalized: str = Field(sa_type=AnyText)
    unit: str | None = Field(default=None, sa_type=AnyText)
    source: str
    confidence: float
    producer: str = Field(index=True)
    raw_confidence: float | None = None
    seconded_by: list[str] = Field(
        default_factory=list, sa_type=Json, sa_column_kwargs={"server_default": text("'[]'")}
    )
    disputed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    snapped: float | None = None


def _belongs_to_a_claim() -> ForeignKeyConstraint:
    key = ("item_id", "version_id", "claim_id")
    return ForeignKeyConstraint(key, [f"claim.{column}" for column in key], ondelete="CASCADE")


class EvidenceRow(Table, table=True):
    """The span that proves one text claim."""

    __tablename__ = "evidence"
    __table_args__ = (_belongs_to_a_claim(),)

    item_id: str = Field(primary_key=True)
    version_id: int = Field(primary_key=True)
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
    version_id: int = Field(primary_key=True)
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
    messages: list[list[str]] = Field(sa_type=Json)  # [[role, escaped content], …]
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
    shortened: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class RejectedRowRow(Table, table=True):
    """One catalog row that is no item, and why."""

    __tablename__ = "rejected_row"
    __table_args__ = (UniqueConstraint("catalog", "line"),)

    id: int | None = Field(default=None, primary_key=True)
    catalog: str = Field(sa_type=AnyText)
    line: int
    reason: str = Field(sa_type=AnyText)
    item_id: str | None = Field(default=None, sa_type=AnyText)


class BatchSubmissionRow(Table, table=True):
    """One batch of questions at a provider that answers in its own time; it stays while a question of it does."""

    __tablename__ = "batch_submission"

    token: str = Field(primary_key=True)  # ours, and told to the provider
    server: str = Field(sa_type=Text)  # its URL
    model: str
    run_id: int | None = None
    batch_id: str | None = None  # the provider's; None: nobody knows yet whether it has the batch
    owner: str  # who submits it
    lease_until: float = 0.0  # seconds of the clock; until then whoever submits it may be at it
    created_at: datetime = Field(sa_type=UtcTime)


class BatchQuestionRow(Table, table=True):
    """One question of a batch: under way while `result` is NULL, then answered and not yet in the ledger."""

    __tablename__ = "batch_question"

    token: str = Field(primary_key=True, foreign_key="batch_submission.token", ondelete="CASCADE")
    question: str = Field(primary_key=True, index=True)
    key: str  # of the ledger
    since: int  # the ledger's newest call when the question was put here
    result: str | None = Field(default=None, sa_type=AnyText)
