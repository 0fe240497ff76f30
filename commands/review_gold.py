"""What people decided, as golden items that stand alone."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import orjson

from agents.ruling_drafts import phrase_stated
from memory.atomic_file import written_whole
from memory.database import Database
from memory.items import item_of
from memory.reviews import all_rulings
from memory.rulings import Said, standing_in
from memory.schema import CatalogItem, Decision, Enrichment
from memory.store import enrichment_of

UNDECIDED = (Decision.ACCEPT, Decision.ABSTAIN)


def write_gold(database: Database, path: Path) -> int:
    """Write golden items, one JSON object a line in order of item id, and return how many; whole or not at all.

    Only attributes of which a value was approved are in it: that a value is wrong does not say that the item states
    none. One that may have many values is in it once no claim of it stands that nobody decided.
    """
    number = 0
    with written_whole(path) as unfinished, unfinished.open("wb") as file:
        for golden in golden_items(database):
            file.write(orjson.dumps(golden, option=orjson.OPT_APPEND_NEWLINE))
            number += 1
    return number


def golden_items(database: Database) -> Iterator[dict[str, object]]:
    """Yield each item of which a value is approved that its present text does not speak against, with its text."""
    with database.session() as session:
        for item_id, rulings in all_rulings(session).items():
            item = item_of(session, item_id)
            if item is None:
                continue
            known = enrichment_of(session, item_id)
            approved = _approved(standing_in(item, rulings).holds, known.enrichment if known else None)
            if approved:
                yield _golden(item, approved)


def _approved(said: tuple[Said, ...], enrichment: Enrichment | None) -> dict[str, list[str]]:
    values: defaultdict[str, list[str]] = defaultdict(list)
    for one in said:
        if one.right and not (one.many and _is_open(one.attribute, enrichment)):
            values[one.attribute].append(_writable(phrase_stated(one.value)))
    return dict(values)


def _is_open(attribute: str, enrichment: Enrichment | None) -> bool:
    """Return whether an attribute has a value that stands without a person's word."""
    if enrichment is None:
        return False
    rulings = (enrichment.verdict_on(claim) for claim in enrichment.claims if claim.name == attribute)
    return any(verdict.decision in UNDECIDED and verdict.checked_by != "human" for verdict in rulings)


def _golden(item: CatalogItem, approved: dict[str, list[str]]) -> dict[str, object]:
    fields = {field.name: field.text for field in item.fields}
    return {
        "id": item.id,
        "title": item.title,
        "description": item.description,
        "fields": fields,
        "attributes": approved,
    }


def _writable(text: str) -> str:
    """Return text that UTF-8 can hold: what a model claimed may be any characters."""
    return text.encode("utf-8", "replace").decode()
