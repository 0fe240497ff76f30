"""Starts `reaseq` as a process of its own without its second-long start: forked from one that has imported it all.

The child is killed, stopped and signalled like any other. `cold` starts a new interpreter instead, for what happens
while the program starts; so does a system on which forking is not safe. Run as a program, this file is the parent.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
SAFE = sys.platform == "linux"
PATIENCE = 60.0  # seconds to import everything on a busy machine


class Nursery:
    """The process that forks, one a test session; it ends when its input does."""

    def __init__(self) -> None:
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **one_thread},
        )

    def start(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str], name: str, *, altered: Mapping[str, float]
    ) -> int:
        """Start `reaseq` in a folder and return its process id.

        What it says goes to `NAME.out` and `NAME.err`, and how it ended to `NAME.end`.
        """
        order = {"command": command, "folder": str(folder), "env": dict(env), "name": name, "altered": dict(altered)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@cache
def nursery() -> Nursery:
    """Return the session's nursery."""
    return Nursery()


def end_of(folder: Path, name: str, seconds: float) -> tuple[int, int, float] | None:
    """Wait for a process: its exit code, its peak of memory (bytes), its CPU seconds; None when it goes on too long."""
    file, until = folder / f"{name}.end", monotonic() + seconds
    while not file.exists():
        if monotonic() > until:
            return None
        sleep(0.005)
    code, peak, cpu = json.loads(file.read_text(encoding="utf-8"))
    return code, peak, cpu


def main() -> None:
    """Import everything, then fork for each order."""
    sys.path.insert(0, str(ROOT))
    if SAFE:
        _warm_up()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, and ends the input
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            _watch(json.loads(line))


def _warm_up() -> None:
    """Import what a run imports, read the units, load the encoder: nothing that starts a thread."""
    import gc
    from importlib import import_module

    names = "app commands.catalog_run genai_prices langchain_openai onnxruntime tokenizers memory.migrations.upgrade"
    for name in names.split():
        import_module(name)
    from agents.values.units import dimension

    dimension("liter")
    from memory import encoder

    loaded = encoder._MiniLm.load(encoder.MiniLmEncoder.max_tokens)
    encoder._MiniLm.load = lambda max_tokens: loaded  # type: ignore[method-assign]
    gc.freeze()


def _watch(order: Mapping[str, Any]) -> NoReturn:
    """Fork once more, tell the process id, and note how that process ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    folder, name = Path(order["folder"]), order["name"]
    pid = os.fork()
    if pid == 0:
        _be_reaseq(order)
    print(pid, flush=True)
    _, status, used = os.wait4(pid, 0)
    unfinished = folder / f"{name}.ending"
    end = [os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024, used.ru_utime + used.ru_stime]
    unfinished.write_text(json.dumps(end), encoding="utf-8")
    unfinished.rename(folder / f"{name}.end")
    os._exit(0)


def _be_reaseq(order: Mapping[str, Any]) -> NoReturn:
    os.chdir(order["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, kind in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{order['name']}.{kind}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    altered = {name: value for name, value in order["altered"].items() if name != "cold"}
    crashing = str(ROOT / "tests" / "faults" / "crashing.py")
    if not SAFE or "cold" in order["altered"]:
        program = [crashing, json.dumps(altered)] if altered else [str(ROOT / "app.py")]
        os.execve(sys.executable, [sys.executable, *program, *order["command"]], order["env"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = [crashing, json.dumps(altered), *order["command"]]
    os._exit(_exit_code())


def _exit_code() -> int:
    """Run the program to its end, as the interpreter would."""
    from tests.faults import crashing

    try:
        crashing.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main()
