"""Brings a database's tables to the newest revision; imported only when there is something to do."""

import io
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def alembic_config() -> Config:
    """Return Alembic's settings for these revisions; it prints nothing."""
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run all revisions up to `revision` in the connection's open transaction; the caller commits."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
