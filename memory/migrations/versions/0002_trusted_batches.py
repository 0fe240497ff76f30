"""What batches can be trusted with: calls with keys, runs, work with leases, and results in versions."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0002_trusted_batches"
down_revision = "0001_first_tables"

RESULTS = ("enrichment", "claim", "evidence", "verdict")  # each hangs on those before it
CONFIGURATION = (
    "prompts",
    "model",
    "parameters",
    "taxonomy_version",
    "encoder",
    "code_version",
    "max_revisions",
)
LAST = CONFIGURATION[-1]  # the one number among them; JSON is compared as text


def upgrade() -> None:
    _model_call()
    _version()
    _run()
    _work()
    version_id = _first_version()
    _keep_failures(version_id)
    _results_in_versions(version_id)


def _model_call() -> None:
    op.add_column("model_call", sa.Column("key", sa.String(), server_default=sa.text("''"), nullable=False))
    op.add_column("model_call", sa.Column("outcome", sa.String(), server_default="answered", nullable=False))
    op.add_column("model_call", sa.Column("run_id", sa.Integer(), nullable=True))
    op.add_column("model_call", sa.Column("cost", sa.BigInteger(), nullable=True))
    op.create_index("ix_model_call_key", "model_call", ["key"])
    op.create_index("ix_model_call_run_id", "model_call", ["run_id"])


def _version() -> None:
    op.create_table(
        "version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["version.id"], name="fk_version_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_version"),
    )
    op.create_index("ix_version_fingerprint", "version", ["fingerprint"])
    op.create_table(
        "current_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_current_version_version_id"),
        sa.PrimaryKeyConstraint("id", name="pk_current_version"),
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("catalog", sa.Text(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("enriched", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_run_version_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_version_id", "run", ["version_id"])


def _work() -> None:
    op.create_table(
        "work",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("leased_at", sa.Float(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name="fk_work_item_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_work_version_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "version_id", name="pk_work"),
    )
    op.create_index("ix_work_version_id_state", "work", ["version_id", "state"])


def _first_version() -> int | None:
    """Put what is known into version 1, with its configuration where all of it has the same; return that version."""
    connection = op.get_bind()
    configurations = connection.execute(_configurations().limit(2)).mappings().all()
    if not configurations and connection.execute(sa.text("SELECT 1 FROM item_failure LIMIT 1")).first() is None:
        return None
    provenance = None
    fingerprint = ""
    if len(configurations) == 1:
        provenance = dict(configurations[0]) | {"prompts": orjson.loads(configurations[0]["prompts"])}
        fingerprint = hashlib.sha256(orjson.dumps(provenance, option=orjson.OPT_SORT_KEYS)).hexdigest()
    version = sa.table(
        "version",
        sa.column("id"),
        sa.column("fingerprint"),
        sa.column("provenance", sa.JSON(none_as_null=True)),
        sa.column("note"),
        sa.column("created_at", sa.DateTime()),
    )
    first = {
        "id": 1,
        "fingerprint": fingerprint,
        "provenance": provenance,
        "note": "what was known before there were versions",
        "created_at": datetime.now(UTC),
    }
    connection.execute(version.insert().values(**first))
    connection.execute(sa.text("INSERT INTO current_version (id, version_id) VALUES (1, 1)"))
    return 1


def _configurations() -> sa.Select[*tuple[Any, ...]]:
    enrichment = sa.table("enrichment", *(sa.column(name) for name in CONFIGURATION))
    texts = [sa.cast(column, sa.Text).label(column.name) for column in enrichment.columns if column.name != LAST]
    return sa.select(*texts, enrichment.columns[LAST]).distinct()


def _keep_failures(version_id: int | None) -> None:
    """An item's last turn failed, or gave what is known of it."""
    ended = (
        "INSERT INTO work (item_id, version_id, content_hash, state, owner, leased_at, lease_until, fence, attempts,"
        " reason, detail, at) "
    )
    if version_id is not None:
        op.execute(
            f"{ended} SELECT f.item_id, {version_id}, i.content_hash, 'failed', '', 0, 0, 0, 1, f.reason, f.detail,"  # noqa: S608
            " f.at FROM item_failure f JOIN item i ON i.id = f.item_id"
        )
        op.execute(
            f"{ended} SELECT e.item_id, {version_id}, e.content_hash, 'enriched', '', 0, 0, 0, 1, '', '', e.created_at"  # noqa: S608
            " FROM enrichment e WHERE e.item_id NOT IN (SELECT item_id FROM item_failure)"
        )
    op.drop_table("item_failure")


