"""Traces of a drill for tests: one call a step, and what the steps found."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from memory.model_call import Message, ModelCall, Usage
from memory.schema import CatalogItem, Claim, Decision, Reason, Verdict
from memory.trace import StepUpdate, Trace, TraceStep
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, quoted


def call(prompt: str, answer: str = "{}", cost: Decimal | None = Decimal("0.25")) -> ModelCall:
    """Return one call of 10 + 2 tokens."""
    return ModelCall(
        item_id="d1",
        agent=prompt,
        prompt=prompt,
        prompt_fingerprint="f1",
        model="scripted:test",
        parameters="{}",
        schema_name="Answer",
        messages=(Message(role="user", content="What is it?"),),
        raw_answer=answer,
        finish_reason="stop",
        usage=Usage(prompt_tokens=10, completion_tokens=2),
        seconds=0.5,
        key=prompt,
        cost=cost,
    )


def verdict(claim_id: str, decision: Decision = Decision.ACCEPT, reason: Reason = Reason.SUPPORTED) -> Verdict:
    """Return a model's verdict."""
    return Verdict(claim_id=claim_id, decision=decision, reason=reason, checked_by="model")


def traced(
    item: CatalogItem | None = None,
    claims: Sequence[Claim] | None = None,
    verdicts: Sequence[Verdict] | None = None,
    *,
    answer: str = "{}",
    thread: str = "",
    failure: str = "",
    summary: str = "A cordless drill.",
) -> Trace:
    """Return the trace of an item whose brand was claimed and accepted, unless told otherwise."""
    item = item or drill()
    claims = [quoted(item, "c1", "brand", item.title.split()[0])] if claims is None else claims
    verdicts = [verdict(claim.id) for claim in claims] if verdicts is None else verdicts
    updates = {
        "attribute_extractor": StepUpdate(claims=tuple(claims), round=0),
        "critic": StepUpdate(verdicts=tuple(verdicts), corrections=None),
        "summarizer": StepUpdate(summary=summary),
    }
    return Trace(
        item=item,
        started_at=datetime(2026, 11, 26, 10, tzinfo=UTC),
        model="scripted:test",
        prompts=(("critic", "f1"), ("summarizer", "f2")),
        steps=tuple(
            TraceStep(number=n, node=node, seconds=0.5, calls=(call(node, answer),), update=update)
            for n, (node, update) in enumerate(updates.items(), 1)
        ),
        enrichment=None if failure else enriched(item, claims, summary=summary),
        failure=failure,
        provenance=PROVENANCE,
        thread=thread,
    )
