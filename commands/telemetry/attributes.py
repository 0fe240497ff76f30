"""What spans say: OpenTelemetry's conventions for generative AI, and our own names where these have none.

No name of the conventions for generative AI is stable yet, so they stand here and not in an import.
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from urllib.parse import urlsplit

import orjson

from agents.onlooker import Question
from agents.providers.base import CallFailed
from graphs.outcomes import reason_of
from memory.errors import ReaseqError
from memory.ledger import Spend
from memory.model_call import Message, ModelCall
from memory.runs import RunCounts
from memory.schema import Enrichment

Value = str | bool | int | float | Sequence[str]
Attributes = dict[str, Value]

WORKFLOW = "enrichment"  # the graph's name
# Phoenix reads agents and questions by the conventions; of what holds them it wants to be told what it is.
MANY_STEPS: Attributes = {"openinference.span.kind": "CHAIN"}
LONGEST_TEXT = 20_000  # characters of one message
PORTS = {"http": 80, "https": 443}
REQUEST = {"temperature": float, "seed": int, "max_tokens": int}  # of a model's parameters; the rest is our own affair


def of_run(source: str, run_id: int | None) -> Attributes:
    """Return what is known of a run when it begins."""
    known: Attributes = {**MANY_STEPS, "reaseq.run.source": clean(source)}
    return known if run_id is None else known | {"reaseq.run.id": run_id}


def of_ended_run(counts: RunCounts, spend: Spend) -> Attributes:
    """Return where its rows ended, and what it cost; tokens are those of its questions."""
    ends: Attributes = {f"reaseq.run.{name}": number for name, number in counts}
    return ends | {
        "reaseq.run.calls": spend.calls,
        "reaseq.run.replayed": spend.replayed,
        "reaseq.run.cost": float(spend.cost),
    }


def of_item(item_id: str) -> Attributes:
    """Return what is known of an item when the graph begins with it."""
    return {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": WORKFLOW,
        **MANY_STEPS,
        "reaseq.item.id": clean(item_id),
    }


def of_enriched(enrichment: Enrichment) -> Attributes:
    """Return what came of it, in numbers."""
    return {
        "reaseq.claims.accepted": len(enrichment.accepted),
        "reaseq.claims.refused": len(enrichment.claims) - len(enrichment.accepted),
        "reaseq.revisions": enrichment.rounds,
    }


def of_turn(agent: str, item_id: str, spec: str) -> Attributes:
    """Return what is known of an agent's turn."""
    return {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent,
        **_model(spec),
        "reaseq.item.id": clean(item_id),
    }


def of_question(question: Question) -> Attributes:
    """Return what is known of a question when it is put."""
    about = question.about
    return {
        "gen_ai.operation.name": "chat",
        **_model(question.spec),
        **_server(question.parameters.get("server")),
        "gen_ai.output.type": "json",
        "gen_ai.prompt.name": about.prompt,
        **_asked(question.parameters),
        "gen_ai.agent.name": about.agent,
        "reaseq.item.id": clean(about.item_id),
        "reaseq.revision": about.round,
        "reaseq.prompt.fingerprint": question.prompt.fingerprint,
        "reaseq.shortened": about.shortened,
    }


def of_answer(call: ModelCall, replayed: bool) -> Attributes:
    """Return what is known of an answer; one that was there already has no usage, as nothing was paid for it now."""
    said: Attributes = {
        "gen_ai.response.model": clean(call.model),
        "gen_ai.response.finish_reasons": [call.finish_reason],
        "reaseq.replayed": replayed,
    }
    return said if replayed else said | _paid(call)


def of_content(messages: Sequence[Message], answer: ModelCall | None) -> Attributes:
    """Return the words themselves, in the conventions' JSON."""
    given: Attributes = {"gen_ai.input.messages": _json([_worded(m.role, m.content) for m in messages])}
    if answer is None:
        return given
    output = _worded("assistant", answer.raw_answer) | {"finish_reason": answer.finish_reason}
    return given | {"gen_ai.output.messages": _json([output])}


def of_failure(error: BaseException) -> str:
    """Return the `error.type` of what ended something: a reason code of ours, or the exception's name."""
    return reason_of(error) if isinstance(error, ReaseqError) else type(error).__qualname__


def of_failed_try(error: CallFailed) -> Attributes:
    """Return why a try failed, without a word of the server's."""
    return {"error.type": error.kind.value, "reaseq.maybe_paid": error.maybe_paid}


def model_name(spec: str) -> str:
    """Return the model's name without its provider; of a script, the file's."""
    provider, _, name = spec.partition(":")
    return clean(PurePath(name).name if provider == "scripted" else name)


def in_process(spec: str) -> bool:
    """Return whether the model answers in this process."""
    return provider_of(spec) in ("embedded", "scripted")


def provider_of(spec: str) -> str:
    """Return the spec's first half: openai is one of the conventions' own names."""
    return spec.partition(":")[0]


def clean(text: str) -> str:
    """Return text that can be sent: a lone surrogate would lose all that is sent with it."""
    return text.encode("utf-8", "replace").decode()


def _model(spec: str) -> Attributes:
    return {"gen_ai.provider.name": provider_of(spec), "gen_ai.request.model": model_name(spec)}


def _server(url: object) -> Attributes:
    if not isinstance(url, str):
        return {}
    parts = urlsplit(url)
    return {"server.address": parts.hostname or "", "server.port": parts.port or PORTS.get(parts.scheme, 0)}


def _asked(parameters: Mapping[str, str | int | float | None]) -> Attributes:
    given = {name: parameters[name] for name in REQUEST if parameters.get(name) is not None}
    return {f"gen_ai.request.{name}": REQUEST[name](value) for name, value in given.items() if value is not None}


def _paid(call: ModelCall) -> Attributes:
    usage = call.usage
    paid: Attributes = {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "reaseq.usage.estimated": usage.estimated,
    }
    return paid if call.cost is None else paid | {"reaseq.cost": float(call.cost)}


def _worded(role: str, content: str) -> dict[str, object]:
    text = clean(content)
    cut = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
    return {"role": role, "parts": [{"type": "text", "content": cut}]}


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
