"""How near a claim's value came to the allowed value that it was taken for."""

import sqlalchemy as sa
from alembic import op

revision = "0007_snapped"
down_revision = "0006_reviews"


def upgrade() -> None:
    op.add_column("claim", sa.Column("snapped", sa.Float(), nullable=True))
