"""Plants ten bugs, one at a time, in a copy of the project: each must turn a test of the quick fault scenarios red.

Run as `python -m tests.faults.planted_bugs`; the working tree is not touched.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_BEHIND = (".git", ".venv", ".*_cache", "__pycache__", "docs", "benchmarks", "*.db*")


@dataclass(frozen=True)
class Bug:
    """A text of one file that is replaced by another, and the tests that should notice (a pytest -k expression)."""

    name: str
    file: str
    right: str
    wrong: str
    noticed: str


BUGS = (
    Bug(
        "answers in the ledger are not looked up",
        "agents/answering.py",
        "call = self._memory.recall(key) if self._memory else None",
        "call = None",
        "f2_ or f7_",
    ),
    Bug(
        "a call counts as kept before it is durable",
        "agents/answering.py",
        "            await kept\n",
        "            inspect.isawaitable(kept)\n",
        "f2_ or f7_ or f47",
    ),
    Bug(
        "a late result is not fenced off",
        "memory/work.py",
        ".first() != (WorkState.LEASED, claimed.fence):",
        ".first() is None:",
        "f42",
    ),
    Bug(
        "leases of others are ignored",
        "memory/work.py",
        "return WorkState.LEASED if live and row.owner != owner else WorkState.WAITING",
        "return WorkState.WAITING",
        "f41",
    ),
    Bug(
        "a changed text counts as done",
        "memory/work.py",
        "return state if row.content_hash == item.content_hash else WorkState.WAITING",
        "return state",
        "f47",
    ),
    Bug(
        "redirects are followed",
        "agents/providers/openai_connection.py",
        "allow_redirects=False",
        "allow_redirects=True",
        "f21",
    ),
    Bug(
        "a spent quota fails one item after the other",
        "graphs/batch.py",
        "    QuotaExhausted,\n)",
        ")",
        "f12",
    ),
    Bug(
        "the budget counts nothing",
        "agents/budget.py",
        "money <= self.money",
        "money >= 0",
        "f37",
    ),
    Bug(
        "lost answers are tried for ever",
        "agents/providers/resilience.py",
        "return question.paid_lost <= 1 and question.failures[error.kind] < self._policy.tries.get(error.kind, 1)",
        "return question.failures[error.kind] < 9",
        "f17 or f22",
    ),
    Bug(
        "waits are sat out although the run is to stop",
        "agents/stopping.py",
        "        await self._stop.sleep(seconds)\n",
        "        await super().sleep(seconds)\n",
        "f8_",
    ),
)


def noticed(bug: Bug) -> bool:
    """Return whether a test turns red with the bug."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "planted"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        place = copy / bug.file
        text = place.read_text(encoding="utf-8")
        if text.count(bug.right) != 1:
            raise SystemExit(f"{bug.file} has {text.count(bug.right)} times what {bug.name!r} replaces: mend its patch")
        place.write_text(text.replace(bug.right, bug.wrong), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "tests/faults", "-x", "-p", "no:cacheprovider", "-k", bug.noticed]
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    if ran.returncode not in {0, 1}:
        raise SystemExit(f"{bug.name}: the tests did not run\n{ran.stdout}{ran.stderr}")
    return ran.returncode == 1


def main() -> None:
    """Plant each bug; exit code 1 if one goes unnoticed."""
    unnoticed = 0
    for bug in BUGS:
        red = noticed(bug)
        unnoticed += not red
        print(f"{'red' if red else 'UNNOTICED':<9} | {bug.noticed:<18} | {bug.name}", flush=True)
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
