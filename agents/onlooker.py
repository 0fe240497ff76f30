"""Who may look on while a run works: told when something begins, how it ends, and which try of a call failed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from agents.providers.base import CallFailed, CallKey
from memory.ledger import Spend
from memory.model_call import ModelCall
from memory.runs import RunCounts
from memory.schema import Enrichment
from prompts.library import RenderedPrompt


@dataclass(frozen=True)
class Question:
    """A question as it is put to a model."""

    spec: str  # the model's
    parameters: Mapping[str, str | int | float | None]
    about: CallKey
    prompt: RenderedPrompt


Answered = Callable[[ModelCall, bool], None]  # the answer, and whether it was there already
Ended = Callable[[RunCounts, Spend], None]
Enriched = Callable[[Enrichment], None]


class Onlooker(Protocol):
    """Looks on; each thing lasts as long as its context, and what ends it with an exception has failed.

    A context yields what is to be called with the outcome, where there is one. What is begun within a context, in this
    task or in one that it starts, belongs to it.
    """

    def run(self, source: str, run_id: int | None) -> AbstractContextManager[Ended]:
        """Look on at a run over rows of a source."""

    def item(self, item_id: str) -> AbstractContextManager[Enriched]:
        """Look on at an item that goes through the graph."""

    def turn(self, agent: str, item_id: str) -> AbstractContextManager[None]:
        """Look on at an agent's turn."""

    def question(self, question: Question) -> AbstractContextManager[Answered]:
        """Look on at a question, all of its tries together."""

    def failed_try(self, error: CallFailed) -> None:
        """Hear of a try that failed, of the question that is being asked; there may be another."""


class Nobody:
    """No one looks on."""

    def run(self, source: str, run_id: int | None) -> AbstractContextManager[Ended]:
        """Nothing."""
        return _UNSEEN

    def item(self, item_id: str) -> AbstractContextManager[Enriched]:
        """Nothing."""
        return _UNSEEN

    def turn(self, agent: str, item_id: str) -> AbstractContextManager[None]:
        """Nothing."""
        return _NOTHING

    def question(self, question: Question) -> AbstractContextManager[Answered]:
        """Nothing."""
        return _UNSEEN

    def failed_try(self, error: CallFailed) -> None:
        """Nothing."""


def _unheard(*outcome: object) -> None:
    pass


_UNSEEN = nullcontext(_unheard)
_NOTHING = nullcontext()
NOBODY = Nobody()
