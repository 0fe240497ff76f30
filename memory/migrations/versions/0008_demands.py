"""What somebody may want of an item, with the critic's rulings."""

import sqlalchemy as sa
from alembic import op

revision = "0008_demands"
down_revision = "0007_snapped"


def upgrade() -> None:
    op.create_table(
        "demand",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("demand_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("positive", sa.Boolean(), nullable=False),
        sa.Column("plausibility", sa.Float(), nullable=False),
        sa.Column("typicality", sa.Float(), nullable=False),
        sa.Column("rests_on", sa.JSON(), nullable=False),
        sa.Column("producer", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id", "version_id"],
            ["enrichment.item_id", "enrichment.version_id"],
            name="fk_demand_item_id_version_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", "version_id", "demand_id", name="pk_demand"),
    )
    op.create_index("ix_demand_relation_text", "demand", ["relation", "text"])
