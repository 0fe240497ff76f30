"""Items as digits, and back."""

import numpy as np
import torch

from diffusion.tokens import MASK, NONE, Tokens

CODES = np.array([[0, 1], [0, 2], [1, 1], [0, 1]])


def semantic() -> Tokens:
    return Tokens.of_semantic_ids(CODES, (2, 3), "parallel")


def test_an_item_token_is_the_item_itself() -> None:
    tokens = Tokens.of_items(4)

    digits = tokens.of(torch.tensor([[3, NONE], [MASK, 0]]))

    assert tokens.sizes == (4,)
    assert digits.tolist() == [[[3], [NONE]], [[MASK], [0]]]


def test_padding_and_masks_have_no_digits_of_items() -> None:
    digits = semantic().of(torch.tensor([1, NONE, MASK]))

    assert digits.tolist() == [[0, 2], [NONE, NONE], [MASK, MASK]]


def test_items_that_share_an_id_are_all_found() -> None:
    offsets, items = semantic().items_of(torch.tensor([[0, 1], [1, 2], [1, 1], [0, MASK]]))

    assert offsets.tolist() == [0, 2, 2, 3, 3]
    assert items.tolist() == [0, 3, 2]


def test_digits_may_be_filled_in_any_order() -> None:
    tokens = semantic()
    asked = torch.tensor([[MASK, MASK], [1, MASK]])

    second = tokens.allowed(asked, 1)
    first = tokens.allowed(torch.tensor([[MASK, 2], [MASK, 0]]), 0)

    assert second.tolist() == [[False, True, True], [False, True, False]]
    assert first.tolist() == [[True, False], [False, False]]
