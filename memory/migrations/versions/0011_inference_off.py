"""The users of whom nothing may be inferred."""

import sqlalchemy as sa
from alembic import op

revision = "0011_inference_off"
down_revision = "0010_item_vectors"


def upgrade() -> None:
    op.create_table(
        "inference_off",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_inference_off"),
    )
