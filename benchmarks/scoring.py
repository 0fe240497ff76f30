"""What scoring one request costs: the ranker, against a DIN that shares nothing between candidates, on one thread.

    python benchmarks/scoring.py [--candidates 500] [--behaviours 1000] [--width 64] [--rounds 7]

CPU milliseconds a request, the median of the rounds, all in one run: *naive*, DIN's first layer on [h, t, h * t, h - t]
of every pair; *factorised*, the same output from `ranker.attention.TargetAttention`; *retrieved*, that over the 50
behaviours nearest to each candidate, with the search; *ranker*, all of `Ranker.score` with counted features of five
views. Beside it the machine's speed at multiplying matrices (1024 x 1024, float32), and the share of it that the
multiplications of each way reach.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from memory.behaviors.sequences import Sequences  # noqa: E402
from ranker.affinity import FEATURES, Affinity, affinities  # noqa: E402
from ranker.attention import TargetAttention, nearest, picked, pooled  # noqa: E402
from ranker.click_through import Ranker  # noqa: E402
from ranker.model import ClickThroughRanker, ClickThroughShape  # noqa: E402

ITEMS, HIDDEN, RETRIEVED = 10_000, 64, 50


class Attention(nn.Module):
    """The three ways of attending, with the same weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = TargetAttention(width, HIDDEN)

    def naive(self, past: Tensor, offered: Tensor, real: Tensor) -> Tensor:
        """Return the pooled history; four widths for each pair."""
        h = past.unsqueeze(1).expand(-1, offered.shape[1], -1, -1)
        t = offered.unsqueeze(2).expand_as(h)
        hidden = torch.relu(self.attention.first(torch.cat([h, t, h * t, h - t], dim=-1)))
        return pooled(self.attention.last(hidden).squeeze(-1), past, real)

    def factorised(self, past: Tensor, offered: Tensor, real: Tensor) -> Tensor:
        """Return the same from shared parts."""
        return pooled(self.attention(past, self.attention.behaviours(past), offered), past, real)

    def retrieved(self, past: Tensor, offered: Tensor, real: Tensor) -> Tensor:
        """Return the same over the nearest behaviours of each candidate."""
        chosen = nearest(offered @ past.transpose(1, 2), real, min(RETRIEVED, past.shape[1]))
        shared, few = picked(self.attention.behaviours(past), chosen), picked(past, chosen)
        return pooled(self.attention(few, shared, offered), few, picked(real.unsqueeze(2), chosen).squeeze(3))


def a_ranker(width: int) -> Ranker:
    """Return an untrained ranker of a shop of random behaviours: what it says does not matter here."""
    chance = np.random.default_rng(0)
    item = (ITEMS * chance.random(200_000) ** 2).astype(np.int32)
    nothing = np.zeros(len(item), dtype=np.int8)
    names, users = tuple(map(str, range(ITEMS))), tuple(map(str, range(20_000)))
    seen = Sequences(users, names, np.arange(20_001) * 10, item, np.arange(len(item)), nothing, nothing)
    groups = [Affinity.count(str(size), chance.integers(size, size=ITEMS), seen) for size in (20, 200, 600)]
    views = [*affinities(seen), *groups]
    vectors = nn.functional.normalize(torch.randn(ITEMS, 128), dim=1)
    config = ClickThroughShape(items=ITEMS, features=len(views) * len(FEATURES), dimensions=(128,), width=width)
    return Ranker(ClickThroughRanker(config, [vectors]), views)


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Return the median CPU time of some calls, after one to warm up."""
    work()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - began))
    return statistics.median(spent)


@torch.no_grad()
def main() -> None:
    """Measure and print."""
    settings = arguments()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    count, length, width = settings.candidates, settings.behaviours, settings.width
    past, offered = torch.randn(1, length, width), torch.randn(1, count, width)
    real = torch.ones(1, length, dtype=torch.bool)
    ways, ranker, square = Attention(width), a_ranker(width), torch.randn(1024, 1024)
    chance = np.random.default_rng(1)
    history, candidates = (chance.integers(ITEMS, size=size).astype(np.int32) for size in (length, count))
    gigaflops = 2 * 1024**3 / milliseconds(lambda: square @ square, settings.rounds) / 1e6
    few = min(RETRIEVED, length)
    work = {
        "naive": (lambda: ways.naive(past, offered, real), 8 * width * HIDDEN * count * length),
        "factorised": (lambda: ways.factorised(past, offered, real), 2 * width * HIDDEN * count * length),
        "retrieved": (lambda: ways.retrieved(past, offered, real), 2 * width * count * (length + HIDDEN * few)),
        "ranker": (lambda: ranker.score(history, candidates), 2 * count * (128 * length + width * HIDDEN * few)),
    }
    print(json.dumps({"candidates": count, "behaviours": length, "width": width, "gemm_gflops": round(gigaflops, 1)}))
    spent = {name: milliseconds(call, settings.rounds) for name, (call, _) in work.items()}
    for name, (_, flops) in work.items():
        share, gain = flops / (spent[name] * 1e6) / gigaflops, spent["naive"] / spent[name]
        row = {
            "way": name,
            "cpu_ms": round(spent[name], 2),
            "times_naive": round(gain, 1),
            "gemm_share": round(share, 3),
        }
        print(json.dumps(row))


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--behaviours", type=int, default=1000)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
