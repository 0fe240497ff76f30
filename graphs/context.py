"""What the nodes of the enrichment graph work with; the same for every item of a run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agents.answering import Interviewer
from agents.extraction.aids import NO_AIDS, Aids
from graphs.templates import TemplateShelf
from memory.category import CategoryCandidate
from memory.demand_space import DemandSpace
from memory.rulings import HumanRuling
from memory.schema import Provenance
from prompts.library import PromptLibrary

MOST_REVISIONS = 10


class CategorySearch(Protocol):
    """Finds the categories of a taxonomy that are nearest to a product's text."""

    def search(self, text: str, k: int = 8, *, description: str = "") -> tuple[CategoryCandidate, ...]:
        """Return at most k candidates for a title and its description, best first."""


def no_rulings(item_id: str) -> tuple[HumanRuling, ...]:
    """Return nothing: nobody has decided anything."""
    return ()


@dataclass(frozen=True)
class EnrichmentContext:
    """The model, the prompts, the taxonomy's search and templates, what they are, and the limits."""

    model: Interviewer
    prompts: PromptLibrary
    categories: CategorySearch
    templates: TemplateShelf
    provenance: Provenance
    demand_space: DemandSpace | None = None  # None: no model proposes demands, so none have to be told apart
    shop_words: frozenset[str] = frozenset()  # folded words of the taxonomy: no brand begins with one
    aids: Aids = NO_AIDS  # of the attribute extractor
    rulings: Callable[[str], tuple[HumanRuling, ...]] = no_rulings  # people's decisions about an item, by its id
    max_revisions: int = 2
    candidates: int = 8

    def __post_init__(self) -> None:
        if not 0 <= self.max_revisions <= MOST_REVISIONS:
            raise ValueError(f"max_revisions is from 0 to {MOST_REVISIONS}, got {self.max_revisions}")
