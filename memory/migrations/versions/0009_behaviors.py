"""What shoppers did, in segments of Parquet."""

import sqlalchemy as sa
from alembic import op

revision = "0009_behaviors"
down_revision = "0008_demands"


def upgrade() -> None:
    op.create_table(
        "behavior_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_behavior_import"),
        sa.UniqueConstraint("content_hash", name="uq_behavior_import_content_hash"),
    )
    op.create_table(
        "behavior_segment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("first_time", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["behavior_import.id"], name="fk_behavior_segment_import_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_behavior_segment"),
    )
    op.create_index("ix_behavior_segment_import_id", "behavior_segment", ["import_id"])
    op.create_index("ix_behavior_segment_source", "behavior_segment", ["source"])
