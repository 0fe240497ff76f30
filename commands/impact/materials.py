"""What the rankings of a report are trained on: one log, and the knowledge of two versions over the same items."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from commands.model_material import KNOWLEDGE, read_log
from commands.vectors import Telling
from learning.material import TITLE, Material
from memory.behaviors.sequences import Sequences
from memory.behaviors.store import behaviors_of
from memory.database import Database
from memory.encoder import MiniLmEncoder
from memory.item_vectors.building import vectors_of_items
from memory.item_vectors.knowledge_table import KnowledgeTable, numeric_attributes
from memory.item_vectors.known_items import known_items
from memory.item_vectors.parts import Part

PARTS = {TITLE: (Part.TITLE,), KNOWLEDGE: (Part.ATTRIBUTES, Part.DEMANDS, Part.SUMMARY)}


@dataclass(frozen=True)
class Known:
    """What one version knows of the judged items: the table, and the vectors of each set, row by row."""

    table: KnowledgeTable
    vectors: Mapping[str, NDArray[np.float32]]  # by name of the set; zeros where an item has none


def read_behaviors(database: Database, data: Path | None, columns: dict[str, str] | None) -> Sequences | None:
    """Return the behaviours of a file, else the stored ones; None where nothing is stored."""
    if data is not None:
        return Sequences.of(read_log(data, columns).frame)
    with database.session() as session:
        found = Sequences.of(behaviors_of(session))
    return found if len(found.item) else None


def known_of(database: Database, version: int, ids: Collection[str]) -> Known:
    """Return what a version knows of some items, in order of id; new texts are encoded."""
    wanted = frozenset(ids)
    with database.session() as session:
        items = [item for item in known_items(session, version) if item.id in wanted]
        table = KnowledgeTable.of_items(items, numeric_attributes(session), version)
    encoder, vectors = MiniLmEncoder(), {}
    for name, parts in PARTS.items():
        found = vectors_of_items(database, encoder, items, parts, Telling())
        matrix = np.zeros((len(items), encoder.dimensions), dtype=np.float32)
        for row, item in enumerate(items):
            if item.id in found:
                matrix[row] = found[item.id]
        vectors[name] = matrix
    return Known(table, vectors)


def material_of(known: Known, behaviors: Sequences) -> Material:
    """Return what a ranker may learn from; the items of the behaviours are those that are known, in the same order."""
    vectors = {name: matrix for name, matrix in known.vectors.items() if matrix.any()}
    return Material(behaviors, known.table, vectors)
