"""What imagined behaviours are worth to the click-through ranker where they are renewed, as a shop would renew them.

    reaseq behaviors import LOG --kb URL
    reaseq diffusion train --held-out 3 --out DIR --kb URL
    python benchmarks/imagined_in_ranker.py --kb URL --diffusion DIR [--seeds 3] [--slots future gap | next] [--count 8]
        [--chains 4] [--stale] [--out FILE]

The ranker learns from each user's third last behaviour, is selected on the second last, and tested on the last. For
each of the three, behaviours are imagined anew, from what came before it, by one model that has learned from nothing of
the three; `--stale` imagines once, before the third last, as `reaseq ranker evaluate --imagined` finds it in a
knowledge base. AUC and GAUC without, with, with another user's (the placebo) and with random items; differences are
paired, with 95 % intervals over users.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from commands.imagined_effect import effect_of_each  # noqa: E402
from commands.model_material import read_material  # noqa: E402
from commands.settings import Settings  # noqa: E402
from diffusion.folder import learned_from, load_diffusion  # noqa: E402
from diffusion.imagining import ImaginingConfig, imagine  # noqa: E402
from learning.devices import use_threads  # noqa: E402
from learning.material import Imagined, Material  # noqa: E402
from ranker.config import ClickThroughConfig  # noqa: E402

HELD_OUT = (3, 2, 1)  # of the examples to learn from, to select by, and to test on


def main() -> None:
    """Print the table of systems, and the gains."""
    given = _arguments()
    use_threads(1)
    if learned_from(given.diffusion).held_out < max(HELD_OUT):
        raise SystemExit(f"{given.diffusion} has learned from what it is asked: reaseq diffusion train --held-out 3")
    material = read_material(Settings(kb=given.kb), None, None).imagining(None)
    began = time.process_time()
    imagined = [_imagined(material, given, held_out) for held_out in ((3, 3, 3) if given.stale else HELD_OUT)]
    print(f"imagined in {time.process_time() - began:.0f} CPU-s; load {os.getloadavg()[0]:.1f}", flush=True)
    config = ClickThroughConfig.model_validate({"negatives": given.negatives} if given.negatives else {})
    systems, gains = effect_of_each(material, imagined, config, range(given.seeds))
    for system in systems:
        print(f"{system.label:24} AUC {system.metrics['AUC'].mean:.4f}  GAUC {system.metrics['GAUC'].mean:.4f}")
    for gain in gains:
        found = gain.difference
        told = f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}] p {found.p_value:.3f}"
        print(f"{gain.metric:5} {gain.after} - {gain.before}: {told}")
    if given.out:
        kept = {"systems": [own.model_dump() for own in systems], "gains": [own.model_dump() for own in gains]}
        given.out.write_text(json.dumps(kept, indent=2, default=str) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kb", required=True)
    parser.add_argument("--diffusion", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--slots", nargs="+", choices=("future", "gap", "next"), default=("future", "gap"))
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--negatives", default="")
    parser.add_argument("--stale", action="store_true")
    parser.add_argument("--out", type=Path, default=None)
    return parser.parse_args()


def _imagined(material: Material, given: argparse.Namespace, held_out: int) -> Imagined:
    """Return what is imagined of everybody from all but the last behaviours."""
    known = material.learning_from(material.behaviors.without_last(held_out))
    config = ImaginingConfig(
        future="future" in given.slots, gaps="gap" in given.slots, next="next" in given.slots, count=given.count,
        chains=given.chains,
    )  # fmt: skip
    users = np.arange(len(material.behaviors.users))
    made = imagine(load_diffusion(given.diffusion, known), known.behaviors, users, config)
    as_of = dict.fromkeys(material.behaviors.users, int(np.iinfo(np.int64).min))
    found = Imagined.of(made, as_of, material.behaviors)
    if found is None:
        raise SystemExit("nothing was imagined")
    return found


if __name__ == "__main__":
    main()
