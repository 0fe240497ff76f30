"""Questions that were handed to a provider in batches, until their answers are in the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0004_batches_of_providers"
down_revision = "0003_owners_and_short_texts"


def upgrade() -> None:
    op.create_table(
        "batch_submission",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_batch_submission"),
    )
    op.create_table(
        "batch_question",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["token"], ["batch_submission.token"], name="fk_batch_question_token", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", "question", name="pk_batch_question"),
    )
    op.create_index("ix_batch_question_question", "batch_question", ["question"])
