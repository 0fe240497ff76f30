"""The click-through ranker from what the knowledge base holds, as a folder, and back: counts are taken anew."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from learning.material import TITLE, Arm, Imagined, Material, NothingToLearn
from learning.training import Epoch, fit
from learning.weights import ModelUnreadable, State, load_config, load_weights, put_weights, save_model
from learning.whitening import Matrix
from memory.behaviors.sequences import Sequences
from memory.record import Record
from ranker.affinity import HISTORY, Affinity, Codes, affinities, clusters, codes_of
from ranker.click_through import Impressions, Ranker, auc_of, line_of, logits_of, standardise, views_of
from ranker.config import ClickThroughConfig
from ranker.imagined import imagined_features
from ranker.impressions import Events, Negatives, events, impressions
from ranker.model import ClickThroughRanker, ClickThroughShape
from ranker.references import Reference, ReferenceRanker
from ranker.spectral import spectral_vectors

CLICK_THROUGH = "click-through"  # its folder in a ranker's folder
LEAST = 4  # behaviours of a user: one that is seen, one each for training, selection and test
CLUSTERS = (40, 200, 1000)  # of titles
Told = Callable[[Epoch], None]


class ClickThroughFolder(Record):
    """What a stored ranker was trained with."""

    shape: ClickThroughShape
    config: ClickThroughConfig
    arm: Arm
    groups: tuple[str, ...]  # attributes that are views, in order
    line: tuple[float, float]  # of calibration
    items: tuple[str, ...]  # row -> id, of the table of ids


@dataclass(frozen=True, eq=False)
class Parts:
    """Examples of one protocol: counts know `seen` alone, training comes after it, then selection, then the test."""

    seen: Sequences
    company: Affinity  # which items share a history, as far as seen
    train: Impressions
    select: Impressions
    test: Impressions
    views: tuple[Affinity, ...]  # what was counted
    events: tuple[Events, Events, Events]  # the labels of the three parts

    @property
    def users(self) -> NDArray[np.int64]:
        """The user rows of the test's examples."""
        return self.events[2].user


def title_vectors(material: Material) -> Matrix | None:
    """Return centred unit vectors of the titles, zeros where there is none; None where titles may not be used."""
    if TITLE not in material.vectors:
        return None
    raw = material.vectors[TITLE]
    known = np.any(raw != 0, axis=1, keepdims=True)
    centred = np.where(known, raw - raw.mean(axis=0, where=known), 0)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def groups_of(material: Material) -> tuple[str, ...]:
    """Return the attributes that the ranker reads."""
    return () if material.knowledge is None else views_of(material.knowledge)


def views(material: Material, seen: Sequences, groups: Sequence[str]) -> list[Affinity]:
    """Return what is counted of the behaviours seen: of items, of like titles, of each attribute."""
    found = affinities(seen)
    vectors = title_vectors(material)
    if vectors is not None:
        found += [Affinity.count(f"{TITLE} {count}", clusters(vectors, count), seen) for count in CLUSTERS]
    return found + [Affinity.count(group, codes_of(material.known, group), seen) for group in groups]


def parts_of(
    material: Material,
    told: Sequence[Affinity],
    seen: Sequences,
    config: ClickThroughConfig,
    leaf: Codes | None = None,
) -> Parts:
    """Return the examples: each user's third last behaviour, second last, and last; `seen` ends before them.

    `leaf` is where negatives of the same leaf come from, else what the material knows. Raises `NothingToLearn`.
    """
    if material.behaviors.lengths.max(initial=0) < LEAST:
        raise NothingToLearn(f"no user has {LEAST} behaviours to learn from: too few for rankings by click")
    leaf = codes_of(material.known, "category") if leaf is None else leaf
    train, select, test = (events(material.behaviors, last=0, held_out=place) for place in (3, 2, 1))

    def shown(of: Events, place: int) -> Impressions:
        negatives = Negatives(config.negatives)
        behind = impressions(material.behaviors, seen, of, negatives, config.drawn + place, leaf=leaf)
        return Impressions.of(behind, told, config.listwise)

    company = next(view for view in told if view.name == HISTORY)
    examples = (shown(train, 3), shown(select, 2), shown(test, 1))
    parts = Parts(seen, company, *examples, tuple(told), (train, select, test))
    return imagining(parts, material.behaviors, material.imagined)


def imagining(parts: Parts, behaviors: Sequences, imagined: Imagined | None) -> Parts:
    """Return the same examples with what was imagined of their users, as far as it knew nothing of the label.

    Without any where no example of the training has some: there is nothing to learn to read it by.
    """
    shown = [
        _with_imagined(part, parts.views, behaviors, of, imagined)
        for part, of in zip((parts.train, parts.select, parts.test), parts.events, strict=True)
    ]
    if shown[0].generated is None or not (shown[0].generated >= 0).any():
        shown = [replace(part, generated=None, confidence=None, imagined=None) for part in shown]
    return replace(parts, train=shown[0], select=shown[1], test=shown[2])


def _with_imagined(
    part: Impressions, views: Sequence[Affinity], behaviors: Sequences, of: Events, imagined: Imagined | None
) -> Impressions:
    if imagined is None:
        return replace(part, generated=None, confidence=None, imagined=None)
    items, sure = imagined.before(of.user, behaviors.time[behaviors.offsets[of.user] + of.place])
    told = imagined_features(views, items, sure, part.behind.candidates)
    return replace(part, generated=items, confidence=sure, imagined=told)


