"""FuxiCTR's own DIN: its model, its training step, over the batches of a file; CPU seconds of each round of them.

The last line of its output is one line of JSON.
"""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import argparse
import json
from collections import OrderedDict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from measuring import cpu_seconds, memory_mb


def model_of(options, items, folder):
    """Return FuxiCTR's DIN over one feature, the item; its sizes are those asked for."""
    from fuxictr.features import FeatureMap  # noqa: PLC0415 - a slow import
    from model_zoo.LongCTR.DIN.DIN import DIN  # noqa: PLC0415

    features = FeatureMap("synthetic", str(folder))
    features.features = OrderedDict(
        item={"type": "categorical", "source": "item", "vocab_size": items + 1, "padding_idx": 0}
    )
    features.labels, features.num_fields, features.default_emb_dim = ["label"], 1, options.dim
    return DIN(
        features,
        gpu=-1,
        dnn_hidden_units=options.hidden,
        dnn_activations=options.activation,
        attention_hidden_units=options.attention,
        attention_hidden_activations=options.activation,
        din_use_softmax=options.softmax,
        embedding_dim=options.dim,
        learning_rate=1e-3,
        optimizer="adam",
        loss="binary_crossentropy",
        task="binary_classification",
        metrics=["AUC"],
        model_root=str(folder),
        verbose=0,
    )


def prepared(batches):
    """Return the batches as FuxiCTR's loader gives them: labels, histories with the target last, and the mask.

    It knows no candidates that share a history: each pair is a row with a history of its own.
    """
    made = []
    for target, history, label in zip(batches["target"], batches["history"], batches["label"], strict=True):
        past = np.repeat(history, target.shape[1], axis=0)
        items = torch.from_numpy(np.concatenate([past, target.reshape(-1, 1)], axis=1))
        made.append(({"label": torch.from_numpy(label.flatten())}, items.flatten(), torch.from_numpy(past > 0)))
    return made


def one_round(model, batches):
    """Train on every batch once, and return the mean loss."""
    losses = [model.train_step((labels, {"item": items}, mask)).item() for labels, items, mask in batches]
    return sum(losses) / len(losses)


def options_of():
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=Path, required=True, help="a file of numpy's: target, history, label, items")
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder for files of the run's own")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--dim", type=int, required=True)
    parser.add_argument("--hidden", type=int, nargs="+", required=True, help="units of the layers on top")
    parser.add_argument("--attention", type=int, nargs="+", required=True, help="units of the attention's layers")
    parser.add_argument("--activation", required=True)
    parser.add_argument("--softmax", action="store_true")
    return parser.parse_args()


def main():
    """Run once, and print the figures."""
    options = options_of()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    with np.load(options.batches) as file:
        items, batches = int(file["items"]), prepared(file)
    model = model_of(options, items, options.folder)
    model._max_gradient_norm = 10.0  # fit() sets it, to this
    model._batch_index = 0
    model.train()
    spent, losses = [], [one_round(model, batches)]  # the first warms up
    for _ in range(options.rounds):
        begun = cpu_seconds()
        losses.append(one_round(model, batches))
        spent.append(cpu_seconds() - begun)
    figures = {
        "cpu_seconds": spent,
        "examples": int(np.prod([len(batches), len(batches[0][2])])),
        "losses": losses,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "peak_mb": memory_mb("VmHWM"),
        "versions": {name: version(name) for name in ("fuxictr", "torch", "numpy")},
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
