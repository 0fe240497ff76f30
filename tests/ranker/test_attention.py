"""Attention: the factorised layer is DIN's, paddings have no say, and what is counted is counted rightly."""

import math

import pytest
import torch

from ranker.adaptor import KnowledgeAdaptor
from ranker.attention import (
    SemanticAttention,
    TargetAttention,
    masked_softmax,
    nearest,
    picked,
    pooled,
    similarity_tiers,
)


def test_the_factorised_first_layer_is_that_of_din() -> None:
    torch.manual_seed(0)
    attention = TargetAttention(width=5, hidden=7)
    past, offered = torch.randn(2, 4, 5), torch.randn(2, 3, 5)
    h, t = past[:, None].expand(2, 3, 4, 5), offered[:, :, None].expand(2, 3, 4, 5)

    naive = attention.last(torch.relu(attention.first(torch.cat([h, t, h * t, h - t], dim=-1)))).squeeze(-1)

    assert torch.allclose(attention(past, attention.behaviours(past), offered), naive, atol=1e-5)


@pytest.mark.parametrize(("candidates", "length"), [(3, 4), (10, 400), (1, 40), (1, 4)])
def test_while_training_logits_have_the_values_and_gradients_of_the_plain_layers(candidates: int, length: int) -> None:
    torch.manual_seed(0)
    attention = TargetAttention(width=5, hidden=7).double().train()
    past = torch.randn(70, length, 5, dtype=torch.double, requires_grad=True)
    offered = torch.randn(70, candidates, 5, dtype=torch.double, requires_grad=True)
    learned = [past, offered, *attention.parameters()]
    upstream = torch.randn(70, candidates, length, dtype=torch.double)

    blocks, plain = attention.over(past, offered), attention(past, attention.behaviours(past), offered)

    assert torch.allclose(blocks, plain)
    of_blocks, of_plain = (torch.autograd.grad(found, learned, upstream) for found in (blocks, plain))
    assert all(torch.allclose(own, other) for own, other in zip(of_blocks, of_plain, strict=True))


def test_retrieved_behaviours_are_attended_to_as_if_they_were_the_history() -> None:
    torch.manual_seed(0)
    attention = TargetAttention(width=5, hidden=7)
    past, offered = torch.randn(1, 6, 5), torch.randn(1, 2, 5)
    shared, real = attention.behaviours(past), torch.ones(1, 6, dtype=torch.bool)
    chosen = torch.tensor([[[0, 2], [5, 1]]])

    found = pooled(
        attention(picked(past, chosen), picked(shared, chosen), offered),
        picked(past, chosen),
        picked(real.unsqueeze(2), chosen).squeeze(3),
    )

    for place, rows in enumerate(chosen[0]):
        few, one = past[:, rows], offered[:, [place]]
        alone = pooled(attention(few, attention.behaviours(few), one), few, real[:, rows])
        assert torch.allclose(found[:, [place]], alone, atol=1e-6)


def test_a_softmax_leaves_paddings_out_and_is_nothing_without_behaviours() -> None:
    logits = torch.tensor([[[0.0, math.log(3), 100.0]], [[1.0, 2.0, 3.0]]])
    real = torch.tensor([[[True, True, False]], [[False, False, False]]])

    assert torch.allclose(masked_softmax(logits, real), torch.tensor([[[0.25, 0.75, 0.0]], [[0.0, 0.0, 0.0]]]))


def test_a_padding_never_goes_before_a_real_behaviour_that_is_unlike() -> None:
    cosines = torch.tensor([[[-0.9, 0.0, -0.2, 0.0]]])
    real = torch.tensor([[True, False, True, False]])

    assert sorted(nearest(cosines, real, 2)[0, 0].tolist()) == [0, 2]


def test_the_nearest_are_as_many_as_asked_for_where_several_are_equally_near() -> None:
    cosines = torch.tensor([[[0.5, 0.1, 0.5, 0.9, 0.5, 0.5]]])

    found = nearest(cosines, torch.ones(1, 6, dtype=torch.bool), 3)[0, 0].tolist()

    assert len(set(found)) == 3
    assert 3 in found
    assert 1 not in found


def test_tiers_count_the_real_behaviours_in_each_bin_of_cosine() -> None:
    cosines = torch.tensor([[[-0.5, 0.05, 0.07, 1.0, 1.0]]])
    real = torch.tensor([[True, True, True, True, False]])

    tiers = similarity_tiers(cosines, real)[0, 0]

    assert torch.allclose(torch.expm1(tiers), torch.tensor([1.0, 0, 2, 0, 0, 0, 0, 0, 0, 1]), atol=1e-5)


def test_semantic_attention_mixes_logit_cosine_and_their_product() -> None:
    attention = SemanticAttention()
    with torch.no_grad():
        attention.mixture.copy_(torch.tensor([2.0, 3.0, 5.0]))

    assert attention(torch.tensor([[[7.0]]]), torch.tensor([[[0.5]]])).item() == 2 * 7 + 3 * 0.5 + 5 * 7 * 0.5


def test_an_adaptor_weighs_its_experts_and_says_nothing_of_an_unknown_item() -> None:
    adaptor = KnowledgeAdaptor(dimensions=2, width=1, experts=2)
    with torch.no_grad():
        adaptor.experts.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        adaptor.experts.bias.zero_()
        adaptor.narrow.weight.fill_(1.0)
        adaptor.narrow.bias.fill_(0.5)
        adaptor.gate.weight.zero_()
        adaptor.gate.bias.copy_(torch.tensor([math.log(3), 0.0]))

    known, unknown = adaptor(torch.tensor([[2.0, 4.0], [0.0, 0.0]]))

    assert math.isclose(known.item(), 0.75 * 2.5 + 0.25 * 4.5, rel_tol=1e-6)
    assert unknown.item() == 0
