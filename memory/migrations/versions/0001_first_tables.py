"""The first tables: items, templates, enrichments with claims, evidence and verdicts, calls, failures, rejections."""

import sqlalchemy as sa
from alembic import op

revision = "0001_first_tables"
down_revision = None


def upgrade() -> None:
    _category_template()
    _item()
    _model_call()
    _rejected_row()
    _enrichment()
    _item_failure()
    _claim()
    _evidence()
    _verdict()


def _category_template() -> None:
    op.create_table(
        "category_template",
        sa.Column("category_id", sa.String(), nullable=False),
        sa.Column("taxonomy_version", sa.String(), nullable=False),
        sa.Column("completed_by", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("category_id", "taxonomy_version", "completed_by", name="pk_category_template"),
    )


def _item() -> None:
    op.create_table(
        "item",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("catalog", sa.String(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_item"),
    )


def _model_call() -> None:
    op.create_table(
        "model_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("prompt_fingerprint", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("schema_name", sa.String(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("raw_answer", sa.Text(), nullable=False),
        sa.Column("finish_reason", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("usage_estimated", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_model_call"),
    )
    op.create_index("ix_model_call_item_id", "model_call", ["item_id"])


def _rejected_row() -> None:
    op.create_table(
        "rejected_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("catalog", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_rejected_row"),
        sa.UniqueConstraint("catalog", "line", name="uq_rejected_row_catalog_line"),
    )


def _enrichment() -> None:
    op.create_table(
        "enrichment",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("category_id", sa.String(), nullable=False),
        sa.Column("category_path", sa.JSON(), nullable=False),
        sa.Column("choice", sa.JSON(), nullable=False),
        sa.Column("ungrounded", sa.JSON(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("taxonomy_version", sa.String(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column("max_revisions", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("usage_estimated", sa.Boolean(), nullable=False),
        sa.Column("model_calls", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name="fk_enrichment_item_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", name="pk_enrichment"),
    )
    op.create_index("ix_enrichment_category_id", "enrichment", ["category_id"])


def _item_failure() -> None:
    op.create_table(
        "item_failure",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name="fk_item_failure_item_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", name="pk_item_failure"),
    )


def _claim() -> None:
    op.create_table(
        "claim",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("normalized", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("producer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["enrichment.item_id"], name="fk_claim_item_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "claim_id", name="pk_claim"),
    )
    op.create_index("ix_claim_name_normalized", "claim", ["name", "normalized"])
    op.create_index("ix_claim_producer", "claim", ["producer"])


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id", "claim_id"],
            ["claim.item_id", "claim.claim_id"],
            name="fk_evidence_item_id_claim_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", "claim_id", name="pk_evidence"),
    )


def _verdict() -> None:
    op.create_table(
        "verdict",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id", "claim_id"],
            ["claim.item_id", "claim.claim_id"],
            name="fk_verdict_item_id_claim_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", "claim_id", name="pk_verdict"),
    )
    op.create_index("ix_verdict_decision_reason", "verdict", ["decision", "reason"])
