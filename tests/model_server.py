"""A loopback provider as a process of its own, which can be killed and started again at the same address."""

import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
PATIENCE = 20.0  # seconds that a start may take


class ModelServer:
    """Answers each question after `delay` seconds, those of the graph like a willing model, until it is killed."""

    def __init__(self, folder: Path, *, delay: float = 0.0, port: int = 0) -> None:
        self._folder, self._delay, self._port = folder, delay, port
        self._log = folder / f"server-{id(self)}.log"
        self._log.touch()

    @property
    def base_url(self) -> str:
        """The address as OpenAI's base URL, the same after a restart."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def asked(self) -> int:
        """How many questions have arrived, over all its lives."""
        return self._log.read_text(encoding="utf-8").count("asked")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, at its old address if it had one, and wait until it listens."""
        arguments = [str(self._port), str(self._delay), str(self._log)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.model_server", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())
        self._wait()

    def kill(self) -> None:
        """Kill it as a loss of power does."""
        self._process.kill()
        self._process.wait()

    def until_asked(self, number: int) -> None:
        """Return when so many questions have arrived; raises TimeoutError."""
        end = time.monotonic() + PATIENCE
        while self.asked < number:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.asked} questions have arrived, not {number}")
            time.sleep(0.01)

    def _wait(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        connection.request("GET", "/health")
        connection.getresponse().read()
        connection.close()


def _serve(port: int, delay: float, log: Path) -> None:
    from tests.commands.willing_model import willing
    from tests.loopback_provider import Asked, LoopbackProvider

    with log.open("a", encoding="utf-8", buffering=1) as told:

        def answer(asked: Asked) -> object:
            told.write("asked\n")
            time.sleep(delay)
            return {"title": "Kettle"} if "title" in asked.schema["properties"] else willing(asked)

        with LoopbackProvider(answer, port=port) as provider:
            print(provider.base_url.rpartition(":")[2].removesuffix("/v1"), flush=True)
            while True:
                time.sleep(60)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
