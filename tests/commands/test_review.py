"""`reaseq review` as a person meets it: what waits, decided by keys or commands, and never lost again."""

import io
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands.command_line import PROGRAM, Ran, reaseq, reaseq_process
from tests.commands.test_terminal import TITLE, environment, is_harmless
from tests.commands.willing_model import claim, willing
from tests.loopback_provider import Asked, LoopbackProvider


@pytest.fixture(autouse=True)
def kb(enriched: tuple[str, Ran], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the enriched kettles, to decide in."""
    path = folder / "own.db"
    shutil.copy(enriched[0].removeprefix("sqlite:///"), path)
    monkeypatch.setenv("REASEQ_KB", f"sqlite:///{path}")
    return path


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what runs `review next` with lines on standard input."""

    def typed(*lines: str, options: tuple[object, ...] = ()) -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return reaseq("review", "next", *options)

    return typed


def queued(*options: object) -> list[tuple[str, str, str]]:
    """Return (item, attribute, value) of what waits."""
    values = reaseq("review", "list", *options, "--json").document["values"]
    return [(value["item"], value["attribute"], value["normalized"]) for value in values]


def shown(item: str = "K1") -> dict[tuple[str, str], str]:
    """Return the verdict on each (attribute, value) of an item."""
    enrichment = reaseq("show", item, "--json").document["enrichment"]
    verdicts = {v["claim_id"]: f"{v['decision']} {v['reason']} {v['checked_by']}" for v in enrichment["verdicts"]}
    return {(claim["name"], claim["normalized"]): verdicts[claim["id"]] for claim in enrichment["claims"]}


def accepted(item: str = "K1") -> dict[str, set[str]]:
    """Return the accepted values of an item by attribute."""
    found: dict[str, set[str]] = {}
    for (attribute, value), verdict in shown(item).items():
        if verdict.startswith("accept"):
            found.setdefault(attribute, set()).add(value)
    return found


def test_what_waits_is_listed_and_can_be_narrowed() -> None:
    everything = queued()

    assert ("K1", "color", "red") in everything
    assert queued("--attribute", "color") == [entry for entry in everything if entry[1] == "color"]
    assert queued("--limit", 1) == everything[:1]
    assert queued("--reason", "abstained") == []
    assert queued("--category", "nothing") == []
    assert reaseq("review", "list", "--reason", "whim").code == 2
    assert "least_sure" in reaseq("review", "list").output


def test_each_decision_is_told_at_once_and_does_not_wait_any_more() -> None:
    before = accepted()

    ran = [
        reaseq("review", "accept", "K1", "brand", "--reviewer", "Ann", "--note", "seen", "--json"),
        reaseq("review", "correct", "K1", "color", "blue"),
        reaseq("review", "reject", "K1", "power"),
    ]

    assert [r.code for r in ran] == [0, 0, 0]
    assert (ran[0].document["reviewer"], ran[0].document["note"]) == ("Ann", "seen")
    assert ran[1].errors == "K1: color = blue in place of red\n"
    verdicts = shown()
    assert verdicts["brand", "Acme"] == "accept reviewed human"
    assert verdicts["color", "blue"] == "accept reviewed human"
    assert verdicts["color", "red"] == "reject reviewed human"
    assert verdicts["power", "2200"] == "reject reviewed human"
    untouched = {name: values for name, values in before.items() if name not in ("brand", "color", "power")}
    assert {name: values for name, values in accepted().items() if name in untouched} == untouched
    assert not [entry for entry in queued() if entry[0] == "K1" and entry[1] in ("brand", "color", "power")]
    text = reaseq("show", "K1").output
    assert "human" in text
    assert "blue" in text
    assert "2200" not in reaseq("show", "K1", "--json").document["enrichment"]["summary"]
    assert reaseq("stale", "--json").document["items"] == 0


def test_a_value_that_cannot_be_is_refused_with_those_that_can() -> None:
    ran = reaseq("review", "correct", "K1", "color", "pinkish")
    other = reaseq("review", "accept", "K1", "color", "blue")
    unknown = reaseq("review", "correct", "K1", "wheels", "4")
    nobody = reaseq("review", "reject", "K9", "color")

    assert [r.code for r in (ran, other, unknown, nobody)] == [1, 1, 1, 1]
    assert "allowed: black, white" in ran.errors
    assert "there are: red" in other.errors
    assert "it has: brand" in unknown.errors
    assert "'K9'" in nobody.errors
    assert accepted()["color"] == {"red"}


def test_one_key_a_line_decides_one_value_after_the_other(typing: Any) -> None:
    first = queued("--attribute", "color")[:2]

    ran = typing("a", "c", "green", options=("--attribute", "color", "--reviewer", "Bo"))

    assert ran.code == 0
    assert "2 decided, 0 skipped" in ran.errors
    assert accepted(first[0][0])["color"] == {first[0][2]}
    assert accepted(first[1][0])["color"] == {"green"}
    assert "allowed: black, white" in ran.output


def test_what_is_undone_waits_again_and_is_as_it_was(typing: Any) -> None:
    before, waiting = reaseq("show", "K1", "--json").document, queued()

    ran = typing("u", "r", "u", "s", "q", options=("--attribute", "power"))

    assert "there is nothing to undo" in ran.errors
    assert "taken back: K1: power = 2200" in ran.errors
    assert "0 decided, 1 skipped" in ran.errors
    assert reaseq("show", "K1", "--json").document == before
    assert queued() == waiting


def test_a_refused_value_a_strange_key_and_an_empty_line_lose_nothing(typing: Any) -> None:
    ran = typing("x", "", "c pinkish", "c", "", "c red", "q", options=("--attribute", "color"))

    assert ran.code == 0
    assert "'pinkish' is no allowed value" in ran.errors
    assert "1 decided, 0 skipped" in ran.errors


def test_the_queue_ends(typing: Any) -> None:
    ran = typing(*["s"] * 100)

    assert "nothing is left in the queue" in ran.errors
    assert f"0 decided, {len(queued())} skipped" in ran.errors


def test_the_end_of_the_input_ends_it(typing: Any) -> None:
    assert "0 decided, 0 skipped" in typing().errors


def test_a_decision_holds_against_every_later_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def contrary(asked: Asked) -> object:
        if "claims" in asked.schema["properties"]:
            return {"claims": [claim("brand", "steel", "steel", "title"), claim("color", "red", "red", "title")]}
        return willing(asked)

    reaseq("enrich", "kettles.csv", "--kb", "sqlite:///free.db")
    reaseq("review", "correct", "K1", "color", "blue")
    reaseq("review", "correct", "K1", "capacity", "2 l")
    reaseq("review", "reject", "K1", "power", "2200 watt")
    with LoopbackProvider(contrary) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        runs = [
            reaseq("enrich", "kettles.csv", "--model", "openai:small", *options, *kb)
            for options in ((), ("--fresh",))
            for kb in ((), ("--kb", "sqlite:///free.db"))
        ]
        decided = shown()
        monkeypatch.setenv("REASEQ_KB", "sqlite:///free.db")
        free = shown()

    assert [ran.code for ran in runs] == [0] * 4
    assert decided["color", "blue"] == "accept reviewed human"
    assert decided["color", "red"] == "reject reviewed human"  # it may have several, so it was looked for
    assert {value: verdict for (name, value), verdict in decided.items() if name == "capacity"} == {
        "2": "accept reviewed human"
    }
    assert decided["power", "2200"] == "reject reviewed human"
    about = ("color", "capacity", "power")
    assert {k: v for k, v in decided.items() if k[0] not in about} == {
        k: v for k, v in free.items() if k[0] not in about
    }


def test_a_decision_holds_in_every_version_and_outlives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    reaseq("enrich", "kettles.csv", "--max-revisions", 0)
    assert len(reaseq("kb", "versions", "--json").document) == 2

    reaseq("review", "correct", "K1", "color", "blue")
    told = []
    for version in (1, 2):
        reaseq("kb", "use", version)
        told.append(accepted()["color"])
    pruned = reaseq("kb", "prune", "--json").document
    reaseq("enrich", "kettles.csv", "--max-revisions", 1, "--fresh")

    assert told == [{"blue"}, {"blue"}]
    assert pruned == {"dropped": [1]}
    assert accepted()["color"] == {"blue"}


def test_a_text_that_says_it_no_more_asks_again_and_a_rejection_stays() -> None:
    reaseq("review", "accept", "K1", "color")
    reaseq("review", "reject", "K1", "power")
    rows = Path("kettles.csv").read_text(encoding="utf-8")

    Path("kettles.csv").write_text(rows.replace("1.7 l red", "1.7 l blue"), encoding="utf-8")
    reaseq("enrich", "kettles.csv")

    assert queued()[0] == ("K1", "color", "blue")
    assert reaseq("review", "list", "--json").document["values"][0]["why"] == "text_changed"
    assert accepted()["color"] == {"blue"}
    assert shown()["power", "2200"] == "reject reviewed human"
    Path("kettles.csv").write_text(rows.replace("Boils fast", "Boils very fast"), encoding="utf-8")
    reaseq("enrich", "kettles.csv")
    assert shown()["color", "red"] == "accept reviewed human"


def test_what_was_decided_is_gold_that_evaluate_reads() -> None:
    reaseq("review", "accept", "K1", "color")
    reaseq("review", "accept", "K2", "brand")
    reaseq("review", "reject", "K1", "power")
    reaseq("review", "reject", "K3", "color")

    written = reaseq("review", "export", "--out", "gold.jsonl", "--json").document
    evaluation = reaseq("evaluate", "gold.jsonl", "--json")

    lines = [json.loads(line) for line in Path("gold.jsonl").read_text(encoding="utf-8").splitlines()]
    assert written == {"items": 2, "file": "gold.jsonl"}
    assert [(line["id"], line["attributes"]) for line in lines] == [
        ("K1", {"color": ["red"]}),
        ("K2", {"brand": ["Nordlicht"]}),
    ]
    assert lines[0]["title"] == "Acme steel kettle 1.7 l red"
    assert lines[0]["fields"] == {"brand": "Acme"}
    assert evaluation.code == 0, evaluation.errors


def test_gold_of_an_attribute_of_many_values_waits_until_each_is_decided() -> None:
    many = [entry for entry in queued("--attribute", "material") if entry[0] == "K1"]
    assert many, "the kettle has a material"
    Path("more.jsonl").write_text(
        json.dumps({"id": "M1", "title": "Kettle of stainless steel and glass", "brand": "Acme"}), encoding="utf-8"
    )
    reaseq("enrich", "more.jsonl")
    values = [value for item, _, value in queued("--attribute", "material") if item == "M1"]
    assert len(values) == 2

    reaseq("review", "accept", "M1", "material", values[0])
    reaseq("review", "export", "--out", "half.jsonl")
    reaseq("review", "reject", "M1", "material", values[1])
    reaseq("review", "export", "--out", "whole.jsonl")

    assert Path("half.jsonl").read_text(encoding="utf-8") == ""
    assert json.loads(Path("whole.jsonl").read_text(encoding="utf-8"))["attributes"] == {"material": values[:1]}


def test_two_processes_that_decide_at_once_lose_nothing() -> None:
    items = [("K1", "brand"), ("K1", "color")]
    commands = [("accept", *pair) for pair in items] + [("correct", "K1", "power", f"{n + 1} kW") for n in range(2)]

    processes = [reaseq_process("review", *command, env=own_environment()) for command in commands]
    ends = [process.wait(timeout=120) for process in processes]
    for process in processes:
        process.communicate()

    assert ends == [0] * len(commands)
    assert all(
        f"{verdict}".startswith("accept reviewed") for item, attribute in items for verdict in of(item, attribute)
    )
    [power] = accepted()["power"]
    assert power in ("1000", "2000")


def of(item: str, attribute: str) -> list[str]:
    """Return the verdicts on an attribute's values."""
    return [verdict for (name, _), verdict in shown(item).items() if name == attribute]


def own_environment() -> dict[str, str]:
    return environment(REASEQ_KB=os.environ["REASEQ_KB"])


def test_hostile_texts_ids_and_words_steer_nothing(typing: Any) -> None:
    rows: list[dict[str, str]] = [
        {"id": "[red]T3[/red]", "title": f"kettle {TITLE}", "description": TITLE, "brand": "[b]", "color": "red"},
        {"id": "'; DROP TABLE review; --", "title": "Acme kettle red", "brand": "'; DROP TABLE item; --"},
    ]
    Path("odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    reaseq("enrich", "odd.jsonl")
    evil = "\x1b[2J[bold]\udcff'; DROP TABLE review; --"

    said = [
        reaseq("review", "list"),
        typing("c \x1b[31m[bold]x", "a", "r", "u", "q", options=("--reviewer", evil)),
        reaseq("review", "accept", "[red]T3[/red]", "color", "--reviewer", evil, "--note", evil),
        reaseq("review", "correct", "'; DROP TABLE review; --", "brand", evil),
        reaseq("review", "reject", "K1", evil, evil),
        reaseq("review", "reject", evil, "brand"),
        reaseq("review", "list", "--attribute", evil, "--category", evil),
        reaseq("review", "export", "--out", "gold.jsonl"),
        reaseq("show", "'; DROP TABLE review; --"),
    ]

    assert [ran.code for ran in said] == [0, 0, 0, 0, 1, 1, 0, 0, 0]
    assert all(is_harmless(ran) for ran in said)
    brand = json.loads(Path("gold.jsonl").read_text(encoding="utf-8").splitlines()[0])["attributes"]["brand"]
    assert brand == ["[2J[bold]\ufffd'; DROP TABLE review; --"]
    assert len(queued()) > 3


def test_a_terminal_is_driven_with_single_keys() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "review", "next", "--attribute", "color", "--reviewer", "Cy"],
        env=own_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)

    press(ours, b"a")
    heard(ours, b"q quit", times=2)
    press(ours, b"c")
    heard(ours, b"right value: ")
    os.write(ours, b"green\n")
    heard(ours, b"u undo   q quit")
    press(ours, b"\x04")
    code = process.wait(timeout=60)
    errors = process.stderr.read().decode() if process.stderr else ""
    os.close(ours)

    assert code == 0, errors
    assert "2 decided, 0 skipped" in errors


def press(terminal: int, key: bytes) -> None:
    """Press a key once the program waits for one: what was typed before that is dropped."""
    end = time.monotonic() + 60
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        assert time.monotonic() < end, "the program waits for no key"
        time.sleep(0.01)
    os.write(terminal, key)


def heard(terminal: int, wanted: bytes, times: int = 1) -> None:
    """Read from a terminal until it has shown what is wanted."""
    said, end = b"", time.monotonic() + 60
    while said.count(wanted) < times:
        assert time.monotonic() < end, said
        if select.select([terminal], [], [], 1.0)[0]:
            said += os.read(terminal, 4096)
