"""Each scenario has a shop of its own; at the end of `make faults`, a table of all scenarios and hostile inputs."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.commands.willing_model import willing
from tests.faults.left_out import HOSTILE_LEFT_OUT, LEFT_OUT
from tests.faults.shop import Shop
from tests.faulty_provider import FaultyProvider, Rule

OUTCOMES = ("passed", "failed", "xfailed", "skipped")
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
    """Note which scenarios and promises a test is about."""
    for item in items:
        for marker in item.iter_markers("scenario"):
            item.user_properties.append(("scenario", " | ".join(marker.args)))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print a line for each scenario: its promises, the result and the seconds of all its tests together."""
    if not config.getoption("--fault-table", default=False):
        return
    scenarios, promises = _told_by(terminalreporter.stats)
    terminalreporter.section("fault scenarios and hostile inputs (docs/batches.md says what is promised)")
    for name in sorted(scenarios, key=_place):
        terminalreporter.write_line(_line(name, " ".join(sorted(promises[name], key=_place)), _result(scenarios[name])))
        for figures in _figures(scenarios[name]):
            terminalreporter.write_line(_line("", "", figures))
    for name, reason in sorted((LEFT_OUT | HOSTILE_LEFT_OUT).items(), key=lambda left: _place(left[0])):
        terminalreporter.write_line(_line(name, "left out", reason))


def _told_by(
    stats: Mapping[str, Sequence[pytest.TestReport]],
) -> tuple[Mapping[str, list[pytest.TestReport]], Mapping[str, set[str]]]:
    """Return the reports and the promises of each scenario."""
    scenarios: defaultdict[str, list[pytest.TestReport]] = defaultdict(list)
    promises: defaultdict[str, set[str]] = defaultdict(set)
    for report in (report for outcome in OUTCOMES for report in stats.get(outcome, [])):
        for value in (value for kind, value in report.user_properties if kind == "scenario"):
            name, _, promised = str(value).partition(" | ")
            scenarios[name].append(report)
            promises[name].update(promised.split())
    return scenarios, promises


def _line(scenario: str, promises: str, result: str) -> str:
    return f"{scenario:<5} | {promises:<16} | {result}"


def _figures(reports: Sequence[pytest.TestReport]) -> list[str]:
    """Return what tests have counted."""
    return [str(value) for report in reports for name, value in report.user_properties if name == "figures"]


def _place(name: str) -> tuple[str, int]:
    """Return a scenario's place in the table: the faults (F) by their numbers, then the hostile inputs (H)."""
    found = re.match(r"([A-Z]+)(\d+)", name)
    return (found[1], int(found[2])) if found else ("", 0)


def _result(reports: Sequence[pytest.TestReport]) -> str:
    failed = sum(report.outcome == "failed" for report in reports)
    said = f"{failed} of {len(reports)} FAILED" if failed else f"{len(reports)} passed"
    if all(report.outcome == "skipped" for report in reports):
        said = "skipped"
    return f"{said:<16} | {sum(report.duration for report in reports):6.1f} s"
