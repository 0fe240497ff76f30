"""Reports of what changes of prompts, model or agents did."""

import sqlalchemy as sa
from alembic import op

revision = "0017_impact_reports"
down_revision = "0016_many_writers"


def upgrade() -> None:
    # In PostgreSQL texts are in the order of their bytes, as all others of the knowledge base.
    text = sa.Text(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.Text()
    word = sa.String(collation="C") if op.get_bind().dialect.name == "postgresql" else sa.String()
    op.create_table(
        "impact_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before_version", sa.Integer(), nullable=False),
        sa.Column("after_version", sa.Integer(), nullable=True),
        sa.Column("verdict", word, nullable=False),
        sa.Column("what", text, nullable=False),
        sa.Column("content", text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_impact_report"),
    )
