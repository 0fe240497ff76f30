"""Scoring a long history in blocks gives what the published layers give, one candidate at a time."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ranker.adaptor import KnowledgeAdaptor
from ranker.attention import INNER_EDGES
from ranker.click_through import Ranker
from ranker.model import BLOCK, RECENCY, ClickThroughRanker, ClickThroughShape

ITEMS, WIDTH, RETRIEVED = 400, 8, 20


def a_ranker() -> ClickThroughRanker:
    """Return an untrained ranker whose parts all have a say."""
    torch.manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(ITEMS, 6), dim=1)
    shape = ClickThroughShape(
        items=ITEMS, features=0, dimensions=(6,), width=WIDTH, hidden=16, retrieved=RETRIEVED, dropout=0.0
    )
    model = ClickThroughRanker(shape, [vectors]).eval()
    torch.nn.init.normal_(model.ids.weight)
    return model


def known(model: ClickThroughRanker, item: int) -> Tensor:
    """Return an item's id and what its experts say, each narrowed, then mixed."""
    adaptor = model.adaptors[0]
    assert isinstance(adaptor, KnowledgeAdaptor)
    vector = model.get_buffer("vectors_0")[item]
    shares = torch.softmax(adaptor.gate(vector), dim=0)
    experts = torch.relu(adaptor.experts(vector)).view(len(shares), WIDTH)
    told = [share * adaptor.narrow(expert) for share, expert in zip(shares, experts, strict=True)]
    return model.ids.weight[item] + torch.stack(told).sum(dim=0)


def plain_logit(model: ClickThroughRanker, newest: list[int], candidate: int) -> Tensor:
    """Return the logit of one candidate, by the formulas of the papers."""
    vectors, t = model.get_buffer("vectors_0"), known(model, candidate)
    cosines = vectors[newest] @ vectors[candidate]
    edges = [-2.0, *INNER_EDGES, 2.0]
    tiers = [((cosines >= low) & (cosines < high)).sum() for low, high in pairwise(edges)]
    recency = RECENCY ** torch.arange(len(newest))
    summaries = torch.stack([(cosines * recency).sum() / recency.sum(), cosines.mean(), cosines.max()])
    near = cosines.argsort(descending=True)[:RETRIEVED].tolist()
    past = torch.stack([known(model, newest[place]) for place in near])
    pairs = torch.cat([past, t.expand_as(past), past * t, past - t], dim=1)
    logits = model.attention.last(torch.relu(model.attention.first(pairs))).squeeze(1)
    a, b, c = model.semantic.mixture
    mixed = a * logits + b * cosines[near] + c * logits * cosines[near]
    interests = [torch.softmax(weights, dim=0) @ past for weights in (logits, mixed)]
    counted = torch.log1p(torch.stack(tiers).float())
    seen = torch.cat([t, *interests, counted, torch.zeros_like(counted), summaries])
    logit: Tensor = (model.linear(seen) + model.top(seen)).squeeze()
    return logit


@torch.no_grad()
def test_a_long_history_is_scored_as_by_the_plain_formulas() -> None:
    model = a_ranker()
    chance = np.random.default_rng(0)
    history = chance.permutation(ITEMS)[:150].astype(np.int32)
    candidates = chance.integers(ITEMS, size=2 * BLOCK + 3).astype(np.int32)

    scores = Ranker(model, []).score(history, candidates)

    plain = [torch.sigmoid(plain_logit(model, history[::-1].tolist(), int(item))).item() for item in candidates]
    assert np.ptp(scores) > 0.05
    assert np.allclose(scores, plain, atol=1e-5)


@torch.no_grad()
def test_a_history_with_repeats_is_scored_alike_in_any_block() -> None:
    model = a_ranker()
    chance = np.random.default_rng(1)
    history = chance.integers(30, size=200).astype(np.int32)
    candidates = chance.integers(ITEMS, size=2 * BLOCK + 3).astype(np.int32)

    together = Ranker(model, []).score(history, candidates)

    alone = [Ranker(model, []).score(history, candidates[[place]])[0] for place in range(len(candidates))]
    assert np.allclose(together, alone, atol=1e-5)
