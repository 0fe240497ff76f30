"""What the knowledge before and after is worth to the models: each trained on both with the same seeds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from commands import click_evaluation as clicks
from commands import ranker_evaluation as next_item
from commands.diffusion_evaluation import sittings_of
from commands.impact.trainings import Outcome, TrainingCache, key_of
from commands.output import say
from diffusion.config import DiffusionConfig
from diffusion.fitted import fit_diffusion
from evaluators.impact.report import AFTER, BEFORE, RankingChange, SliceChange
from evaluators.ranking.report import RankingReport
from evaluators.ranking.scoring import Metrics, compared
from evaluators.ranking.slices import Slice
from learning.material import Material, NothingToLearn
from ranker.affinity import codes_of
from ranker.config import RankerConfig

NEXT_ITEM, CLICKS, DIFFUSION = "next item", "clicks", "diffusion"
Materials = Mapping[str, Material]  # by BEFORE and AFTER
SlicedSides = Mapping[str, Callable[[np.ndarray], Sequence[Metrics]]]


class Rankings:
    """Trains and judges the models on both sides; what was trained before is taken from the cache."""

    def __init__(
        self, sides: Materials, ranker: RankerConfig, diffusion: DiffusionConfig, cache: TrainingCache
    ) -> None:
        self._sides, self._ranker, self._diffusion, self._cache = sides, ranker, diffusion, cache

    def changes(self, seeds: Sequence[int], *, diffusion: bool) -> Iterator[RankingChange]:
        """Yield what each model gains or loses; one that the log is too short for is left out, and that is told."""
        models = {NEXT_ITEM: self.next_item, CLICKS: self.clicks} | ({DIFFUSION: self.foretold} if diffusion else {})
        for model, change in models.items():
            reused = self._cache.reused
            try:
                found = change(seeds)
            except NothingToLearn as nothing:
                say(f"{model} cannot be judged: {nothing}")
                continue
            yield found.model_copy(update={"reused": self._cache.reused - reused})

    def next_item(self, seeds: Sequence[int]) -> RankingChange:
        """Return what the ranker of the whole catalog gains."""
        config = self._ranker

        def ranks(material: Material, seed: int, side: str) -> Outcome:
            return next_item.ours(f"{NEXT_ITEM}, {side}", next_item.exam_of(material, config), config, [seed]).ranks[0]

        return self._of_ranks(NEXT_ITEM, ranks, seeds)

    def foretold(self, seeds: Sequence[int]) -> RankingChange:
        """Return what the diffusion model gains at foretelling what is next."""
        config = self._diffusion

        def ranks(material: Material, seed: int, side: str) -> Outcome:
            exam = next_item.exam_of(material, self._ranker)
            return sittings_of(f"{DIFFUSION}, {side}", fit_diffusion, exam, None, config, [seed])[0].ranks[0]

        return self._of_ranks(DIFFUSION, ranks, seeds)

    def clicks(self, seeds: Sequence[int]) -> RankingChange:
        """Return what the ranker of given candidates gains; both sides are asked the same."""
        config, before = self._ranker.click_through, self._sides[BEFORE]
        leaf = codes_of(before.known, "category") if config.negatives == "same-leaf" else None
        parts = {side: clicks.parts_to_judge(material, config, leaf) for side, material in self._sides.items()}
        users = parts[BEFORE].users
        asked = b"" if leaf is None else leaf.tobytes()
        sittings = []
        for side, material in self._sides.items():
            chances = [
                self._cache.outcome(
                    key_of(CLICKS, material, config, seed, asked=asked),
                    lambda material=material, seed=seed, side=side: clicks.ours(  # type: ignore[misc]  # called at once
                        f"{CLICKS}, {side}", material, parts[side], config, [seed]
                    ).chances[0],
                )
                for seed in seeds
            ]
            sittings.append(clicks.Sitting(side, users, chances))
        seen = parts[BEFORE].seen
        report = clicks.report_of(before, self._ranker, seen, sittings, seeds, [(BEFORE, AFTER)])
        sides = {sitting.label: sitting.metrics for sitting in sittings}
        slices = _slices("AUC", clicks.event_slices(before, seen, users), sides)
        return _change(CLICKS, report, slices)

    def _of_ranks(
        self, model: str, ranks: Callable[[Material, int, str], Outcome], seeds: Sequence[int]
    ) -> RankingChange:
        config = self._diffusion if model == DIFFUSION else self._ranker
        asked = f"{self._ranker.refit} {self._ranker.next_item.repeats}".encode()  # of both models; see `exam_of`
        sittings = []
        for side, material in self._sides.items():
            found = [
                self._cache.outcome(
                    key_of(model, material, config, seed, asked=asked),
                    lambda material=material, seed=seed, side=side: ranks(material, seed, side),  # type: ignore[misc]  # called at once
                )
                for seed in seeds
            ]
            sittings.append(next_item.Sitting(side, found))
        exam = next_item.exam_of(self._sides[BEFORE], self._ranker)
        report = next_item.report(exam, sittings, seeds, [(BEFORE, AFTER)])
        user = exam.questions.user
        sides = {own.label: lambda chosen, own=own: own.metrics(user, chosen) for own in sittings}
        return _change(model, report, _slices("HR@10", next_item.event_slices(exam), sides))


def _change(model: str, report: RankingReport, slices: Iterable[SliceChange]) -> RankingChange:
    """Return the change; a gain is one over what was before, and each difference is told once."""
    differences = {(one.metric, one.before, one.after): one for one in report.differences}
    kept = tuple(one for one in differences.values() if (one.before, one.after) == (BEFORE, AFTER))
    told = report.model_copy(update={"floor": BEFORE, "differences": kept, "slices": ()})
    return RankingChange(model=model, report=told, slices=tuple(slices))


def _slices(metric: str, parts: Iterable[tuple[str, tuple[Slice, ...]]], sides: SlicedSides) -> Iterator[SliceChange]:
    for by, slices in parts:
        for part in slices:
            if not part.events.any():
                continue
            before, after = sides[BEFORE](part.events), sides[AFTER](part.events)
            if metric not in before[0] or metric not in after[0]:
                continue  # such as an AUC where nothing is clicked
            found = compared(metric, (BEFORE, before), (AFTER, after)).difference
            events = int(part.events.sum())
            yield SliceChange(by=by, name=part.name, events=events, metric=metric, difference=found)
