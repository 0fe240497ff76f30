"""Matrices of zeros and ones, as the list of each row's ones: all that the student needs of sparse algebra."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class SparseRows:
    """A matrix of shape (rows, `columns`): row r has ones in columns `ones[starts[r]:starts[r + 1]]`."""

    ones: Indices
    starts: Indices
    columns: int

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]], columns: int) -> Self:
        """Return the matrix whose rows have ones in the given columns; a column named twice counts twice."""
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        ones = np.array(list(chain.from_iterable(rows)), dtype=np.int64)
        return cls(ones, np.concatenate([[0], np.cumsum(lengths)]), columns)

    def times(self, dense: Floats) -> Floats:
        """Return this matrix times a dense one of shape (columns, n)."""
        out = np.zeros((len(self.starts) - 1, dense.shape[1]), dtype=dense.dtype)
        filled = np.flatnonzero(self.starts[1:] > self.starts[:-1])  # reduceat does not know empty rows
        if filled.size:
            out[filled] = np.add.reduceat(dense[self.ones], self.starts[filled], axis=0)
        return out

    @cached_property
    def transposed(self) -> "SparseRows":
        """The matrix with rows and columns exchanged."""
        rows = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        order = np.argsort(self.ones, kind="stable")
        counts = np.bincount(self.ones, minlength=self.columns)
        return SparseRows(rows[order], np.concatenate([[0], np.cumsum(counts)]), len(self.starts) - 1)
