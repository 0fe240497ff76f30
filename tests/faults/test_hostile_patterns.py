"""No regular expression of the product takes more than linear time, whatever text it is given."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from types import ModuleType

import pytest

import agents
import commands
import memory
import prompts
from agents.answer_parsing import AnswerInvalid, parse_answer
from agents.extraction.picks import PickAnswer
from agents.reading.passages import MOST_READ, passages
from agents.reading.rules import rule_claims
from agents.reading.text_spans import find_span
from agents.values.quantities import _pattern
from memory.schema import CatalogItem, SourceField
from memory.taxonomy import starter_taxonomy

SIZE = 40_000  # characters
SMALLER = 10_000  # for the many pieces that are thought of, not known to have hurt
MOST_SECONDS = 0.3  # of CPU, for 10,000 characters; quadratic work takes more, linear work hundredths
# Each is repeated, and followed by what the pattern does not want.
PIECES = (
    *("a", "A'", "A' & ", "A+", "1", "1.", "1,5 x ", "1-", "1/", " ", "\n", "\t\n", "'", '"', "\\'", "'a', "),
    *("(", "[", "<", "<a x='", "<!--", "&amp;", "&#", "# ", "=", ": a ", "a-", "for a ", "also ", "in ", "ages 1+ "),
    *("pack of 1 ", "1er-a", "a: b (c) ", "://a@", "a://:", ":", "```\n", "+", "-", ".", "®", "½ "),
    *("\u0301", "10 cm x "),
)
QUICK = ("A'", "1,5 x ", "&#")
ENDS = ("!", "")
# Never searched for: they are only tried at one place of a text, mostly from end to end.
TRIED_AT_ONE_PLACE = {
    "agents.reading.title_offers._CODE": "fullmatch",  # of a word of a title's first 400 characters
    "memory.catalog_files.cell_text._WRITTEN_LIST": "fullmatch",
    "memory.catalog_files.cell_text._WRITTEN_STRING": "match",  # searched for only in what _WRITTEN_LIST has matched
    "memory.catalog_files.places._SECRET": "match",
    "memory.export._FORMULA": "match",
    "memory.export._NUMBER": "fullmatch",
    "memory.public_taxonomies._LINE": "fullmatch",
    "memory.public_taxonomies._WITH_ABBREVIATION": "fullmatch",
}
SHORT = {"agents.reading.title_offers._CODE"}


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Yield the modules of a package, migrations left out."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "migrations" not in found.name:
            yield importlib.import_module(found.name)


def patterns() -> dict[str, re.Pattern[str]]:
    """Return every compiled pattern of the product by its name."""
    found: dict[str, re.Pattern[str]] = {"agents.values.quantities._pattern()": _pattern()}
    for module in (module for package in (agents, commands, memory, prompts) for module in modules(package)):
        for name, value in vars(module).items():
            named = value.items() if isinstance(value, dict) else [("", value)]
            found |= {f"{module.__name__}.{name}{key}": v for key, v in named if isinstance(v, re.Pattern)}
    return {name: pattern for name, pattern in found.items() if isinstance(pattern.pattern, str)}


def cpu_seconds(pattern: re.Pattern[str], how: str, text: str) -> float:
    """Return how long it takes to find all that a pattern finds, or to try it at the beginning."""
    started = time.process_time()
    if how == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, how)(text)
    return time.process_time() - started


@pytest.mark.scenario("H49", "I11")
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.faults) for name in sorted(patterns())])
def test_h49_a_pattern_takes_linear_time_on_any_text(name: str) -> None:
    pattern, how = patterns()[name], TRIED_AT_ONE_PLACE.get(name, "finditer")
    texts = {piece + end: piece * (size_for(name, piece) // len(piece)) + end for piece in PIECES for end in ENDS}

    slow = {}
    for piece, text in texts.items():
        if (seconds := cpu_seconds(pattern, how, text)) > MOST_SECONDS * max(1.0, len(text) / SMALLER):
            slow[piece] = seconds

    assert slow == {}


def size_for(name: str, piece: str) -> int:
    """Return how many characters a pattern is given."""
    if name in SHORT:
        return 400
    return SIZE if piece in {"a", *QUICK} else SMALLER


@pytest.mark.scenario("H49", "I11")
@pytest.mark.parametrize(
    "piece", [piece if piece in QUICK else pytest.param(piece, marks=pytest.mark.faults) for piece in PIECES]
)
def test_h49_all_patterns_that_read_an_item_take_linear_time_together(piece: str) -> None:
    text = piece * (SIZE // len(piece)) + "!"
    item = CatalogItem(id="H49", title="Kettle", description=text, fields=(SourceField(name="brand", text=text),))
    template = starter_taxonomy().template("kitchen.kettles")

    started = time.process_time()
    rule_claims(item, template)
    seconds = time.process_time() - started

    assert seconds < 2.5  # two fields of 20,000 characters; each "A'" once took 3 seconds more


@pytest.mark.scenario("H49", "I11 I12")
def test_h49_of_a_row_of_many_long_columns_only_the_beginning_is_read() -> None:
    columns = tuple(SourceField(name=f"column {n}", text="red steel 1 l " * 1_500) for n in range(200))
    item = CatalogItem(id="H49", title="Kettle 1 l", fields=columns)

    read = passages(item)

    assert sum(len(passage.text) for passage in read) == MOST_READ
    assert read[0].text == "Kettle 1 l"


@pytest.mark.scenario("H49", "I11")
def test_h49_a_quote_that_no_text_holds_is_missed_in_a_short_time() -> None:
    text = "größe red steel " * 330_000

    started = time.process_time()
    found = [find_span(text, f"no such quote {number}") for number in range(200)]
    seconds = time.process_time() - started

    assert set(found) == {None}
    assert seconds < 3.0  # once 13 seconds for each
    assert find_span(text, "GRÖßE  RED") == (0, 9)


@pytest.mark.scenario("H49", "I11")
def test_h49_a_repeated_key_among_very_many_is_found_in_a_short_time() -> None:
    answer = "{" + ",".join(f'"k{number}":"v"' for number in range(100_000)) + ',"z":"1","z":"2"}'

    started = time.process_time()
    with pytest.raises(AnswerInvalid, match="the key 'z' is repeated"):
        parse_answer(answer, PickAnswer)

    assert time.process_time() - started < 2.0  # once hours
