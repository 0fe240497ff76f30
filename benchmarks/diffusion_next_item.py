"""The next item by masked diffusion, SASRec and an autoregressive twin of equal size, in one harness.

    python benchmarks/diffusion_next_item.py --data FOLDER [--sets beauty industrial retail] [--seeds 0 1 2]
        [--parts main tokens condition steps families ends] [--systems 'masked, log' …] [--scratch FOLDER] [--out FILE]

**beauty**: strict leave-one-out (learned from s[:-2], asked for s[-1]); **industrial**: learned from history + valid,
asked for the 4,533 test events after up to ten behaviours; own history left out of both. **retail**: learned from what
is older than the last month, asked for each known customer's first basket in it: its new items, all of it, what is
bought again. Recall@10 (of at most ten) and NDCG@10 over the whole catalog. Models read items, times and kinds alone
("log"), title vectors as well ("title"), or the catalog's columns and what the fast path makes of them, with demands
("knowledge"). Parts: `main` compares the models; `tokens` items with parallel and residual semantic IDs, on 2,000
events; `condition` leaves out the demands, and guides by them; `steps` imagines 8 slots in 4 chains with 1, 2, 4 and
8 steps of the sampler and ranks by agreement, on 2,000 events; `families` leaves out one family of masks at a time;
`ends` hides the last item alone.
Each finished cell is kept in --out and not computed again; a part is finished for a seed before the next seed begins.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.diffusion_systems import (  # noqa: E402
    Kept,
    System,
    by_samples,
    floors,
    judged,
    masked,
    of_model,
    sasrec,
    semantic_tokens,
    twin,
)
from benchmarks.sequence_sets import SETS, LogSet, read_set  # noqa: E402
from diffusion.config import DiffusionConfig, Family, Mixture  # noqa: E402
from learning.material import Arm  # noqa: E402
from memory.item_vectors.semantic_ids import IdKind  # noqa: E402

PARTS = ("main", "tokens", "condition", "steps", "families", "ends")
SAMPLED = 2000  # events of a set that samplers and beams are asked
STEPS = (1, 2, 4, 8)

Settings = Mapping[str, object]
Build = Callable[[LogSet, int, Kept], System]  # a set, a seed, where models are kept


@dataclass(frozen=True)
class Cell:
    """A system that is to be fitted and judged."""

    part: str
    system: str
    build: Build
    most: int | None = None  # events that are asked; None: all


def cells(parts: list[str]) -> Iterator[Cell]:
    """Yield the systems of each part, in the order of the parts."""
    makers = {
        "main": _main,
        "tokens": _tokens,
        "condition": _condition,
        "steps": _steps,
        "families": _families,
        "ends": _ends,
    }
    for part in parts:
        yield from makers[part]()


def _main() -> Iterator[Cell]:
    yield Cell("main", "SASRec", lambda data, seed, kept: sasrec(data, seed))
    for arm in (Arm.LOG, Arm.KNOWLEDGE, Arm.TITLE):
        yield Cell("main", f"masked, {arm}", partial(_masked, arm=arm))
        yield Cell("main", f"twin, {arm}", partial(_twin, arm=arm))
    for name in ("popularity", "item-kNN", "Markov + kNN + MiniLM"):
        yield Cell("main", name, partial(_floor, name=name))


def _tokens() -> Iterator[Cell]:
    for arm in (Arm.LOG, Arm.TITLE):
        yield Cell("tokens", f"items, {arm}", partial(_masked, arm=arm), SAMPLED)
    for kind in IdKind:
        yield Cell("tokens", f"{kind} codes of titles", partial(_semantic, kind=kind), SAMPLED)


def _condition() -> Iterator[Cell]:
    yield Cell("condition", "with demands", partial(_masked, arm=Arm.KNOWLEDGE))
    yield Cell("condition", "without demands", partial(_masked, arm=Arm.KNOWLEDGE, settings={"demands": 0}))
    yield Cell("condition", "guided by 0.5", partial(_masked, arm=Arm.KNOWLEDGE, guidance=0.5))


def _steps() -> Iterator[Cell]:
    for steps in STEPS:
        yield Cell("steps", f"{steps} of the sampler", partial(_sampled, steps=steps), SAMPLED)


def _families() -> Iterator[Cell]:
    every = {family.value.replace("-", "_"): 1.0 for family in Family}
    for name, left_out in (("all families", ""), *((f"without {family}", family) for family in Family)):
        weights = {family: weight for family, weight in every.items() if family != left_out.replace("-", "_")}
        mixture = {"families": Mixture(**weights), "families_end": Mixture(**weights)}
        yield Cell("families", name, partial(_masked, arm=Arm.KNOWLEDGE, settings=mixture))


def _ends() -> Iterator[Cell]:
    mixture = {"families": Mixture(target=1), "families_end": Mixture(target=1)}
    yield Cell("ends", "masks of the end alone, log", partial(_masked, arm=Arm.LOG, settings=mixture))


def _masked(
    data: LogSet, seed: int, kept: Kept, *, arm: Arm, settings: Settings | None = None, guidance: float = 0.0
) -> System:
    config = DiffusionConfig(seed=seed).model_copy(update=settings or {})
    model = masked(data.material.of_arm(arm), config, kept)
    return of_model(replace(model, config=config.model_copy(update={"guidance": guidance})))


def _twin(data: LogSet, seed: int, kept: Kept, *, arm: Arm) -> System:
    return of_model(twin(data.material.of_arm(arm), DiffusionConfig(seed=seed), kept))


def _semantic(data: LogSet, seed: int, kept: Kept, *, kind: IdKind) -> System:
    material = data.material.of_arm(Arm.TITLE)
    tokens, about = semantic_tokens(material, kind)
    config = DiffusionConfig(seed=seed, folds=0)  # company is looked up where a token is an item
    return of_model(masked(material, config, kept, tokens), about)


def _sampled(data: LogSet, seed: int, kept: Kept, *, steps: int) -> System:
    return System(
        by_samples(masked(data.material.of_arm(Arm.KNOWLEDGE), DiffusionConfig(seed=seed), kept), steps, seed)
    )


def _floor(data: LogSet, seed: int, kept: Kept, *, name: str) -> System:
    return floors(data)[name]


def measured(cell: Cell, data: LogSet, seed: int, kept: Kept) -> dict[str, object]:
    """Fit and judge a system; seconds are of CPU."""
    started = time.process_time()
    torch.manual_seed(seed)
    system = cell.build(data, seed, kept)
    spent = time.process_time() - started
    items = len(data.material.known.ids)
    tasks = {task.name: judged(system, task, items, cell.most) for task in data.tasks}
    return {"seconds": spent, "parameters": system.parameters, "tasks": tasks} | dict(system.about)


def main() -> None:
    """Measure what is not measured yet, and print tables of all that is."""
    arguments = _arguments()
    torch.set_num_threads(1)
    found = json.loads(arguments.out.read_text("utf-8")) if arguments.out.exists() else {}
    found["machine"] = platform.platform()
    sets = {name: read_set(name, arguments.data, arguments.scratch) for name in arguments.sets}
    for part in arguments.parts:
        for seed in arguments.seeds:
            for name, data in sets.items():
                for cell in (one for one in cells([part]) if one.system in (arguments.systems or [one.system])):
                    key = f"{name} | {part} | {cell.system} | {seed}"
                    if key not in found:
                        print(f"{key} …", file=sys.stderr, flush=True)
                        found[key] = measured(cell, data, seed, Kept(arguments.scratch / "models" / f"{name}-{seed}"))
                        arguments.out.write_text(json.dumps(found, indent=2), encoding="utf-8")
    for name in arguments.sets:
        _print_set(name, found)


def _print_set(name: str, found: dict[str, object]) -> None:
    """Print a set's figures, one line a system and a task: means over seeds, and their standard deviation."""
    grouped: dict[tuple[str, str], list[dict[str, object]]] = {}
    for key, value in found.items():
        if key.startswith(f"{name} | ") and isinstance(value, dict):
            _, part, system, _ = key.split(" | ")
            grouped.setdefault((part, system), []).append(value)
    for (part, system), runs in grouped.items():
        for task in runs[0]["tasks"]:  # type: ignore[attr-defined]
            values = [run["tasks"][task] for run in runs]  # type: ignore[index]
            recall, gain = ([own[metric] for own in values] for metric in ("recall", "ndcg"))
            shown = "  ".join(f"{np.mean(own):.4f} ± {np.std(own):.4f}" for own in (recall, gain))
            seconds = np.mean([run["seconds"] for run in runs])
            ms = np.mean([own["ms"] for own in values])
            print(
                f"{name:11}{part:10}{system:28}{task:22}{shown}  {len(runs)} seeds, {seconds:.0f} CPU-s, {ms:.2f} ms",
                flush=True,
            )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=sorted(SETS), default=sorted(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--systems", nargs="+", help="those of the parts alone; all if not given")
    parser.add_argument("--scratch", type=Path, default=Path(".next_item"))
    parser.add_argument("--out", type=Path, default=Path("diffusion_next_item.json"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
