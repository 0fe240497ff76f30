"""Whose process a run is, and which answers and results rest on a shortened text."""

import sqlalchemy as sa
from alembic import op

revision = "0003_owners_and_short_texts"
down_revision = "0002_trusted_batches"


def upgrade() -> None:
    op.add_column("run", sa.Column("owner", sa.String(), server_default=sa.text("''"), nullable=False))
    for table in ("enrichment", "model_call"):
        op.add_column(table, sa.Column("shortened", sa.Boolean(), server_default=sa.false(), nullable=False))
