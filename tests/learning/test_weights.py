"""A model's folder: what is written is what is read, and a damaged one says so."""

from pathlib import Path

import pytest
import torch
from torch import nn

from learning.config import TrainingConfig
from learning.weights import CONFIG, WEIGHTS, ModelUnreadable, load_config, load_weights, save_model


def test_weights_and_configuration_come_back_as_they_were(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    config = TrainingConfig(seed=7)

    save_model(tmp_path / "new", model, config, {"auc": 0.5})

    read = load_weights(tmp_path / "new")
    assert all(torch.equal(read[name], tensor) for name, tensor in model.state_dict().items())
    assert load_config(tmp_path / "new", TrainingConfig) == config


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    save_model(tmp_path, nn.Linear(3, 2), TrainingConfig(), {})
    for name in (WEIGHTS, CONFIG):
        (tmp_path / name).write_bytes(b"{")

    with pytest.raises(ModelUnreadable, match=WEIGHTS):
        load_weights(tmp_path)
    with pytest.raises(ModelUnreadable, match=CONFIG):
        load_config(tmp_path, TrainingConfig)


def test_a_folder_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreadable, match="holds no readable"):
        load_weights(tmp_path)
