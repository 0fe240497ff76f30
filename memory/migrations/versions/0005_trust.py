"""How sure a claim is and who else says so, what aided an enrichment, and what confidences are calibrated by."""

import sqlalchemy as sa
from alembic import op

revision = "0005_trust"
down_revision = "0004_batches_of_providers"


def upgrade() -> None:
    op.add_column("enrichment", sa.Column("aids", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("claim", sa.Column("raw_confidence", sa.Float(), nullable=True))
    op.add_column("claim", sa.Column("seconded_by", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.add_column("claim", sa.Column("disputed", sa.Boolean(), server_default=sa.false(), nullable=False))
