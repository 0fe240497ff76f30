"""A small shop for graph tests: two categories, scripted answers, a knowledge base in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from agents.answering import Interviewer
from agents.providers.base import Capabilities
from agents.providers.scripted import ScriptedAnswer, ScriptedModel
from graphs.context import EnrichmentContext
from graphs.templates import TemplateShelf
from memory.category import CategoryCandidate
from memory.database import Database
from memory.model_call import ModelCall
from memory.schema import CatalogItem, Provenance
from memory.taxonomy import load_taxonomy
from prompts.library import PromptLibrary, default_folder

DEPARTMENT = """
department: Kitchen
attributes:
  brand: {name: Brand, type: text, title_position: start}
  volume: {name: Volume, type: quantity, unit: milliliter}
  color: {name: Color, type: enum, values: {red: [rot], blue: [blau]}}
categories:
  - {id: kitchen.water-bottles, path: [Kitchen, Water Bottles], also: [flask], attributes: [brand, volume, color]}
  - {id: kitchen.cups, path: [Kitchen, Cups], also: [mug], attributes: [brand, color]}
"""
ITEM = CatalogItem(id="B1", title="Acme water bottle 500 ml red")
NO_CAPABILITIES = Capabilities(
    classifies=False, judges=False, writes=False, proposes=False, supposes=False, weighs=False
)


class TwoCategories:
    """Finds the same two categories for every text."""

    def search(self, text: str, k: int = 8, *, description: str = "") -> tuple[CategoryCandidate, ...]:
        """Return both, bottles first."""
        return (
            CategoryCandidate(category_id="kitchen.water-bottles", path=("Kitchen", "Water Bottles"), score=0.9),
            CategoryCandidate(category_id="kitchen.cups", path=("Kitchen", "Cups"), score=0.4),
        )


@dataclass
class Journal:
    """Remembers the calls."""

    calls: list[ModelCall] = field(default_factory=list)

    def __call__(self, call: ModelCall) -> None:
        self.calls.append(call)

    def prompts(self) -> list[str]:
        """The prompts asked, in order."""
        return [call.prompt for call in self.calls]


def proposal(attribute: str, value: str, quote: str | None = None, sure: float = 0.95) -> JsonValue:
    """Return one value as a capable model states it."""
    return {"attribute": attribute, "value": value, "field": "title", "quote": quote or value, "confidence": sure}


def ruling(*rulings: tuple[str, str]) -> ScriptedAnswer:
    """Return the critic's answer: (claim id, decision) pairs."""
    listed: list[JsonValue] = [
        {"claim_id": claim, "decision": decision, "note": "so it is"} for claim, decision in rulings
    ]
    return ScriptedAnswer(agent="critic", answer={"verdicts": listed})


def usual_answers() -> list[ScriptedAnswer]:
    """Return what a capable model says of the bottle when nothing goes wrong."""
    return [
        ScriptedAnswer(
            agent="category_expert",
            prompt="category_expert",
            answer={"category_id": "kitchen.water-bottles", "confidence": 0.9},
        ),
        ScriptedAnswer(agent="category_expert", prompt="category_expert_template", answer={"attributes": []}),
        ScriptedAnswer(agent="demand_analyst", answer={"demands": []}),
        ScriptedAnswer(agent="summarizer", answer={"summary": "A red water bottle by Acme."}),
    ]


def context_of(
    tmp_path: Path,
    database: Database,
    answers: Iterable[ScriptedAnswer],
    *,
    capabilities: Capabilities | None = None,
    max_revisions: int = 2,
) -> tuple[EnrichmentContext, Journal]:
    """Return a context over the small shop, and the journal of its calls."""
    source = tmp_path / "kitchen.yaml"
    source.write_text(DEPARTMENT, encoding="utf-8")
    model = ScriptedModel(answers, capabilities=capabilities)
    journal = Journal()
    maker = model.spec if model.capabilities.proposes else None
    context = EnrichmentContext(
        model=Interviewer(model, journal),
        prompts=PromptLibrary.load(default_folder(), None if model.capabilities.proposes else "embedded"),
        categories=TwoCategories(),
        templates=TemplateShelf(load_taxonomy(source), database, maker),
        provenance=Provenance(
            prompts=(),
            model=model.spec,
            parameters="{}",
            taxonomy_version="t",
            encoder="none",
            code_version="0",
            max_revisions=max_revisions,
        ),
        max_revisions=max_revisions,
    )
    return context, journal


def looping_answers() -> list[ScriptedAnswer]:
    """Return the answers of a way with a loop: the brand goes back once, and is right then."""
    first: list[JsonValue] = [
        {"claim_id": f"0.{n}.{name}", "decision": "revise" if name == "brand" else "accept", "note": "no brand"}
        for n in range(4)
        for name in ("brand", "volume", "color")
    ]
    second: list[JsonValue] = [{"claim_id": "1.0.brand", "decision": "accept", "note": ""}]
    return [
        *usual_answers(),
        ScriptedAnswer(agent="attribute_extractor", round=0, answer={"claims": [proposal("brand", "water")]}),
        ScriptedAnswer(agent="attribute_extractor", round=1, answer={"claims": [proposal("brand", "Acme")]}),
        ScriptedAnswer(agent="critic", round=0, answer={"verdicts": first}),
        ScriptedAnswer(agent="critic", round=1, answer={"verdicts": second}),
    ]
