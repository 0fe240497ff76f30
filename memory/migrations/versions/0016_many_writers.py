"""What a knowledge base in PostgreSQL is like: texts in the order of their bytes, JSON that can be asked, long numbers.

In SQLite all of this holds from the beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_many_writers"
down_revision = "0015_nothing_imagined"

LONG = (("model_call", "id"), ("batch_question", "since"))  # more calls may be stored than 32 bits can number


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    columns = sa.text(
        "SELECT table_name, column_name, data_type, column_default FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name <> 'alembic_version'"
        " AND data_type IN ('json', 'text', 'character varying')"
    )
    for table, column, kind, default in connection.execute(columns).all():
        if kind == "json":
            _to_jsonb(table, column, default)
        else:
            _alter(table, f'ALTER "{column}" TYPE {kind} COLLATE "C"')
    for table, column in LONG:
        _alter(table, f'ALTER "{column}" TYPE bigint')
    op.execute("ALTER SEQUENCE model_call_id_seq AS bigint")


def _to_jsonb(table: str, column: str, default: str | None) -> None:
    change = f'ALTER "{column}" TYPE jsonb USING "{column}"::jsonb'
    if default is None:
        _alter(table, change)
    else:
        _alter(table, f'ALTER "{column}" DROP DEFAULT, {change}, ALTER "{column}" SET DEFAULT \'[]\'::jsonb')


def _alter(table: str, change: str) -> None:
    op.execute(f'ALTER TABLE "{table}" {change}')
