"""How well scores tell what is clicked from what is not: AUC, GAUC, logloss, calibration, reliability."""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from memory.record import Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 10
_LEAST = 1e-7  # a probability of 0 or 1 that is wrong costs -ln of this, not infinity


class ReliabilityBin(Record):
    """Impressions of about the same predicted probability."""

    impressions: int
    lowest: float
    highest: float
    predicted: float  # their mean probability
    observed: float  # the share of them that was clicked


class UserAucs(NamedTuple):
    """The AUC of each user who has both clicks and non-clicks, in the order of their numbers."""

    users: Ints
    aucs: Floats
    impressions: Ints


def auc(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Return the share of (clicked, not clicked) pairs in the right order, ties a half; None without both classes.

    By rank sums (Mann & Whitney 1947), O(n log n).
    """
    found = user_aucs(np.zeros(np.shape(labels), dtype=np.int64), labels, scores).aucs
    return float(found[0]) if found.size else None


def user_aucs(users: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> UserAucs:
    """Return the AUC within each user who has both classes; all users in one sort.

    Raises ValueError for a NaN among the scores, and for a label beside 0 and 1.
    """
    clicked, score = _checked(labels, scores)
    names, user = np.unique(np.asarray(users, dtype=np.int64), return_inverse=True)
    order = np.lexsort((score, user))
    by_user, by_score = user[order], score[order]
    impressions = np.bincount(by_user, minlength=names.size)
    first = np.cumsum(impressions) - impressions  # where each user's impressions begin in the sorted order
    rank = _mean_ranks(by_user, by_score) - first[by_user]
    clicks = np.bincount(user, clicked, minlength=names.size)
    rank_sums = np.bincount(by_user, rank * clicked[order], minlength=names.size)
    pairs = clicks * (impressions - clicks)
    both = pairs > 0
    aucs = (rank_sums - clicks * (clicks + 1) / 2)[both] / pairs[both]
    return UserAucs(names[both], aucs, impressions[both])


def gauc(users: ArrayLike, labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Return the mean AUC of the users who have both classes, weighted by their impressions; None without any."""
    found = user_aucs(users, labels, scores)
    return float(np.average(found.aucs, weights=found.impressions)) if found.aucs.size else None


def log_losses(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Return the negative log likelihood of each impression's label, in nats."""
    clicked, probability = _checked_probabilities(labels, probabilities)
    of_label = np.where(clicked == 1, probability, 1 - probability)
    return -np.log(np.maximum(of_label, _LEAST))


def calibration_ratio(labels: ArrayLike, probabilities: ArrayLike) -> float | None:
    """Return predicted over observed clicks: above 1 the model promises too much; None where nothing was clicked."""
    clicked, probability = _checked_probabilities(labels, probabilities)
    return float(probability.sum() / clicked.sum()) if clicked.any() else None


def reliability(labels: ArrayLike, probabilities: ArrayLike, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Return bins of about equally many impressions, by predicted probability; equal probabilities stay together."""
    clicked, probability = _checked_probabilities(labels, probabilities)
    order = np.argsort(probability, kind="stable")
    clicked, probability = clicked[order], probability[order]
    planned = np.arange(1, bins) * probability.size // bins
    # A cut inside a run of equal probabilities moves to the run's beginning.
    cuts = np.searchsorted(probability, probability[planned]) if probability.size else planned
    edges = np.unique(np.concatenate([[0], cuts, [probability.size]]))
    return tuple(
        ReliabilityBin(
            impressions=int(end - start),
            lowest=float(probability[start]),
            highest=float(probability[end - 1]),
            predicted=float(probability[start:end].mean()),
            observed=float(clicked[start:end].mean()),
        )
        for start, end in itertools.pairwise(edges)
    )


def placements(labels: ArrayLike, scores: ArrayLike) -> Floats:
    """Return of each impression the share of the other class that it is in the right order with; their mean is AUC.

    What an impression adds to the AUC (DeLong, DeLong & Clarke-Pearson 1988). Raises ValueError without both classes.
    """
    clicked, score = _checked(labels, scores)
    if clicked.all() or not clicked.any():
        raise ValueError("an AUC needs clicks and non-clicks")
    others = [np.sort(score[clicked == 1]), np.sort(score[clicked == 0])]
    placed = np.empty(score.size)
    for label, other in enumerate(others):
        own = score[clicked == label]
        below = (np.searchsorted(other, own, "left") + np.searchsorted(other, own, "right")) / (2 * other.size)
        placed[clicked == label] = below if label else 1 - below
    return placed


def _mean_ranks(users: Ints, scores: Floats) -> Floats:
    """Return 1-based ranks over all, of sorted impressions; those of one user with one score share their mean rank."""
    if not scores.size:
        return np.zeros(0)
    new = np.concatenate([[True], (scores[1:] != scores[:-1]) | (users[1:] != users[:-1])])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], scores.size)
    means: Floats = ((starts + 1 + ends) / 2)[np.cumsum(new) - 1]
    return means


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    clicked, score = np.asarray(labels, dtype=float), np.asarray(scores, dtype=float)
    if clicked.shape != score.shape or clicked.ndim != 1:
        raise ValueError(f"labels {clicked.shape} and scores {score.shape} are to be of the same impressions")
    if np.isnan(score).any():
        raise ValueError("a score is NaN")
    if not np.isin(clicked, (0, 1)).all():
        raise ValueError("labels are 0 and 1")
    return clicked, score


def _checked_probabilities(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Floats, Floats]:
    clicked, probability = _checked(labels, probabilities)
    if ((probability < 0) | (probability > 1)).any():
        raise ValueError("probabilities lie between 0 and 1")
    return clicked, probability
