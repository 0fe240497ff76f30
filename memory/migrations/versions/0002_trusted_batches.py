"""What a batch must remember: which call had which key, outcome, run and cost."""

import sqlalchemy as sa
from alembic import op

revision = "0002_trusted_batches"
down_revision = "0001_first_tables"


def upgrade() -> None:
    _model_call()


def _model_call() -> None:
    op.add_column("model_call", sa.Column("key", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("model_call", sa.Column("outcome", sa.String(), server_default="answered", nullable=False))
    op.add_column("model_call", sa.Column("run_id", sa.Integer(), nullable=True))
    op.add_column("model_call", sa.Column("cost", sa.BigInteger(), nullable=True))
    op.create_index("ix_model_call_key", "model_call", ["key"])
    op.create_index("ix_model_call_run_id", "model_call", ["run_id"])
