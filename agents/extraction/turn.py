"""One turn of the attribute extractor, as its parts see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.answering import Interviewer
from memory.category import CategoryTemplate
from memory.corrections import Corrections
from memory.schema import CatalogItem
from prompts.library import Prompt

if TYPE_CHECKING:
    from memory.encoder import TextEncoder

Demonstrate = Callable[[CatalogItem, CategoryTemplate], str]  # approved items like this one, as a prompt shows them

AGENT = "attribute_extractor"


@dataclass(frozen=True)
class Turn:
    """The item, the attributes wanted, and what to ask with."""

    item: CatalogItem
    template: CategoryTemplate
    corrections: Corrections
    model: Interviewer
    prompt: Prompt
    shop_words: frozenset[str]
    demonstrate: Demonstrate
    encoder: "TextEncoder | None"
    round: int


def narrowed(template: CategoryTemplate, wanted: set[str]) -> CategoryTemplate:
    """Return the template with the wanted attributes alone."""
    kept = tuple(spec for spec in template.attributes if spec.key in wanted)
    return template if kept == template.attributes else template.model_copy(update={"attributes": kept})
