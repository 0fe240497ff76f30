"""The category expert: chooses an item's category among candidates, and completes a category's template."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agents.answering import Interviewer
from agents.item_questions import ask_about_item
from agents.phrasing import phrase_attributes, phrase_candidates, phrase_path
from agents.values.units import unit_of
from memory.category import (
    AllowedValue,
    AttributeSpec,
    AttributeType,
    CategoryCandidate,
    CategoryChoice,
    CategoryTemplate,
)
from memory.errors import ReaseqError
from memory.schema import CatalogItem
from prompts.library import Prompt

AGENT = "category_expert"
MOST_ADDED_ATTRIBUTES = 4
KEY_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"


class CategoryAnswer(BaseModel):
    """What the model answers when it is asked to choose."""

    model_config = ConfigDict(extra="forbid")

    category_id: str
    confidence: float = Field(ge=0, le=1)


class ProposedAttribute(BaseModel):
    """One attribute that the model would add to a template."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(pattern=KEY_PATTERN)
    name: str = Field(min_length=1, max_length=60)
    type: AttributeType
    unit: str | None
    values: list[str] = Field(max_length=40)


class TemplateAnswer(BaseModel):
    """What the model answers when it is asked what a template lacks."""

    model_config = ConfigDict(extra="forbid")

    attributes: list[ProposedAttribute]


class NoCandidates(ReaseqError):
    """The taxonomy search found nothing to choose from."""


async def choose_category(
    item: CatalogItem, candidates: Sequence[CategoryCandidate], *, model: Interviewer, prompt: Prompt
) -> CategoryChoice:
    """Return the chosen candidate: the model's choice where it can classify, else the most similar one."""
    if not candidates:
        raise NoCandidates(f"no candidate category for item {item.id!r}")
    if not model.capabilities.classifies or len(candidates) == 1:
        return _choice(candidates[0], "embedding", candidates)
    answer = await ask_about_item(
        item,
        lambda text: prompt.render(item=text, candidates=phrase_candidates(candidates)),
        CategoryAnswer,
        model=model,
        agent=AGENT,
        json_schema=_one_of([candidate.category_id for candidate in candidates]),
    )
    chosen = next((c for c in candidates if c.category_id == answer.parsed.category_id), None)
    # A server that does not hold the answer to the schema may name another category; similarity decides then.
    return _choice(chosen, "model", candidates) if chosen else _choice(candidates[0], "embedding", candidates)


async def complete_template(template: CategoryTemplate, *, model: Interviewer, prompt: Prompt) -> CategoryTemplate:
    """Return the template with the attributes that the model adds, if it is capable of proposing any."""
    if not model.capabilities.proposes:
        return template
    rendered = prompt.render(category=phrase_path(template.path), attributes=phrase_attributes(template.attributes))
    answer = await model.ask(rendered, TemplateAnswer, agent=AGENT, item_id=template.category_id)
    added = _new_attributes(template, answer.parsed.attributes)
    return template.model_copy(update={"attributes": (*template.attributes, *added)})


def _choice(chosen: CategoryCandidate, by: str, candidates: Sequence[CategoryCandidate]) -> CategoryChoice:
    return CategoryChoice.model_validate(
        {
            "category_id": chosen.category_id,
            "path": chosen.path,
            "score": chosen.score,
            "chosen_by": by,
            "candidates": tuple(candidates),
        }
    )


def _one_of(ids: list[str]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {
            "category_id": {"type": "string", "enum": ids},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["category_id", "confidence"],
        "additionalProperties": False,
    }


def _new_attributes(template: CategoryTemplate, proposed: Sequence[ProposedAttribute]) -> list[AttributeSpec]:
    taken = {spec.key for spec in template.attributes} | {spec.name.casefold() for spec in template.attributes}
    added: list[AttributeSpec] = []
    for proposal in proposed:
        if proposal.key in taken or proposal.name.casefold() in taken or len(added) == MOST_ADDED_ATTRIBUTES:
            continue
        taken |= {proposal.key, proposal.name.casefold()}
        added.append(_spec(proposal))
    return added


def _spec(proposal: ProposedAttribute) -> AttributeSpec:
    """Return the proposal as an attribute; one whose type lacks a known unit or values is kept as plain text."""
    kind, unit = proposal.type, unit_of((proposal.unit or "").strip())
    values = tuple(AllowedValue(value=value) for value in dict.fromkeys(v.strip() for v in proposal.values) if value)
    if (kind is AttributeType.ENUM and not values) or (kind is AttributeType.QUANTITY and unit is None):
        kind = AttributeType.TEXT
    return AttributeSpec(
        key=proposal.key,
        name=proposal.name,
        type=kind,
        unit=unit if kind is AttributeType.QUANTITY else None,
        values=values if kind is AttributeType.ENUM else (),
    )
