"""The click-through ranker as two files that are served without torch: a network for onnxruntime, and counts."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from memory.atomic_file import written_whole
from memory.errors import ReaseqError
from memory.onnx_session import NoNetwork, onnx_session
from memory.record import Record
from ranker.affinity import Affinity, Behind, Floats, features_of

if TYPE_CHECKING:
    import onnxruntime

ABOUT = "reaseq"  # the key of what the network's file says of itself
HISTORY, CANDIDATES, COUNTED = "history", "candidates", "features"  # inputs
LOGITS, CHANCES = "logits", "chances"  # outputs
PARTS = ("code", "behaviours", "marginal", "pairs", "counts")  # arrays of a view


class OnnxUnreadable(ReaseqError):
    """A file holds no exported ranker, or the counts beside it are of another one."""


class OnnxAbout(Record):
    """What a server needs to know of the network; it stands as JSON in the metadata of its file."""

    items: tuple[str, ...]  # row -> id
    line: tuple[float, float]  # chance = sigmoid(first * logit + second)
    features: tuple[str, ...]  # in the order of the input, each "view/feature"
    recent: int  # the newest behaviours, whose company is counted
    counts: str  # SHA-256 of the file of counts


@dataclass(frozen=True, eq=False)
class OnnxRanker:
    """An exported ranker: scores one request as `ranker.click_through.Ranker` does."""

    session: "onnxruntime.InferenceSession"
    about: OnnxAbout
    views: Sequence[Affinity]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the ranker of a file and of the counts beside it; raises `OnnxUnreadable`."""
        try:
            session = onnx_session(path.read_bytes())
            about = OnnxAbout.model_validate_json(session.get_modelmeta().custom_metadata_map[ABOUT])
        except (OSError, KeyError, ValueError, NoNetwork) as error:
            raise OnnxUnreadable(f"{str(path)!r} holds no exported ranker: {error}") from error
        counts = counts_beside(path)
        try:
            if _digest(counts) != about.counts:
                raise OnnxUnreadable(f"{str(counts)!r} holds the counts of another export than {str(path)!r}")
            return cls(session, about, read_counts(counts))
        except (OSError, KeyError, ValueError) as error:
            raise OnnxUnreadable(f"{str(counts)!r} holds no counts: {error}") from error

    def score(self, history: NDArray[np.int32], candidates: NDArray[np.int32]) -> Floats:
        """Return the probability of a click for each candidate; rows of items, the history oldest first, or empty."""
        newest = np.asarray(history if len(history) else [-1], dtype=np.int32)[::-1][None]
        offered = np.asarray(candidates, dtype=np.int32)[None]
        behind = Behind(newest[:, : self.about.recent], offered, np.zeros(1, dtype=np.bool_))
        request = {
            HISTORY: newest.astype(np.int64),
            CANDIDATES: offered.astype(np.int64),
            COUNTED: features_of(behind, self.views).astype(np.float32),
        }
        return np.asarray(self.session.run([CHANCES], request)[0][0])


def counts_beside(path: Path) -> Path:
    """Return where the counts of an exported network lie."""
    return path.with_suffix(".counts.npz")


def write_counts(path: Path, views: Sequence[Affinity]) -> str:
    """Write what was counted, and return the hash of the file; raises `memory.atomic_file.FileUnwritable`."""
    arrays: dict[str, Any] = {"names": np.array([view.name for view in views], dtype=np.str_)}
    arrays["windows"] = np.array([view.window for view in views], dtype=np.int64)
    arrays["decays"] = np.array([view.decay for view in views], dtype=np.float64)
    for place, view in enumerate(views):
        arrays |= {f"{place}/{part}": getattr(view, part) for part in PARTS}
    with written_whole(path) as unfinished:
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        return _digest(unfinished)


def read_counts(path: Path) -> list[Affinity]:
    """Return what was counted; raises OSError, KeyError or ValueError where the file holds no counts."""
    with np.load(path, allow_pickle=False) as file:
        told = zip(file["names"].tolist(), file["windows"].tolist(), file["decays"].tolist(), strict=True)
        return [
            Affinity(name=name, window=window, decay=decay, **_arrays(file, place))
            for place, (name, window, decay) in enumerate(told)
        ]


def _arrays(file: Mapping[str, Any], place: int) -> dict[str, Any]:
    return {part: file[f"{place}/{part}"] for part in PARTS}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
