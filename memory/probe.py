"""Whether a query finds anything at all: asked so often that it goes to the database's driver as it is."""

from contextlib import closing
from typing import Any

from sqlalchemy import Select

from memory.database import Database


class Probe:
    """One query that takes one text, put together once; it costs a fraction of a glance."""

    def __init__(self, database: Database, query: Select[*tuple[Any, ...]], parameter: str) -> None:
        self._database = database
        self._parameter = parameter
        with database.glance() as connection:
            compiled = query.compile(dialect=connection.dialect)
            self._failure = connection.dialect.loaded_dbapi.Error
        self._statement, self._positional = str(compiled), compiled.positional

    def finds(self, value: str) -> bool:
        """Return whether the query finds a row of what is committed.

        It says yes where the driver fails: whoever then takes a glance meets the error under its name.
        """
        try:
            with self._database.glance() as connection, closing(connection.connection.cursor()) as cursor:
                cursor.execute(self._statement, (value,) if self._positional else {self._parameter: value})
                return cursor.fetchone() is not None
        except self._failure:
            return True
