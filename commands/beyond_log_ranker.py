"""What imagined behaviours are worth to the ranker of clicks, and that those of another user are worth nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from commands.beyond_log_scene import Scene
from evaluators.beyond_log.report import RankerEffect
from memory.extras import extras

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig

HELD_OUT = 3  # last behaviours of each user: learned from, selected on, tested on


def ranker_effect(scene: Scene, seeds: Sequence[int], settings: "DiffusionConfig | None" = None) -> RankerEffect:
    """Return what the diffusion's behaviours gain, imagined from all but each user's last three ones.

    Nothing is hidden here beside these: the question is what a shop's ranker gains with the log that it has.
    Raises `learning.material.NothingToLearn`.
    """
    with extras():
        from commands.imagined_effect import generated_effect  # noqa: PLC0415 - torch is an extra
        from diffusion.config import DiffusionConfig  # noqa: PLC0415
        from diffusion.fitted import fit_diffusion  # noqa: PLC0415
        from diffusion.imagining import ImaginingConfig, imagine  # noqa: PLC0415
        from learning.material import Imagined, NothingToLearn  # noqa: PLC0415
        from ranker.config import RankerConfig  # noqa: PLC0415
        from ranker.placebo import Told  # noqa: PLC0415

    whole = scene.material.imagining(None)
    known = whole.behaviors.without_last(HELD_OUT)
    own = (settings or DiffusionConfig()).model_copy(update={"seed": seeds[0]})
    model = fit_diffusion(whole.learning_from(known), own)
    generated = imagine(model, known, np.arange(len(known.users)), ImaginingConfig(), seed=seeds[0])
    imagined = Imagined.of(generated, {}, known)
    if imagined is None:
        raise NothingToLearn("nothing could be imagined of these users")
    config = RankerConfig().click_through
    _, pairs = generated_effect(whole, imagined.items, imagined.confidence, config, seeds)
    return RankerEffect(
        system="diffusion",
        imagined=tuple(pair for pair in pairs if pair.after == Told.OWN),
        placebo=tuple(pair for pair in pairs if pair.after != Told.OWN),
    )
