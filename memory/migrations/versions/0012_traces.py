"""Traces of single items."""

import sqlalchemy as sa
from alembic import op

revision = "0012_traces"
down_revision = "0011_inference_off"


def upgrade() -> None:
    _add_traces()
    op.create_index("ix_trace_item_id", "trace", ["item_id"])
    _add_steps()


def _add_traces() -> None:
    op.create_table(
        "trace",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("replay_of", sa.Integer(), nullable=True),
        sa.Column("replay_from", sa.Integer(), nullable=True),
        sa.Column("thread", sa.String(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("usage_estimated", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["replay_of"], ["trace.id"], name="fk_trace_replay_of", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_trace"),
    )


def _add_steps() -> None:
    op.create_table(
        "trace_step",
        sa.Column("trace_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("node", sa.String(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trace_id"], ["trace.id"], name="fk_trace_step_trace_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trace_id", "number", name="pk_trace_step"),
    )
