"""Which demands say the same, and which are wanted of nearly anything: told by the vectors of their texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from memory.cached_vectors import Announce, embed_cached
from memory.category_tree import Taxonomy
from memory.encoder import TextEncoder, Vectors

# Cosines, chosen on short phrases made up for it. From SAME on, two phrases of one relation say the same: 13 of 20
# paraphrases lie above it, and 1 of 24 pairs that differ. From ANYTHING on, a phrase is one of those that tell nothing
# apart; from NEAR on, it is also wanted in another department: with both, 12 of 30 generic phrases are found that the
# list does not have, and 1 of 85 specific ones. So code refuses little that is good; the rest is for a model to refuse.
SAME = 0.83
ANYTHING = 0.7
NEAR = 0.65
MOST_DEPARTMENTS = 1 / 3  # of the other departments; what is wanted in more of them tells nothing apart
FEWEST_DEPARTMENTS = 8  # others: of fewer, a share says nothing


@dataclass(frozen=True)
class Surroundings:
    """How near some phrases are to each other, and where else they are wanted."""

    alike: NDArray[np.float32]  # cosines, shape (phrases, phrases)
    told: tuple[str | None, ...]  # where else a phrase is wanted, if that is nearly everywhere

    def same(self, first: int, second: int) -> bool:
        """Return whether two of the phrases say the same."""
        return bool(self.alike[first, second] >= SAME)

    def generic(self, place: int) -> str | None:
        """Return why a phrase is generic, or None where it is not."""
        return self.told[place]


@dataclass(frozen=True)
class DemandSpace:
    """The demands of a taxonomy by department, with their vectors; build it with `DemandSpace.build`.

    A phrase is generic if it is near to what the taxonomy says may be wanted of anything, or near to demands of more
    than a third of the other departments. What was stored before has no say, so a run finds the same whatever it did
    first.
    """

    encoder: TextEncoder
    texts: tuple[str, ...]
    departments: tuple[str, ...]  # of each text; "" for what is wanted of anything
    vectors: Vectors
    places: Mapping[str, int]  # of the texts among them; of equal ones the last

    @classmethod
    def build(
        cls, taxonomy: Taxonomy, encoder: TextEncoder, cache_dir: Path | None, announce: Announce | None = None
    ) -> Self:
        """Return the space of a taxonomy's demands; vectors are kept in `cache_dir`, if there is one.

        Raises `WeightsMissing`, `WeightsDamaged` and `FileUnwritable`.
        """
        known = dict.fromkeys(("", demand.text) for demand in taxonomy.wanted_of_anything)
        known |= dict.fromkeys((leaf.path[0], demand.text) for leaf in taxonomy.leaves() for demand in leaf.demands)
        texts = tuple(text for _, text in known)
        vectors = embed_cached(texts, encoder, cache_dir, announce)
        departments = tuple(department for department, _ in known)
        return cls(encoder, texts, departments, vectors, {text: place for place, text in enumerate(texts)})

    def surroundings(self, texts: Sequence[str], department: str) -> Surroundings:
        """Return how near phrases of one item are to each other and to the demands of other departments."""
        vectors = self._vectors(texts)
        cosines = np.vecdot(self.vectors[None], vectors[:, None])  # as in `CategoryIndex`: no threads of BLAS
        alike = np.vecdot(vectors[None], vectors[:, None])
        return Surroundings(alike, tuple(self._told(row, department) for row in cosines))

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors; only phrases that the taxonomy does not have are encoded, which takes most time."""
        new = [text for text in texts if text not in self.places]
        encoded = iter(self.encoder.encode(new))
        return np.array([self.vectors[self.places[text]] if text in self.places else next(encoded) for text in texts])

    def _told(self, cosines: Vectors, department: str) -> str | None:
        """Return where else a phrase with these cosines is wanted, if that is nearly everywhere."""
        nearest = max(self._places_of(""), key=lambda place: cosines[place], default=None)
        if nearest is not None and cosines[nearest] >= ANYTHING:
            return f"as good as {self.texts[nearest]!r}, which may be wanted of anything"
        near = {self.departments[place]: self.texts[place] for place in np.flatnonzero(cosines >= NEAR)}
        near.pop("", None)
        near.pop(department, None)
        others = set(self.departments) - {"", department}
        if len(others) < FEWEST_DEPARTMENTS or len(near) <= MOST_DEPARTMENTS * len(others):
            return None
        return f"wanted in {len(near)} of {len(others)} other departments, as {next(iter(near.values()))!r}"

    def _places_of(self, department: str) -> list[int]:
        return [place for place, other in enumerate(self.departments) if other == department]


def nearest_cosines(encoder: TextEncoder, wanted: Sequence[str], found: Sequence[str]) -> list[float]:
    """Return, for each wanted phrase, the cosine with the nearest of the phrases found, which are not none."""
    vectors = encoder.encode([*wanted, *found])
    cosines = np.vecdot(vectors[: len(wanted), None], vectors[None, len(wanted) :])
    return [float(nearest) for nearest in cosines.max(axis=1)]
