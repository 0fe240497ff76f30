"""From material to a fitted model; some users choose the epoch and are not learned from."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from diffusion.choosing import items_found, share_of_kinds
from diffusion.config import Attention, DiffusionConfig
from diffusion.denoiser import Denoiser
from diffusion.fitting import HiddenItems, company_of, lore_of, shape_of
from diffusion.histories import Histories
from diffusion.imagination import Imagination
from diffusion.reading import Reading, reading_of
from diffusion.tokens import Tokens
from diffusion.twin import NextItems
from learning.material import Material, NothingToLearn
from learning.training import Epoch, fit

LEAST = 2  # behaviours of a user who is learned from
MOST_ASKED = 1000  # users who choose the epoch
Told = Callable[[Epoch], None]


def fit_diffusion(
    material: Material,
    config: DiffusionConfig,
    *,
    tokens: Tokens | None = None,
    folder: Path | None = None,
    told: Told = lambda epoch: None,
) -> Imagination:
    """Return a masked diffusion model of the material's behaviours; a folder lets it be resumed.

    Raises `NothingToLearn`.
    """
    return _fitted(material, config, Attention.BOTH, (tokens, folder, told))


def fit_autoregressive(
    material: Material,
    config: DiffusionConfig,
    *,
    folder: Path | None = None,
    told: Told = lambda epoch: None,
) -> Imagination:
    """Return the twin of equal size, which foretells the next item. Raises `NothingToLearn`."""
    return _fitted(material, config, Attention.EARLIER, (None, folder, told))


def _fitted(
    material: Material,
    config: DiffusionConfig,
    attention: Attention,
    given: tuple[Tokens | None, Path | None, Told],
) -> Imagination:
    tokens, folder, told = given
    learned, asked = _parted(material, config)
    reading = reading_of(material, tokens)
    torch.manual_seed(config.seed)
    histories = Histories.of(material.behaviors, learned, config.longest)
    company = company_of(histories, reading.tokens.count, config)
    lore = lore_of(histories, reading, config)
    model = Denoiser(shape_of(reading, config, attention, lore), reading.known, company, lore)
    examples = (
        HiddenItems(histories, reading, config, model)
        if attention is Attention.BOTH
        else NextItems(histories, reading, config)
    )
    imagination = Imagination(model, reading, config)
    questions = Histories.of(material.behaviors, asked, config.longest)
    data = "" if folder is None else _fingerprint((histories, questions), reading)
    fit(model, examples, lambda _: items_found(imagination, questions), config, folder=folder, data=data, told=told)
    if model.kinship is not None:
        model.kinship.get_buffer("share").fill_(share_of_kinds(imagination, questions))
    return imagination


def selection(imagination: Imagination, material: Material) -> float:
    """Return what chose the epoch of a model that was fitted on this material."""
    config = imagination.config
    return items_found(imagination, Histories.of(material.behaviors, _parted(material, config)[1], config.longest))


def _parted(material: Material, config: DiffusionConfig) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the users who are learned from, and those who choose the epoch."""
    users = np.flatnonzero(material.behaviors.lengths >= LEAST)
    if len(users) < LEAST:
        raise NothingToLearn(f"fewer than {LEAST} users have {LEAST} behaviours: too few to imagine any")
    drawn = np.random.default_rng((config.seed, 1)).permutation(users)
    asked = min(MOST_ASKED, max(1, round(len(users) * config.validated)))
    return np.sort(drawn[asked:]), np.sort(drawn[:asked])


def _fingerprint(read: Sequence[Histories], reading: Reading) -> str:
    """Return a hash of all that is learned from and asked."""
    known, demands = reading.known, reading.demands
    tensors = [column for own in read for column in (own.item, own.time, own.kind, own.source)]
    tensors += [
        reading.tokens.digits,
        reading.group,
        *reading.ties,
        *known.vectors,
        *(own for own in (known.offsets, known.feature) if own is not None),
    ]
    tensors += [] if demands is None else [demands.vectors, demands.offsets, demands.demand, demands.weight]
    digest = hashlib.sha256(repr(reading.features).encode())
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()
