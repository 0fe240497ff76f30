"""A trained model as a folder: weights.safetensors, config.json, metrics.json; each written whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import orjson
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from memory.atomic_file import written_whole
from memory.errors import ReaseqError
from memory.record import Record

WEIGHTS, CONFIG, METRICS = "weights.safetensors", "config.json", "metrics.json"
Config = TypeVar("Config", bound=Record)
State = dict[str, Tensor]


class ModelUnreadable(ReaseqError):
    """A folder holds no model that can be loaded."""


class HasState(Protocol):
    """A module, as far as its weights go."""

    def state_dict(self) -> State:
        """Return the tensors by name."""


def save_model(folder: Path, model: HasState, config: Record, metrics: Mapping[str, float]) -> None:
    """Write a model's folder; raises `memory.atomic_file.FileUnwritable`."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with written_whole(folder / WEIGHTS) as unfinished:
        save_file(state, unfinished)
    with written_whole(folder / CONFIG) as unfinished:
        unfinished.write_bytes(config.model_dump_json(indent=2).encode())
    with written_whole(folder / METRICS) as unfinished:
        unfinished.write_bytes(orjson.dumps(dict(metrics), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def load_weights(folder: Path) -> State:
    """Return the tensors of a model's folder; raises `ModelUnreadable`."""
    try:
        return load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise ModelUnreadable(f"{str(folder)!r} holds no readable {WEIGHTS}: {error}") from error


def put_weights(model: nn.Module, state: State, folder: Path) -> None:
    """Load the tensors of a folder into its model; raises `ModelUnreadable` where they are of another one."""
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ModelUnreadable(f"{str(folder)!r}: its {WEIGHTS} are not those of the model in {CONFIG}") from error


def load_config(folder: Path, kind: type[Config]) -> Config:
    """Return the configuration of a model's folder; raises `ModelUnreadable`."""
    try:
        return kind.model_validate_json((folder / CONFIG).read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnreadable(f"{str(folder)!r} holds no readable {CONFIG}: {error}") from error
