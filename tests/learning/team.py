"""A small model of behaviours that draws nothing by itself, trained by one process or as one of a team; a program."""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diffusion.config import Attention, Bound, DiffusionConfig, Mixture
from diffusion.denoiser import Denoiser
from diffusion.fitting import HiddenItems, company_of, lore_of, shape_of
from diffusion.histories import Histories
from diffusion.reading import reading_of
from learning.devices import Team, joined
from learning.material import TITLE, Material
from learning.training import Epoch, fit
from tests.ranker.shop import brands, two_tastes, vectors

# 25 rows: neither the users nor the last batch of a fold can be halved.
CONFIG = DiffusionConfig(
    epochs=2, width=16, layers=1, heads=1, batch_size=25, negatives=7, dropout=0, families=Mixture(digit=1, item=1)
)


def trained(bound: Bound, folder: Path | None = None) -> tuple[list[Epoch], dict[str, Tensor]]:
    """Return the course of a training, and the weights at its end; with a folder, from its checkpoint on."""
    torch.set_num_threads(1)
    config = CONFIG.model_copy(update={"bound": bound})
    material = Material(two_tastes(), brands(), {TITLE: vectors().numpy()})
    reading = reading_of(material)
    histories = Histories.of(material.behaviors, np.arange(len(material.behaviors.users)), config.longest)
    lore = lore_of(histories, reading, config)
    shape = shape_of(reading, config, Attention.BOTH, lore).model_copy(update={"without_ids": 0.0})
    torch.manual_seed(5)
    model = Denoiser(shape, reading.known, company_of(histories, reading.tokens.count, config), lore)
    epochs = fit(model, HiddenItems(histories, reading, config, model), lambda _: float(len(reading.features)), config)
    return epochs, model.state_dict()


def main() -> None:
    """Train as the RANK of two that meet at a file; the first one writes what came of it."""
    rank, meeting, bound, out = int(sys.argv[1]), sys.argv[2], Bound(sys.argv[3]), Path(sys.argv[4])
    with joined(Team(rank, 2, meeting, patience=60)):
        epochs, weights = trained(bound)
    if rank == 0:
        torch.save({"losses": [epoch.loss for epoch in epochs], "weights": weights}, out)


if __name__ == "__main__":
    main()
