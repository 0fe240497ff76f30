"""Vectors as features of similarity: centred and PCA-whitened, so that each direction of meaning counts alike."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Whitening:
    """A linear map fitted on the vectors of training items; mean of shape (from,), projection of shape (from, to)."""

    mean: Matrix
    projection: Matrix

    @classmethod
    def fit(cls, vectors: Matrix, dimensions: int = 128) -> Self:
        """Fit on vectors of shape (items, from); directions without variance are left out."""
        mean = vectors.mean(axis=0)
        centred = (vectors - mean).astype(np.float64)
        # By torch, whose threads are counted: those of NumPy's BLAS spin for seconds on a busy machine.
        covariance = torch.from_numpy(centred.T @ centred / max(1, len(vectors)))
        variances, directions = (part.numpy() for part in torch.linalg.eigh(covariance))
        order = np.argsort(-variances, kind="stable")[:dimensions]
        order = order[variances[order] > 1e-8 * max(variances.max(), 1e-12)]
        return cls(mean, (directions[:, order] / np.sqrt(variances[order])).astype(np.float32))

    def apply(self, vectors: Matrix) -> Matrix:
        """Return unit vectors of shape (items, to); a vector of zeros (nothing is known) stays zeros."""
        known = np.any(vectors != 0, axis=1, keepdims=True)
        mapped = np.where(known, (vectors - self.mean) @ self.projection, 0).astype(np.float32)
        return np.asarray(mapped / np.maximum(np.linalg.norm(mapped, axis=1, keepdims=True), 1e-12), dtype=np.float32)
