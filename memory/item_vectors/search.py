"""The search for the nearest of many vectors: exact below 100,000 of them, by a graph above; needs faiss."""

import faiss
import numpy as np
from numpy.typing import NDArray

EXACT_BELOW = 100_000
# Of the graph (HNSW, Malkov and Yashunin 2018): links a vector, and how many candidates building and searching look at.
LINKS, BUILDING, SEARCHING = 32, 120, 128

Vectors = NDArray[np.float32]


class NearestItems:
    """The rows of a matrix of unit vectors, searchable by cosine."""

    def __init__(self, vectors: Vectors, *, exact_below: int = EXACT_BELOW, threads: int = 1) -> None:
        faiss.omp_set_num_threads(threads)  # of the whole process; one thread answers a single question as fast as two
        self._threads = threads
        dimensions = vectors.shape[1]
        self.exact = len(vectors) < exact_below
        self._index = faiss.IndexFlatIP(dimensions) if self.exact else _graph(dimensions)
        self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    def search(self, vectors: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
        """Return the rows of the `k` nearest and their cosines, nearest first: two arrays of shape (vectors, k).

        Where there are fewer than `k` vectors, or the graph finds fewer, the row is -1 and the cosine -inf.
        """
        faiss.omp_set_num_threads(self._threads)
        cosines, rows = self._index.search(np.ascontiguousarray(vectors, dtype=np.float32), k)
        return rows, np.where(rows >= 0, cosines, -np.inf).astype(np.float32)


def _graph(dimensions: int) -> faiss.IndexHNSWFlat:
    index = faiss.IndexHNSWFlat(dimensions, LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction, index.hnsw.efSearch = BUILDING, SEARCHING
    return index
