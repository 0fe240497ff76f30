"""What a ranker reads of the knowledge base: behaviours, what is known of the items, their vectors; and parts of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from memory.behaviors.generated import GeneratedBehaviors
from memory.behaviors.sequences import Sequences
from memory.behaviors.splits import per_event
from memory.errors import ReaseqError
from memory.item_vectors.knowledge_table import KnowledgeTable

Matrix = NDArray[np.float32]

TITLE = "title"  # the set of vectors that are made of titles alone


class NothingToLearn(ReaseqError):
    """There are no behaviours, or too few of each user."""


class Arm(StrEnum):
    """How much of what is known a ranker may use: each arm has what the one before has."""

    LOG = "log"
    TITLE = "title"
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True, eq=False)
class Questions:
    """Moments at which an item is to be foretold: what the user did strictly before, and the item."""

    histories: tuple[NDArray[np.int32], ...]  # item rows, oldest first
    true: NDArray[np.int64]  # item rows
    user: NDArray[np.int64]  # user rows


@dataclass(frozen=True, eq=False)
class Imagined:
    """What a model imagined of each user: row u is the user row `behaviors.users[u]`, the surest first."""

    items: NDArray[np.int32]  # [users, G] item rows, -1 where there is none
    confidence: NDArray[np.float32]  # [users, G] in (0, 1]; 0 where there is none
    as_of: NDArray[np.int64]  # [users]: only what happened strictly before was known

    @classmethod
    def told(cls, items: NDArray[np.int32], confidence: NDArray[np.float32]) -> Self:
        """Return what was imagined from behaviours of which the caller knows that they were before every label."""
        return cls(items, confidence, np.full(len(items), np.iinfo(np.int64).min))

    @classmethod
    def of(cls, generated: GeneratedBehaviors, as_of: Mapping[str, int], behaviors: Sequences) -> Self | None:
        """Return what is stored, in the rows of `behaviors`; None where it is of no user and item there.

        `as_of` has the moment of every user of `generated`.
        """
        rows = {item_id: row for row, item_id in enumerate(behaviors.items)}
        user = np.array([behaviors.user_rows.get(own, -1) for own in generated.user], dtype=np.int64)
        item = np.array([rows.get(own, -1) for own in generated.item], dtype=np.int32)
        known = np.flatnonzero((user >= 0) & (item >= 0))
        if not len(known):
            return None
        known = known[np.lexsort((-generated.confidence[known], user[known]))]  # by user, the surest first
        user = user[known]
        place = np.arange(len(known)) - np.searchsorted(user, user)
        shape = (len(behaviors.users), int(place.max()) + 1)
        items, confidence = np.full(shape, -1, dtype=np.int32), np.zeros(shape, dtype=np.float32)
        items[user, place], confidence[user, place] = item[known], generated.confidence[known]
        moments = [as_of.get(own, np.iinfo(np.int64).max) for own in behaviors.users]
        return cls(items, confidence, np.array(moments, dtype=np.int64))

    def of_user(self, row: int | None) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return a user's items and confidence; none for a user that nobody knows."""
        if row is None:
            return self.items[:0, 0], self.confidence[:0, 0]
        kept = self.items[row] >= 0
        return self.items[row][kept], self.confidence[row][kept]

    def before(self, user: NDArray[np.int64], time: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return items and confidence [examples, G] for labels of users at times; none that knew of the label."""
        early = (self.as_of[user] <= time)[:, None]
        return np.where(early, self.items[user], -1).astype(np.int32), np.where(early, self.confidence[user], 0)


@dataclass(frozen=True, eq=False)
class Material:
    """Behaviours over a catalog; row i of `known` and of each matrix of `vectors` is the item `behaviors.items[i]`."""

    behaviors: Sequences
    known: KnowledgeTable
    vectors: Mapping[str, Matrix]  # by the name of the set; a row of zeros where an item has none
    arm: Arm = Arm.KNOWLEDGE
    imagined: Imagined | None = None

    @property
    def titles(self) -> tuple[str, ...]:
        """The items' titles; all empty where the log alone may be used."""
        return ("",) * len(self.known.titles) if self.arm is Arm.LOG else self.known.titles

    @property
    def knowledge(self) -> KnowledgeTable | None:
        """What is known beside the titles, where it may be used."""
        return self.known if self.arm is Arm.KNOWLEDGE else None

    def of_arm(self, arm: Arm) -> Self:
        """Return as much as an arm may use."""
        allowed = {Arm.LOG: set(), Arm.TITLE: {TITLE}, Arm.KNOWLEDGE: set(self.vectors)}[arm]
        return replace(self, arm=arm, vectors={name: own for name, own in self.vectors.items() if name in allowed})

    def without(self, attribute: str) -> Self:
        """Return the material as if nothing of one attribute were known; vectors made of titles stay alone."""
        vectors = {name: own for name, own in self.vectors.items() if name == TITLE}
        return replace(self, known=self.known.without(attribute), vectors=vectors)

    def imagining(self, imagined: Imagined | None) -> Self:
        """Return the material with other imagined behaviours, or with none."""
        return replace(self, imagined=imagined)

    def learning_from(self, behaviors: Sequences) -> Self:
        """Return the material with other behaviours of the same users over the same items."""
        return replace(self, behaviors=behaviors)

    def last_questions(self) -> Questions:
        """Return each user's last behaviour, as long as something happened strictly before it."""
        every = per_event(self.behaviors)
        is_last = every.position == self.behaviors.offsets[every.user + 1] - 1
        chosen = is_last & (every.history_lengths > 0)
        item = self.behaviors.item
        spans = zip(every.start[chosen].tolist(), every.end[chosen].tolist(), strict=True)
        return Questions(
            histories=tuple(item[start:end] for start, end in spans),
            true=item[every.position[chosen]].astype(np.int64),
            user=every.user[chosen],
        )


def rows_of(behaviors: Sequences, ids: Sequence[str]) -> NDArray[np.int32]:
    """Return the item rows of some ids; raises KeyError for one that is in neither catalog nor log."""
    rows = {item_id: row for row, item_id in enumerate(behaviors.items)}
    return np.array([rows[item_id] for item_id in ids], dtype=np.int32)
