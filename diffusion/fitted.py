"""From material to a fitted model; some users choose the epoch and are not learned from."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.config import Attention, DiffusionConfig
from diffusion.denoiser import Denoiser
from diffusion.fitting import HiddenItems, company_of, shape_of
from diffusion.histories import Histories
from diffusion.imagination import Imagination
from diffusion.reading import Reading, reading_of
from diffusion.tokens import Tokens
from diffusion.twin import NextItems
from learning.material import Material, NothingToLearn
from learning.training import Epoch, fit

LEAST = 2  # behaviours of a user who is learned from
MOST_ASKED = 1000  # users who choose the epoch
BEST = 10
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
    model = Denoiser(shape_of(reading, config, attention), reading.known, company)
    examples = (
        HiddenItems(histories, reading, config, model)
        if attention is Attention.BOTH
        else NextItems(histories, reading, config)
    )
    imagination = Imagination(model, reading, config)
    questions = Histories.of(material.behaviors, asked, config.longest)
    data = "" if folder is None else _fingerprint((histories, questions), reading)
    fit(model, examples, lambda _: found(imagination, questions), config, folder=folder, data=data, told=told)
    return imagination


def selection(imagination: Imagination, material: Material) -> float:
    """Return what chose the epoch of a model that was fitted on this material."""
    config = imagination.config
    return found(imagination, Histories.of(material.behaviors, _parted(material, config)[1], config.longest))


def found(imagination: Imagination, histories: Histories) -> float:
    """Return the mean NDCG@10 of finding each row's last item and one hidden inside it; the same ones each time.

    The twin is asked the first question alone.
    """
    chance, lengths = np.random.default_rng(0), histories.lengths.numpy()
    inside = np.maximum(1, (chance.random(len(lengths)) * (lengths - 1)).astype(np.int64))
    hidden = [lengths - 1] if imagination.is_twin else [lengths - 1, np.minimum(inside, lengths - 1)]
    return float(np.mean([_ndcg(imagination, histories, place) for place in hidden]))


def _ndcg(imagination: Imagination, histories: Histories, place: NDArray[np.int64]) -> float:
    """Return the mean NDCG@10 of finding what stands at a place of each row, when it is taken away."""
    gains = []
    for start in range(0, len(place), 256):
        rows = torch.arange(start, min(start + 256, len(place)))
        part, at = histories.rows(rows), torch.from_numpy(place[start : start + 256])
        true = part.item[torch.arange(len(at)), at]
        rest = part.without(at)
        if imagination.reading.tokens.length > 1:
            own = [row[row >= 0].numpy().astype(np.int32) for row in rest.item]
            best = torch.from_numpy(imagination.suggest(own, BEST)[0]).long()
        else:
            best = _barred(imagination.log_chances(rest, at), rest.item).topk(BEST, dim=1).indices
        rank = torch.where(best == true.unsqueeze(1), torch.arange(best.shape[1]), BEST).amin(dim=1)
        gains.append(torch.where(rank < BEST, 1 / torch.log2(rank + 2.0), 0.0))
    return float(torch.cat(gains).mean()) if gains else 0.0


def _barred(scores: Tensor, items: Tensor) -> Tensor:
    row, place = (items >= 0).nonzero(as_tuple=True)
    scores[row, items[row, place]] = -torch.inf
    return scores


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
        *known.vectors,
        *(own for own in (known.offsets, known.feature) if own is not None),
    ]
    tensors += [] if demands is None else [demands.vectors, demands.offsets, demands.demand, demands.weight]
    digest = hashlib.sha256(repr(reading.features).encode())
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()
