"""Spans of what happens in a run: each begins in the one that it belongs to, and ends with what came of it."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, get_current_span

from agents.onlooker import Answered, Ended, Enriched, Question
from agents.providers.base import CallFailed
from commands.telemetry import attributes
from commands.telemetry.attributes import Attributes
from memory.ledger import Spend
from memory.model_call import ModelCall
from memory.runs import RunCounts
from memory.schema import Enrichment

RUN = "reaseq run"  # the conventions have no name for many workflows together
FAILED_TRY = "reaseq.failed_try"


class Spans:
    """An onlooker that makes spans; `content` has them say what was asked and answered, else they hold no text."""

    def __init__(self, tracer: Tracer, spec: str, *, content: bool) -> None:
        self._tracer = tracer
        self._spec = spec  # the model's
        self._content = content

    @contextmanager
    def run(self, source: str, run_id: int | None) -> Iterator[Ended]:
        """A run."""
        with self._span(RUN, attributes.of_run(source, run_id)) as span:

            def ended(counts: RunCounts, spend: Spend) -> None:
                span.set_attributes(attributes.of_ended_run(counts, spend))

            yield ended

    @contextmanager
    def item(self, item_id: str) -> Iterator[Enriched]:
        """An item that goes through the graph."""
        with self._span(f"invoke_workflow {attributes.WORKFLOW}", attributes.of_item(item_id)) as span:

            def enriched(enrichment: Enrichment) -> None:
                span.set_attributes(attributes.of_enriched(enrichment))

            yield enriched

    @contextmanager
    def turn(self, agent: str, item_id: str) -> Iterator[None]:
        """An agent's turn."""
        if _left_out():
            yield
            return
        with self._span(f"invoke_agent {agent}", attributes.of_turn(agent, item_id, self._spec)):
            yield

    @contextmanager
    def question(self, question: Question) -> Iterator[Answered]:
        """A question, all of its tries together."""
        if _left_out():
            yield lambda call, replayed: None
            return
        kind = SpanKind.INTERNAL if attributes.in_process(question.spec) else SpanKind.CLIENT
        name = f"chat {attributes.model_name(question.spec)}"
        with self._span(name, attributes.of_question(question), kind) as span:
            self._tell_words(span, question)

            def answered(call: ModelCall, replayed: bool) -> None:
                span.set_attributes(attributes.of_answer(call, replayed))
                self._tell_words(span, question, call)

            yield answered

    def failed_try(self, error: CallFailed) -> None:
        """A try that failed is an event of the question's span."""
        get_current_span().add_event(FAILED_TRY, attributes.of_failed_try(error))

    @contextmanager
    def _span(self, name: str, known: Attributes, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
        # Not recorded by the library: it would send the exception's text, which may quote what was answered.
        with self._tracer.start_as_current_span(
            name, kind=kind, attributes=known, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                reason = attributes.of_failure(error)
                span.set_attribute("error.type", reason)
                span.set_status(StatusCode.ERROR, attributes.clean(f"{reason}: {error}") if self._content else reason)
                raise

    def _tell_words(self, span: Span, question: Question, answer: ModelCall | None = None) -> None:
        if self._content and span.is_recording():
            span.set_attributes(attributes.of_content(question.prompt.messages, answer))


def _left_out() -> bool:
    """Return whether what begins now belongs to an item whose spans are not sent: nothing is put together for it."""
    around = get_current_span().get_span_context()
    return around.is_valid and not around.trace_flags.sampled
