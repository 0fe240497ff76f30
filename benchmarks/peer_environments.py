"""The virtual environments of the clients that reaseq is compared with: each made when it is first needed."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

READY = "installed"  # a file in an environment whose packages are all there


class NoEnvironment(Exception):
    """A peer's environment could not be made; the text says why."""


def python_of(package: str, folder: Path | None, requirements: Sequence[str] = ()) -> str:
    """Return the Python that has a package from PyPI, in an environment under `folder`.

    `requirements` are installed in its place where its name alone does not make it run.
    """
    if folder is None:
        raise NoEnvironment(f"{package} was not asked for: --venvs FOLDER says where its environment may be made")
    environment = folder.resolve() / package
    python = environment / "bin" / "python"
    if (environment / READY).exists():
        return str(python)
    print(f"installing {package} into {environment} …", file=sys.stderr)
    venv.create(environment, with_pip=True, clear=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*install, *(requirements or [package])]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise NoEnvironment(f"{package} cannot be installed: {last_line(made.stderr)}")
    (environment / READY).touch()
    return str(python)


def last_line(text: str) -> str:
    """Return the last line that says something: of a traceback the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
