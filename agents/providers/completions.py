"""What a server's answer becomes: one `Completion`, with tokens counted or estimated, and text that can be stored."""

import time
from collections.abc import Sequence

from agents.providers.base import Completion, FinishReason
from memory.model_call import Message, Usage

CHARACTERS_PER_TOKEN = 4  # of English, roughly

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.REFUSAL,
}


def completion_of(
    text: str,
    *,
    messages: Sequence[Message],
    finish_reason: str | None,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    model: str,
    started: float,
) -> Completion:
    """Return the completion; `started` is a reading of `time.perf_counter`.

    Tokens that the server does not count are estimated, and marked so. Half a surrogate pair in the text becomes
    its JSON escape, so that the text can be stored and reads the same.
    """
    return Completion(
        text=text.encode("utf-8", "backslashreplace").decode("utf-8"),
        finish_reason=_FINISH_REASONS.get(finish_reason or "", FinishReason.OTHER),
        usage=_usage(messages, text, prompt_tokens, completion_tokens),
        model=model,
        seconds=time.perf_counter() - started,
    )


def estimated_usage(messages: Sequence[Message], text: str) -> Usage:
    """Return a guess by length, marked as one."""
    return Usage(
        prompt_tokens=_tokens(sum(len(message.content) for message in messages)),
        completion_tokens=_tokens(len(text)),
        estimated=True,
    )


def _usage(messages: Sequence[Message], text: str, prompt_tokens: int | None, completion_tokens: int | None) -> Usage:
    # A prompt of no tokens does not exist: a server that says 0 does not count.
    if prompt_tokens is None or prompt_tokens <= 0 or completion_tokens is None or completion_tokens < 0:
        return estimated_usage(messages, text)
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)


def _tokens(characters: int) -> int:
    return -(-characters // CHARACTERS_PER_TOKEN)
