"""The floor of attribute extraction: a dictionary of the values seen in training, looked up in the title."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.annotated import AnnotatedTitle

_NOTHING: Mapping[str, Counter[str]] = {}


@dataclass(frozen=True)
class LookUp:
    """How often each value was seen, by category and attribute."""

    seen: Mapping[str, Mapping[str, Counter[str]]]

    def read(self, title: str, category: str) -> dict[str, str | None]:
        """Return for each attribute of the category the longest known value in the title, of equals the commonest."""
        known = self.seen.get(category, _NOTHING)
        return {name: _longest(title, values) for name, values in known.items()}


def learn_look_up(titles: Sequence[AnnotatedTitle]) -> LookUp:
    """Return the values of these titles."""
    seen: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for annotated in titles:
        for name, values in annotated.attributes.items():
            seen[annotated.category][name].update(values)
    return LookUp(seen)


def _longest(title: str, values: Mapping[str, int]) -> str | None:
    found = [value for value in values if value in title]
    return max(found, key=lambda value: (len(value), values[value]), default=None)
