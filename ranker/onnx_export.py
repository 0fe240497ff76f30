"""How the click-through ranker becomes a file for onnxruntime, with all that a server needs to know of it."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import onnxscript  # noqa: F401 - torch's exporter would miss it later, and say so less plainly
import torch
from torch import Tensor, nn
from torch.export import Dim

from memory.atomic_file import written_whole
from memory.errors import ReaseqError
from ranker.affinity import FEATURES, Affinity
from ranker.click_through import Ranker
from ranker.model import ClickThroughRanker, Requests
from ranker.onnx_ranker import (
    ABOUT,
    CANDIDATES,
    CHANCES,
    COUNTED,
    HISTORY,
    LOGITS,
    OnnxAbout,
    counts_beside,
    write_counts,
)

LARGEST = 2**31  # bytes of an ONNX file, which is one message of protobuf
TALKATIVE = ("torch.onnx", "onnxscript", "onnx_ir")  # of what the user cannot change


class ExportTooLarge(ReaseqError):
    """A ranker does not fit into one ONNX file."""


class _Served(nn.Module):
    """The ranker without generated behaviours, as onnxruntime is asked: tensors in, tensors out."""

    def __init__(self, ranker: Ranker) -> None:
        super().__init__()
        self.model, self.line = ranker.model, ranker.line

    def forward(self, history: Tensor, candidates: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and chances of a click, [B, C] each.

        A history is padded until the nearest behaviours are always searched for: a graph cannot choose by its length.
        """
        longer = nn.functional.pad(history, (0, self.model.config.retrieved), value=-1)
        logits = self.model(Requests(longer, candidates, features))
        slope, shift = self.line
        return logits, torch.sigmoid(slope * logits + shift)


def export_onnx(ranker: Ranker, items: Sequence[str], path: Path) -> tuple[Path, Path]:
    """Write a ranker, whose row i is `items[i]`, and its counts; return both files.

    Raises `ExportTooLarge` and `memory.atomic_file.FileUnwritable`.
    """
    check_size(ranker.model, path)
    with written_whole(path) as unfinished:  # first of all: tracing takes a while
        program = _traced(ranker)
        about = OnnxAbout(
            items=tuple(items),
            line=ranker.line,
            features=feature_names(ranker.views),
            recent=ranker.recent,
            counts=write_counts(counts_beside(path), ranker.views),
        )
        program.model.metadata_props[ABOUT] = about.model_dump_json()
        program.save(unfinished)
    return path, counts_beside(path)


def feature_names(views: Sequence[Affinity]) -> tuple[str, ...]:
    """Return the names of counted features in the order of `ranker.affinity.features_of`."""
    return tuple(f"{view.name}/{feature}" for view in views for feature in FEATURES)


def check_size(model: ClickThroughRanker, path: Path) -> None:
    """Raise `ExportTooLarge` where the weights and vectors are more than a file holds."""
    size = sum(own.numel() * own.element_size() for own in model.state_dict().values())
    if size >= LARGEST:
        raise ExportTooLarge(
            f"{str(path)!r} would hold {size / 2**30:.1f} GiB of vectors and weights, and an ONNX file holds 2: "
            "rank fewer items, or train without titles"
        )


def _traced(ranker: Ranker) -> "torch.onnx.ONNXProgram":
    batch, behaviours, candidates = Dim("batch"), Dim("behaviours"), Dim("candidates")
    nothing = torch.full((2, 7), -1)
    offered = torch.zeros(2, 5, dtype=torch.int64)
    with _quiet():
        program = torch.onnx.export(
            _Served(ranker).eval(),
            (nothing, offered, torch.zeros(2, 5, ranker.model.config.features)),
            input_names=[HISTORY, CANDIDATES, COUNTED],
            output_names=[LOGITS, CHANCES],
            dynamic_shapes=({0: batch, 1: behaviours}, {0: batch, 1: candidates}, {0: batch, 1: candidates}),
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # noqa: S101 - it is None for the older exporter alone
    return program


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter from telling how it goes."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
