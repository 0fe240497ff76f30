"""Vectors of texts, and the sets of items that have them."""

import sqlalchemy as sa
from alembic import op

revision = "0010_item_vectors"
down_revision = "0009_behaviors"


def upgrade() -> None:
    op.create_table(
        "text_vector",
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("encoder", "hash", name="pk_text_vector"),
    )
    op.create_table(
        "vector_set",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=True),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_vector_set"),
    )
    op.create_table(
        "vector_set_item",
        sa.Column("set_name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_name"], ["vector_set.name"], name="fk_vector_set_item_set_name", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("set_name", "position", name="pk_vector_set_item"),
    )