def _results_in_versions(version_id: int | None) -> None:
    inspector = sa.inspect(op.get_bind())
    columns = {table: [column["name"] for column in inspector.get_columns(table)] for table in RESULTS}
    for table in RESULTS:
        for index in inspector.get_indexes(table):
            op.drop_index(str(index["name"]), table)
        op.rename_table(table, f"old_{table}")
        if op.get_bind().dialect.name == "postgresql":  # there, a key's name is that of an index, and given once
            op.execute(f"ALTER TABLE old_{table} RENAME CONSTRAINT pk_{table} TO old_pk_{table}")
    _enrichment()
    _claim()
    _evidence()
    _verdict()
    for table in RESULTS:
        names = ", ".join(f'"{name}"' for name in columns[table])
        op.execute(f"INSERT INTO {table} (version_id, {names}) SELECT {version_id or 1}, {names} FROM old_{table}")  # noqa: S608
    for table in reversed(RESULTS):
        op.drop_table(f"old_{table}")


def _enrichment() -> None:
    op.create_table(
        "enrichment",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("category_id", sa.String(), nullable=False),
        sa.Column("category_path", sa.JSON(), nullable=False),
        sa.Column("choice", sa.JSON(), nullable=False),
        sa.Column("ungrounded", sa.JSON(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("prompts", sa.JSON(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("taxonomy_version", sa.String(), nullable=False),
        sa.Column("encoder", sa.String(), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column("max_revisions", sa.Integer(), nullable=False),
        *(sa.Column(tokens, sa.Integer(), nullable=False) for tokens in ("prompt_tokens", "completion_tokens")),
        sa.Column("usage_estimated", sa.Boolean(), nullable=False),
        sa.Column("model_calls", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name="fk_enrichment_item_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_enrichment_version_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item_id", "version_id", name="pk_enrichment"),
    )
    op.create_index("ix_enrichment_category_id", "enrichment", ["category_id"])
    op.create_index("ix_enrichment_version_id", "enrichment", ["version_id"])


def _claim() -> None:
    op.create_table(
        "claim",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("normalized", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("producer", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id", "version_id"],
            ["enrichment.item_id", "enrichment.version_id"],
            name="fk_claim_item_id_version_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("item_id", "version_id", "claim_id", name="pk_claim"),
    )
    op.create_index("ix_claim_name_normalized", "claim", ["name", "normalized"])
    op.create_index("ix_claim_producer", "claim", ["producer"])


def _of_claim(table: str) -> sa.ForeignKeyConstraint:
    key = ["item_id", "version_id", "claim_id"]
    name = f"fk_{table}_item_id_version_id_claim_id"
    return sa.ForeignKeyConstraint(key, [f"claim.{column}" for column in key], name=name, ondelete="CASCADE")


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        _of_claim("evidence"),
        sa.PrimaryKeyConstraint("item_id", "version_id", "claim_id", name="pk_evidence"),
    )


def _verdict() -> None:
    op.create_table(
        "verdict",
        sa.Column("item_id", sa.String(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        _of_claim("verdict"),
        sa.PrimaryKeyConstraint("item_id", "version_id", "claim_id", name="pk_verdict"),
    )
    op.create_index("ix_verdict_decision_reason", "verdict", ["decision", "reason"])
