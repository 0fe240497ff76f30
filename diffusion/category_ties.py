"""How near leaf categories are by what is known of their items: rare words, and the demands that they share."""

import re
from collections import Counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.kinship import hollow
from memory.item_vectors.knowledge_table import CATEGORY, DEMAND, KnowledgeTable

_WORD = re.compile(r"\w{4,}")


def category_ties(table: KnowledgeTable, group: NDArray[np.int64]) -> tuple[Tensor, ...]:
    """Return cosines [C, C], 0 on the diagonal: of rare words of what is known, and of the demands that are shared."""
    size = int(group.max(initial=-1)) + 1
    row = np.repeat(np.arange(len(table.ids)), np.diff(table.offsets))
    known = group[row] >= 0
    category, feature = group[row][known], table.feature[known].astype(np.int64)
    shelf = np.maximum(np.bincount(group[group >= 0], minlength=size), 1)
    is_demand = np.array([name == DEMAND for name, _ in table.features], dtype=np.bool_)
    shared = np.zeros((size, len(table.features)), dtype=np.float32)
    np.add.at(shared, (category, feature), 1)
    demands = (shared[:, is_demand] / shelf[:, None]).astype(np.float32)
    return _cosines(_words(table, shared > 0)), _cosines(demands)


def _words(table: KnowledgeTable, has: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the words of each category's features, weighted by how few categories have them."""
    words = [
        set() if name.startswith(CATEGORY) else set(_WORD.findall(value.lower())) for name, value in table.features
    ]
    own = [set().union(*(words[place] for place in np.flatnonzero(row))) for row in has]
    spread = Counter(word for found in own for word in found)
    column = {word: place for place, word in enumerate(sorted(w for w, times in spread.items() if times > 1))}
    counted = np.zeros((len(own), len(column)), dtype=np.float32)
    for row, found in enumerate(own):
        for word in found & column.keys():
            counted[row, column[word]] = np.log(len(own) / spread[word])
    return counted


def _cosines(rows: NDArray[np.float32]) -> Tensor:
    unit = torch.nn.functional.normalize(torch.from_numpy(rows), dim=1)
    return hollow(unit @ unit.T)
