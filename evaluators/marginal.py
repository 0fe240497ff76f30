"""What an agent is worth: F1 with it and without it, for the tokens that it takes."""

from collections.abc import Sequence

from evaluators.comparison import f1_share
from evaluators.item_scores import ItemScore
from evaluators.rates import ratio
from evaluators.significance import Difference, paired_difference
from memory.record import Record


class Marginal(Record):
    """One agent, or one loop, switched off and on."""

    agent: str
    off: str  # what happens without it
    f1: Difference  # from without to with
    tokens_without: float  # an item
    tokens_with: float
    f1_per_1000_tokens: float | None  # None: it takes no tokens, so there is no such rate


def marginal(
    agent: str, off: str, without: Sequence[ItemScore], with_it: Sequence[ItemScore], *, seed: int
) -> Marginal:
    """Return what an agent adds; both lists are of the same items in the same order."""
    f1 = paired_difference([f1_share(score) for score in without], [f1_share(score) for score in with_it], seed=seed)
    before, after = _tokens_an_item(without), _tokens_an_item(with_it)
    rate = 1000 * f1.difference / (after - before) if after > before else None
    return Marginal(agent=agent, off=off, f1=f1, tokens_without=before, tokens_with=after, f1_per_1000_tokens=rate)


def _tokens_an_item(scores: Sequence[ItemScore]) -> float:
    return ratio(sum(score.tokens for score in scores), len(scores))
