"""A behaviour of amazon_beauty hidden among the others: masked diffusion beside counting, text, and a causal model.

    python benchmarks/completion.py --data FOLDER [--seeds 0 1 2] [--users N] [--arm ARM]
        [--config benchmarks/rare_items.toml] [--rarity 0.2] [--out FILE]

Of each user with eight behaviours or more, one that is neither the first nor the last of s[:-3] is taken out (the same
for all seeds); models are fitted on what is left of everybody's s[:-3]. The catalog is ranked without the user's own
items; Recall@10 and NDCG@10, and Recall@10 of tail items (fewer than five times in what was fitted on). The gap is
*known* (its place is told) or *unknown* (each gap is tried, the mean chance counts; counting reads the whole history).
`--config` sets the models; with `--rarity` the diffusion is asked a second time, for rare items. Weights of fused
systems are chosen on a quarter of the users, which the learned fusion learns from too (once as they are, once with
questions of tail items counted twice), and everything is reported on the other three.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.completion_fusion import Evidence, learned_ranks, listed  # noqa: E402
from benchmarks.sequence_sets import read_set  # noqa: E402
from commands.model_options import settings_in  # noqa: E402
from diffusion.config import DiffusionConfig  # noqa: E402
from diffusion.fitted import fit_autoregressive, fit_diffusion  # noqa: E402
from diffusion.histories import Histories  # noqa: E402
from diffusion.imagination import Imagination  # noqa: E402
from learning.links import Links  # noqa: E402
from learning.material import Arm, Material  # noqa: E402
from learning.whitening import Whitening  # noqa: E402
from ranker.fusion import Candidates  # noqa: E402

LEAST, HELD_OUT, TAIL, AT_ONCE, TOP = 6, 1, 5, 128, 10  # a set's log ends two behaviours before the whole one
NEARNESS = 0.7  # weight of a behaviour against the next nearer one, where the gap is known
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
GAPS = ("unknown", "known")
Scores = dict[str, Tensor]  # [questions, items] of each system


@dataclass(frozen=True, eq=False)
class Questions:
    """Histories with one behaviour taken out: after which it stood, and what it was."""

    material: Material
    users: NDArray[np.int64]
    after: NDArray[np.int64]
    true: NDArray[np.int64]

    @classmethod
    def of(cls, material: Material, count: int) -> "Questions":
        """Return the questions of `count` users, drawn by a fixed seed."""
        chance, behaviors = np.random.default_rng(3), material.behaviors.without_last(HELD_OUT)
        users = np.flatnonzero(material.behaviors.lengths >= LEAST)
        place = 1 + (chance.random(len(users)) * (behaviors.lengths[users] - 2)).astype(np.int64)
        position = behaviors.offsets[users] + place
        kept = np.ones(len(behaviors.item), dtype=np.bool_)
        kept[position] = False
        chosen = np.sort(chance.permutation(len(users))[:count])
        rest = replace(material, behaviors=behaviors._where(kept))
        return cls(rest, users[chosen], place[chosen], behaviors.item[position][chosen].astype(np.int64))


def near_gap(histories: Histories, after: Tensor) -> Tensor:
    """Return [histories, L] how much a behaviour counts where the gap is known: 1 beside it, less further away."""
    place = torch.arange(histories.item.shape[1])
    away = torch.where(place < after.unsqueeze(1), after.unsqueeze(1) - place - 1, place - after.unsqueeze(1))
    return NEARNESS ** away.float() * histories.real


def title_vectors(material: Material) -> Tensor:
    """Return whitened title vectors [items, d]."""
    raw = material.vectors["title"]
    return torch.from_numpy(Whitening.fit(raw[np.unique(material.behaviors.item)], 128).apply(raw))


def counted(links: Links, titles: Tensor, histories: Histories, near: Mapping[str, Tensor]) -> Scores:
    """Return item-kNN and the likeness of titles, over the whole history and near the gap."""
    found: Scores = {}
    for name, weight in near.items():
        profile = torch.einsum("bn,bnd->bd", weight, titles[histories.item.clamp(min=0)])
        found[f"item-kNN, {name}"] = links.spread(torch.where(histories.real, histories.item, 0), weight)
        found[f"text, {name}"] = profile @ titles.T
    return found


def modelled(model: Imagination, label: str, histories: Histories, after: Tensor) -> Scores:
    """Return ln p of a model; of the twin with the gap unknown, what it expects after the whole history."""
    known = model.log_chances(histories, after)
    if model.is_twin:
        unknown = model.log_chances(histories, histories.lengths)
    else:
        total, lengths = torch.zeros_like(known), histories.lengths
        for gap in range(int(lengths.max()) + 1):
            rows = (lengths >= gap).nonzero()[:, 0]
            part = histories.rows(rows)
            total[rows] += model.log_chances(part, torch.full((len(rows),), gap)).exp() / (lengths[rows, None] + 1)
        unknown = torch.log(total.clamp(min=1e-30))
    return {f"{label}, unknown": unknown, f"{label}, known": known}


def ranks_of(scores: Tensor, histories: Histories, true: Tensor) -> NDArray[np.int64]:
    """Return how many items stand before the true one, ties against it; the user's own items are left out."""
    row, place = histories.real.nonzero(as_tuple=True)
    scores = scores.index_put((row, histories.item[row, place]), torch.tensor(-torch.inf))
    own = scores.gather(1, true.unsqueeze(1))
    return np.asarray(((scores >= own).sum(dim=1) - 1).numpy())


