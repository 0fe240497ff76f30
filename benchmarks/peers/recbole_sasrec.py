"""RecBole's own SASRec: its data set, its loader, its trainer's epoch; CPU seconds of each, and how well it ranks then.

The last line of its output is one line of JSON. RecBole 1.2.1 is older than what it stands on: `mended` says where.
"""
# It runs in an environment of its own, which mypy does not see.
# mypy: ignore-errors

import argparse
import functools
import gzip
import json
import os
import sys
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from measuring import cpu_seconds, memory_mb

NAME = "beauty"  # of the folder and the file that RecBole reads


def mended():
    """Give numpy the names that Ray and RecBole still ask for, and torch.load its old default."""
    np.bool8, np.float_, np.complex_, np.unicode_ = np.bool_, np.float64, np.complex128, np.str_
    torch.load = functools.partial(torch.load, weights_only=False)


def written(sequences, folder):
    """Write the interactions as RecBole reads them; the order number stands for the time."""
    target = folder / NAME
    target.mkdir(parents=True, exist_ok=True)
    with gzip.open(sequences, "rt") as lines, (target / f"{NAME}.inter").open("w") as out:
        out.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for line in lines:
            user, *items = line.split()
            out.writelines(f"{user}\t{item}\t{time}\n" for time, item in enumerate(items))


def settings(options):
    """Return what RecBole is told; what is not named here is its own default."""
    return {
        "data_path": str(options.folder),
        "checkpoint_dir": str(options.folder / "saved"),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {"split": {"LS": "valid_and_test"}, "group_by": "user", "order": "TO", "mode": "full"},
        "train_neg_sample_args": None,
        "loss_type": "CE",
        "n_layers": options.layers,
        "n_heads": options.heads,
        "hidden_size": options.dim,
        "inner_size": 4 * options.dim,
        "MAX_ITEM_LIST_LENGTH": options.length,
        "train_batch_size": options.batch,
        "metrics": ["NDCG"],
        "valid_metric": "NDCG@10",
        "use_gpu": False,
        "show_progress": False,
        "seed": options.seed,
        "state": "ERROR",
    }


@torch.no_grad()
def quality(model, data):
    """Return HR@10 and NDCG@10 over the whole catalog, what the user has already had left out."""
    model.eval()
    ranks = []
    for interaction, *_ in data:
        scores = model.full_sort_predict(interaction)
        aim = interaction[model.POS_ITEM_ID]
        reached = scores.gather(1, aim[:, None])
        scores.scatter_(1, interaction[model.ITEM_SEQ], -torch.inf)  # padding is item 0, which is no item
        scores[:, 0] = -torch.inf
        ranks.append((scores > reached).sum(1))
    ranks = torch.cat(ranks).numpy()
    hits = ranks < 10
    return float(hits.mean()), float((hits / np.log2(ranks + 2)).mean())


def trained(options):
    """Yield what stands after each epoch, until the epochs or the CPU seconds are used up."""
    from recbole.config import Config  # noqa: PLC0415 - it needs what is mended first
    from recbole.data import create_dataset, data_preparation  # noqa: PLC0415
    from recbole.model.sequential_recommender import SASRec  # noqa: PLC0415
    from recbole.trainer import Trainer  # noqa: PLC0415
    from recbole.utils import init_seed  # noqa: PLC0415

    sys.argv = sys.argv[:1]  # RecBole reads the command line too
    config = Config(model="SASRec", dataset=NAME, config_dict=settings(options))
    init_seed(config["seed"], config["reproducibility"])
    train, valid, _ = data_preparation(config, create_dataset(config))
    model = SASRec(config, train.dataset)
    trainer = Trainer(config, model)
    steps = min(options.steps or len(train), len(train))
    examples = min(steps * options.batch, len(train.dataset))
    used = 0.0
    for epoch in range(options.epochs):
        begun = cpu_seconds()
        loss = trainer._train_epoch(train if steps == len(train) else list(islice(train, steps)), epoch)
        spent = cpu_seconds() - begun
        used += spent
        hit, ndcg = quality(model, valid) if steps == len(train) else (None, None)
        yield {"cpu_seconds": spent, "loss": loss / steps, "hit": hit, "ndcg": ndcg, "examples": examples}
        if ndcg is None:
            continue
        print(f"epoch {epoch}: {spent:.1f} CPU-s, HR@10 {hit:.4f}, NDCG@10 {ndcg:.4f}", file=sys.stderr, flush=True)
        if used + spent > options.cpu_limit:
            return


def main():
    """Run once, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=Path, required=True, help="a line a user: user item item ..., gzipped")
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder for files of the run's own")
    for name in ("layers", "heads", "dim", "length", "batch", "epochs", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--steps", type=int, default=0, help="of an epoch, instead of all; nothing is scored then")
    parser.add_argument("--cpu-limit", type=float, required=True, help="CPU seconds of training after which to end")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.chdir(options.folder)
    mended()
    written(options.sequences, options.folder)
    epochs = list(trained(options))
    versions = {name: version(name) for name in ("recbole", "torch", "numpy", "pandas")}
    print(json.dumps({"epochs": epochs, "peak_mb": memory_mb("VmHWM"), "versions": versions}), flush=True)


if __name__ == "__main__":
    main()
