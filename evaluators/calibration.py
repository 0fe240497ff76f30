"""How far confidences can be believed: reliability, calibration error, Brier score, thresholds."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import fsum

from evaluators.item_scores import Judged
from evaluators.rates import ratio
from memory.record import Record

BINS = 10


class ReliabilityBin(Record):
    """Claims of about the same confidence."""

    claims: int
    lowest: float
    highest: float
    confidence: float  # their mean
    accuracy: float  # the share of them that is right


class Calibration(Record):
    """How confidences agree with what is right."""

    claims: int
    ece: float  # expected calibration error: |confidence - accuracy| over the bins, weighted by their claims
    brier: float  # mean squared distance of a claim's confidence from 1 if it is right, from 0 if not
    bins: tuple[ReliabilityBin, ...]


class Threshold(Record):
    """The lowest confidence from which on claims are as precise as was asked for, on these very claims."""

    target: float
    confidence: float
    precision: float
    kept: float  # share of the claims that stay


def calibration(judged: Iterable[Judged], bins: int = BINS) -> Calibration:
    """Return how confidences agree with what is right; zeros where nothing was judged.

    The bins hold about equally many claims (Nixon et al. 2019); equal confidences are never parted, so that the order
    of the claims is of no account.
    """
    claims = sorted(judged, key=lambda claim: claim.confidence)
    made = tuple(_bin(part) for part in _parts(claims, bins))
    gap = fsum(part.claims * abs(part.confidence - part.accuracy) for part in made)
    squares = fsum((claim.confidence - claim.right) ** 2 for claim in claims)
    return Calibration(claims=len(claims), ece=ratio(gap, len(claims)), brier=ratio(squares, len(claims)), bins=made)


def threshold_for(judged: Iterable[Judged], target: float) -> Threshold | None:
    """Return the threshold that keeps the most claims at a precision of `target` or more; None where none does."""
    claims = sorted(judged, key=lambda claim: -claim.confidence)
    best: Threshold | None = None
    kept = right = 0
    for confidence, level in groupby(claims, key=lambda claim: claim.confidence):
        for claim in level:
            kept, right = kept + 1, right + claim.right
        if right / kept >= target:
            best = Threshold(target=target, confidence=confidence, precision=right / kept, kept=kept / len(claims))
    return best


def _parts(claims: Sequence[Judged], bins: int) -> Iterator[list[Judged]]:
    """Yield the sorted claims in parts of about equal size; what has the same confidence stays together."""
    part: list[Judged] = []
    done = 0
    for _, level in groupby(claims, key=lambda claim: claim.confidence):
        part += level
        ended = done + len(part)
        if ended * bins >= len(claims) * (done * bins // len(claims) + 1):
            yield part
            done, part = ended, []
    if part:
        yield part


def _bin(claims: Sequence[Judged]) -> ReliabilityBin:
    return ReliabilityBin(
        claims=len(claims),
        lowest=claims[0].confidence,
        highest=claims[-1].confidence,
        confidence=fsum(claim.confidence for claim in claims) / len(claims),
        accuracy=sum(claim.right for claim in claims) / len(claims),
    )
