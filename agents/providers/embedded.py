"""How the language model that is installed with reaseq answers, inside this process: SmolLM2 through llama.cpp."""

import asyncio
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orjson

from agents.providers.base import (
    AnswerSchema,
    CallFailed,
    CallKey,
    Capabilities,
    Completion,
    ContextTooLong,
    FailureKind,
    FinishReason,
    ProviderUnavailable,
)
from memory.model_call import Message, Usage
from memory.weights import SMOLLM2, WeightsDamaged, WeightsMissing, locate

if TYPE_CHECKING:
    from xllamacpp import CommonParams, Server

CONTEXT_TOKENS = 4096
LONGEST_TOKEN = 256  # characters; no token of this vocabulary is longer, so what exceeds the product cannot fit
KEPT_PREFIXES = 2  # evaluated and held in memory, 94 MB each; a third replaces the one unused for longest
# A second thread reads a prompt 1.8 times faster and writes 2.6 times slower: one token is too little work to share.
READING_THREADS, WRITING_THREADS = 2, 1
IM_START, IM_END = 1, 2  # the control tokens of SmolLM2's chat template

PromptParts = tuple[int | str, ...]  # control tokens by number, and plain text


class EmbeddedModel:
    """SmolLM2-135M-Instruct, greedy, held to the answer schema by a grammar; a `ChatModel`.

    The same messages and schema give the same answer, byte for byte, whatever was asked before. All messages but the
    last are evaluated once and kept, so put there what many calls share. Calls run one after another.
    """

    spec = "embedded:smollm2"
    # Measured: as a classifier and judge it is near chance; it copies offered spans of a title acceptably.
    capabilities = Capabilities(
        classifies=False, judges=False, writes=False, proposes=False, supposes=False, weighs=False
    )

    def __init__(self, *, max_tokens: int = 256) -> None:
        self._max_tokens = max_tokens
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="smollm2")
        self._llama: _Llama | None = None
        self._closed = False

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        """What shapes the answers besides the messages."""
        return {
            "temperature": 0.0,
            "seed": None,  # greedy: nothing is drawn
            "max_tokens": self._max_tokens,
            "context_tokens": CONTEXT_TOKENS,
            "weights": SMOLLM2.sha256[:16],
        }

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer; raises `CallFailed` (a prompt too long, say) or `ProviderUnavailable` (no weights).

        A cancelled call stops at its next token, and later calls do not notice.
        """
        if self._closed:
            raise ProviderUnavailable(f"{self.spec} is closed")
        cancelled = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._worker, self._answer, tuple(messages), schema, cancelled)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def aclose(self) -> None:
        """Free the model's memory once the calls under way have ended; later calls raise `ProviderUnavailable`."""
        self._closed = True
        await asyncio.to_thread(self._worker.shutdown)
        self._llama = None

    def _answer(self, messages: Sequence[Message], schema: AnswerSchema, cancelled: threading.Event) -> Completion:
        """Run in the worker thread: load at the first call, then read the prompt and write the answer."""
        if self._llama is None:
            self._llama = _Llama.load()
        started = time.perf_counter()
        prefix, rest = _prompt_parts(messages)
        answer = self._llama.generate(prefix, rest, _grammar(schema), self._max_tokens, cancelled)
        return Completion(
            text=answer.text,
            finish_reason=_FINISH_REASONS.get(answer.finish_reason, FinishReason.OTHER),
            usage=answer.usage,
            model=PurePath(SMOLLM2.file).stem,
            seconds=time.perf_counter() - started,
        )


_LIKE_A_CONTROL_TOKEN = re.compile(r"<[\w|]+>")
_FINISH_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


@dataclass
class _Answer:
    """What one generation has brought so far."""

    cancelled: threading.Event
    text: str = ""
    finish_reason: str = ""
    usage: Usage = field(default_factory=Usage)
    error: Mapping[str, Any] | None = None

    def take(self, chunk: Mapping[str, Any]) -> bool:
        """Take in one chunk of the stream; True stops it."""
        if "error" in chunk:
            self.error = chunk["error"]
            return True
        choice = chunk["choices"][0]
        self.text += choice["text"]
        self.finish_reason = choice["finish_reason"] or ""
        if "usage" in chunk:
            used = chunk["usage"]
            self.usage = Usage(prompt_tokens=used["prompt_tokens"], completion_tokens=used["completion_tokens"])
        return self.cancelled.is_set()


