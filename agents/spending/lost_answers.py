"""Calls that may have been paid without bringing an answer: each is kept in the ledger, so no money goes unseen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agents.providers.base import CallFailed, CallKey
from agents.providers.completions import estimated_usage
from agents.spending.prices import Price
from memory.model_call import Message, ModelCall


class LostAnswers:
    """Hears of each lost answer and has it recorded, in the background."""

    def __init__(self, record: Callable[[ModelCall], Awaitable[None]], spec: str, price: Price | None) -> None:
        self._record = record
        self._spec = spec
        self._price = price
        self._recording: set[asyncio.Future[None]] = set()

    def __call__(self, about: CallKey | None, messages: Sequence[Message], error: CallFailed) -> None:
        """Record one lost answer; its cost is what the server said, else a guess by length."""
        usage = error.usage or estimated_usage(messages, "")
        call = ModelCall(
            item_id=about.item_id if about else "",
            agent=about.agent if about else "",
            prompt=about.prompt if about else "",
            prompt_fingerprint="",
            round=about.round if about else 0,
            model=self._spec,
            parameters="{}",
            schema_name="",
            messages=tuple(messages),
            raw_answer="",
            finish_reason=error.kind.value,
            usage=usage,
            seconds=0,
            outcome="paid_lost",
            cost=self._price.of(usage) if self._price else None,
        )
        recording = asyncio.ensure_future(self._record(call))
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)
