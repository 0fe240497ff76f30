"""Each scenario has a shop of its own; at the end of `make faults`, a table of all scenarios."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.commands.willing_model import willing
from tests.faults.left_out import LEFT_OUT
from tests.faults.shop import Shop
from tests.faulty_provider import FaultyProvider, Rule

MakeShop = Callable[..., Shop]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The taxonomy's embeddings, made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def open_shop(tmp_path: Path, cache: Path) -> Iterator[MakeShop]:
    """Open shops, each with a provider that has the faults it is told."""
    with ExitStack() as stack:
        yield lambda items=12, *rules, **provider: _shop(stack, tmp_path, cache, items, rules, provider)


def _shop(
    stack: ExitStack, folder: Path, cache: Path, items: int, rules: Sequence[Rule], settings: Mapping[str, Any]
) -> Shop:
    provider = stack.enter_context(FaultyProvider(rules, **{"answer": willing, **settings}))
    place = folder / f"shop{len(list(folder.glob('shop*')))}"
    place.mkdir()
    shop = Shop(place, cache, provider)
    shop.stock(items)
    return shop


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make faults`."""
    parser.addoption("--fault-table", action="store_true", help="Print a table of the fault scenarios.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note which scenario and promises a test is about."""
    for item in items:
        marker = item.get_closest_marker("scenario")
        if marker is not None:
            item.user_properties.append(("scenario", " | ".join(marker.args)))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print a line for each scenario: its promises, the result and the seconds of all its tests together."""
    if not config.getoption("--fault-table", default=False):
        return
    scenarios: dict[str, list[pytest.TestReport]] = {}
    promises: dict[str, set[str]] = {}
    for outcome in ("passed", "failed", "xfailed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            name, _, promised = str(dict(report.user_properties).get("scenario", "")).partition(" | ")
            if name:
                scenarios.setdefault(name, []).append(report)
                promises.setdefault(name, set()).update(promised.split())
    terminalreporter.section("fault scenarios (docs/batches.md says what is promised)")
    for name in sorted(scenarios, key=_number):
        terminalreporter.write_line(
            _line(name, " ".join(sorted(promises[name], key=_number)), _result(scenarios[name]))
        )
        for figures in _figures(scenarios[name]):
            terminalreporter.write_line(_line("", "", figures))
    for name, reason in sorted(LEFT_OUT.items(), key=lambda left: _number(left[0])):
        terminalreporter.write_line(_line(name, "left out", reason))


def _line(scenario: str, promises: str, result: str) -> str:
    return f"{scenario:<5} | {promises:<16} | {result}"


def _figures(reports: Sequence[pytest.TestReport]) -> list[str]:
    """Return what tests have counted."""
    return [str(value) for report in reports for name, value in report.user_properties if name == "figures"]


def _number(name: str) -> int:
    found = re.search(r"\d+", name)
    return int(found[0]) if found else 0


def _result(reports: Sequence[pytest.TestReport]) -> str:
    failed = sum(report.outcome == "failed" for report in reports)
    said = f"{failed} of {len(reports)} FAILED" if failed else f"{len(reports)} passed"
    if all(report.outcome == "skipped" for report in reports):
        said = "skipped"
    return f"{said:<16} | {sum(report.duration for report in reports):6.1f} s"
