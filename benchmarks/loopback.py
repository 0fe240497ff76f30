"""A model server on this machine that answers every question after a fixed time; run it, or start it with `loopback`.

    python benchmarks/loopback.py

It speaks OpenAI's chat completions at `/MILLISECONDS/v1/chat/completions`, prints its port on the first line, counts
its calls, says at `/counts` what it has done, and at `/arrivals` when it was asked what. It runs until its standard
input ends.
"""

import asyncio
import hashlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import orjson
from aiohttp import web

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.minimal_answers import minimal_answer  # noqa: E402

HOST = "127.0.0.1"
BACKLOG = 4096  # connections that may wait to be taken: all of a run may come at once
MODEL = "bench"
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Counts:
    """What a server has done since its start."""

    calls: int
    most_at_once: int  # since the last look
    cpu_seconds: float


@dataclass(frozen=True)
class Loopback:
    """The address of a running server."""

    port: int

    def base_url(self, latency: float) -> str:
        """Return the base URL of a provider that answers after `latency` seconds."""
        return f"http://{HOST}:{self.port}/{round(latency * 1000)}/v1"

    def counts(self) -> Counts:
        """Ask the server what it has done so far."""
        with urlopen(f"http://{HOST}:{self.port}/counts", timeout=30) as answer:
            return Counts(**orjson.loads(answer.read()))

    def arrivals(self) -> list[tuple[str, float]]:
        """Ask the server what it was asked when: `question` of the messages, and seconds since 1970."""
        with urlopen(f"http://{HOST}:{self.port}/arrivals", timeout=30) as answer:
            return [(str(asked), float(at)) for asked, at in orjson.loads(answer.read())]


def question(messages: Iterable[tuple[str, str]]) -> str:
    """Return a digest of roles and contents."""
    return hashlib.blake2b(orjson.dumps([list(message) for message in messages]), digest_size=16).hexdigest()


@dataclass
class _Desk:
    calls: int = 0
    arrived: list[tuple[str, float]] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one request, a question or a look at the counts."""
        if request.path == "/counts":
            return self._counts()
        if request.path == "/arrivals":
            return web.Response(body=orjson.dumps(self.arrived), content_type="application/json")
        _, milliseconds, *rest = request.path.split("/")
        try:
            body = orjson.loads(await request.read())
        except ConnectionResetError:  # the client gave up before it had asked
            return web.Response(status=400)
        if rest != ["v1", "chat", "completions"]:
            return web.json_response({"error": {"message": f"no such path: {request.path}"}}, status=404)
        self.calls += 1
        self.arrived.append((question((own["role"], own["content"]) for own in body["messages"]), time.time()))
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await asyncio.sleep(int(milliseconds) / 1000)
            return web.Response(body=_completion(body, self.calls), content_type="application/json")
        finally:
            self.under_way -= 1

    def _counts(self) -> web.Response:
        used = resource.getrusage(resource.RUSAGE_SELF)
        counts = {
            "calls": self.calls,
            "most_at_once": self.most_at_once,
            "cpu_seconds": used.ru_utime + used.ru_stime,
        }
        self.most_at_once = self.under_way
        return web.Response(body=orjson.dumps(counts), content_type="application/json")


@contextmanager
def loopback() -> Iterator[Loopback]:
    """Run a server in a process of its own, and yield its address."""
    command = [sys.executable, str(Path(__file__).resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Loopback(int(process.stdout.readline()))
        finally:
            process.terminate()


def _completion(body: dict[str, object], number: int) -> bytes:
    message, answered = minimal_answer(body)
    asked = len(orjson.dumps(body.get("messages"))) // CHARACTERS_PER_TOKEN
    said = 1 + answered // CHARACTERS_PER_TOKEN
    return orjson.dumps(
        {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": 0,
            "model": body.get("model", MODEL),
            "choices": [
                {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
            ],
            "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
        }
    )


async def _serve() -> None:
    runner = web.ServerRunner(web.Server(_Desk().answer))
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0, backlog=BACKLOG)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # whoever started it holds the other end
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve())
