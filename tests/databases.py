"""Where a test's knowledge base is: in SQLite, or with `--kb-server` in a PostgreSQL server that the tests start."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from memory.database import open_database
from tests.postgres_server import PostgresServer

TEMPLATE = "made"  # a knowledge base with nothing in it: a copy of it takes a hundredth of making one


class Servers:
    """The session's one server, where there is one, and what was made on it by the test that runs."""

    def __init__(self) -> None:
        self.server: PostgresServer | None = None
        self._names = count(1)
        self._made: dict[str, str] = {}

    @contextmanager
    def started(self) -> Iterator[PostgresServer]:
        """Have a server with a template."""
        with PostgresServer() as server:
            open_database(server.url(TEMPLATE)).dispose()
            self.server = server
            yield server
            self.server = None

    def url(self, name: str | None = None) -> str:
        """Return the URL of a knowledge base of its own, or of the one of that name."""
        assert self.server is not None
        if name is None:
            name = f"t{next(self._names)}"
        if name not in self._made:
            self._made[name] = self.server.url(name, template=TEMPLATE)
        return self._made[name]

    def tidy(self) -> None:
        """Drop what the test made."""
        while self.server is not None and self._made:
            self.server.execute(f'DROP DATABASE IF EXISTS "{self._made.popitem()[0]}" WITH (FORCE)')


SERVERS = Servers()


def fresh_url() -> str:
    """Return the URL of an empty knowledge base that nobody else has: in memory, or a new database of the server."""
    return "sqlite://" if SERVERS.server is None else SERVERS.url()


def kept_at(path: Path) -> str:
    """Return the URL of a knowledge base that is the same for the same path: that file, or a database of the server."""
    if SERVERS.server is None:
        return f"sqlite:///{path}"
    return SERVERS.url("k" + hashlib.blake2b(str(path).encode(), digest_size=8).hexdigest())
