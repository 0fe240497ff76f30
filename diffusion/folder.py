"""A fitted model as a folder and back: what is known of items is the knowledge base's, and read from there anew."""

from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from diffusion.config import DenoiserShape, DiffusionConfig
from diffusion.denoiser import Denoiser
from diffusion.fitting import company_of, lore_of
from diffusion.histories import Histories
from diffusion.imagination import Imagination
from diffusion.reading import AsFitted, reading_of
from learning.material import Material
from learning.weights import ModelUnreadable, State, load_config, load_weights, put_weights, save_model
from learning.whitening import Whitening
from memory.record import Record

NOT_LEARNED = ("table.vectors_", "table.offsets", "table.feature")


class LearnedFrom(Record):
    """Which behaviours a model has seen: whoever imagines what was before a moment must ask one that knows no more."""

    held_out: int = Field(default=0, ge=0)  # each user's last ones, which it has not
    before: int | None = None  # all that it has seen happened before this; None: nobody wrote it down


class DiffusionFolder(Record):
    """What a stored model was fitted with."""

    shape: DenoiserShape
    config: DiffusionConfig
    items: tuple[str, ...]  # row -> id
    features: tuple[tuple[str, str], ...] = ()  # of the items, in the order of their embeddings
    categories: tuple[str, ...] = ()  # that are told apart, by number
    learned: LearnedFrom = LearnedFrom()


def save_diffusion(
    folder: Path,
    imagination: Imagination,
    items: tuple[str, ...],
    metric: float,
    learned: LearnedFrom = LearnedFrom(),  # noqa: B008 - frozen
) -> None:
    """Write a model's folder; raises `memory.atomic_file.FileUnwritable`."""
    reading = imagination.reading
    about = DiffusionFolder(
        shape=imagination.model.shape,
        config=imagination.config,
        items=items,
        features=reading.features,
        categories=reading.categories if imagination.model.kinship is not None else (),
        learned=learned,
    )
    save_model(folder, _Learned(imagination), about, {"selection NDCG@10": metric})


def learned_from(folder: Path) -> LearnedFrom:
    """Return what a stored model has seen; raises `learning.weights.ModelUnreadable`."""
    return load_config(folder, DiffusionFolder).learned


def load_diffusion(folder: Path, material: Material) -> Imagination:
    """Return a stored model for the items of the material; raises `learning.weights.ModelUnreadable`.

    An item that it was not fitted with has no embedding of its own there: knowledge alone speaks for it. What is known
    may have grown since: vectors are mapped as they were when it was fitted, and features are found by name. Which
    items keep company is counted anew in the behaviours of the material, which therefore holds what may be known alone.
    """
    about, state = load_config(folder, DiffusionFolder), load_weights(folder)
    kinds = len(about.shape.vectors)
    if len(material.vectors) != kinds or any(f"whitening.{kind}.mean" not in state for kind in range(kinds)):
        raise ModelUnreadable(f"{str(folder)!r} was fitted with other kinds of item vectors: reaseq diffusion train")
    maps = tuple(Whitening(*(state.pop(name).numpy() for name in _names(kind))) for kind in range(kinds))
    reading = reading_of(material, as_fitted=AsFitted(maps, about.features))
    everybody = Histories.of(material.behaviors, np.arange(len(material.behaviors.users)), about.config.longest)
    lore = lore_of(everybody, reading, about.config) if about.categories else None
    sizes = {"sizes": reading.tokens.sizes, "categories": 0 if lore is None else lore.categories}
    shape = about.shape.model_copy(update=sizes)
    model = Denoiser(shape, reading.known, company_of(everybody, reading.tokens.count, about.config)[:1], lore)
    own = _of_items(state, about.items, material.behaviors.items)
    own = _of_categories(own, about.categories, reading.categories if lore is not None else ())
    put_weights(model, model.state_dict() | own, folder)
    model.eval()
    return Imagination(model, reading, about.config)


def _of_items(state: State, old: tuple[str, ...], new: tuple[str, ...]) -> State:
    """Return the weights with one row for each of the new items: zeros and the least bias where one was not there."""
    row = {own: place for place, own in enumerate(old)}
    places = torch.tensor([row.get(own, -1) for own in new], dtype=torch.long)
    made = dict(state)
    for name in ("table.own.weight", "bias.0"):
        if name not in state or len(state[name]) != len(old) or not len(old):
            continue  # another model, as its reader will find
        found, is_new = state[name][places.clamp(min=0)], places < 0
        found[is_new] = state[name].min() if state[name].dim() == 1 else 0.0
        made[name] = found
    return made


def _of_categories(state: State, old: tuple[str, ...], new: tuple[str, ...]) -> State:
    """Return the weights with one row for each of the new categories, zeros where one was not there; "none" is last.

    Where categories cannot be told apart any more, what was learned of them is left out.
    """
    if not new:
        return {name: own for name, own in state.items() if not name.startswith("kinship.")}
    row = {own: place for place, own in enumerate((*old, ""))}
    places = torch.tensor([row.get(own, -1) for own in (*new, "")], dtype=torch.long)
    made = dict(state)
    for name in (f"kinship.{part}.{kind}" for part in ("old", "new") for kind in ("weight", "bias")):
        if len(state.get(name, ())) == len(row):
            made[name] = state[name][places.clamp(min=0)]
            made[name][places < 0] = 0.0
    return made


def _names(kind: int) -> tuple[str, str]:
    return f"whitening.{kind}.mean", f"whitening.{kind}.projection"


class _Learned:
    """A model's weights without what is known of items, and with the maps of their vectors."""

    def __init__(self, imagination: Imagination) -> None:
        self._imagination = imagination

    def state_dict(self) -> dict[str, Tensor]:
        found = self._imagination.model.state_dict()
        kept = {name: own for name, own in found.items() if not name.startswith(NOT_LEARNED)}
        for kind, whitening in enumerate(self._imagination.reading.whitenings):
            mean, projection = _names(kind)
            kept |= {mean: torch.from_numpy(whitening.mean), projection: torch.from_numpy(whitening.projection)}
        return kept
