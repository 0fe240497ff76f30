"""What reaches a terminal: product text as text and never as control codes, and how a process ends."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.command_line import PROGRAM, Ran, reaseq, reaseq_process
from tests.commands.willing_model import willing
from tests.loopback_provider import Asked, LoopbackProvider

TITLE = "\x1b[31mRed\x1b[0m \x1b]8;;http://x\x07kettle\x9b1m [bold]x[/bold] [link=http://x]y[/link]\r\nINFO forged [/]"
SHOWN = "[31mRed[0m ]8;;http://xkettle1m [bold]x[/bold] [link=http://x]y[/link] INFO forged [/]"


@pytest.fixture
def odd_catalog() -> Path:
    """A catalog whose titles, columns and ids try to steer a terminal."""
    rows: list[dict[str, str]] = [
        {"id": "T1", "title": TITLE, "description": TITLE, "brand": "Red", "\x1b[1mnote [bold]": TITLE},
        {"id": "\x1b[2J", "title": "clears the screen"},
        {"id": "[red]T3[/red]", "title": "[/red] mug", "brand": "[b]"},
    ]
    Path("odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Path("odd.jsonl")


def is_harmless(ran: Ran) -> bool:
    """Return whether nothing but text and line ends was said."""
    return all(character.isprintable() or character == "\n" for character in ran.all)


def test_a_title_is_shown_as_text_wherever_it_is_shown(odd_catalog: Path) -> None:
    enriched = reaseq("enrich", odd_catalog)
    shown = reaseq("show", "T1", "--graph")
    others = [
        reaseq("show", "[red]T3[/red]"),
        reaseq("show", "\x1b[2J"),
        reaseq("prompts", "render", "attribute_extractor", "--item", "T1", "--catalog", odd_catalog),
        reaseq("trace", odd_catalog, "--item", "T1"),
        reaseq("trace", "--title", TITLE, "--description", f"Brand: Red\n{TITLE}"),
        reaseq("enrich", "\x1b[31m.csv"),
        reaseq("enrich", odd_catalog, "--model", "\x1b[31m"),
    ]

    assert [ran.code for ran in (enriched, shown, *others)] == [0, 0, 0, 1, 0, 0, 0, 1, 1]
    assert SHOWN in shown.output
    assert "1 rejected" in enriched.errors
    assert all(is_harmless(ran) for ran in (enriched, shown, *others))


def steering(asked: Asked) -> object:
    """Answer with control codes in every text."""
    if "verdicts" in asked.schema["properties"]:
        return {"verdicts": [{"claim_id": "0.0.brand", "decision": "reject", "note": TITLE}]}
    if "claims" in asked.schema["properties"]:
        claim = {"attribute": "brand", "value": TITLE, "field": "title", "quote": TITLE, "confidence": 0.5}
        return {"claims": [claim, claim | {"value": "Red", "quote": "Red"}]}
    return {"summary": TITLE} if "summary" in asked.schema["properties"] else willing(asked)


def test_a_model_that_answers_with_control_codes_steers_no_terminal(
    odd_catalog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackProvider(steering) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        enriched = reaseq("enrich", odd_catalog, "--model", "openai:small")
        said = [
            enriched,
            reaseq("show", "T1", "--graph"),
            reaseq("trace", odd_catalog, "--item", "T1", "--model", "openai:small"),
        ]

    assert [ran.code for ran in said] == [0, 0, 0]
    assert all(is_harmless(ran) for ran in said)


def environment(**given: str) -> dict[str, str]:
    """Return the environment of a process of its own."""
    names = ("PATH", "HOME", "REASEQ_CACHE", "REASEQ_TAXONOMY")
    kept = {name: value for name, value in os.environ.items() if name in names}
    return kept | {"COLUMNS": "200"} | given


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str, str]:
    """Wait for a process; return its exit code and what it said."""
    output, errors = process.communicate(timeout=30)
    return process.returncode, (output or b"").decode("utf-8", "replace"), errors.decode("utf-8", "replace")


def test_a_run_that_is_interrupted_ends_with_code_130_and_without_a_traceback() -> None:
    with LoopbackProvider(willing, fault="hang") as provider:
        process = reaseq_process(
            *("enrich", "kettles.csv", "--model", "openai:small"), env=environment(OPENAI_BASE_URL=provider.base_url)
        )
        wait_until(lambda: bool(provider.asked) or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        time.sleep(1.0)  # the first is heard, and the answer in flight is waited for
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        code, _, errors = ended(process)

    assert code == 130
    assert "stopping" in errors
    assert "Traceback" not in errors
    assert reaseq("show", "K1").code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--version"], 0, "reaseq "),
        (["show", "K9"], 1, "error: "),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_the_exit_code_of_a_process(arguments: list[str], code: int, said: str) -> None:
    found, output, errors = ended(reaseq_process(*arguments, env=environment()))

    assert found == code
    assert said in output + errors
    assert "Traceback" not in errors


def test_a_terminal_without_the_characters_of_a_title_shows_question_marks() -> None:
    Path("rows.csv").write_text("id,title,brand\n1,Steel kettle → «你好»,Acme\n", encoding="utf-8")
    reaseq("enrich", "rows.csv")

    shown = ended(reaseq_process("show", "1", env=environment(PYTHONIOENCODING="ascii")))
    as_json = ended(reaseq_process("show", "1", "--json", env=environment(PYTHONIOENCODING="ascii")))

    assert shown[0] == 0, shown[2]
    assert "Steel kettle ? ????" in shown[1]
    assert json.loads(as_json[1])["item"]["title"] == "Steel kettle → «你好»"


def test_a_reader_that_goes_away_is_no_error(enriched: tuple[str, Ran]) -> None:
    process = reaseq_process("show", "K1", "--kb", enriched[0], env=environment())
    assert process.stdout is not None
    process.stdout.close()

    errors = process.stderr.read() if process.stderr else b""

    assert process.wait(timeout=30) == 1
    assert errors == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_behind_the_output_is_told(enriched: tuple[str, Ran]) -> None:
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [*PROGRAM, "show", "K1", "--json", "--kb", enriched[0]],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
        )
        code, _, errors = ended(process)

    assert code == 1
    assert errors.startswith("error: ")
    assert "Traceback" not in errors


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, on a busy machine too."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
