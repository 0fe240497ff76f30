"""What each prompt is asked with: the slots that its agent fills, and the names that its answer may have."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from agents.answer_schemas import answer_json_schema
from agents.category_expert import CategoryAnswer, TemplateAnswer
from agents.critic import Ruling
from agents.demand_analyst import DemandsAnswer
from agents.demand_critic import DemandRulings
from agents.extraction.proposals import ProposalAnswer
from agents.summarizer import SummaryAnswer
from prompts.slots import Given

_ANSWER_TYPES: Mapping[str, type[BaseModel]] = {
    "attribute_extractor": ProposalAnswer,
    "category_expert": CategoryAnswer,
    "category_expert_template": TemplateAnswer,
    "critic": Ruling,
    "demand_analyst": DemandsAnswer,
    "demand_critic": DemandRulings,
    "summarizer": SummaryAnswer,
}
# Of a variant's prompt, too, unless it stands here itself.
GIVEN_SLOTS: Mapping[str, Given] = {
    "attribute_extractor": Given(frozenset({"item", "attributes", "corrections"}), frozenset({"demonstrations"})),
    "embedded/attribute_extractor": Given(frozenset({"item", "attributes", "corrections"})),
    "category_expert": Given(frozenset({"item", "candidates"})),
    "category_expert_template": Given(frozenset({"category", "attributes"})),
    "critic": Given(frozenset({"item", "category", "claims"})),
    "demand_analyst": Given(frozenset({"item", "category", "claims", "known_demands"})),
    "demand_critic": Given(frozenset({"item", "category", "claims", "demands"})),
    "interviewer_repair": Given(frozenset({"problem"})),
    "summarizer": Given(frozenset({"category", "claims"})),
}


def answer_names() -> dict[str, frozenset[str]]:
    """Return, by prompt, the names and constants that its answer may have; the embedded variants answer freely."""
    return {prompt: frozenset(_names(answer_json_schema(kind))) for prompt, kind in _ANSWER_TYPES.items()}


def _names(schema: Any) -> Iterator[str]:
    """Yield all property names and constants of a schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from _names(part)
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {})
    constants = [*schema.get("enum", []), schema.get("const")]
    yield from (constant for constant in constants if isinstance(constant, str))
    for part in schema.values():
        yield from _names(part)
