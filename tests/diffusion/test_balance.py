"""Rare items may count more in the loss: all behaviours alike, all items alike, or something between."""

import numpy as np
import pytest
import torch

from diffusion.config import Attention, DiffusionConfig
from diffusion.denoiser import Denoiser
from diffusion.fitted import fit_diffusion
from diffusion.fitting import HiddenItems, code_weights, shape_of
from diffusion.histories import Histories
from diffusion.reading import Reading, reading_of
from learning.material import Arm, Material
from tests.ranker.shop import ITEMS, brands, two_tastes

PLAIN = DiffusionConfig(width=8, layers=1, heads=1, negatives=0, folds=0, demands=0, categories=False, dropout=0)


@pytest.fixture(scope="module")
def histories() -> Histories:
    """Item 0 six times, item 1 twice, item 2 once."""
    rows = [[0, 0, 0, 1], [0, 0, 0], [1, 2]]
    return Histories.of_items([np.array(row, dtype=np.int32) for row in rows], 50)


@pytest.fixture(scope="module")
def material() -> Material:
    return Material(two_tastes(), brands(), {}).of_arm(Arm.LOG)


@pytest.fixture(scope="module")
def reading(material: Material) -> Reading:
    return reading_of(material)


@pytest.mark.parametrize(("balance", "shares"), [(0.0, [6, 2, 1]), (0.5, [6**0.5, 2**0.5, 1]), (1.0, [1, 1, 1])])
def test_what_an_item_counts_in_all(
    histories: Histories, reading: Reading, balance: float, shares: list[float]
) -> None:
    weights = code_weights(histories, reading, balance)[0]

    in_all = weights[:3] * torch.tensor([6.0, 2.0, 1.0])
    assert torch.allclose(in_all / in_all.sum(), torch.tensor(shares) / sum(shares))
    assert in_all.sum() / 9 == pytest.approx(1.0)
    assert torch.isfinite(weights).all()  # also of items without behaviours
    assert len(weights) == ITEMS


def loss_of(histories: Histories, reading: Reading, balance: float) -> float:
    """Return the loss of one batch by the same weights, with the same places hidden."""
    torch.manual_seed(0)
    config = PLAIN.model_copy(update={"balance": balance})
    model = Denoiser(shape_of(reading, config, Attention.BOTH, None), reading.known, [], None)
    asked = HiddenItems(histories, reading, config, model)
    torch.manual_seed(1)
    return float(asked.loss(model, np.arange(len(histories.lengths)), torch.device("cpu")).detach())


def test_items_that_are_equally_common_count_as_they_did(reading: Reading) -> None:
    even = Histories.of_items([np.array([0, 1, 2], dtype=np.int32), np.array([2, 1, 0], dtype=np.int32)], 50)

    plain, balanced = (loss_of(even, reading, b) for b in (0.0, 1.0))

    assert balanced == pytest.approx(plain, rel=1e-5)


def test_of_uneven_ones_the_loss_is_another(histories: Histories, reading: Reading) -> None:
    plain, balanced = (loss_of(histories, reading, b) for b in (0.0, 1.0))

    assert balanced != pytest.approx(plain, rel=1e-3)


def test_rare_items_are_believed_in_more(material: Material) -> None:
    counts = torch.from_numpy(np.bincount(material.behaviors.item, minlength=ITEMS))
    rare = counts <= counts.float().quantile(0.3)
    believed = []
    for balance in (0.0, 1.0):
        config = PLAIN.model_copy(update={"balance": balance, "epochs": 8, "patience": 8, "learning_rate": 5e-3})
        asked = Histories.of(material.behaviors, np.arange(40), 50)
        chances = fit_diffusion(material, config).log_chances(asked, asked.lengths).exp()
        believed.append(float(chances[:, rare].sum()))

    assert believed[1] > believed[0]
