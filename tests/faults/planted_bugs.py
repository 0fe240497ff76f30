"""Plants bugs, one at a time, in a copy of the project: each must turn the quickest test that is about it red.

Run as `python -m tests.faults.planted_bugs`; the working tree is not touched.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEFT_BEHIND = (".git", ".venv", ".*_cache", "__pycache__", "docs", "benchmarks", "*.db*")


@dataclass(frozen=True)
class Bug:
    """A text of one file that is replaced by another, and the tests that should notice: a file and a -k expression."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str
    named: str


BUGS = (
    Bug(
        "answers in the ledger are not looked up",
        "agents/answering.py",
        "call = self._memory.recall(key) if self._memory else None",
        "call = None",
        "tests/agents/test_answering.py",
        "durable",
    ),
    Bug(
        "a call counts as kept before it is durable: its commit comes after the next node",
        "agents/answering.py",
        "            await kept\n",
        "            __import__('asyncio').ensure_future(kept)\n",
        "tests/agents/test_answering.py",
        "asynchronous",
    ),
    Bug(
        "a claim's quote need not stand in the text",
        "memory/schema.py",
        "if text[evidence.start : evidence.end] != evidence.quote:",
        "if not text:",
        "tests/memory/test_schema.py",
        "evidence",
    ),
    Bug(
        "what a model proposes needs no quote that the text has",
        "agents/extraction/proposals.py",
        "        if place is not None and find_span(text[place[0] : place[1]], proposal.value.strip()) is not None:",
        "        place = place or (0, len(text))\n        if place:",
        "tests/agents/test_attribute_extractor.py",
        "without_a_span",
    ),
    Bug(
        "a late result is not fenced off",
        "memory/work.py",
        "return [fences.get((one.item.id, one.version_id)) == one.fence for one in claimed]",
        "return [(one.item.id, one.version_id) in fences for one in claimed]",
        "tests/memory/test_work.py",
        "fenced_off",
    ),
    Bug(
        "leases of others are ignored",
        "memory/work.py",
        "return WorkState.LEASED if live and row.owner not in mine else WorkState.WAITING",
        "return WorkState.WAITING",
        "tests/memory/test_work.py",
        "one_owner",
    ),
    Bug(
        "a changed text counts as done",
        "memory/work.py",
        "return state if row.content_hash == item.content_hash else WorkState.WAITING",
        "return state",
        "tests/memory/test_work.py",
        "another_text",
    ),
    Bug(
        "a batch's answers are matched by their position",
        "agents/providers/batch_api/courier.py",
        "                question = question_of(line, token)\n",
        "                question = next((q for q in recipient._under_way[token] if q not in kept), None)\n",
        "tests/agents/providers/test_batch_api.py",
        "order",
    ),
    Bug(
        "redirects are followed",
        "agents/providers/openai_connection.py",
        "allow_redirects=False",
        "allow_redirects=True",
        "tests/agents/providers/test_chat_completions.py",
        "redirect",
    ),
    Bug(
        "a spent quota fails one item after the other",
        "graphs/batch.py",
        "    QuotaExhausted,\n)\n\n\n",
        ")\n\n\n",
        "tests/faults/test_providers.py",
        "f12",
    ),
    Bug(
        "what failed in an outage is failed at once",
        "graphs/batch.py",
        "if isinstance(error, CallFailed) and error.kind in TROUBLE:",
        "if not error.args:",
        "tests/graphs/test_batch.py",
        "outage",
    ),
    Bug(
        "the budget counts nothing",
        "agents/spending/budget.py",
        "money <= self.money",
        "money >= 0",
        "tests/agents/spending/test_budget.py",
        "limit",
    ),
    Bug(
        "lost answers are tried for ever",
        "agents/resilience/model.py",
        "return question.paid_lost <= 1 and question.failures[error.kind] < self._policy.tries.get(error.kind, 1)",
        "return question.failures[error.kind] < 9",
        "tests/agents/resilience/test_resilience.py",
        "lost_answers",
    ),
    Bug(
        "waits are sat out although the run is to stop",
        "agents/stopping.py",
        "        await self._stop.sleep(seconds)\n",
        "        await super().sleep(seconds)\n",
        "tests/faults/test_kills.py",
        "f8_",
    ),
    Bug(
        "an export is written in place",
        "memory/atomic_file.py",
        '    unfinished = target.with_name(f".reaseq-{os.getpid()}-{secrets.token_hex(4)}.tmp")\n',
        "    unfinished = target\n",
        "tests/memory/test_export.py",
        "leaves_the_old_file",
    ),
    Bug(
        "a knowledge base that was deleted is written to",
        "memory/database.py",
        "if self._file is not None and (loss := self._file.loss()):",
        "if self._file is not None and (loss := None):",
        "tests/memory/test_database.py",
        "gone",
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
        options = ("-x", "-p", "no:cacheprovider", "-m", "", "-k", bug.named)
        command = [sys.executable, "-m", "pytest", bug.tests, *options]
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    if ran.returncode not in {0, 1}:
        raise SystemExit(f"{bug.name}: the tests did not run\n{ran.stdout}{ran.stderr}")
    return ran.returncode == 1


def main() -> None:
    """Plant each bug; exit code 1 if one goes unnoticed."""
    unnoticed = 0
    for bug in BUGS:
        started = time.monotonic()
        red = noticed(bug)
        unnoticed += not red
        result = "red" if red else "UNNOTICED"
        print(f"{result:<9} | {time.monotonic() - started:5.1f} s | {bug.name}  [{bug.tests}: {bug.named}]", flush=True)
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
