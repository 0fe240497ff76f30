"""Look-up: values of open attributes that a person approved of other items, found again in a title."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agents.extraction.text_claims import text_claim
from agents.reading.passages import about_others, within
from agents.values.words import Word, fold, words
from memory.approved import ApprovedItem
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.schema import CatalogItem, Claim, Evidence

LONGEST_VALUE = 8  # words
LONGEST_TITLE = 400  # code points
LEAST_RELIABLE = 0.6  # a value that approved titles mostly hold for another reason is not claimed

Phrase = tuple[str, ...]  # folded words
_Table = dict[tuple[str, str], dict[Phrase, set[int]]]  # (category or "", attribute) -> value -> approved items


class _Match(NamedTuple):
    """An approved value in a title: the span [start, end) of its code points, and how often it was right elsewhere."""

    start: int
    end: int
    words: int
    reliability: float


@dataclass(frozen=True)
class LookUp:
    """Approved values by category and attribute; what only the item itself was approved for does not count."""

    _approved_for: _Table = field(default_factory=dict)
    _seen_in: _Table = field(default_factory=dict)  # approved items whose title holds the phrase, by category
    _ids: Mapping[str, set[int]] = field(default_factory=dict)
    _titles: Mapping[str, set[int]] = field(default_factory=dict)

    def claims(self, item: CatalogItem, template: CategoryTemplate) -> list[Claim]:
        """Return a claim for each open attribute of which the title holds an approved value: the longest, surest one.

        The item itself, known by its id or title, is not asked. Its own category goes first, then all.
        """
        title = item.title[:LONGEST_TITLE]
        others = about_others(title)  # "for Samsung Galaxy" names no brand of the item
        found = [word for word in words(title) if not within(word.start, word.end, others)]
        itself = self._ids.get(item.id, set()) | self._titles.get(fold(item.title), set())
        claims: list[Claim] = []
        for spec in template.attributes:
            if spec.type is not AttributeType.TEXT:
                continue
            for category in (template.category_id, ""):
                matches = list(self._matches(found, category, spec, itself))
                if matches:
                    best = max(matches, key=lambda match: (match.words, match.reliability, -match.start))
                    claims.append(_claim(item, spec, best))
                    break
        return claims

    def _matches(self, found: Sequence[Word], category: str, spec: AttributeSpec, itself: set[int]) -> Iterator[_Match]:
        values = self._approved_for.get((category, spec.key), {})
        seen = self._seen_in.get((category, ""), {})
        for first, last, phrase in _phrases(found) if values else ():
            approved = values.get(phrase, set()) - itself
            if approved:
                reliability = (len(approved) + 0.5) / (len((seen.get(phrase, set()) | approved) - itself) + 1)
                if reliability >= LEAST_RELIABLE:
                    yield _Match(found[first].start, found[last - 1].end, last - first, reliability)


def learn_look_up(approved: Iterable[ApprovedItem]) -> LookUp:
    """Return the look-up of approved items; memory is linear in their titles' words."""
    approved = list(approved)
    values: _Table = defaultdict(lambda: defaultdict(set))
    for number, one in enumerate(approved):
        for attribute, named in one.values.items():
            for phrase in map(_phrase, named):
                if phrase and len(phrase) <= LONGEST_VALUE:
                    values[one.category_id, attribute][phrase].add(number)
                    values["", attribute][phrase].add(number)
    ids: dict[str, set[int]] = defaultdict(set)
    titles: dict[str, set[int]] = defaultdict(set)
    for number, one in enumerate(approved):
        ids[one.item.id].add(number)
        titles[fold(one.item.title)].add(number)
    return LookUp(values, _seen(approved, {p for table in values.values() for p in table}), ids, titles)


def _seen(approved: Sequence[ApprovedItem], wanted: set[Phrase]) -> _Table:
    seen: _Table = defaultdict(lambda: defaultdict(set))
    for number, one in enumerate(approved):
        for _, _, phrase in _phrases(words(one.item.title[:LONGEST_TITLE])):
            if phrase in wanted:
                seen[one.category_id, ""][phrase].add(number)
                seen["", ""][phrase].add(number)
    return seen


def _phrases(found: Sequence[Word]) -> Iterator[tuple[int, int, Phrase]]:
    folded = [word.folded for word in found]
    for first in range(len(folded)):
        for last in range(first + 1, min(first + LONGEST_VALUE, len(folded)) + 1):
            yield first, last, tuple(folded[first:last])


def _phrase(value: str) -> Phrase:
    return tuple(word.folded for word in words(value))


def _claim(item: CatalogItem, spec: AttributeSpec, match: _Match) -> Claim:
    evidence = Evidence.at(item, "title", match.start, match.end)
    return text_claim(spec, evidence.quote, evidence, match.reliability, "lookup")
