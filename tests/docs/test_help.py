"""The help: a newcomer finds each command under a heading, on one line of a terminal of 80 columns."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

import app
from commands.front_page import PANELS

ROOT = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app.app)


def help_of(*command: str, columns: int = 80) -> str:
    """Return what a command says of itself in a terminal of so many columns."""
    environment = {"PATH": os.environ["PATH"], "COLUMNS": str(columns)}
    line = [sys.executable, str(ROOT / "app.py"), *command, "--help"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout


def groups() -> Iterator[tuple[str, TyperGroup]]:
    """Yield each group of commands with its name."""
    assert isinstance(COMMANDS, TyperGroup)
    yield from ((name, group) for name, group in COMMANDS.commands.items() if isinstance(group, TyperGroup))


def test_the_help_lists_every_command_once_and_no_other() -> None:
    assert isinstance(COMMANDS, TyperGroup)

    told = Counter(name for lines in PANELS.values() for name in lines)

    assert told == Counter(COMMANDS.commands.keys())


@pytest.mark.parametrize("columns", [80, 120])
def test_each_line_of_the_help_fits_the_terminal(columns: int) -> None:
    shown = {" ".join(line.strip("│ ").split()) for line in help_of(columns=columns).splitlines()}

    assert shown >= {f"{name} {line}" for lines in PANELS.values() for name, line in lines.items()}


def test_the_headings_come_in_the_order_of_the_work() -> None:
    headings = [line.strip("╭╮─ ") for line in help_of().splitlines() if line.startswith("╭")]

    assert headings == ["Options", *PANELS]


@pytest.mark.parametrize("group", [name for name, _ in groups()])
def test_each_command_of_a_group_says_what_it_does(group: str) -> None:
    commands = dict(groups())[group].commands

    shown = help_of(group)

    assert all(command.help for command in commands.values())
    assert all(f"│ {name} " in shown for name in commands)
