"""A language-model server on this machine that misbehaves as told, and remembers every call and what it cost."""

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from time import monotonic
from typing import Any, Self

import orjson
from aiohttp import web

from tests.batch_office import BatchOffice, serve_batches
from tests.faulty_answers import FAULTS, PAID, STATUSES, USABLE, Sending, send
from tests.fitting_answers import fitting, product_in
from tests.loopback_provider import Asked

PROMPT_PRICE, ANSWER_PRICE = Decimal("0.000001"), Decimal("0.000004")  # for one token
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True)
class Rule:
    """A fault for the calls that fit everything that is said here; texts are regular expressions."""

    fault: str
    item: str | None = None
    agent: str | None = None
    attempts: Sequence[int] | None = None  # of the same question, counted from 1
    from_call: int = 1  # counted over all calls
    to_call: int | None = None

    def fits(self, item: str, agent: str, attempt: int, call: int) -> bool:
        """Return whether the call meets this fault."""
        return (
            (self.item is None or re.search(self.item, item) is not None)
            and (self.agent is None or re.search(self.agent, agent) is not None)
            and (self.attempts is None or attempt in self.attempts)
            and self.from_call <= call
            and (self.to_call is None or call <= self.to_call)
        )


@dataclass
class Call:
    """One call as it was judged."""

    item: str
    agent: str
    question: str  # a hash of what was asked
    attempt: int
    fault: str | None
    at: float  # seconds, monotonic
    repeat: bool  # the same question had a whole, usable answer before
    prompt_tokens: int
    completion_tokens: int
    usable: bool = False  # handed over whole, with an answer in it

    @property
    def billed(self) -> bool:
        """Whether the model ran."""
        return self.fault is None or self.fault in PAID

    @property
    def cost(self) -> Decimal:
        """Money, 0 where the model did not run."""
        prompt, answer = self.prompt_tokens * PROMPT_PRICE, self.completion_tokens * ANSWER_PRICE
        return prompt + answer if self.billed else Decimal(0)


