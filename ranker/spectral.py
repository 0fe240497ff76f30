"""Vectors of items from what goes with what: the leading directions of positive log lifts (Levy & Goldberg 2014)."""

import numpy as np
import torch

from ranker.affinity import PRIOR, Affinity, Floats

SEED = 0  # of the random start; the directions hardly depend on it


def spectral_vectors(view: Affinity, dimensions: int = 64) -> Floats:
    """Return unit vectors [codes, dimensions] of a view's codes; zeros where nothing was counted.

    They know the behaviours that the view counted: an example whose label is among these must not read them.
    """
    codes = len(view.marginal)
    if view.counts.ndim == 2:
        row, column = np.nonzero(view.counts)
        together = view.counts[row, column]
    else:
        (row, column), together = np.divmod(view.pairs, codes), view.counts
    expected = view.marginal[row] * view.marginal[column] / max(float(view.marginal.sum()), 1)
    lift = np.maximum(np.log((together + PRIOR) / (expected + PRIOR)), 0).astype(np.float32)
    at = torch.from_numpy(np.stack([row, column]).astype(np.int64))
    table = torch.sparse_coo_tensor(at, torch.from_numpy(lift), (codes, codes), check_invariants=False).coalesce()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(SEED)
        left, strength, _ = torch.svd_lowrank(table, q=min(dimensions, codes), niter=4)
    found = (left * strength.sqrt()).numpy()
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-6, found / np.maximum(length, 1e-9), 0), dtype=np.float32)
