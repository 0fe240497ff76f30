"""Who takes part in the beyond-log benchmark: the controls, and the models where their packages are installed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.controls import Counts, controls, suggest_by
from evaluators.beyond_log.hiding import Categories, Rows
from evaluators.beyond_log.suggestions import Suggest, Suggested, by_category
from memory.extras import ExtraMissing, extras

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig
    from diffusion.imagination import Imagination
    from learning.material import Material

SLOTS = 8  # in the gaps and at the end of a history
NEXT_ITEM = "Markov + kNN + MiniLM"  # the strongest of the ranker's floors


@dataclass(frozen=True, eq=False)
class Fitted:
    """A system that was fitted on what is visible."""

    name: str
    is_control: bool
    suggest: Suggest
    cpu_seconds: float
    learned_from: str = "visible behaviours"


def fitted_controls(seen: "Material", categories: Categories) -> Iterator[Fitted]:
    """Yield the controls that need no network."""
    from learning.material import TITLE  # noqa: PLC0415 - polars is an extra

    started = time.process_time()
    found = controls(seen.behaviors, categories, seen.vectors.get(TITLE))
    seconds = (time.process_time() - started) / max(1, len(found))
    for name, suggest in found.items():
        text = "visible behaviours, titles" if "text" in name else "visible behaviours"
        yield Fitted(name, True, suggest, seconds, text)


def fitted_floor(seen: "Material") -> Iterator[Fitted]:
    """Yield the strongest simple system of the next item."""
    with extras():
        from ranker.floors import floors_of  # noqa: PLC0415 - torch is an extra

    popularity = Counts.of(seen.behaviors, len(seen.behaviors.items)).popularity
    for name, scores, seconds in floors_of(seen):
        if name == NEXT_ITEM:
            yield Fitted(name, True, suggest_by(scores, popularity), seconds, "visible behaviours, titles")


def fitted_models(
    seen: "Material", categories: Categories, seed: int, config: "DiffusionConfig | None" = None
) -> Iterator[Fitted]:
    """Yield the autoregressive model, a control, and the diffusion of equal size.

    Each is asked what comes next, and what belongs into the gaps of the history as well, where hidden behaviours were;
    and once more for the latter with what it believes of a category's items added up.
    """
    from diffusion.config import DiffusionConfig  # noqa: PLC0415 - torch is an extra
    from diffusion.fitted import fit_autoregressive, fit_diffusion  # noqa: PLC0415

    config = (config or DiffusionConfig()).model_copy(update={"seed": seed})
    for name, is_control, fit in (("autoregressive", True, fit_autoregressive), ("diffusion", False, fit_diffusion)):
        started = time.process_time()
        model = fit(seen, config)
        seconds = time.process_time() - started
        gaps = partial(_asked, model, SLOTS)
        asked = {name: partial(_asked, model, 1), f"{name}, gaps": gaps, f"{name}, sums": by_category(gaps, categories)}
        for label, suggest in asked.items():
            yield Fitted(label, is_control, suggest, seconds, "visible behaviours, knowledge")


def missing_for_models() -> str | None:
    """Return why no model can take part; None where all is there."""
    try:
        with extras():
            from ranker.floors import floors_of  # noqa: F401, PLC0415 - torch is an extra
    except ExtraMissing as missing:
        return f"models and the floor of the next item are left out: {missing}"
    return None


def _asked(
    model: "Imagination", slots: int, histories: Sequence[Rows], k: int, exclude: NDArray[np.bool_] | None = None
) -> Suggested:
    return model.suggest(histories, k, exclude=exclude, slots=slots)
