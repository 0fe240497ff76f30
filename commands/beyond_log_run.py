"""A run of the beyond-log benchmark: hide, fit what takes part on the rest, ask, judge; seed by seed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from commands.beyond_log_files import named_files, read_suggestions, told_of
from commands.beyond_log_ranker import ranker_effect
from commands.beyond_log_scene import Scene, SceneUnreadable
from commands.beyond_log_systems import Fitted, fitted_controls, fitted_floor, fitted_models, missing_for_models
from commands.machine import machine
from commands.output import say
from evaluators.beyond_log.hiding import SHARE, UNKNOWN, Hiding, content_hash
from evaluators.beyond_log.judging import Jury, Sitting, verdict
from evaluators.beyond_log.metrics import CUTS
from evaluators.beyond_log.report import BeyondLogProtocol, BeyondLogReport, Coverage
from evaluators.beyond_log.suggestions import Rule, listed, suggested

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig

FEWEST = 10  # scored users


@dataclass(frozen=True)
class Plan:
    """What a run is asked for."""

    seeds: tuple[int, ...] = (0,)
    share: float = SHARE
    cuts: tuple[int, ...] = CUTS
    generated: tuple[str, ...] = ()  # NAME=FILE
    models: bool = True
    ranker: bool = False  # whether a ranker is trained with imagined behaviours and without
    config: "DiffusionConfig | None" = None  # of the models; None: their defaults
    fitting: Callable[..., Iterator[Fitted]] = fitted_models


def benchmarked(scene: Scene, plan: Plan) -> BeyondLogReport:
    """Return what every system found; raises `SceneUnreadable` where too little is hidden to judge by."""
    files = named_files(plan.generated, plan.seeds)
    missing = missing_for_models() if plan.models else "models are left out, as asked for"
    hidings = [_hidden(scene, plan, seed) for seed in plan.seeds]
    handed = {  # read first: training takes long, and a file that cannot be read ends the run
        name: [read_suggestions(path, scene, hiding) for path, hiding in zip(paths, hidings, strict=True)]
        for name, paths in files.items()
    }
    sittings: dict[str, Sitting] = {}
    for place, (seed, hiding) in enumerate(zip(plan.seeds, hidings, strict=True)):
        jury = scene.jury(hiding, plan.cuts)
        for fitted in _fitted(scene, hiding, seed, plan if missing is None else None):
            _hear(sittings, fitted, jury, seed)
        for name, read in handed.items():
            sitting = sittings.setdefault(name, Sitting(name, is_control=False, learned_from=files[name][place].name))
            sitting.hear(jury, listed(read[place].lists, hiding, scene.categories, max(plan.cuts)), seed)
    blank = _blank(scene, plan, hidings)
    told = tuple(told_of(name, paths, handed[name]) for name, paths in files.items())
    effects = (ranker_effect(scene, plan.seeds, plan.config),) if plan.ranker and missing is None else ()
    update = {"files": told, "left_out": (missing,) if missing else (), "ranker": effects}
    report = blank.model_copy(update=update)
    return verdict(report, list(sittings.values()))


def _hidden(scene: Scene, plan: Plan, seed: int) -> Hiding:
    hiding = scene.hiding(plan.share, seed)
    if len(hiding) < FEWEST:
        raise SceneUnreadable(f"{len(hiding)} users have something hidden; {FEWEST} are needed to judge by")
    return hiding


def _fitted(scene: Scene, hiding: Hiding, seed: int, plan: Plan | None) -> Iterator[Fitted]:
    seen = scene.seen(hiding)
    yield from fitted_controls(seen, scene.categories)
    if plan is not None:
        yield from fitted_floor(seen)
        yield from plan.fitting(seen, scene.categories, seed, plan.config)


def _hear(sittings: dict[str, Sitting], fitted: Fitted, jury: Jury, seed: int) -> None:
    lists = suggested(fitted.suggest, jury.gold.hiding, jury.categories, max(jury.cuts))
    sitting = sittings.setdefault(
        fitted.name, Sitting(fitted.name, fitted.is_control, learned_from=fitted.learned_from)
    )
    sitting.hear(jury, lists, seed)
    sitting.cpu_seconds.append(fitted.cpu_seconds)
    name, cut = "category recall", jury.cuts[0]
    found = sitting.by_rule[Rule.SPREAD][-1][f"{name}@{cut}"]
    say(f"seed {seed}: {fitted.name}: {name}@{cut} {found.part.sum() / found.whole.sum():.4f}, one item a category")


def _blank(scene: Scene, plan: Plan, hidings: Sequence[Hiding]) -> BeyondLogReport:
    """Return the report before anything is judged."""
    near = scene.near
    protocol = BeyondLogProtocol(
        data=scene.data,
        content_hash=content_hash(scene.behaviors, scene.behaviors.items, scene.categories),
        hiding="as the log hides in truth" if scene.truths else "drawn by seed",
        share=None if scene.truths else plan.share,
        seeds=plan.seeds,
        cuts=plan.cuts,
        near=near.threshold if near else None,
        near_of_random=near.of_random if near else None,
        near_of_category=near.of_category if near else None,
        machine=machine(),
    )
    return BeyondLogReport.model_construct(
        protocol=protocol, coverage=_coverage(scene, hidings), metrics=(), systems=(), strongest={}
    )


def _coverage(scene: Scene, hidings: Sequence[Hiding]) -> Coverage:
    log, filed = scene.behaviors, scene.categories.of_item != UNKNOWN
    return Coverage(
        users=len(log.users),
        scored_users=len(hidings[0]),
        behaviors=len(log.item),
        items=len(log.items),
        items_with_category=int(filed.sum()),
        categories=len(scene.categories.names),
        hidden_behaviors=float(np.mean([(~hiding.visible).sum() for hiding in hidings])),
        hidden_items=float(np.mean([sum(map(len, hiding.items)) for hiding in hidings])),
        hidden_categories=float(np.mean([sum(map(len, hiding.categories)) for hiding in hidings])),
        unseen_items=float(np.mean([_unseen(scene, hiding) for hiding in hidings])),
    )


def _unseen(scene: Scene, hiding: Hiding) -> int:
    seen = np.zeros(len(scene.behaviors.items), dtype=np.bool_)
    seen[scene.behaviors.item[hiding.visible]] = True
    return int(sum((~seen[own]).sum() for own in hiding.items))


def seed_folder(folder: Path, seed: int, seeds: Sequence[int]) -> Path:
    """Return where one seed is exported to: the folder itself, or one inside of it where there are several."""
    return folder if len(seeds) == 1 else folder / f"seed-{seed}"
