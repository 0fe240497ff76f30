"""What the graph is made of: items, categories, values, demands, and edges that say where they come from."""

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from memory.schema import Claim, ClaimSource, Decision, Demand, Enrichment


class ItemNode(NamedTuple):
    """An item, by its id."""

    id: str
    kind: str = "item"


class CategoryNode(NamedTuple):
    """One step of a category path, with all steps above it."""

    path: tuple[str, ...]
    kind: str = "category"


class ValueNode(NamedTuple):
    """One value of one attribute, as accepted claims have it."""

    attribute: str
    normalized: str
    unit: str | None
    kind: str = "value"


class DemandNode(NamedTuple):
    """One demand, shared by all items that have it; its text is folded."""

    relation: str  # a `Relation`
    text: str
    kind: str = "demand"


Node = ItemNode | CategoryNode | ValueNode | DemandNode


class Origin(StrEnum):
    """Where an edge comes from."""

    CLAIM = "claim"  # the item's own text says so, with evidence
    WORLD_KNOWLEDGE = "world_knowledge"  # a model or a person says so, the text does not
    COMPUTED = "computed"  # it follows from other things that are stored


class Edge(NamedTuple):
    """One edge, along its direction."""

    source: Node
    target: Node
    relation: str
    origin: Origin
    positive: bool = True  # False: the item does not serve this demand


IN_CATEGORY, BELOW, NAMES, STANDS_IN_FOR = "in_category", "below", "names", "stands_in_for"
NAMING = ("used_with", "substitute_of")  # the relations whose text names another product


def label_of(node: Node, title: str | None = None) -> str:
    """Return what a node is shown as; an item by its title, where that is known."""
    match node:
        case ItemNode():
            return title or node.id
        case CategoryNode():
            return node.path[-1]
        case ValueNode():
            return f"{node.normalized} {node.unit}" if node.unit else node.normalized
        case DemandNode():
            return node.text


def facts_of(enrichment: Enrichment) -> Iterator[Edge]:
    """Yield what is accepted of an item: its category, its values, its demands, the most typical demand first.

    The category is computed: it is the choice of a search or a model, and no text need say it.
    """
    item = ItemNode(enrichment.item_id)
    yield Edge(item, CategoryNode(enrichment.category.path), IN_CATEGORY, Origin.COMPUTED)
    for claim in enrichment.accepted:
        yield Edge(item, value_node(claim), claim.name, origin_of(claim.source))
    for demand in sorted(accepted_demands(enrichment), key=lambda demand: -demand.typicality):
        yield Edge(item, demand_node(demand), demand.relation.value, Origin.WORLD_KNOWLEDGE, demand.positive)


def steps_above(category: CategoryNode) -> Iterator[Edge]:
    """Yield the edges from a category to the one above it, up to the first."""
    for depth in range(len(category.path), 1, -1):
        upper = CategoryNode(category.path[: depth - 1])
        yield Edge(CategoryNode(category.path[:depth]), upper, BELOW, Origin.COMPUTED)


def accepted_demands(enrichment: Enrichment) -> list[Demand]:
    """Return the demands that were let through."""
    let_through = {v.claim_id for v in enrichment.demand_verdicts if v.decision is Decision.ACCEPT}
    return [demand for demand in enrichment.demands if demand.id in let_through]


def value_node(claim: Claim) -> ValueNode:
    """Return the node of a claim's value."""
    return ValueNode(claim.name, claim.normalized, claim.unit)


def demand_node(demand: Demand) -> DemandNode:
    """Return the node of a demand."""
    return DemandNode(demand.relation.value, folded(demand.text))


def origin_of(source: str) -> Origin:
    """Return the origin of an edge that rests on a claim of that source."""
    return Origin.CLAIM if source == ClaimSource.TEXT else Origin.WORLD_KNOWLEDGE


def folded(text: str) -> str:
    """Return a text that is equal for what differs in case, blanks and punctuation around it alone."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return plain.strip(".,;:!?\"'") or plain


@lru_cache(maxsize=16_384)  # a walk compares each demand with each category
def words_of(text: str) -> tuple[str, ...]:
    """Return a text's words, folded, an English plural as its singular."""
    return tuple(_singular(word) for word in re.findall(r"\w+", folded(text)))


def names_category(phrase: str, name: str) -> bool:
    """Say whether a phrase such as "SDS drill bits for concrete" names "Drill Bits": its head ends in these words."""
    wanted, head = words_of(name), _head(phrase)
    return len(wanted) > 0 and head[-len(wanted) :] == wanted


def named_in_title(phrase: str, title: str) -> bool:
    """Say whether a title is of what a phrase names: its head has the phrase's words in a row, and two or more.

    One word is not enough: "drill" also stands in titles of drill bits.
    """
    wanted, head = words_of(phrase), _head(title)
    length = len(wanted)
    return length > 1 and any(head[at : at + length] == wanted for at in range(len(head) - length + 1))


def _head(text: str) -> tuple[str, ...]:
    """Return the words up to the first that says what it is for or comes with."""
    return tuple(takewhile(lambda word: word not in _AFTER_HEAD, words_of(text)))


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") else word[:-1]


_AFTER_HEAD = frozenset(words_of("for with without of in to from für mit ohne von aus pour avec sans"))
