"""Look-ups of semantic IDs, against the plain way of comparing every row."""

import numpy as np
import pytest

from memory.item_vectors.valid_ids import UNKNOWN, TooManyIds, ValidIds

SIZES = (4, 3, 5)


def some_codes(rows: int = 25) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    chance = np.random.default_rng(3)
    return np.stack([chance.integers(size, size=rows) for size in SIZES], axis=1)


def test_allowed_digits_are_those_of_the_rows_that_fit() -> None:
    codes, chance = some_codes(), np.random.default_rng(0)
    asked = np.where(chance.random((200, 3)) < 0.5, UNKNOWN, codes[chance.integers(len(codes), size=200)])
    valid = ValidIds(codes, SIZES)

    for place in range(3):
        found = valid.next(asked, place)

        for row, mask in zip(asked, found, strict=True):
            others = [l for l in range(3) if l != place and row[l] != UNKNOWN]  # noqa: E741
            fits = (codes[:, others] == row[others]).all(axis=1)
            assert set(np.flatnonzero(mask)) == set(codes[fits, place])


def test_known_digits_that_no_id_has_allow_nothing() -> None:
    valid = ValidIds(np.array([[0, 0], [1, 1]]), (2, 2))

    masks = valid.next(np.array([[7, UNKNOWN], [-1, UNKNOWN]]), 1)

    assert not masks.any()


def test_every_item_is_found_by_its_id() -> None:
    codes = some_codes()
    valid = ValidIds(codes, SIZES)

    offsets, items = valid.items(codes)

    for row in range(len(codes)):
        same = np.flatnonzero((codes == codes[row]).all(axis=1))
        assert items[offsets[row] : offsets[row + 1]].tolist() == same.tolist()


def test_more_digits_than_fit_into_a_number_are_refused() -> None:
    with pytest.raises(TooManyIds, match="use fewer"):
        ValidIds(np.zeros((1, 8), dtype=np.int64), (256,) * 8)