class _Llama:
    """llama.cpp with one slot for each kept prefix; used from one thread."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._slots: dict[PromptParts, int] = {}  # prefix -> its slot, the one unused for longest first

    @classmethod
    def load(cls) -> "_Llama":
        """Load the weights, printing nothing; raises `ProviderUnavailable`."""
        # OpenMP's threads otherwise spin while they wait and burn as much CPU as the work itself; it reads this once.
        os.environ.setdefault("GOMP_SPINCOUNT", "0")
        try:
            from xllamacpp import CommonParams, Server  # noqa: PLC0415  (100 MB, for those who call this model alone)

            path = locate(SMOLLM2)
        except (ImportError, WeightsMissing, WeightsDamaged) as error:
            raise ProviderUnavailable(f"the embedded model cannot be used: {error}") from error
        # The library also serves HTTP, unasked. A socket file whose folder is gone at once leaves no door open.
        with TemporaryDirectory(prefix="reaseq-") as folder:
            try:
                return cls(Server(_configure(CommonParams(), path, Path(folder, "llama.sock"))))
            except RuntimeError as error:
                raise ProviderUnavailable(f"llama.cpp cannot load {path}: {error}") from error

    def generate(
        self, prefix: PromptParts, rest: PromptParts, grammar: str, max_tokens: int, cancelled: threading.Event
    ) -> _Answer:
        """Return the greedy continuation of prefix + rest under the grammar; raises `CallFailed`."""
        slot = self._slot_holding(prefix)
        self._slots[prefix] = slot
        answer = _Answer(cancelled)
        self._run(answer, (*prefix, *rest), slot, n_predict=max_tokens, grammar=grammar)
        return answer

    def _slot_holding(self, prefix: PromptParts) -> int:
        """Return a slot cut back to the prefix, whose tokens are always computed in the same two steps.

        A token's numbers depend in their last bits on the tokens computed together with it. Were the longest common
        beginning of two calls reused, as llama.cpp does by itself, an answer could depend on the call before it. So a
        new prefix is computed from nothing; then each call, the first one too, computes its last token once more.
        """
        slot = self._slots.pop(prefix, None)
        if slot is None:
            if len(self._slots) == KEPT_PREFIXES:
                del self._slots[next(iter(self._slots))]
            slot = min(set(range(KEPT_PREFIXES)) - set(self._slots.values()))
            self._run(_Answer(threading.Event()), prefix, slot, n_predict=0, cache_prompt=False)
        self._run(_Answer(threading.Event()), prefix, slot, n_predict=0)
        return slot

    def _run(self, answer: _Answer, prompt: PromptParts, slot: int, **settings: int | str) -> None:
        """Let llama.cpp continue the prompt into `answer`; raises `CallFailed`."""
        request = {"prompt": list(prompt), "id_slot": slot, "temperature": 0, "stream": True, **settings}
        try:
            self._server.handle_completions(request, answer.take)
        except (RuntimeError, TypeError, ValueError) as error:
            raise _failure(f"llama.cpp failed: {error}") from error
        if answer.error is not None:
            raise _refusal(answer.error)
        if not answer.finish_reason:
            raise _failure("the call was cancelled")


def _configure(params: "CommonParams", weights: Path, socket: Path) -> "CommonParams":
    params.model.path = str(weights)
    params.n_parallel = KEPT_PREFIXES
    params.n_ctx = CONTEXT_TOKENS * KEPT_PREFIXES  # each slot has its share
    params.cpuparams.n_threads = WRITING_THREADS
    params.cpuparams_batch.n_threads = READING_THREADS
    params.verbosity = -1  # nothing, not even errors: those come back as answers
    params.fit_params = params.warmup = params.ui = False
    params.cache_ram_mib, params.cache_idle_slots = 0, False  # it would restore states of its own choosing
    params.hostnames, params.n_threads_http, params.offline = [str(socket)], 1, True
    return params


def _prompt_parts(messages: Sequence[Message]) -> tuple[PromptParts, PromptParts]:
    """Return SmolLM2's chat template filled in: all messages but the last; the last one and the answer's opening."""
    characters = sum(len(message.content) for message in messages)
    if characters > CONTEXT_TOKENS * LONGEST_TOKEN:
        raise ContextTooLong(
            f"{EmbeddedModel.spec}: a prompt of {characters:,} characters; {CONTEXT_TOKENS:,} tokens fit"
        )
    turns: list[PromptParts] = [
        (*_plain(f"{message.role}\n{message.content}"), IM_END, "\n", IM_START) for message in messages
    ]
    prefix: PromptParts = (IM_START, *(part for turn in turns[:-1] for part in turn))
    return prefix, (*turns[-1], "assistant\n")


def _plain(text: str) -> list[str]:
    """Split text so that nothing in it is read as a control token.

    llama.cpp looks for control tokens inside each string it is given. All of this vocabulary's begin with "<" and are
    longer, so that none is inside a string that has "<" at its end alone.
    """
    valid = text.encode(errors="replace").decode()  # a lone surrogate cannot be sent
    return [piece for piece in re.split("(?<=<)", valid) if piece]


def _grammar(schema: AnswerSchema) -> str:
    """Return the schema as a grammar for compact JSON; what llguidance does not know in it is left unchecked.

    Without "lenient" one unknown keyword makes llama.cpp drop the whole grammar without a word.
    """
    guidance = {"whitespace_flexible": False, "lenient": True}
    json_schema = orjson.dumps({**schema.json_schema, "x-guidance": guidance}).decode()
    # Where only one text can follow, its tokens are forced: faster, and better answers. But a forced "<|im_end|>" would
    # become the control token, which ends the grammar's hold; the slow way is for the rare values that have such marks.
    slow = "true" if _LIKE_A_CONTROL_TOKEN.search(json_schema) else "false"
    return f'%llguidance {{"no_forcing": {slow}}}\nstart: %json {json_schema}'


def _refusal(error: Mapping[str, Any]) -> CallFailed:
    """Return our error for what llama.cpp says."""
    if "n_prompt_tokens" in error:
        said = f"a prompt of {error['n_prompt_tokens']:,} tokens; {error['n_ctx']:,} fit, the answer included"
        return ContextTooLong(f"{EmbeddedModel.spec}: {said}")
    return _failure(str(error.get("message", error)))


def _failure(said: str) -> CallFailed:
    return CallFailed(f"{EmbeddedModel.spec}: {said}", kind=FailureKind.BAD_REQUEST)
