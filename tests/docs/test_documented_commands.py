"""The documentation: each command in it is run, each link leads somewhere, each option and make target exists."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

import app
from tests.commands.willing_model import willing
from tests.docs.made_up_shop import write_upstream
from tests.loopback_provider import LoopbackProvider

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# What a reader's folder has of the project: what the documents copy or name.
COPIED = ("memory/sample", "prompts", "memory/departments")
# `reaseq demo` enriches the whole sample, which the demo's own figures are about; a few rows show that it runs.
ADDED = {"demo": ["--limit", "4"]}
# The public shop that docs/tutorial.md is about, where this names it (either form); else a made-up one in its place.
PUBLIC_SHOP = "REASEQ_TUTORIAL_DATA"
PLAIN_TOOLS = ("cp", "mkdir", "cat", "head")

CONSOLE_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A file that a document shows whole.
SHOWN_FILE = re.compile(r"^```(?:csv|markdown) ([\w.-]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAKE_TARGET = re.compile(r"(?:^|`|\$ )make ([a-z][a-z-]*)", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`|^(?:\$ )?((?:reaseq|make|\.venv/\S+) .*)$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
OTHER_PROGRAMS = ("pip ", "python -m ", "python scripts/", "python benchmarks/", "langgraph ", "git ")
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")

Transcript = list[tuple[str, int, str]]  # command, exit code, all that it printed


def commands_of(document: Path) -> list[str]:
    """Return the commands of a document's console blocks, in order."""
    blocks = CONSOLE_BLOCK.findall(document.read_text(encoding="utf-8"))
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


WITH_COMMANDS = [document for document in DOCUMENTS if commands_of(document)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What a reader's shell has: a model to ask, and what is computed once, kept for all documents."""
    with LoopbackProvider(willing) as provider:
        cache = tmp_path_factory.mktemp("cache")
        yield {
            "PATH": os.environ["PATH"],
            "HOME": str(cache),
            "COLUMNS": "200",
            "OPENAI_API_KEY": "not-a-key",
            "OPENAI_BASE_URL": provider.base_url,
            "OLLAMA_HOST": provider.host,
            "REASEQ_CACHE": str(cache),
        }


def followed(document: Path, folder: Path, environment: dict[str, str]) -> Transcript:
    """Type a document's commands, one after the other, in one folder; stop where one fails."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, content in SHOWN_FILE.findall(document.read_text(encoding="utf-8")):
        (folder / name).write_text(content, encoding="utf-8")
    if document.name == "tutorial.md":
        put_shop(folder / "MiniOneRec" / "data" / "Amazon")
    transcript: Transcript = []
    for command in commands_of(document):
        ran = subprocess.run(
            typed(command),
            cwd=ROOT if command.startswith("make ") else folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,  # on a machine that others use as well
            check=False,
        )
        transcript.append((command, ran.returncode, ran.stdout + ran.stderr))
        if ran.returncode:
            break
    return transcript


def put_shop(folder: Path) -> None:
    """Put the tutorial's shop where it says that the reader has it."""
    if real := os.environ.get(PUBLIC_SHOP):
        folder.parent.mkdir(parents=True)
        folder.symlink_to(Path(real).resolve())
    else:
        write_upstream(folder)


def typed(command: str) -> list[str]:
    """Return what is run for a documented command."""
    program, *arguments = shlex.split(command, comments=True)
    if program == "reaseq":
        added = ADDED.get(arguments[0], []) if arguments else []
        return [sys.executable, str(ROOT / "app.py"), *arguments, *added]
    if program == "python" and arguments[0].startswith("scripts/"):
        return [sys.executable, str(ROOT / arguments[0]), *arguments[1:]]
    if program == "make":
        return ["make", "--dry-run", *arguments]
    assert program in PLAIN_TOOLS, f"nobody can check that this documented command works: {command}"
    return [program, *arguments]


@pytest.mark.parametrize("document", WITH_COMMANDS, ids=lambda path: path.name)
def test_every_documented_command_runs(document: Path, environment: dict[str, str], tmp_path: Path) -> None:
    transcript = followed(document, tmp_path, environment)

    for command, code, said in transcript:
        assert code == 0, f"{command}\n{said}"
        assert "Traceback" not in said, f"{command}\n{said}"
        assert "error:" not in said, f"{command}\n{said}"
    assert [command for command, _, _ in transcript] == commands_of(document)


def test_the_readme_shows_how_to_enrich_show_trace_and_export() -> None:
    shown = {shlex.split(command)[1] for command in commands_of(ROOT / "README.md") if command.startswith("reaseq")}

    assert shown >= {"enrich", "show", "trace", "export", "models", "settings", "prompts"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(MAKE_TARGET.findall(document.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = LINK.findall(document.read_text(encoding="utf-8"))

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_named_exists(document: Path) -> None:
    code = ["".join(found) for found in CODE.findall(document.read_text(encoding="utf-8"))]

    named = {option for text in code if not text.startswith(OTHER_PROGRAMS) for option in OPTION.findall(text)}

    assert named <= options()


def options() -> set[str]:
    """Return the options of all commands."""
    waiting = [typer.main.get_command(app.app)]
    found: set[str] = set()
    while waiting:
        command = waiting.pop()
        found |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        waiting += command.commands.values() if isinstance(command, TyperGroup) else []
    return found | {"--help"}