def fusions(scores: Scores, gap: str) -> dict[str, Tensor]:
    """Return what is added up, brought to like scales, by name."""
    return {
        "diffusion": scores[f"diffusion, {gap}"],
        "kNN": torch.log1p(scores[f"item-kNN, {gap}"] / 0.02),
        "text": scores[f"text, {gap}"],
        "twin": scores[f"twin, {gap}"],
    }


FUSED = {
    "kNN + text": {"kNN": (1.0,), "text": WEIGHTS},
    "kNN + text + diffusion": {"diffusion": (1.0,), "kNN": WEIGHTS, "text": WEIGHTS},
    "all four": {"diffusion": (1.0,), "kNN": WEIGHTS, "text": WEIGHTS, "twin": (0.0, 0.25, 0.5)},
}


def grid(parts: Mapping[str, tuple[float, ...]]) -> list[dict[str, float]]:
    """Return all combinations of weights."""
    found: list[dict[str, float]] = [{}]
    for name, weights in parts.items():
        found = [{**own, name: weight} for own in found for weight in weights]
    return found


def measure(questions: Questions, models: Mapping[str, Imagination], seed: int) -> dict[str, NDArray[np.int64]]:
    """Return the rank of each question's item by each system and each weighting, `name | weights`."""
    titles = title_vectors(questions.material)
    ranks: dict[str, list[NDArray[np.int64]]] = {}
    lists: dict[str, list[Candidates]] = {}
    evidence = Evidence.of(questions.material, titles)
    for start in range(0, len(questions.users), AT_ONCE):
        users = questions.users[start : start + AT_ONCE]
        histories = Histories.of(questions.material.behaviors, users, 10_000)
        after = torch.from_numpy(questions.after[start : start + AT_ONCE])
        true = torch.from_numpy(questions.true[start : start + AT_ONCE])
        near = {"unknown": histories.real.float(), "known": near_gap(histories, after)}
        scores = counted(evidence.links["beside"], titles, histories, near)
        for label, model in models.items():
            scores |= modelled(model, label, histories, after)
        before = {"unknown": None, "known": torch.arange(histories.item.shape[1]) < after[:, None]}
        for gap in GAPS:
            parts = fusions(scores, gap)
            lists.setdefault(gap, []).append(listed(parts, evidence, histories, near[gap], before[gap]))
            scores |= summed(parts, gap)
        for name, own in scores.items():
            ranks.setdefault(name, []).append(ranks_of(own, histories, true))
    found = {name: np.concatenate(own) for name, own in ranks.items()}
    answer, times = torch.from_numpy(questions.true), choosing_users(questions).astype(np.int64)
    for gap in GAPS:
        found[f"learned fusion, {gap}"] = learned_ranks(lists[gap], answer, times, seed=seed)
        twice = learned_ranks(lists[gap], answer, times * (1 + tail_questions(questions)), seed=seed)
        found[f"learned fusion, tail twice, {gap}"] = twice
    return found


