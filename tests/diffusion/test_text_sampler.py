"""The sampler of texts, with models whose every answer is known."""

import torch
from torch import Tensor

from diffusion.text_sampler import Filling, Hidden, filled

MASK = 9
CHANCE = torch.Generator


def hidden(tokens: list[list[int]]) -> Hidden:
    own = torch.tensor(tokens)
    return Hidden(own, own == MASK, torch.ones_like(own))


def test_the_surest_tokens_are_filled_first_and_read_by_the_others() -> None:
    """The model is sure of the second hidden token; of the first it says what stands behind it, where it knows that."""
    seen: list[list[list[int]]] = []

    def predict(tokens: Tensor, there: Tensor) -> Tensor:
        seen.append(tokens.tolist())
        logits = torch.zeros(1, 3, 10)
        logits[0, 2, 5] = 8.0
        logits[0, 1, 7 if tokens[0, 2] == 5 else 3] = 4.0
        return logits

    done = filled(predict, hidden([[1, MASK, MASK]]), Filling(steps=2, temperature=0), CHANCE())

    assert seen == [[[1, MASK, MASK]], [[1, MASK, 5]]]
    assert done.tolist() == [[1, 7, 5]]


def test_nothing_stays_hidden_and_nothing_else_changes() -> None:
    texts = hidden([[MASK, 2, MASK, MASK, MASK, MASK], [1, 2, 3, MASK, 4, 5]])

    for steps in (1, 2, 3, 7, 20):
        done = filled(
            lambda tokens, there: torch.randn(*tokens.shape, 10), texts, Filling(steps, barred=(MASK,)), CHANCE()
        )

        assert (done != MASK).all()
        assert torch.equal(done[~texts.hidden], texts.tokens[~texts.hidden])


def test_words_are_drawn_as_often_as_the_model_says() -> None:
    wanted = torch.tensor([0.5, 0.3, 0.2] + [0.0] * 7)
    texts = hidden([[MASK]] * 20_000)

    done = filled(
        lambda tokens, there: wanted.log().expand(len(tokens), 1, 10).clone(), texts, Filling(1, 1.0), CHANCE()
    )

    share = torch.bincount(done[:, 0], minlength=10) / len(done)
    assert torch.allclose(share, wanted, atol=0.015)
