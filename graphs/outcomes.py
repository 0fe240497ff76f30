"""What can become of a catalog row in a run: each row ends in exactly one of these."""

from dataclasses import dataclass
from typing import Literal

from agents.providers.base import CallFailed
from memory.catalog import RejectedRow
from memory.errors import ReaseqError
from memory.schema import CatalogItem, Enrichment


@dataclass(frozen=True)
class Enriched:
    """An item that went through, with its stored enrichment."""

    item: CatalogItem
    enrichment: Enrichment


@dataclass(frozen=True)
class Failed:
    """An item that did not, with the stored reason."""

    item: CatalogItem
    reason: str
    detail: str


@dataclass(frozen=True)
class Skipped:
    """An item that was not this run's to do."""

    item_id: str
    why: Literal["done", "failed before", "taken over"]


Outcome = Enriched | Failed | Skipped | RejectedRow


def reason_of(error: ReaseqError) -> str:
    """Return the reason code to store: a call's kind of failure, else the error's class.

    `AnswerInvalid` becomes `answer_invalid`.
    """
    if isinstance(error, CallFailed):
        return error.kind.value
    name = type(error).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() and n else letter.lower() for n, letter in enumerate(name))
