"""How rankers of the next item are judged: ours and the simple ones, on the same moments, seed by seed."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from commands.machine import machine
from commands.output import say
from evaluators.ranking.next_item import Ties, gains, ranks
from evaluators.ranking.report import AttributeEffect, RankingProtocol, RankingReport, SliceScores, SystemScores
from evaluators.ranking.scoring import Metrics, SlicedMetrics, compared, next_item_metrics, scored, sliced
from evaluators.ranking.slices import HISTORY, POPULARITY, Slice, by_history_length, by_popularity, popularity
from memory.enrichment_priorities import DERIVED

if TYPE_CHECKING:
    from learning.material import Arm, Material, Questions
    from ranker.config import RankerConfig

NONE = ""  # no attribute's name
METRICS = ("NDCG@10", "HR@10", "HR@5", "NDCG@5", "HR@20", "NDCG@20", "MRR")
AT_ONCE = 256  # histories scored together: [256, items] of floats

Histories = Sequence[NDArray[np.int32]]
Scores = Callable[[Histories], NDArray[np.float32]]  # -> [histories, items]; -inf: not on offer


@dataclass(frozen=True)
class Exam:
    """The moments that are asked about, and what is learned from before them."""

    material: "Material"  # as much as may be learned from
    questions: "Questions"
    validation: "Questions"  # each user's last behaviour but one
    data: str
    split: str
    repeats: bool  # whether items of the own history are on offer

    def of_arm(self, arm: "Arm") -> "Exam":
        """Return the exam for a ranker that may use as much as an arm."""
        return replace(self, material=self.material.of_arm(arm))

    def without(self, attribute: str) -> "Exam":
        """Return the exam for a ranker that knows nothing of one attribute."""
        return replace(self, material=self.material.without(attribute))


@dataclass
class Sitting:
    """One system's ranks, one array a seed, and what they cost."""

    label: str
    ranks: list[NDArray[np.float64]] = field(default_factory=list)
    cpu_seconds: float = 0.0  # to fit one seed

    def metrics(self, user: NDArray[np.int64], chosen: NDArray[np.bool_] | None = None) -> list[Metrics]:
        """Return the metrics of each seed, on all events or some."""
        kept = slice(None) if chosen is None else chosen
        return [next_item_metrics(user[kept], own[kept]) for own in self.ranks]


def evaluated(task: str, material: "Material", config: "RankerConfig", seeds: Sequence[int]) -> RankingReport:
    """Return ours beside the reference models, each told all that it can use."""
    if task == "click-through":
        from commands.click_evaluation import judged  # noqa: PLC0415 - torch is an extra

        return judged(material, config, seeds)
    exam = exam_of(material, config)
    sittings = [*simple(exam), sasrec(exam, config, seeds), ours("ours", exam, config, seeds)]
    return report(exam, sittings, seeds, [])


def ablated(
    task: str, material: "Material", config: "RankerConfig", seeds: Sequence[int], attributes: int
) -> RankingReport:
    """Return ours by the log alone, with titles, with knowledge, and without each of the commonest attributes."""
    from learning.material import TITLE, Arm  # noqa: PLC0415 - polars is an extra

    if task == "click-through":
        from commands.click_evaluation import taken_apart  # noqa: PLC0415 - torch is an extra

        return taken_apart(material, config, seeds, attributes)
    exam = exam_of(material, config)
    steps = [ours(f"ours, {arm}", exam.of_arm(arm), config, seeds) for arm in Arm]
    names = [name for name in material.known.groups() if name not in DERIVED][:attributes]
    lesser = {name: ours(f"ours, without {name}", exam.without(name), config, seeds) for name in names}
    whole = steps[-1]
    if names and set(material.vectors) - {TITLE}:  # such vectors tell every attribute: `without` drops them all
        whole = ours("ours, knowledge without its vectors", exam.without(NONE), config, seeds)
    pairs = [(before.label, after.label) for before, after in itertools.pairwise(steps)]
    found = report(exam, [*simple(exam), *steps], seeds, pairs)
    return found.model_copy(update={"attributes": attribute_effects(exam, whole, lesser)})


def answered(exam: Exam, scores: Scores) -> NDArray[np.float64]:
    """Return the rank of each true item, 1 the highest, pessimistic about ties."""
    histories, true = exam.questions.histories, exam.questions.true
    found = []
    for start in range(0, len(true), AT_ONCE):
        some = histories[start : start + AT_ONCE]
        table = scores(some).astype(np.float32)
        if not exam.repeats:
            for row, history in enumerate(some):
                table[row, history] = -np.inf
        found.append(ranks(table, true[start : start + AT_ONCE], ties=Ties.PESSIMISTIC))
    return np.concatenate(found) if found else np.zeros(0)


def exam_of(material: "Material", config: "RankerConfig") -> Exam:
    """Return the exam on each user's last behaviour, learned without the last two (strict) or the last one (refit)."""
    from learning.material import NothingToLearn  # noqa: PLC0415 - polars is an extra

    held_out = 1 if config.refit else 2
    if material.behaviors.lengths.max(initial=0) < held_out + 2:
        raise NothingToLearn(f"no user has {held_out + 2} behaviours: two to learn from, and {held_out} to be foretold")
    behaviors = material.behaviors.without_last(held_out)
    return Exam(
        material=material.learning_from(behaviors),
        questions=material.last_questions(),
        validation=material.learning_from(material.behaviors.without_last(1)).last_questions(),
        data=f"{len(material.behaviors.item)} behaviours, knowledge of version {material.known.version}",
        split="last behaviour, learned without it" if config.refit else "last behaviour, learned without the last two",
        repeats=config.next_item.repeats,
    )


