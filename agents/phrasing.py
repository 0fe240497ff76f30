"""How records read inside a prompt: items between nonce delimiters, claims and attributes as lists."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from memory.category import AttributeSpec, AttributeType, CategoryCandidate, CategoryDemand
from memory.schema import CatalogItem, Claim, Demand, UngroundedProposal, Verdict


class FieldLimits(NamedTuple):
    """How many characters of an item's fields a prompt shows."""

    title: int
    description: int
    other: int  # each of them
    all: int  # names and texts of all fields together; what comes after them is not shown

    def of(self, field: str) -> int:
        """Return a field's limit."""
        return {"title": self.title, "description": self.description}.get(field, self.other)


USUAL = FieldLimits(title=500, description=4000, other=300, all=20_000)
# For a model whose context the usual text does not fit.
SHORT = FieldLimits(title=200, description=400, other=60, all=2000)
LONGEST_DESCRIPTION = 160  # of an attribute
SHOWN_VALUES = 30  # allowed values of an attribute that a prompt lists


def phrase_item(item: CatalogItem, fields: Iterable[str] | None = None, limits: FieldLimits = USUAL) -> str:
    """Return the item's texts between delimiters that its own text cannot contain.

    The nonce is drawn from the item's content: the same item always reads the same, so a stored answer can be found
    again, and no text can hold a hash of itself. Long fields are shortened here; evidence is checked against the whole.
    """
    nonce = hashlib.sha256(b"delimiter:" + item.content_hash.encode()).hexdigest()[:12]
    wanted = None if fields is None else set(fields)
    lines = [f"{name}: {text}" for name, text in shown_texts(item, limits) if wanted is None or name in wanted]
    return "\n".join([f"<product-{nonce}>", *lines, f"</product-{nonce}>"])


def shown_texts(item: CatalogItem, limits: FieldLimits = USUAL) -> Iterator[tuple[str, str]]:
    """Yield (field name, text) of the fields that a prompt shows, each shortened."""
    left = limits.all
    for name, text in item.texts():
        shown = shorten(text, limits.of(name))
        left -= len(name) + len(shown)
        if left < 0:
            return
        yield name, shown


def shorten(text: str, limit: int) -> str:
    """Return what a prompt shows of a field's text."""
    return text if len(text) <= limit else text[:limit] + " …"


def phrase_path(path: Sequence[str]) -> str:
    """Return a category path as one line."""
    return " > ".join(path)


def phrase_candidates(candidates: Iterable[CategoryCandidate]) -> str:
    """Return one line a candidate category: its id and its path."""
    return "\n".join(f"- {candidate.category_id}: {phrase_path(candidate.path)}" for candidate in candidates)


def phrase_attributes(specs: Iterable[AttributeSpec]) -> str:
    """Return one line an attribute: key, name, type, unit, allowed values; what it means where no values tell."""
    return "\n".join(f"- {spec.key} ({spec.name}): {_kind(spec)}" for spec in specs)


def phrase_claims(claims: Iterable[Claim]) -> str:
    """Return one line a claim: id, attribute, value, and the quote that supports it."""
    return "\n".join(f"- {claim.id}: {claim.name} = {phrase_value(claim)}{_support(claim)}" for claim in claims)


def phrase_value(claim: Claim) -> str:
    """Return a claim's normalized value with its unit."""
    return f"{claim.normalized} {claim.unit}" if claim.unit else claim.normalized


def phrase_corrections(failed: Iterable[tuple[Claim, Verdict]], ungrounded: Iterable[UngroundedProposal] = ()) -> str:
    """Return what was wrong with earlier claims, one line each; empty where nothing was."""
    lines = [f"- {c.name} = {c.value!r}: {verdict.reason.value} {verdict.note}".rstrip() for c, verdict in failed]
    lines += [f"- {p.name} = {p.value!r}: the quote {p.quote!r} is not in the text" for p in ungrounded]
    return "\n".join(["These earlier answers were refused; do not repeat them:", *lines]) if lines else ""


def phrase_category_demands(demands: Iterable[CategoryDemand]) -> str:
    """Return one line a demand of a category: relation and text."""
    return "\n".join(f"- {demand.relation.value}: {demand.text}" for demand in demands)


def phrase_demands(demands: Iterable[Demand]) -> str:
    """Return one line a demand: id, relation and text, whether the item serves it, and what it rests on."""
    return "\n".join(f"- {d.id}: {d.relation.value} = {d.text!r}{_serving(d)}" for d in demands)


@lru_cache(maxsize=4_096)
def _kind(spec: AttributeSpec) -> str:
    if spec.type is AttributeType.QUANTITY:
        return f"quantity in {spec.unit}{_meaning(spec)}"
    if spec.values and spec.type in (AttributeType.ENUM, AttributeType.BOOLEAN):
        shown = [allowed.value for allowed in spec.values[:SHOWN_VALUES]]
        return f"{spec.type.value}, one of: {', '.join(shown)}{', …' if len(spec.values) > SHOWN_VALUES else ''}"
    return f"{spec.type.value}{_meaning(spec)}"


def _meaning(spec: AttributeSpec) -> str:
    description = " ".join(spec.description.split())
    return f"; {shorten(description, LONGEST_DESCRIPTION)}" if description else ""


def _serving(demand: Demand) -> str:
    resting = f" (rests on {', '.join(demand.rests_on)})" if demand.rests_on else ""
    return resting if demand.positive else f" (NOT served by it){resting}"


def _support(claim: Claim) -> str:
    return f' (the {claim.evidence.field} says "{claim.evidence.quote}")' if claim.evidence else " (world knowledge)"
