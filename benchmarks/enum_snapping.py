"""How well words that are no allowed value are taken for one: each known word hidden in turn, and looked for again.

    python benchmarks/enum_snapping.py [--taxonomy FILE] [--seed N] [--out FILE]

Three sets are made from a taxonomy (the starter unless given): *hidden*, each alias that its value's other words do
not give away, looked for where it was taken out; *misspelt*, one word a value with one letter dropped, doubled, changed
or swapped; *foreign*, words of other attributes, which nothing should be taken for. Precision is the share of right
ones among the snapped, recall among all; of the foreign ones the share that was snapped. Prints a table, writes JSON.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agents.values import snapping  # noqa: E402
from agents.values.normalization import ValueProblem, normalize  # noqa: E402
from agents.values.snapping import Snapped, nearest, snap  # noqa: E402
from agents.values.words import fold  # noqa: E402
from memory.category import AllowedValue, AttributeSpec, AttributeType  # noqa: E402
from memory.encoder import MiniLmEncoder, TextEncoder, Vectors  # noqa: E402
from memory.taxonomy import load_taxonomy, starter_taxonomy  # noqa: E402

FOREIGN = 25  # words of other attributes, an attribute
STEPS = (0.5, 0.6, 0.7, 0.8, 0.9)
LETTERS = "aeinrst"


class Question(NamedTuple):
    """A word, the attribute it is looked for in, and the value that it means; None where it means none of them."""

    word: str
    spec: AttributeSpec
    value: str | None


class Remembering:
    """An encoder that encodes no text twice: hiding one alias leaves all the others of its attribute as they were."""

    def __init__(self, encoder: TextEncoder) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encoder, self._known = encoder, dict[str, Vectors]()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
        if fresh:
            self._known |= dict(zip(fresh, self._encoder.encode(fresh), strict=True))
        vectors: Vectors = np.stack([self._known[text] for text in texts])
        return vectors


def hidden(specs: Sequence[AttributeSpec]) -> Iterator[Question]:
    """Yield each alias, with its attribute as it is without it."""
    for spec in specs:
        for allowed in spec.values:
            for alias in allowed.aliases:
                without = spec.model_copy(update={"values": tuple(_without(value, alias) for value in spec.values)})
                if not _is_known(alias, without):
                    yield Question(alias, without, allowed.value)


def misspelt(specs: Sequence[AttributeSpec], rng: random.Random) -> Iterator[Question]:
    """Yield one word a value with one wrong letter."""
    for spec in specs:
        for allowed in spec.values:
            word = rng.choice((allowed.value, *allowed.aliases))
            if len(word) >= 6:
                wrong = _with_a_slip(word, rng)
                if not _is_known(wrong, spec):
                    yield Question(wrong, spec, allowed.value)


def foreign(specs: Sequence[AttributeSpec], rng: random.Random) -> Iterator[Question]:
    """Yield words of other attributes that mean nothing in this one."""
    everything = sorted({word for spec in specs for word in _words(spec)})
    for spec in specs:
        own = {fold(word) for word in _words(spec)}
        strange = [w for w in rng.sample(everything, 3 * FOREIGN) if fold(w) not in own and not _is_known(w, spec)]
        yield from (Question(word, spec, None) for word in strange[:FOREIGN])


def rates(questions: Sequence[Question], answers: Sequence[Snapped | None]) -> dict[str, float]:
    """Return what was snapped, how often rightly, and the share of all that is right."""
    snapped = [(question, answer) for question, answer in zip(questions, answers, strict=True) if answer]
    right = sum(answer.value == question.value for question, answer in snapped)
    return {
        "asked": len(questions),
        "snapped": len(snapped),
        "precision": right / len(snapped) if snapped else 1.0,
        "recall": right / max(1, len(questions)),
        "snapped_share": len(snapped) / max(1, len(questions)),
    }


def measured(sets: dict[str, list[Question]], encoder: TextEncoder | None) -> dict[str, object]:
    """Return the rates of each set, and how often the nearest value is right from each score on."""
    found: dict[str, object] = {}
    for name, questions in sets.items():
        found[name] = rates(questions, [snap(q.word, q.spec, encoder) for q in questions])
        close = [next(iter(nearest(q.word, q.spec, encoder, 1)), None) for q in questions]
        for step in STEPS:
            found[f"{name}, nearest >= {step}"] = rates(
                questions, [c if c and c.score >= step else None for c in close]
            )
    return found


def main() -> None:
    """Measure, print a table, write JSON."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--taxonomy", type=Path)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, default=Path("enum_snapping.json"))
    given = options.parse_args()
    taxonomy = load_taxonomy(given.taxonomy) if given.taxonomy else starter_taxonomy()
    specs = [spec for spec in taxonomy.attributes.values() if spec.type is AttributeType.ENUM and spec.values]
    rng = random.Random(given.seed)
    sets = {
        "hidden": [*hidden(specs)],
        "misspelt": [*misspelt(specs, rng)],
        "foreign": [*foreign(specs, rng)],
    }
    started = time.process_time()
    figures = {
        "taxonomy": taxonomy.version,
        "attributes": len(specs),
        "thresholds": {k: v for k, v in vars(snapping).items() if k.isupper() and isinstance(v, float)},
        "by spelling": measured(sets, None),
        "by spelling and meaning": measured(sets, Remembering(MiniLmEncoder())),
        "cpu_seconds": round(time.process_time() - started, 1),
        "command": " ".join(sys.argv),
    }
    given.out.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    _print(figures)


def _print(figures: dict[str, object]) -> None:
    for by in ("by spelling", "by spelling and meaning"):
        print(f"\n{by:40} {'asked':>7} {'snapped':>8} {'precision':>10} {'recall':>8}")
        sets = figures[by]
        for name, row in sets.items() if isinstance(sets, dict) else ():
            shares = f"{row['snapped_share']:>8.2%} {row['precision']:>10.1%} {row['recall']:>8.1%}"
            print(f"{name:40} {row['asked']:>7} {shares}")
    print(f"\n{figures['cpu_seconds']} CPU seconds")


def _words(spec: AttributeSpec) -> list[str]:
    return [word for allowed in spec.values for word in (allowed.value, *allowed.aliases)]


def _without(allowed: AllowedValue, alias: str) -> AllowedValue:
    return allowed.model_copy(update={"aliases": tuple(word for word in allowed.aliases if word != alias)})


def _is_known(word: str, spec: AttributeSpec) -> bool:
    try:
        normalize(word, spec)
    except ValueProblem:
        return False
    return True


def _with_a_slip(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + rng.choice(LETTERS) + word[at + 1 :],
    )
    return rng.choice(slips)


if __name__ == "__main__":
    main()
