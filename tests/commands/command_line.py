"""The command line as a user meets it: in this process, which is fast, or in a process of its own."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import app

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, str(ROOT / "app.py"))


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    output: str
    errors: str

    @property
    def document(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.output)

    @property
    def all(self) -> str:
        """Everything that was said."""
        return self.output + self.errors


def reaseq(*arguments: object) -> Ran:
    """Run a command in this process and in the current folder."""
    output, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: object = 0
    argv = ["reaseq", *map(str, arguments)]
    with patch.object(sys, "argv", argv), redirect_stdout(output), redirect_stderr(errors):
        try:
            app.main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int) or code is None
    return Ran(code or 0, _written(output), _written(errors))


def reaseq_process(*arguments: str, env: Mapping[str, str], to: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
    """Start a command in a process of its own, in the current folder; what it says goes to a file, if one is given."""
    output = (to, to) if to else (subprocess.PIPE, subprocess.PIPE)
    return subprocess.Popen([*PROGRAM, *arguments], env=env, stdout=output[0], stderr=output[1])


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode()