def simple(exam: Exam) -> Iterator[Sitting]:
    """Yield the simple rankers, fitted on the same behaviours."""
    from ranker.floors import floors_of  # noqa: PLC0415 - torch is an extra

    for label, scores, seconds in floors_of(exam.material):
        yield Sitting(label, [answered(exam, scores)], seconds)


def sasrec(exam: Exam, config: "RankerConfig", seeds: Sequence[int]) -> Sitting:
    """Return SASRec, each seed trained until the last behaviour but one of each user is foretold best."""
    from ranker.floors import sasrec_of  # noqa: PLC0415 - torch is an extra

    validation = replace(exam, questions=exam.validation)
    earlier = exam.material.learning_from(exam.material.behaviors.without_last(1)) if config.refit else exam.material
    sitting, started = Sitting("SASRec"), time.process_time()
    for seed in seeds:
        training = config.sasrec.model_copy(update={"seed": seed})
        scores = sasrec_of(earlier, lambda scores: _gain(answered(validation, scores)), training)
        sitting.cpu_seconds = (time.process_time() - started) / (len(sitting.ranks) + 1)
        sitting.ranks.append(answered(exam, scores))
    return sitting


def ours(label: str, exam: Exam, config: "RankerConfig", seeds: Sequence[int]) -> Sitting:
    """Return our ranker, fitted once a seed."""
    from ranker.next_item_folder import fit_next_item  # noqa: PLC0415 - torch is an extra

    sitting, started = Sitting(label), time.process_time()
    for seed in seeds:
        chosen = config.next_item.model_copy(update={"seed": seed, "repeats": exam.repeats})
        ranker = fit_next_item(exam.material, chosen)
        sitting.cpu_seconds = (time.process_time() - started) / (len(sitting.ranks) + 1)
        sitting.ranks.append(answered(exam, ranker.score))
        say(f"{label}, seed {seed}: NDCG@10 {_gain(sitting.ranks[-1]):.4f}")
    return sitting


def report(
    exam: Exam, sittings: Sequence[Sitting], seeds: Sequence[int], pairs: Sequence[tuple[str, str]]
) -> RankingReport:
    """Return what the sittings found; `pairs` are labels, before and after, to be compared beside floor and best."""
    user = exam.questions.user
    metrics = {sitting.label: sitting.metrics(user) for sitting in sittings}
    systems = tuple(_scores(sitting, metrics[sitting.label]) for sitting in sittings)
    floor = max(
        (system for system in systems if not system.label.startswith("ours")),
        key=lambda system: system.metrics[METRICS[0]].mean,
        default=systems[0],
    ).label
    differences = [
        compared(metric, (before, metrics[before]), (after, metrics[after]))
        for before, after in dict.fromkeys([*((floor, own.label) for own in sittings[-1:]), *pairs])
        if before != after
        for metric in ("HR@10", "NDCG@10")
    ]
    return RankingReport(
        protocol=_protocol(exam, seeds),
        metrics=METRICS,
        floor=floor,
        systems=systems,
        slices=tuple(_slices(exam, sittings)),
        differences=tuple(differences),
    )


def attribute_effects(exam: Exam, full: Sitting, lesser: Mapping[str, Sitting]) -> tuple[AttributeEffect, ...]:
    """Return what the ranking gains by each attribute; `lesser` are the sittings without one, by its name."""
    user, known = exam.questions.user, exam.material.known
    effects = []
    for attribute, sitting in lesser.items():
        found = compared(METRICS[0], ("without", sitting.metrics(user)), ("with", full.metrics(user)))
        effects.append(
            AttributeEffect(attribute=attribute, items=known.items_with(attribute), difference=found.difference)
        )
    return tuple(effects)


def _gain(found: NDArray[np.float64]) -> float:
    return float(gains(found, 10).mean())


def _scores(sitting: Sitting, metrics: Sequence[Metrics]) -> SystemScores:
    found = scored(sitting.label, metrics)
    return found.model_copy(update={"cpu_seconds": sitting.cpu_seconds})


def event_slices(exam: Exam) -> list[tuple[str, tuple[Slice, ...]]]:
    """Return how the moments that are asked about are told apart, by what."""
    behaviors = exam.material.behaviors
    counts = popularity(behaviors.item, len(behaviors.items))[exam.questions.true]
    lengths = np.array([len(history) for history in exam.questions.histories])
    return [(POPULARITY, by_popularity(counts)), (HISTORY, by_history_length(lengths))]


def _slices(exam: Exam, sittings: Sequence[Sitting]) -> Iterator[SliceScores]:
    user = exam.questions.user
    for by, slices in event_slices(exam):
        systems = {sitting.label: [_sliced_metrics(user, own) for own in sitting.ranks] for sitting in sittings}
        yield from sliced(by, slices, "HR@10", systems)


def _sliced_metrics(user: NDArray[np.int64], own: NDArray[np.float64]) -> SlicedMetrics:
    return lambda chosen: next_item_metrics(user[chosen], own[chosen])


def _protocol(exam: Exam, seeds: Sequence[int]) -> RankingProtocol:
    return RankingProtocol(
        task="next item",
        data=exam.data,
        split=exam.split,
        candidates="the whole catalog" if exam.repeats else "the whole catalog, own history left out",
        ties=Ties.PESSIMISTIC.value,
        users=len(np.unique(exam.questions.user)),
        events=len(exam.questions.true),
        items=len(exam.material.behaviors.items),
        seeds=tuple(seeds),
        machine=machine(),
    )
