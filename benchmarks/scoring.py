"""What scoring one request costs: the ranker, against a DIN that shares nothing between candidates, on one thread.

    python benchmarks/scoring.py [--candidates 500] [--behaviours 1000] [--width 64] [--rounds 7] [--onnx]

CPU milliseconds a request, the median of the rounds, all in one run: *naive*, DIN's first layer on [h, t, h * t, h - t]
of every pair; *factorised*, the same output from `ranker.attention.TargetAttention`; *retrieved*, that over the 50
behaviours nearest to each candidate, with the search; *ranker*, all of `Ranker.score` with counted features of five
views. Beside it the machine's speed at multiplying matrices (1024 x 1024, float32), and the share of it that the
multiplications of each way reach.

`--onnx` measures instead what serving costs: all of a request by torch's `Ranker.score` and by the exported
`ranker.onnx_ranker.OnnxRanker` (counted features included), and the networks alone, turn by turn.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from memory.behaviors.sequences import Sequences  # noqa: E402
from ranker.affinity import FEATURES, Affinity, Behind, affinities, features_of  # noqa: E402
from ranker.attention import TargetAttention, nearest, picked, pooled  # noqa: E402
from ranker.click_through import Ranker  # noqa: E402
from ranker.model import ClickThroughRanker, ClickThroughShape, Requests  # noqa: E402

ITEMS, HIDDEN, RETRIEVED = 10_000, 64, 50
Rows = NDArray[np.int32]


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


def serving(ranker: Ranker, history: Rows, candidates: Rows, rounds: int) -> Iterator[dict[str, object]]:
    """Yield what a request costs by torch and by onnxruntime: as a whole, and the network alone."""
    from ranker.onnx_export import export_onnx  # noqa: PLC0415 - needs the extra
    from ranker.onnx_ranker import CANDIDATES, COUNTED, HISTORY, LOGITS, OnnxRanker  # noqa: PLC0415

    ranker.model.eval()
    with TemporaryDirectory() as folder:
        export_onnx(ranker, [str(item) for item in range(ITEMS)], Path(folder, "ranker.onnx"))
        exported = OnnxRanker.load(Path(folder, "ranker.onnx"))
    behind = Behind(history[None, ::-1][:, : ranker.recent], candidates[None], np.zeros(1, dtype=np.bool_))
    newest, offered = history[None, ::-1].astype(np.int64), candidates[None].astype(np.int64)
    counted = features_of(behind, ranker.views).astype(np.float32)
    feed = {HISTORY: newest, CANDIDATES: offered, COUNTED: counted}
    request = Requests(*(torch.from_numpy(np.ascontiguousarray(own)) for own in (newest, offered, counted)))
    apart = np.abs(exported.score(history, candidates) - ranker.score(history, candidates)).max()
    for what, torch_way, onnx_way in (
        ("request", lambda: ranker.score(history, candidates), lambda: exported.score(history, candidates)),
        ("network", lambda: ranker.model(request), lambda: exported.session.run([LOGITS], feed)),
    ):
        ours, theirs = in_turns((torch_way, onnx_way), rounds)
        yield {
            "what": what,
            "torch_cpu_ms": round(ours, 2),
            "onnxruntime_cpu_ms": round(theirs, 2),
            "onnxruntime_of_torch": round(theirs / ours, 2),
            "greatest_difference": float(apart),
        }


def in_turns(ways: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median CPU milliseconds of each way, called in turns: other work meets all of them alike."""
    spent = [[_once(way) for way in ways] for _ in range(rounds + 1)]
    return [statistics.median(of_way) for of_way in zip(*spent[1:], strict=True)]  # the first is to warm up


def _once(way: Callable[[], object]) -> float:
    began = time.process_time()
    way()
    return 1000 * (time.process_time() - began)


@torch.no_grad()
def main() -> None:
    """Measure and print."""
    settings = arguments()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if settings.onnx:
        chance = np.random.default_rng(1)
        sizes = (settings.behaviours, settings.candidates)
        history, candidates = (chance.integers(ITEMS, size=size).astype(np.int32) for size in sizes)
        print(json.dumps({"candidates": sizes[1], "behaviours": sizes[0], "width": settings.width}))
        for row in serving(a_ranker(settings.width), history, candidates, settings.rounds):
            print(json.dumps(row))
        return
    ways_of_attending(settings)


def ways_of_attending(settings: argparse.Namespace) -> None:
    """Measure and print the ways of attending, and the whole ranker."""
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
    parser.add_argument("--onnx", action="store_true", help="what serving costs, by torch and by onnxruntime")
    return parser.parse_args()


if __name__ == "__main__":
    main()
