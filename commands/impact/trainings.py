"""Trainings whose outcome is kept in files: the same data, settings and seed are not trained on twice."""

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learning.devices import torch_version
from learning.material import Material
from memory.atomic_file import FileUnwritable, written_whole
from memory.record import Record
from memory.version import VERSION

Outcome = NDArray[Any]  # ranks [events], or probabilities [events, candidates]


@dataclass
class TrainingCache:
    """Outcomes of trainings by what went into them; files that are safe to delete."""

    folder: Path
    reused: int = 0

    def outcome(self, key: str, train: Callable[[], Outcome]) -> Outcome:
        """Return the outcome that is there under the key, else train and keep it."""
        path = self.folder / f"training-{key}.npz"
        found = _read(path)
        if found is not None:
            self.reused += 1
            return found
        made = train()
        self._keep(path, made)
        return made

    def _keep(self, path: Path, made: Outcome) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileUnwritable(f"{str(path.parent)!r} cannot be made: {error.strerror}") from error
        with written_whole(path) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(file, outcome=made)


def key_of(model: str, material: Material, config: Record, seed: int, *, asked: bytes = b"") -> str:
    """Return the digest (hex) of all that an outcome depends on, its machine aside.

    `asked`: what decides which events are learned from and asked about, where neither material nor config says it.
    """
    digest = hashlib.sha256(asked)
    for part in (model, config.model_dump_json(), str(seed), VERSION, torch_version(), *_texts(material)):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    for array in _arrays(material):
        digest.update(f"{array.dtype} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:40]


def _texts(material: Material) -> Iterator[str]:
    known = material.known
    yield from known.ids
    yield from known.titles
    for pairs in (known.features, known.numeric):
        yield from (text for pair in pairs for text in (*pair, ""))
    yield from material.vectors


def _arrays(material: Material) -> Iterator[NDArray[Any]]:
    own, known = material.behaviors, material.known
    yield from (own.offsets, own.item, own.time, own.kind, own.source)
    yield from (known.offsets, known.feature, known.confidence, known.numbers)
    yield from material.vectors.values()


def _read(path: Path) -> Outcome | None:
    try:
        with np.load(path, allow_pickle=False) as content:
            found: Outcome = content["outcome"]
            return found
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not there yet, or damaged: made anew
        return None
