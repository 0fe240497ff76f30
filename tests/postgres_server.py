"""A PostgreSQL server of a test's own: made in a temporary folder, on loopback, gone at the end."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

USER = "postgres"  # of the system, and of the server: PostgreSQL refuses to run as root
FOLDERS = Path("/usr/lib/postgresql")  # where Debian puts the programs of each version
READY_SECONDS = 30.0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",  # a test pulls no plug: what a killed server had written, the system keeps
    "full_page_writes": "off",
    "autovacuum": "off",
    "track_commit_timestamp": "on",  # a call counts as repeated where it was made after that
    "max_connections": "60",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}


def programs() -> Path | None:
    """Return the folder of the newest installed PostgreSQL's programs, None where there is none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else []
    numbered = [path for path in FOLDERS.glob("*/bin") if path.parent.name.isdecimal() and (path / "initdb").exists()]
    return next(iter([*found, *sorted(numbered, key=lambda path: int(path.parent.name), reverse=True)]), None)


class PostgresServer:
    """A running server with a superuser of a random password; use it as a context manager.

    Its data are in a temporary folder. It may be restarted, and killed; nothing else on the machine is touched.
    `settings` go before those that tests have: a large database wants statistics, which autovacuum keeps.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError("PostgreSQL is not installed: apt-get install postgresql")
        self._programs, self._settings = found, SETTINGS | dict(settings or {})
        self.password = secrets.token_hex(8)
        self.port = _free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="reaseq-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str, *, template: str | None = None) -> str:
        """Make a database of that name, empty or a copy of another, and return its URL."""
        made_like = f' TEMPLATE "{template}"' if template else ""
        if template and self._version >= 15:  # a seventh of the work: nothing goes into the log
            made_like += " STRATEGY FILE_COPY"
        self.execute(f'CREATE DATABASE "{name}"{made_like}')
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """Return the URL of a database, which need not be there."""
        return f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str, name: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement beside all transactions, and return its rows."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=self.password, dbname=name, autocommit=True
        ) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def restart(self, *, down_seconds: float = 0.0) -> None:
        """Cut all connections, roll back what is under way, and start again after a while."""
        self.stop()
        time.sleep(down_seconds)
        self.start()

    def kill(self) -> None:
        """End the server as a loss of power would, without a goodbye; `start` has it recover."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Shut the server down; those who are connected are cut off."""
        self._end(signal.SIGINT)

    def start(self) -> None:
        """Start the server, and return when it answers."""
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # a killed one leaves it
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder, user=_user(), group=_user()
            )
        self._wait_until_ready()
        self._version = int(str(self.execute("SHOW server_version_num")[0][0])) // 10_000

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _make(self) -> None:
        if os.getuid() == 0:
            shutil.chown(self._folder, USER)
        secret = self._folder / "password"
        secret.touch(mode=0o600)
        secret.write_text(self.password, encoding="ascii")
        if os.getuid() == 0:
            shutil.chown(secret, USER)
        options = ["--username", USER, "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--locale=C.UTF-8"]
        self._run([str(self._programs / "initdb"), "-D", str(self._data), "--encoding=UTF8", *options])

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=self._folder, check=False, user=_user(), group=_user()
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

    def _wait_until_ready(self) -> None:
        import psycopg

        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or (self._process and self._process.poll() is not None):
                    raise RuntimeError((self._folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)
            else:
                return

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        children = _children(self._process.pid) if how is signal.SIGKILL else []
        self._process.send_signal(how)
        self._process.wait()
        self._process = None
        for child in children:  # the server's own: they would hold on to its memory, and keep it from starting
            _kill(child)


def _user() -> str | None:
    """Return the user that a child runs as, where this process is root's: None as this one."""
    return USER if os.getuid() == 0 else None


def _children(pid: int) -> list[int]:
    said = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in said.read_text().split()] if said.exists() else []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


if __name__ == "__main__":  # a server to play with until Enter is pressed: python -m tests.postgres_server
    with PostgresServer() as server:
        sys.stdout.write(f"{server.url('reaseq')}\n")
        sys.stdin.readline()
