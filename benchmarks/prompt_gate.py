"""How often `reaseq evaluate --gate` fails a prompt edit that changes nothing, and how often it lets a worse one pass.

    reaseq evaluate GOLD --out base.json        # any evaluation: its items, their gold and their answers are the start
    python benchmarks/prompt_gate.py base.json

A simulated edit draws the answers of some items anew: with the chance `--noise` an answer that was right is missed or
wrong, and one that was missed or wrong becomes right with the chance that keeps the expected number of right answers.
The edition before it is drawn in the same way, so that the two are of equal worth and every failure is a false alarm.
A worse edit, beside that, loses right answers with a chance of its own. The ruling is the gate's, on whole evaluations.
"""

import argparse
import json
import random
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from evaluators.evaluation import Evaluation, read_evaluation  # noqa: E402
from evaluators.extractgpt import AnswerKinds  # noqa: E402
from evaluators.gate import ruled  # noqa: E402
from evaluators.item_scores import ItemScore  # noqa: E402
from evaluators.summary import summarize  # noqa: E402

LOSSES = (0.0, 0.02, 0.04, 0.08, 0.16)  # of the right answers


def edited(found: Evaluation, draw: random.Random, noise: float, loss: float = 0.0) -> Evaluation:
    """Return the evaluation of a simulated edition of the prompts."""
    kinds = found.system.summary.kinds
    back = noise * kinds.vc / max(1, kinds.vn + kinds.vw)
    items = tuple(_item(score, draw, (noise, min(1.0, back)), loss) for score in found.system.items)
    system = found.system.model_copy(update={"items": items, "summary": summarize(items, 0.95)})
    return found.model_copy(update={"system": system})


def _item(score: ItemScore, draw: random.Random, chances: tuple[float, float], loss: float) -> ItemScore:
    attributes = {name: _answers(kinds, draw, chances, loss) for name, kinds in score.attributes.items()}
    return score.model_copy(update={"attributes": attributes})


def _answers(kinds: AnswerKinds, draw: random.Random, chances: tuple[float, float], loss: float) -> AnswerKinds:
    away, back = chances
    right, missed, wrong = 0, 0, 0
    answers = ["right"] * kinds.vc + ["missed"] * kinds.vn + ["wrong"] * kinds.vw
    for answer in answers:
        drawn = answer
        if answer == "right" and draw.random() < away:
            drawn = draw.choice(("missed", "wrong"))
        elif answer != "right" and draw.random() < back:
            drawn = "right"
        if drawn == "right" and draw.random() < loss:
            drawn = draw.choice(("missed", "wrong"))
        right, missed, wrong = right + (drawn == "right"), missed + (drawn == "missed"), wrong + (drawn == "wrong")
    return kinds.model_copy(update={"vc": right, "vn": missed, "vw": wrong})


def failures(found: Evaluation, *, edits: int, noise: float, loss: float, seed: int) -> tuple[int, float]:
    """Return how many of so many edits the gate fails, and the mean change of F1."""
    draw = random.Random(seed)
    failed, change = 0, 0.0
    for number in range(edits):
        before, after = edited(found, draw, noise), edited(found, draw, noise, loss)
        failed += not ruled(before, after, file="simulated", tolerance=0.0, seed=number).passed
        change += after.system.summary.kinds.f1 - before.system.summary.kinds.f1
    return failed, change / edits


def main() -> None:
    """Print, for each loss, how many edits the gate fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("evaluation", type=Path, help="an --out of `reaseq evaluate`")
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--noise", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    found = read_evaluation(given.evaluation)
    print(f"{found.gold.items} golden items, {given.edits} edits each, {given.noise:.0%} of the answers drawn anew")
    rows = []
    for loss in LOSSES:
        failed, change = failures(found, edits=given.edits, noise=given.noise, loss=loss, seed=given.seed)
        print(f"loses {loss:4.0%} of the right answers: F1 {change:+.1%} on average, failed {failed} of {given.edits}")
        rows.append({"loss": loss, "change": change, "failed": failed, "edits": given.edits, "noise": given.noise})
    if given.out:
        given.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
