"""Which items are made anew: all, or some drawn by what shoppers do with them, and the golden ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from commands.evaluation_gold import GoldSet, narrowed
from evaluators.impact.report import SampleUsed
from memory.database import Session
from memory.store import known_ids


@dataclass(frozen=True)
class Sample:
    """The items of a report, each once, in order of id."""

    judged: tuple[str, ...]  # knowledge, vectors and rankings are compared of these
    golden: tuple[str, ...]  # golden items among them and beside them
    used: SampleUsed

    @property
    def all(self) -> tuple[str, ...]:
        """Every item that is made anew."""
        return tuple(sorted({*self.judged, *self.golden}))


def sample_of(
    session: Session, version: int, wanted: int | None, seed: int, behaviors: Mapping[str, int], golden: Sequence[str]
) -> Sample:
    """Return `wanted` items that the version knows (all for None), and at most as many golden ones.

    An item is drawn with a chance that grows with its behaviours, by the seed (Efraimidis and Spirakis 2006): a larger
    sample holds the smaller one, so that its answers are there already. `golden` are ids that the version knows.
    """
    known = known_ids(session, version)
    drawn = known if wanted is None else _drawn(known, behaviors, seed)[:wanted]
    chosen = set(drawn)
    among = [item_id for item_id in golden if item_id in chosen]
    beside = [item_id for item_id in _drawn(golden, {}, seed) if item_id not in chosen]
    room = len(golden) if wanted is None else max(0, wanted - len(among))
    added = beside[:room]
    return Sample(
        judged=tuple(sorted(drawn)),
        golden=tuple(sorted({*among, *added})),
        used=SampleUsed(items=len(drawn) + len(added), of=len(known), seed=seed, golden=len(added)),
    )


def golden_of(gold: GoldSet, sample: Sample) -> GoldSet:
    """Return the golden items that are made anew; raises `GoldError` where none is."""
    return narrowed(gold, frozenset(sample.golden), "for they are not in the sample")


def _drawn(ids: Sequence[str], weights: Mapping[str, int], seed: int) -> list[str]:
    """Return ids in the order of a lottery in which each has one lot and one more for each behaviour."""
    ordered = sorted(ids)
    lots = np.array([1 + weights.get(item_id, 0) for item_id in ordered], dtype=float)
    luck = np.random.default_rng(seed).random(len(ordered)) ** (1 / lots)
    return [ordered[place] for place in np.argsort(-luck, kind="stable")]
