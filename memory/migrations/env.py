"""What Alembic runs: the revisions, inside the one transaction that `upgrade` has begun."""

from alembic import context

from memory.all_tables import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    render_as_batch=True,  # SQLite alters a table by rebuilding it
    transactional_ddl=True,  # holds on SQLite too, because `memory.database` begins transactions itself
)
context.run_migrations()
