"""The beam, against toys whose every ID can be counted out."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from diffusion.beam import Denoise, Found, NextDigit, beam
from diffusion.denoiser import Context, Places
from diffusion.tokens import MASK, NONE, Tokens

torch.set_num_threads(1)

SIZES = (5, 4, 6)
CODES = np.unique(np.random.default_rng(0).integers((5, 4, 6), size=(40, 3)), axis=0)
TOKENS = Tokens.of_semantic_ids(CODES, SIZES, "parallel")
COUNT = len(CODES)
ROWS, HIDDEN = 3, 1  # sequences of two items; the second one is asked


def of_joint(joint: Tensor) -> Denoise:
    """Return the denoiser that a joint distribution over the items [ROWS, items] has: its true conditionals."""

    def denoise(digits: Tensor, context: Context, places: Places) -> list[Tensor]:
        logits = [torch.full((len(places.row), size), -30.0) for size in SIZES]
        for number, (row, place) in enumerate(zip(*places, strict=True)):
            known, weights = digits[row, place], joint[digits[row, 0, 0]]
            for digit, size in enumerate(SIZES):
                others = [other for other in range(3) if other != digit and known[other] != MASK]
                fits = (TOKENS.digits[:, others] == known[others]).all(dim=1)
                total = torch.zeros(size).index_add(0, TOKENS.digits[fits, digit], weights[fits])
                logits[digit][number] = total.clamp(min=1e-20).log()
        return logits

    return denoise


def table(digits: Tensor, context: Context, places: Places) -> list[Tensor]:
    """Return logits without any order in them, the same for the same known digits: conditionals of no joint."""
    rows = []
    for row, place in zip(*places, strict=True):
        seed = int("".join(str(int(digit) + 2) for digit in digits[row].flatten()[[0, *range(3, 6)]]) + str(int(place)))
        chance = torch.Generator().manual_seed(seed)
        rows.append([torch.randn(size, generator=chance) * 2 for size in SIZES])
    return [torch.stack(own) for own in zip(*rows, strict=True)]


def asked() -> tuple[Tensor, Context, Tensor]:
    digits = torch.full((ROWS, 2, 3), MASK)
    digits[:, 0, :] = torch.arange(ROWS).unsqueeze(1)  # the first item tells the row
    return digits, Context.unknown(ROWS, 2), torch.full((ROWS,), HIDDEN)


def some_joint() -> Tensor:
    return torch.softmax(torch.randn(ROWS, COUNT, generator=torch.Generator().manual_seed(1)) * 2, dim=1)


@pytest.mark.parametrize("order", list(NextDigit))
def test_a_wide_beam_finds_the_joint_distribution_in_any_order(order: NextDigit) -> None:
    joint = some_joint()

    found = beam(of_joint(joint), *asked(), TOKENS, k=COUNT, width=COUNT, next_digit=order)

    expected = joint.sort(dim=1, descending=True)
    assert torch.equal(found.items, expected.indices)
    assert torch.allclose(found.log_p, expected.values.log().double(), atol=1e-4)


@pytest.mark.parametrize("order", list(NextDigit))
def test_a_wide_beam_is_exact_where_digits_disagree_about_the_joint(order: NextDigit) -> None:
    digits, context, place = asked()

    found = beam(table, digits, context, place, TOKENS, k=COUNT, width=COUNT, next_digit=order)

    for row in range(ROWS):
        by_hand = dict(counted_out(digits[row : row + 1], order))
        assert found.log_p[row].exp().sum().item() == pytest.approx(1)
        assert dict(zip(found.items[row].tolist(), found.log_p[row].tolist(), strict=True)) == pytest.approx(by_hand)


def counted_out(sequence: Tensor, order: NextDigit, so_far: float = 0.0) -> Iterator[tuple[int, float]]:
    """Yield every item with its log-probability, by walking through all that may be filled."""
    known = sequence[0, HIDDEN]
    hidden = [digit for digit in range(3) if known[digit] == MASK]
    if not hidden:
        yield int((TOKENS.digits == known).all(dim=1).nonzero()), so_far
        return
    logits = table(sequence, Context.unknown(1, 2), Places(torch.tensor([0]), torch.tensor([HIDDEN])))
    fits = [all(known[d] in (MASK, code[d]) for d in range(3)) for code in TOKENS.digits]
    chances = {}
    for digit in hidden:
        codes = torch.tensor(sorted(set(TOKENS.digits[torch.tensor(fits), digit].tolist())))
        chances[digit] = dict(
            zip(codes.tolist(), logits[digit][0, codes].double().log_softmax(0).tolist(), strict=True)
        )
    digit = hidden[0] if order is NextDigit.FIRST else max(hidden, key=lambda d: max(chances[d].values()))
    for code, chance in chances[digit].items():
        after = sequence.clone()
        after[0, HIDDEN, digit] = code
        yield from counted_out(after, order, so_far + chance)


def found_with(width: int, excluded: Tensor | None = None) -> Found:
    return beam(table, *asked(), TOKENS, k=8, width=width, excluded=excluded)


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_narrow_beam_gives_only_items_there_are_each_once(width: int) -> None:
    found = found_with(width)

    for items, log_p in zip(found.items.tolist(), found.log_p.tolist(), strict=True):
        real = [item for item in items if item != NONE]
        assert 1 <= len(real) == len(set(real)) <= width
        assert all(np.isfinite(log_p[: len(real)]))
        assert log_p == sorted(log_p, reverse=True)
        assert all(np.isneginf(log_p[len(real) :]))


def test_a_narrow_beam_says_of_an_item_what_a_wide_one_says() -> None:
    narrow, wide = found_with(4), beam(table, *asked(), TOKENS, k=COUNT, width=COUNT)

    for row in range(ROWS):
        of_wide = dict(zip(wide.items[row].tolist(), wide.log_p[row].tolist(), strict=True))
        for item, log_p in zip(narrow.items[row].tolist(), narrow.log_p[row].tolist(), strict=True):
            assert item == NONE or log_p == pytest.approx(of_wide[item])


def test_barred_items_are_left_out_and_the_rest_stays() -> None:
    free = beam(table, *asked(), TOKENS, k=8, width=COUNT)
    barred = torch.zeros(ROWS, COUNT, dtype=torch.bool).scatter(1, free.items[:, :3], value=True)

    found = beam(table, *asked(), TOKENS, k=8, width=COUNT, excluded=barred)

    assert torch.equal(found.items[:, :5], free.items[:, 3:])
    assert torch.equal(found.log_p[:, :5], free.log_p[:, 3:])


def test_digits_that_are_known_stay() -> None:
    digits, context, place = asked()
    digits[0, HIDDEN], digits[1, HIDDEN, 1] = TOKENS.digits[7], 2

    found = beam(table, digits, context, place, TOKENS, k=COUNT, width=COUNT)

    assert found.items[0].tolist() == [7] + [NONE] * (COUNT - 1)
    assert found.log_p[0, 0] == 0
    second = found.items[1][found.items[1] != NONE]
    assert sorted(second.tolist()) == (TOKENS.digits[:, 1] == 2).nonzero()[:, 0].tolist()


def test_items_that_share_an_id_share_its_chance() -> None:
    twice = Tokens.of_semantic_ids(np.concatenate([CODES, CODES[:1]]), SIZES, "parallel")

    found = beam(table, *asked(), twice, k=COUNT + 1, width=COUNT)

    first, last = ((found.items == item).nonzero() for item in (0, COUNT))
    assert torch.equal(found.log_p[tuple(first.T)], found.log_p[tuple(last.T)])
    assert found.log_p.exp().sum(dim=1).tolist() == pytest.approx([1] * ROWS)


def test_of_item_tokens_it_is_plain_top_k() -> None:
    logits = torch.randn(2, 30, generator=torch.Generator().manual_seed(0))
    barred = torch.zeros(2, 30, dtype=torch.bool)
    barred[0, logits[0].argmax()] = True

    found = beam(
        lambda digits, context, places: [logits[places.row]],
        torch.full((2, 1, 1), MASK),
        Context.unknown(2, 1),
        torch.zeros(2, dtype=torch.long),
        Tokens.of_items(30),
        k=5,
        width=1,
        excluded=barred,
    )

    expected = logits.double().log_softmax(dim=1).masked_fill(barred, -torch.inf).topk(5, dim=1)
    assert torch.equal(found.items, expected.indices)
    assert torch.equal(found.log_p, expected.values)
