"""What each slot of a prompt holds for an item, as far as it is known before any model is asked."""

from typing import TYPE_CHECKING

from agents.phrasing import (
    phrase_attributes,
    phrase_candidates,
    phrase_category_demands,
    phrase_claims,
    phrase_demands,
    phrase_item,
    phrase_path,
)
from commands.settings import Settings
from memory.category import CategoryTemplate
from memory.schema import CatalogItem

if TYPE_CHECKING:
    from prompts.library import Prompt

PICKED_FOR = "attribute_extractor"
PROBLEM = "(the reason why an answer could not be used)"


def values_for(prompt: "Prompt", item: CatalogItem, settings: Settings) -> dict[str, str]:
    """Return what each input of a prompt is for an item; one that no agent fills is its name in pointed brackets."""
    known = known_values(item, settings)
    if prompt.name == PICKED_FOR and _only_picks(settings):
        known |= _picked_values(item, settings)
    return {name: known.get(name, f"<{name}>") for name in prompt.inputs}


def known_values(item: CatalogItem, settings: Settings) -> dict[str, str]:
    """Return what is known of an item before any model is asked, by the name of the slot."""
    from agents.demand_analyst import category_demands  # noqa: PLC0415 - as in _category
    from agents.reading.rules import rule_claims  # noqa: PLC0415

    candidates, template = _category(item, settings)
    return {
        "item": phrase_item(item),
        "candidates": candidates,
        "category": phrase_path(template.path),
        "attributes": phrase_attributes(template.attributes),
        "claims": phrase_claims(rule_claims(item, template)),
        "corrections": "",
        "demonstrations": "",
        "known_demands": phrase_category_demands(template.demands),
        "demands": phrase_demands(category_demands(template)),
        "problem": PROBLEM,
    }


def _picked_values(item: CatalogItem, settings: Settings) -> dict[str, str]:
    """Return what a model that only picks is shown: the title, and the key of one attribute that rules leave open."""
    from agents.reading.rules import rule_claims  # noqa: PLC0415 - as in _category

    _, template = _category(item, settings)
    known = {claim.name for claim in rule_claims(item, template)}
    in_titles = [spec.key for spec in template.attributes if spec.title_position is not None]
    open_ones = [key for key in in_titles if key not in known]
    return {"item": phrase_item(item, fields=("title",)), "attributes": (open_ones or in_titles or ["brand"])[0]}


def _category(item: CatalogItem, settings: Settings) -> tuple[str, CategoryTemplate]:
    """Return the candidates as a prompt lists them, and the template of the nearest one."""
    from commands.choices import taxonomy_of  # noqa: PLC0415 - the taxonomy's search takes a second to import
    from memory.category_index import CategoryIndex  # noqa: PLC0415
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415

    taxonomy = taxonomy_of(settings)
    index = CategoryIndex.build(tuple(taxonomy.leaves()), MiniLmEncoder(), settings.cache)
    candidates = index.search(item.title, description=item.description)
    return phrase_candidates(candidates), taxonomy.template(candidates[0].category_id)


def _only_picks(settings: Settings) -> bool:
    from commands.choices import keyless, model_of  # noqa: PLC0415 - as above

    return not model_of(keyless(settings)).capabilities.proposes