@dataclass
class FaultyProvider:
    """Runs in a thread between `with` and its end; `office` is its batch API.

    The first fitting rule decides on a call's fault, else `rates` (fault -> share of calls) drawn from the seed, the
    question and the attempt, so that the order of arrival changes nothing and a retry draws anew. `requests_per_minute`
    is a true limit. `answer` gives a healthy answer (a text as it is, else its JSON); without it one is made to fit.
    """

    rules: Sequence[Rule] = ()
    rates: Mapping[str, float] = field(default_factory=dict)
    answer: Callable[[Asked], object] | None = None
    item_of: Callable[[Asked], str] = lambda asked: product_in(asked.text)[:80]
    seed: int = 0
    latency: float = 0.0  # seconds
    retry_after: float = 0.05  # seconds
    hang_seconds: float = 30.0
    drip_seconds: float = 0.05
    requests_per_minute: int | None = None
    calls: list[Call] = field(default_factory=list)
    stolen: list[Mapping[str, str]] = field(default_factory=list)  # the headers of those who followed a redirect

    def __post_init__(self) -> None:
        unknown = {*(rule.fault for rule in self.rules), *self.rates} - FAULTS
        if unknown:
            raise ValueError(f"unknown faults: {sorted(unknown)}")
        self._attempts: dict[str, int] = {}
        self._answered: set[str] = set()
        self._gate = threading.Event()
        self._gate.set()
        self.office = BatchOffice(self._batched)
        self.held = 0  # calls that wait at the gate
        self.active = 0
        self.most_active = 0

    @property
    def base_url(self) -> str:
        """The address as OpenAI's base URL."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def repeats(self) -> list[Call]:
        """The billed calls whose question had been answered before."""
        return [call for call in self.calls if call.repeat and call.billed]

    @property
    def billed_tokens(self) -> int:
        """Tokens of all billed calls."""
        return sum(call.prompt_tokens + call.completion_tokens for call in self.calls if call.billed)

    @property
    def cost(self) -> Decimal:
        """Money for all billed calls."""
        return sum((call.cost for call in self.calls), Decimal(0))

    def calls_of(self, item: str, agent: str) -> list[Call]:
        """Return the calls of one agent about one item."""
        return [call for call in self.calls if (call.item, call.agent) == (item, agent)]

    def close_gate(self) -> None:
        """Hold every call that comes from now on."""
        self._gate.clear()

    def open_gate(self) -> None:
        """Let the held calls go on."""
        self._gate.set()

    def wait_for_held(self, number: int, seconds: float = 10.0) -> None:
        """Return when so many calls wait at the gate; raises TimeoutError."""
        end = monotonic() + seconds
        while self.held < number:
            if monotonic() > end:
                raise TimeoutError(f"{self.held} calls wait at the gate, not {number}")
            threading.Event().wait(0.005)

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        self._ended = asyncio.Event()
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_route("*", "/stolen", self._steal)
        serve_batches(app, self.office)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self._port = runner.addresses[0][1]
        ready.set()
        await self._ended.wait()
        await runner.cleanup()

    async def _steal(self, request: web.Request) -> web.StreamResponse:
        self.stolen.append(dict(request.headers))
        return web.Response(text="thank you")

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        asked = Asked(request.path, dict(request.headers), json.loads(content))
        call, envelope = self._judge(asked, hashlib.sha256(content).hexdigest())
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            await self._hold()
            await asyncio.sleep(self.latency)
            trap = f"http://127.0.0.1:{self._port}/stolen"
            sending = Sending(request, envelope, self._wait(), self.hang_seconds, self.drip_seconds, trap)
            response = await send(call.fault, sending)
            if call.fault is None or call.fault in USABLE:
                call.usable = True
                self._answered.add(call.question)
            return response
        finally:
            self.active -= 1

    def _batched(self, body: dict[str, Any]) -> tuple[int, Mapping[str, Any]] | None:
        """Return the status and body of one line of a batch; None for one that gets no line at all."""
        question = hashlib.sha256(orjson.dumps(body)).hexdigest()
        call, envelope = self._judge(Asked("/v1/chat/completions", {}, body), question)
        if call.fault in STATUSES:
            status, _, error = STATUSES[call.fault]
            return status, {"error": error}
        if call.fault is not None:
            return None
        call.usable = True
        self._answered.add(question)
        return 200, envelope

    async def _hold(self) -> None:
        if self._gate.is_set():
            return
        self.held += 1
        try:
            while not self._gate.is_set():  # noqa: ASYNC110 - it is opened in another thread
                await asyncio.sleep(0.005)
        finally:
            self.held -= 1

    def _judge(self, asked: Asked, question: str) -> tuple[Call, Mapping[str, Any]]:
        """Return the call as it will end, and the healthy answer to it."""
        attempt = self._attempts[question] = self._attempts.get(question, 0) + 1
        item, agent = self.item_of(asked), str(asked.body["response_format"]["json_schema"]["name"])
        text = self._text(asked)
        prompt = sum(len(message["content"]) for message in asked.body["messages"])
        call = Call(
            item=item,
            agent=agent,
            question=question,
            attempt=attempt,
            fault=self._fault(item, agent, attempt, question),
            at=monotonic(),
            repeat=question in self._answered,
            prompt_tokens=-(-prompt // CHARACTERS_PER_TOKEN),
            completion_tokens=-(-len(text) // CHARACTERS_PER_TOKEN),
        )
        self.calls.append(call)
        return call, _envelope(asked, text, call)

    def _text(self, asked: Asked) -> str:
        answer = self.answer(asked) if self.answer else fitting(asked.schema, product_in(asked.text))
        return answer if isinstance(answer, str) else json.dumps(answer)

    def _fault(self, item: str, agent: str, attempt: int, question: str) -> str | None:
        for rule in self.rules:
            if rule.fits(item, agent, attempt, len(self.calls) + 1):
                return rule.fault
        if self.requests_per_minute is not None and len(self._passed()) >= self.requests_per_minute:
            return "429"
        drawn = int.from_bytes(hashlib.sha256(f"{self.seed}/{question}/{attempt}".encode()).digest()[:8]) / 2**64
        for fault, share in self.rates.items():
            drawn -= share
            if drawn < 0:
                return fault
        return None

    def _passed(self) -> list[Call]:
        """Return the calls of the last minute that the limit let through."""
        since = monotonic() - 60
        return [call for call in self.calls if call.at > since and not (call.fault or "").startswith("429")]

    def _wait(self) -> float:
        passed = self._passed() if self.requests_per_minute else []
        return max(0.05, passed[0].at + 60 - monotonic()) if passed else self.retry_after


def _envelope(asked: Asked, text: str, call: Call) -> dict[str, Any]:
    usage = {"prompt_tokens": call.prompt_tokens, "completion_tokens": call.completion_tokens}
    return {
        "id": call.question[:12],
        "object": "chat.completion",
        "model": asked.body["model"],
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "finish_reason": "stop"}
        ],
        "usage": usage | {"total_tokens": sum(usage.values())},
    }
