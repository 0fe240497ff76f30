"""Which items' spans are sent: a share of them, the same items in every run."""

import hashlib
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState, get_current_span
from opentelemetry.util.types import Attributes

OPERATION, WORKFLOW = "gen_ai.operation.name", "invoke_workflow"  # what an item's span says of itself
ITEM = "reaseq.item.id"


class ShareOfItems(Sampler):
    """Sends a run whole but for its items, and of these a share, each with all that belongs to it.

    Which ones is a matter of their ids: runs before and after a change show the same items. An item that belongs to no
    run is sent.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return whether a span that begins is recorded and sent."""
        parent = get_current_span(parent_context).get_span_context()
        within = parent.is_valid
        sent = not within or (parent.trace_flags.sampled and self._drawn(attributes))
        return SamplingResult(Decision.RECORD_AND_SAMPLE if sent else Decision.DROP, attributes)

    def get_description(self) -> str:
        """Return the sampler's name."""
        return f"ShareOfItems{{{self._rate}}}"

    def _drawn(self, attributes: Attributes) -> bool:
        known = attributes or {}
        return known.get(OPERATION) != WORKFLOW or draw(str(known.get(ITEM))) < self._rate


def draw(item_id: str) -> float:
    """Return the item's number from 0 to 1, the same in every run."""
    return int.from_bytes(hashlib.sha256(item_id.encode()).digest()[:8], "big") / 2**64
