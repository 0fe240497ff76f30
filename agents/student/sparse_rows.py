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

_PIECE = 24  # ones; a row with more is summed in pieces


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
        """Return this matrix times a dense one of shape (columns, n).

        The first ones of all rows are added, then the second ones, and so on: twelve times as fast as `reduceat`.
        """
        if self._pieces:
            pieces, rows = self._pieces
            return rows.times(pieces.times(dense))
        out = np.zeros((len(self.starts) - 1, dense.shape[1]), dtype=dense.dtype)
        order, rounds = self._rounds
        if rounds:
            sums = dense.take(rounds[0], axis=0)
            for columns in rounds[1:]:
                sums[: len(columns)] += dense.take(columns, axis=0)
            out[order] = sums
        return out

    @cached_property
    def transposed(self) -> "SparseRows":
        """The matrix with rows and columns exchanged."""
        rows = np.repeat(np.arange(len(self.starts) - 1), self._lengths)
        order = np.argsort(self.ones, kind="stable")
        counts = np.bincount(self.ones, minlength=self.columns)
        return SparseRows(rows[order], np.concatenate([[0], np.cumsum(counts)]), len(self.starts) - 1)

    def on_columns(self, kept: Indices) -> "SparseRows":
        """Return the matrix with these columns alone; all ones must lie in them. `kept` ascends."""
        return SparseRows(np.searchsorted(kept, self.ones), self.starts, len(kept))

    @property
    def _lengths(self) -> Indices:
        return np.diff(self.starts)

    @cached_property
    def _rounds(self) -> tuple[Indices, list[Indices]]:
        """The rows that have ones, longest first, and the columns of their first ones, second ones and so on."""
        lengths = self._lengths
        order = np.argsort(-lengths, kind="stable")[: int((lengths > 0).sum())]
        starts, lengths = self.starts[:-1][order], lengths[order]
        longest = int(lengths[0]) if len(order) else 0
        return order, [self.ones[starts[: int((lengths > n).sum())] + n] for n in range(longest)]

    @cached_property
    def _pieces(self) -> "tuple[SparseRows, SparseRows] | None":
        """Where a row is long: the rows' pieces as rows, and a matrix that adds them up; their product is this one."""
        lengths = self._lengths
        if not len(lengths) or lengths.max() <= _PIECE:
            return None
        pieces = -(-lengths // _PIECE)
        ends = np.cumsum(pieces)
        row = np.repeat(np.arange(len(lengths)), pieces)
        starts = self.starts[row] + _PIECE * (np.arange(len(row)) - (ends - pieces)[row])
        whole = SparseRows(self.ones, np.concatenate([starts, self.starts[-1:]]), self.columns)
        return whole, SparseRows(np.arange(len(row)), np.concatenate([[0], ends]), len(row))