def train_ranker(
    material: Material,
    parts: Parts,
    config: ClickThroughConfig,
    *,
    folder: Path | None = None,
    told: Told = lambda epoch: None,
) -> ClickThroughRanker:
    """Return the model that tells best what was clicked in the part for selection; a folder lets it be resumed."""
    titles = title_vectors(material)
    tables = [] if titles is None else [torch.from_numpy(titles)]
    tables.append(torch.from_numpy(spectral_vectors(parts.company)))
    shape = ClickThroughShape(
        items=len(material.behaviors.items),
        features=parts.train.features.shape[2],
        dimensions=tuple(table.shape[1] for table in tables),
        imagined=0 if parts.train.imagined is None else parts.train.imagined.shape[2],
    )
    torch.manual_seed(config.seed)
    model = ClickThroughRanker(shape, tables)
    standardise(model, parts.train.features)
    if parts.train.imagined is not None:
        standardise(model, parts.train.imagined, of="evidence.features", least_deviation=0.2)
    data = "" if folder is None else _fingerprint(parts, tables)
    fit(model, parts.train, auc_of(parts.select), config, folder=folder, data=data, told=told)
    return model


def train_reference(kind: Reference, parts: Parts, items: int, config: ClickThroughConfig) -> ReferenceRanker:
    """Return a reference model, trained alike; logistic regression reads what is counted, the others ids alone."""
    features = parts.train.features.shape[2] if kind is Reference.LR else 0
    torch.manual_seed(config.seed)
    model = ReferenceRanker(kind, items, features)
    kept = parts if features else without_features(parts)
    standardise(model, kept.train.features)
    fit(model, kept.train, auc_of(kept.select), config)
    return model


def without_features(parts: Parts) -> Parts:
    """Return the same examples with ids alone."""
    train, select, test = (
        Impressions(part.behind, part.features[:, :, :0], part.listwise)
        for part in (parts.train, parts.select, parts.test)
    )
    return replace(parts, train=train, select=select, test=test)


def tested_probabilities(model: torch.nn.Module, parts: Parts) -> Matrix:
    """Return the chance of a click of each candidate of the test, the clicked one first; calibrated on selection."""
    features = parts.train.features.shape[2] if _reads_features(model) else 0
    kept = parts if features else without_features(parts)
    slope, shift = line_of(logits_of(model, kept.select))
    logits = slope * logits_of(model, kept.test).astype(np.float64) + shift
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def save_click_through(folder: Path, model: ClickThroughRanker, about: ClickThroughFolder, auc: float) -> None:
    """Write the ranker; the vectors of titles are the knowledge base's, and not kept here."""
    save_model(folder / CLICK_THROUGH, _Learned(model), about, {"selection AUC": auc})


def load_click_through(folder: Path, material: Material) -> Ranker:
    """Return a stored ranker for the items and the counts of the material; raises `ModelUnreadable`.

    An item that it was not trained with has no id of its own there: knowledge alone speaks for it.
    """
    about = load_config(folder / CLICK_THROUGH, ClickThroughFolder)
    told = material.of_arm(about.arm if len(about.shape.dimensions) > 1 else Arm.LOG)
    state = _with_rows_of(material.behaviors.items, about, load_weights(folder / CLICK_THROUGH))
    titles = title_vectors(told)
    if len(about.shape.dimensions) > 1:
        if titles is None or titles.shape[1] != about.shape.dimensions[0]:
            raise ModelUnreadable(f"{str(folder)!r} was trained with other vectors of titles: reaseq ranker train")
        state["vectors_0"] = torch.cat([torch.from_numpy(titles), torch.zeros(1, titles.shape[1])])
    model = ClickThroughRanker(about.shape.model_copy(update={"items": len(material.behaviors.items)}))
    put_weights(model, state, folder / CLICK_THROUGH)
    return Ranker(model.eval(), views(told, material.behaviors, about.groups), about.line)


def _with_rows_of(items: Sequence[str], about: ClickThroughFolder, state: State) -> State:
    """Return the weights with a row for each of the items in what has one an item; zeros for an item that is new."""
    row = {item_id: place for place, item_id in enumerate(about.items)}
    places = torch.tensor([row.get(item_id, len(about.items)) for item_id in (*items, "")])
    of_items = ("ids.weight", f"vectors_{len(about.shape.dimensions) - 1}")
    if any(name not in state or len(state[name]) != len(about.items) + 1 for name in of_items):
        return state  # a damaged folder, as its reader will find
    return state | {name: state[name][places] for name in of_items}


def _fingerprint(parts: Parts, tables: Sequence[torch.Tensor]) -> str:
    """Return a hash of all that is learned from."""
    digest = hashlib.sha256()
    for part in (parts.train, parts.select):
        arrays = (part.behind.history, part.behind.candidates, part.features, part.generated, part.confidence)
        for array in arrays:
            digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    for table in tables:
        digest.update(table.numpy().data)
    return digest.hexdigest()


class _Learned:
    """A model's weights without the vectors of titles."""

    def __init__(self, model: ClickThroughRanker) -> None:
        self._model = model

    def state_dict(self) -> dict[str, torch.Tensor]:
        state = self._model.state_dict()
        return {name: own for name, own in state.items() if name != "vectors_0" or self._model.kinds == 1}


def _reads_features(model: torch.nn.Module) -> bool:
    return not isinstance(model, ReferenceRanker) or model.kind is Reference.LR
