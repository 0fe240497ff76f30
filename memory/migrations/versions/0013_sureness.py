"""Claims by how sure they are: the review queue reads its first entries and no more."""

from alembic import op

revision = "0013_sureness"
down_revision = "0012_traces"


def upgrade() -> None:
    op.create_index(
        "ix_claim_disputed_confidence_item_id_position", "claim", ["disputed", "confidence", "item_id", "position"]
    )
