"""What a ranker reads of the knowledge base: behaviours, what is known of the items, their vectors; and parts of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from memory.behaviors.sequences import Sequences
from memory.behaviors.splits import Events, per_event
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
class Material:
    """Behaviours over a catalog; row i of `known` and of each matrix of `vectors` is the item `behaviors.items[i]`."""

    behaviors: Sequences
    known: KnowledgeTable
    vectors: Mapping[str, Matrix]  # by the name of the set; a row of zeros where an item has none
    arm: Arm = Arm.KNOWLEDGE

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

    def learning_from(self, behaviors: Sequences) -> Self:
        """Return the material with other behaviours over the same items."""
        return replace(self, behaviors=behaviors)

    def last_questions(self) -> Questions:
        """Return each user's last behaviour, as long as something happened strictly before it."""
        every = per_event(self.behaviors)
        is_last = every.position == self.behaviors.offsets[every.user + 1] - 1
        return self._questions(every, is_last)

    def questions_from(self, time: int) -> Questions:
        """Return every behaviour from a time on, as long as something happened strictly before it."""
        every = per_event(self.behaviors, from_time=time)
        return self._questions(every, np.ones(len(every.position), dtype=np.bool_))

    def _questions(self, every: Events, chosen: NDArray[np.bool_]) -> Questions:
        chosen = chosen & (every.history_lengths > 0)
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
