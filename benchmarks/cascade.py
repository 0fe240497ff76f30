"""What a cascade saves: the student takes what it is sure of, a large model the rest, and F1 is compared.

    python benchmarks/cascade.py --data FOLDER [--set ae-110k] [--train full|0.2] [--model-right 0.88] [--out FILE]

The data are those of benchmarks/attribute_extraction.py. **The large model is simulated**: it answers a question right
with the given probability (0.88 gives about the F1 that is published for GPT-4 with ten demonstrations, 87.5 on
AE-110k), by a lot that title and attribute draw. "apart": its mistakes have nothing to do with the student's; "alike":
it errs, as often, first where the student errs. A real model lies between. An answer is sure where the student is as
sure as the threshold that the value is right, or that the title states none.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agents.student.student import Finding  # noqa: E402
from agents.student.training import train_student  # noqa: E402
from benchmarks.attribute_extraction import SETS, Titles, trials  # noqa: E402
from evaluators.extractgpt import Answer, score_answers  # noqa: E402
from memory.encoder import MiniLmEncoder  # noqa: E402

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
NOBODY = "\0"  # a value that no title has

Errs = Callable[[int, str], bool]  # title's number, attribute


def sureness(finding: Finding) -> float:
    """Return how sure the student is of its answer, be it a value or none."""
    stated = finding.share * finding.stated_if_asked
    return stated if finding.is_answer else 1 - finding.stated_if_asked


def lot(title: str, attribute: str) -> float:
    """Return a number in [0, 1) that title and attribute draw."""
    return int.from_bytes(hashlib.sha256(f"{title}\0{attribute}".encode()).digest()[:6], "big") / 2**48


def mistakes(titles: Titles, student: Sequence[Answer], right: float, *, alike: bool) -> Errs:
    """Return at which questions the simulated model errs: a share of 1 - `right` of them."""
    asked = [(n, name) for n, title in enumerate(titles) for name in title.attributes]

    def wrong_by_student(question: tuple[int, str]) -> bool:
        number, name = question
        gold, said = titles[number].attributes[name], student[number].get(name)
        return said not in gold if gold else said is not None

    def order(question: tuple[int, str]) -> tuple[bool, float]:
        return alike and not wrong_by_student(question), lot(titles[question[0]].title, question[1])

    erring = set(sorted(asked, key=order)[: round(len(asked) * (1 - right))])
    return lambda number, name: (number, name) in erring


def modelled(titles: Titles, errs: Errs) -> list[Answer]:
    """Return what the simulated model says of all questions."""
    return [
        {name: _said(values, wrong=errs(number, name)) for name, values in title.attributes.items()}
        for number, title in enumerate(titles)
    ]


def rows(titles: Titles, found: Sequence[Sequence[Finding]], right: float) -> Iterator[dict[str, float | str]]:
    """Yield one row a threshold and kind of mistakes."""
    student: list[Answer] = [{f.attribute: f.value for f in findings if f.is_answer} for findings in found]
    for kind in ("apart", "alike"):
        model = modelled(titles, mistakes(titles, student, right, alike=kind == "alike"))
        alone = score_answers(titles, model).micro.f1
        for threshold in THRESHOLDS:
            sure = [{f.attribute for f in findings if sureness(f) >= threshold} for findings in found]
            answers: list[Answer] = [
                {**large, **{name: small.get(name) for name in kept if name in large}}
                for large, small, kept in zip(model, student, sure, strict=True)
            ]
            questions = sum(len(findings) for findings in found)
            yield {
                "mistakes": kind,
                "threshold": threshold,
                "model_alone_f1": alone,
                "cascade_f1": score_answers(titles, answers).micro.f1,
                "titles_without_a_call": sum(len(k) == len(f) for k, f in zip(sure, found, strict=True)) / len(titles),
                "attributes_asked": 1 - sum(map(len, sure)) / questions,
            }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--set", choices=SETS, default="ae-110k")
    parser.add_argument("--train", choices=("full", "0.2"), default="full")
    parser.add_argument("--model-right", type=float, default=0.88)
    parser.add_argument("--out", type=Path, default=Path("cascade.json"))
    options = parser.parse_args()
    if not (options.data / f"{options.set}_train.jsonl.gz").exists():
        sys.exit(f"{options.data} has no {options.set}_train.jsonl.gz; --help says where the data come from")
    split = argparse.Namespace(held_out=False, folds=1, seed=0)
    described, [trial, *_] = trials(options.data, options.set, options.train, split)
    encoder = MiniLmEncoder()
    student = train_student(trial.train, encoder)
    found = [student.read(title.title, title.category, encoder) for title in trial.test]
    table = list(rows(trial.test, found, options.model_right))
    print(f"{options.set}, {options.train}: {described}; {len(trial.test)} titles; the model is simulated")
    for row in table:
        print(
            "  ".join(f"{name} {value:.3f}" if isinstance(value, float) else f"{value}" for name, value in row.items())
        )
    document = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}",
        "command": sys.argv[1:],
        "rows": table,
    }
    options.out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _said(values: Sequence[str], *, wrong: bool) -> str | None:
    """Return a gold value or none; when wrong, another value, or for every second value none."""
    if not wrong:
        return values[0] if values else None
    return None if values and lot(values[0], "") < 0.5 else NOBODY


if __name__ == "__main__":
    main()
