"""What Alembic runs: the revisions, inside the one transaction that `upgrade` has begun."""

from alembic import context

from memory import (  # noqa: F401 - their tables are among TABLES
    demand_tables,
    prompt_tables,
    review_tables,
    trace_tables,
)
from memory.behaviors import tables as behavior_tables  # noqa: F401 - so are these
from memory.item_vectors import tables as vector_tables  # noqa: F401 - and these
from memory.tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    render_as_batch=True,  # SQLite alters a table by rebuilding it
    transactional_ddl=True,  # holds on SQLite too, because `memory.database` begins transactions itself
)
context.run_migrations()
