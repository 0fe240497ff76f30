"""The option that runs the tests of what is stored on PostgreSQL, and the server that they share then."""

from collections.abc import Iterator

import hypothesis
import pytest

from tests.databases import SERVERS
from tests.postgres_server import PostgresServer, programs

# A busy machine pauses wherever it likes; what things cost is tested by the CPU time that they take.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make test-postgres`."""
    parser.addoption("--kb-server", action="store_true", help="Keep knowledge bases in a PostgreSQL server.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about a file of SQLite where there is none; skip all where PostgreSQL is not installed."""
    if not config.getoption("--kb-server"):
        return
    about_files = [item for item in items if item.get_closest_marker("sqlite")]
    config.hook.pytest_deselected(items=about_files)
    items[:] = [item for item in items if item not in about_files]
    if programs() is None:
        for item in items:
            item.add_marker(pytest.mark.skip("PostgreSQL is not installed: apt-get install postgresql"))


@pytest.fixture(scope="session", autouse=True)
def _shared_server(request: pytest.FixtureRequest) -> Iterator[None]:
    if not request.config.getoption("--kb-server") or programs() is None:
        yield
        return
    with SERVERS.started():
        yield


@pytest.fixture(autouse=True)
def _tidied_server(_shared_server: None) -> Iterator[None]:
    yield
    SERVERS.tidy()


@pytest.fixture(scope="session")
def postgres(_shared_server: None) -> PostgresServer:
    """The shared server, for tests that are about PostgreSQL."""
    if SERVERS.server is None:
        pytest.skip("needs --kb-server")
    return SERVERS.server