def summed(parts: Mapping[str, Tensor], gap: str) -> Scores:
    """Return all sums that are compared, `name, gap | weights`."""
    found: Scores = {}
    for name, choices in FUSED.items():
        for weights in grid(choices):
            mixed = sum((weight * parts[part] for part, weight in weights.items()), torch.zeros(()))
            found[f"{name}, {gap} | {json.dumps(weights)}"] = mixed
    return found


def choosing_users(questions: Questions) -> NDArray[np.bool_]:
    """Return which questions weights are chosen by, and fusions learned from."""
    return np.asarray(np.arange(len(questions.users)) % 4 == 0)


def tail_questions(questions: Questions) -> NDArray[np.bool_]:
    """Return which questions' items are rare in what is fitted on."""
    behaviors = questions.material.behaviors
    return np.asarray(np.bincount(behaviors.item, minlength=len(behaviors.items))[questions.true] < TAIL)


def reported(questions: Questions, ranks: Mapping[str, NDArray[np.int64]]) -> dict[str, dict[str, float]]:
    """Return each system's figures on the users that chose no weights."""
    tail, choosing = tail_questions(questions), choosing_users(questions)
    best: dict[str, str] = {}
    for name in ranks:
        system = name.split(" | ")[0]
        if system not in best or _ndcg(ranks[name][choosing]) > _ndcg(ranks[best[system]][choosing]):
            best[system] = name
    return {
        system: {
            "R@10": float((ranks[name][~choosing] < TOP).mean()),
            "NDCG@10": _ndcg(ranks[name][~choosing]),
            "tail R@10": float((ranks[name][~choosing & tail] < TOP).mean()),
        }
        for system, name in best.items()
    }


def _ndcg(ranks: NDArray[np.int64]) -> float:
    return float(np.where(ranks < TOP, 1 / np.log2(ranks + 2.0), 0.0).mean())


def fitted_models(material: Material, config: DiffusionConfig, rarity: float) -> dict[str, Imagination]:
    """Return the models that are asked; the same diffusion for rare items as well, where that is wanted."""
    diffusion = fit_diffusion(material, config)
    models = {"diffusion": diffusion, "twin": fit_autoregressive(material, config)}
    if rarity:
        rarer = replace(diffusion, config=config.model_copy(update={"rarity": rarity}))
        models[f"diffusion, rarity {rarity}"] = rarer
    return models


def main() -> None:
    """Fit, ask, print a table a seed, and write all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--users", type=int, default=8300)
    parser.add_argument("--arm", choices=[arm.value for arm in Arm], default="knowledge")
    parser.add_argument("--config", type=Path, help="settings of the models; their defaults where not given")
    parser.add_argument("--rarity", type=float, default=0.0)
    parser.add_argument("--scratch", type=Path, default=Path(".next_item"))
    parser.add_argument("--out", type=Path, default=Path("completion.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = json.loads(given.out.read_text()) if given.out.exists() else {}
    material = read_set("beauty", given.data, given.scratch).material.of_arm(Arm(given.arm))
    questions = Questions.of(material, given.users)
    config = settings_in(given.config, DiffusionConfig, "a diffusion model")
    for seed in given.seeds:
        started = time.process_time()
        models = fitted_models(questions.material, config.model_copy(update={"seed": seed}), given.rarity)
        fitted = time.process_time() - started
        figures = reported(questions, measure(questions, models, seed))
        found[f"{given.arm} | {seed}"] = {
            "users": len(questions.users), "CPU-s to fit both": fitted, "load": os.getloadavg()[0], "systems": figures
        }  # fmt: skip
        given.out.write_text(json.dumps(found, indent=2))
        print(f"{given.arm}, seed {seed}: {len(questions.users)} users, {fitted:.0f} CPU-s to fit both")
        for system, own in figures.items():
            print(f"  {system:36}" + "  ".join(f"{metric} {value:.4f}" for metric, value in own.items()), flush=True)


if __name__ == "__main__":
    main()
