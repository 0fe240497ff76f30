"""Which values of free-text attributes could become a list: spellings that mean one thing, and few frequent values."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from agents.values.normalization import bare_text, normalize
from memory.category import AttributeSpec, AttributeType
from memory.category_tree import Taxonomy
from memory.record import Record

FREQUENT_SHARE = 0.6  # of an attribute's values that have to be frequent ones, to be called a vocabulary
MOST = 50  # frequent values; an attribute with more has no vocabulary
LONGEST = 60  # code points of a value

Approved = Mapping[tuple[str, str], Mapping[str, int]]  # (category id, attribute key) → written value → items


class OpenValue(Record):
    """A value of a free-text attribute that could be listed, in its most frequent spelling."""

    attribute: str
    value: str
    words: tuple[str, ...]  # its other spellings
    items: int
    share: float  # of the attribute's approved values


def open_vocabularies(approved: Approved, taxonomy: Taxonomy, *, least_items: int = 3) -> list[OpenValue]:
    """Return, of the taxonomy's free-text attributes, the values worth a place in a list.

    Of an attribute whose values are mostly the same few, all that `least_items` items have; of any other, a brand, only
    those that items spell differently. These values are accepted as they are: listing them makes them one, no more.
    """
    found: list[OpenValue] = []
    for attribute, spellings in _by_attribute(approved).items():
        spec = taxonomy.attributes.get(attribute)
        if spec is not None and spec.type is AttributeType.TEXT:
            found += _worth_listing(spec, spellings, least_items)
    return sorted(found, key=lambda value: (value.attribute, -value.items, value.value))


def _worth_listing(spec: AttributeSpec, spellings: Counter[str], least_items: int) -> list[OpenValue]:
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for spelling, items in spellings.items():
        if len(spelling) <= LONGEST:
            groups[bare_text(normalize(spelling, spec).text)][normalize(spelling, spec).text] += items
    frequent = [group for group in groups.values() if group.total() >= least_items]
    few = len(frequent) <= MOST and sum(g.total() for g in frequent) >= FREQUENT_SHARE * spellings.total()
    listed = frequent if few and spec.title_position is None else [group for group in frequent if len(group) > 1]
    return [_value(spec, group, spellings.total()) for group in listed]


def _value(spec: AttributeSpec, group: Counter[str], everything: int) -> OpenValue:
    first, *others = sorted(group, key=lambda spelling: (-group[spelling], spelling))
    return OpenValue(
        attribute=spec.key, value=first, words=tuple(others), items=group.total(), share=group.total() / everything
    )


def _by_attribute(approved: Approved) -> dict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (_, attribute), values in approved.items():
        found[attribute].update(values)
    return dict(sorted(found.items()))
