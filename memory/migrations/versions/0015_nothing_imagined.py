"""The users of whom a model was asked, and imagined nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0015_nothing_imagined"
down_revision = "0014_prompts"


def upgrade() -> None:
    op.create_table(
        "nothing_imagined",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_nothing_imagined"),
    )
