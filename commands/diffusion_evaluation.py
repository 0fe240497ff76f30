"""How models of behaviour sequences are judged: the last behaviour, or one hidden among the others, is foretold."""

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from commands.output import say
from commands.ranker_evaluation import Exam, Sitting, exam_of, report, simple
from diffusion.completion import gap_log_chances
from diffusion.config import DiffusionConfig
from diffusion.fitted import fit_autoregressive, fit_diffusion
from diffusion.imagination import SLOTS, Imagination
from evaluators.ranking.next_item import gains, ranks
from evaluators.ranking.report import RankingReport
from learning.material import Material, NothingToLearn, Questions
from ranker.config import RankerConfig

TASKS = ("next-item", "completion")
TWIN, OURS, KNOWN = "autoregressive twin", "ours, masked diffusion", ", gap known"
SIMPLE = ("popularity", "item-kNN")
SUGGESTED = 100  # of a user; what is not among them is not found
FEWEST = 5  # behaviours of a user of whom one is hidden
MOST_HIDDEN = 5000  # users of whom one is hidden
AT_ONCE = 256  # histories asked together

Fit = Callable[[Material, DiffusionConfig], Imagination]


def judged(task: str, material: Material, config: DiffusionConfig, seeds: Sequence[int]) -> RankingReport:
    """Return masked diffusion beside popularity, item-kNN and the autoregressive twin; one of `TASKS`."""
    exam, after = (exam_of(material, RankerConfig()), None) if task == "next-item" else completion_of(material)
    sittings = [sitting for sitting in simple(exam) if sitting.label in SIMPLE]
    for label, fit in ((TWIN, fit_autoregressive), (OURS, fit_diffusion)):
        sittings += sittings_of(label, fit, exam, after, config, seeds)
    pairs = [(TWIN, OURS)] if after is None else [(TWIN, OURS), (TWIN + KNOWN, OURS + KNOWN), (OURS, OURS + KNOWN)]
    return report(exam, sittings, seeds, pairs)


def completion_of(material: Material, seed: int = 0) -> tuple[Exam, NDArray[np.int64]]:
    """Return the exam on one behaviour of each user taken out of the middle, and how many it stood after.

    It is nowhere learned from. Of at most `MOST_HIDDEN` users; raises `NothingToLearn` where nobody has enough.
    """
    behaviors, chance = material.behaviors, np.random.default_rng(seed)
    users = np.flatnonzero(behaviors.lengths >= FEWEST)
    if not len(users):
        raise NothingToLearn(f"no user has {FEWEST} behaviours, of which one can be hidden among the others")
    users = np.sort(chance.choice(users, min(MOST_HIDDEN, len(users)), replace=False))
    place = 1 + (chance.random(len(users)) * (behaviors.lengths[users] - 2)).astype(np.int64)
    hidden = behaviors.offsets[users] + place
    left = behaviors.without(hidden)
    spans = zip(left.offsets[users].tolist(), left.offsets[users + 1].tolist(), strict=True)
    histories = tuple(left.item[start:end] for start, end in spans)
    questions = Questions(histories, behaviors.item[hidden].astype(np.int64), users)
    exam = Exam(
        material=material.learning_from(left),
        questions=questions,
        validation=questions,
        data=f"{len(behaviors.item)} behaviours, knowledge of version {material.known.version}",
        split="one behaviour between the others of each user, nowhere learned from",
        repeats=False,
    )
    return exam, place


def sittings_of(
    label: str, fit: Fit, exam: Exam, after: NDArray[np.int64] | None, config: DiffusionConfig, seeds: Sequence[int]
) -> list[Sitting]:
    """Return what a model, fitted once a seed, finds; twice where a gap can be told, without and with being told.

    `after` has the place of each gap; None where what is next is foretold.
    """
    plain, told = Sitting(label), Sitting(label + KNOWN)
    started = time.process_time()
    for seed in seeds:
        model = fit(exam.material, config.model_copy(update={"seed": seed}))
        plain.cpu_seconds = told.cpu_seconds = (time.process_time() - started) / (len(plain.ranks) + 1)
        plain.ranks.append(_suggested(model, exam.questions, 1 if after is None or model.is_twin else SLOTS))
        if after is not None:
            told.ranks.append(_at_gaps(model, exam.questions, after))
        for sitting in (plain, told)[: 1 if after is None else 2]:
            say(f"{sitting.label}, seed {seed}: NDCG@10 {float(gains(sitting.ranks[-1], 10).mean()):.4f}")
    return [plain] if after is None else [plain, told]


def _suggested(model: Imagination, questions: Questions, slots: int) -> NDArray[np.float64]:
    """Return the rank of each true item among what is suggested; 0 where it is not among it.

    With one slot for what is next; with more for what belongs anywhere between the others.
    """
    found = np.zeros(len(questions.true))
    for start in range(0, len(questions.true), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        items, _ = model.suggest(questions.histories[rows], SUGGESTED, slots=slots)
        there = items == questions.true[rows, None]
        found[rows] = np.where(there.any(axis=1), there.argmax(axis=1) + 1, 0)
    return found


def _at_gaps(model: Imagination, questions: Questions, after: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the rank of each true item at the very place where it stood."""
    found: list[NDArray[np.float64]] = []
    start = 0
    for table in gap_log_chances(model, questions.histories, after):
        some = slice(start, start + len(table))
        own = table.copy()
        for row, history in enumerate(questions.histories[some]):
            own[row, history] = -np.inf
        found.append(ranks(own, questions.true[some]))
        start += len(table)
    return np.concatenate(found) if found else np.zeros(0)
