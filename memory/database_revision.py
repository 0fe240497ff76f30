"""The tables of a database: which revision they are of, and bringing them to the newest."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect

from memory.database_dialect import Dialect, shown
from memory.database_errors import DatabaseMissing, DatabaseUnreadable

REVISIONS = Path(__file__).parent / "migrations" / "versions"


def known_revisions() -> list[str]:
    """Return the revisions of the tables that this code knows, oldest first; the files are named by them."""
    return sorted(path.stem for path in REVISIONS.glob("[0-9]*.py"))


def bring_to_head(engine: Engine, dialect: Dialect, *, create: bool) -> None:
    """Make or migrate the tables; raises `DatabaseUnreadable`, and `DatabaseMissing` where none may be made."""
    known = known_revisions()
    with engine.connect() as connection:
        revision = _revision(connection, known)
    if revision == known[-1]:
        return
    if revision is None and not create and engine.dialect.name != "sqlite":
        raise DatabaseMissing(f"there is no knowledge base at {shown(engine.url)} yet: enrich a catalog into it first")
    with dialect.migrating(engine) as connection:
        if _revision(connection, known) != known[-1]:  # another process may have been first
            from memory.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic costs 0.1 s: only when needed

            upgrade(connection)


def _revision(connection: Connection, known: list[str]) -> str | None:
    """Return the stored revision, None for an empty database; refuse what is not ours or not yet known."""
    tables = inspect(connection).get_table_names()
    name = shown(connection.engine.url)
    if "alembic_version" not in tables:
        if tables:
            raise DatabaseUnreadable(f"{name} holds other tables ({tables[0]!r}, …), no knowledge base")
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    if revision is not None and revision not in known:
        raise DatabaseUnreadable(
            f"{name} has tables of revision {revision!r}; this version knows them up to {known[-1]!r}: "
            "use the reaseq that wrote it, or a newer one"
        )
    return revision
