"""How well the student extracts attributes, by the ExtractGPT protocol, beside the look-up floor.

    python benchmarks/attribute_extraction.py --data FOLDER [--sets oa-mine ae-110k] [--train full 0.2] [--out FILE]

FOLDER holds annotated titles as gzipped JSON Lines ({"title", "category", "attributes": {name: [values]}}, "n/a" for an
absent one): oa-mine_train, oa-mine_train_0.2, ae-110k_train, ae-110k_train_0.2, ae-110k_test, each .jsonl.gz. They are
data/processed_datasets/ of the public repository wbsg-uni-mannheim/ExtractGPT, one object a line.

A set with a test file is trained on train (or train_0.2) and scored on test. A set without one is scored on train by
cross-validation; with 0.2, trained on train_0.2 and scored on the titles of train that are not in it. `--folds 1`
scores the first fold alone. `--held-out` never opens a test file: use it for all choices. CPU-ms are those of the
process, one title at a time, the encoder's share included.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agents.student.student import Finding  # noqa: E402
from agents.student.training import TrainingStep, train_student  # noqa: E402
from evaluators.annotated import AnnotatedTitle, read_annotated  # noqa: E402
from evaluators.extractgpt import Answer, score_answers  # noqa: E402
from evaluators.folds import deal  # noqa: E402
from evaluators.lookup import learn_look_up  # noqa: E402
from memory.encoder import MiniLmEncoder  # noqa: E402

SETS = ("oa-mine", "ae-110k")
FOLDS = 5

Titles = Sequence[AnnotatedTitle]
Figures = dict[str, object]


@dataclass(frozen=True)
class Trial:
    """What to train on, and what to score."""

    train: Titles
    test: Titles


@dataclass(frozen=True)
class Outcome:
    """The answers to a trial's test titles by each system, and what the student cost."""

    gold: Titles
    answers: dict[str, list[Answer]]
    train_seconds: float
    read_seconds: float


def trials(folder: Path, name: str, share: str, options: argparse.Namespace) -> tuple[str, list[Trial]]:
    """Return how a set is split, in words, and its trials."""
    whole = _read(folder, f"{name}_train")
    train = whole if share == "full" else _read(folder, f"{name}_train_{share}")
    test = folder / f"{name}_test.jsonl.gz"
    if test.exists() and not options.held_out:
        return "train -> test", [Trial(train, list(read_annotated(test)))]
    if share != "full":
        inside = {annotated.title for annotated in train}
        return f"train_{share} -> rest of train", [Trial(train, [a for a in whole if a.title not in inside])]
    dealt = deal(whole, FOLDS, options.seed)
    split = [
        Trial(
            [a for a, fold in zip(whole, dealt, strict=True) if fold != held],
            [a for a, fold in zip(whole, dealt, strict=True) if fold == held],
        )
        for held in range(options.folds)
    ]
    return f"{options.folds} of {FOLDS} folds of train, seed {options.seed}", split


def run(trial: Trial, encoder: MiniLmEncoder) -> Outcome:
    """Train on the one part and read the other."""
    begun = time.process_time()
    student = train_student(trial.train, encoder, report=_told)
    trained = time.process_time()
    found = [student.read(a.title, a.category, encoder) for a in trial.test]
    read = time.process_time()
    answers: list[Answer] = [_answer(findings, lambda finding: finding.is_answer) for findings in found]
    print(f"  read {len(found)} titles: F1 {100 * score_answers(trial.test, answers).micro.f1:.2f}", file=sys.stderr)
    floor = learn_look_up(trial.train)
    by_system: dict[str, list[Answer]] = {
        "look-up": [floor.read(a.title, a.category) for a in trial.test],
        "student": answers,
        "student, unasked": [_answer(findings, lambda finding: finding.is_stated) for findings in found],
    }
    return Outcome(trial.test, by_system, trained - begun, read - trained)


def figures(outcomes: Sequence[Outcome]) -> Iterator[Figures]:
    """Yield the figures of each system over all trials together."""
    gold = [annotated for outcome in outcomes for annotated in outcome.gold]
    for system in outcomes[0].answers:
        scores = score_answers(gold, [answer for outcome in outcomes for answer in outcome.answers[system]])
        folds = [score_answers(o.gold, o.answers[system]).micro.f1 for o in outcomes]
        yield {
            "system": system,
            "f1": scores.micro.f1,
            "precision": scores.micro.precision,
            "recall": scores.micro.recall,
            "strict_f1": scores.micro.strict_f1,
            "macro_f1": scores.macro_f1,
            "f1_of_folds": folds,
            "kinds": scores.micro.model_dump(),
        }


def measured(folder: Path, name: str, share: str, options: argparse.Namespace) -> Figures:
    """Run one set with one share of its training titles, print its rows, and return all figures."""
    split, todo = trials(folder, name, share, options)
    encoder = MiniLmEncoder()
    encoder.word_pieces("loaded before anything is timed")
    outcomes = [run(trial, encoder) for trial in todo]
    titles = sum(len(outcome.gold) for outcome in outcomes)
    systems = list(figures(outcomes))
    print(f"\n{name}, {share}: {split}; {titles} titles scored")
    for row in systems:
        shown = (f"{label} {100 * float(str(row[key])):6.2f}" for key, label in _SHOWN)
        print(f"  {row['system']:<17} {'  '.join(shown)}")
    cost = {
        "train_cpu_seconds": sum(o.train_seconds for o in outcomes) / len(outcomes),
        "read_cpu_ms_a_title": 1000 * sum(o.read_seconds for o in outcomes) / titles,
    }
    print(f"  training {cost['train_cpu_seconds']:.0f} CPU-s, reading {cost['read_cpu_ms_a_title']:.1f} CPU-ms a title")
    return {"set": name, "train": share, "split": split, "titles": titles, "systems": systems, **cost}


_SHOWN = (("f1", "F1"), ("precision", "P"), ("recall", "R"), ("strict_f1", "strict F1"), ("macro_f1", "macro F1"))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--train", nargs="+", choices=("full", "0.2"), default=("full", "0.2"))
    parser.add_argument("--folds", type=int, choices=range(1, FOLDS + 1), default=FOLDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("attribute_extraction.json"))
    options = parser.parse_args()
    if not (options.data / f"{options.sets[0]}_train.jsonl.gz").exists():
        sys.exit(f"{options.data} has no {options.sets[0]}_train.jsonl.gz; --help says where the data come from")
    found: Figures = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}",
        "command": sys.argv[1:],
        "runs": [measured(options.data, name, share, options) for name in options.sets for share in options.train],
        "load_at_the_end": round(os.getloadavg()[0], 2),
    }
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _read(folder: Path, stem: str) -> list[AnnotatedTitle]:
    return list(read_annotated(folder / f"{stem}.jsonl.gz"))


def _answer(findings: Sequence[Finding], wanted: Callable[[Finding], bool]) -> Answer:
    return {finding.attribute: finding.value for finding in findings if wanted(finding)}


def _told(step: TrainingStep) -> None:
    if step.number % 20 == 0:
        print(f"  {step.reader}: step {step.number}, loss {step.loss:.1f}", file=sys.stderr)


if __name__ == "__main__":
    main()
