"""Training a diffusion model into a folder; a version names the very weights."""

import hashlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from commands.cluster_maps import Cluster
from commands.output import say
from commands.shared_training import trained_on
from diffusion.fitted import fit_diffusion, selection
from diffusion.folder import LearnedFrom, save_diffusion
from learning.training import Epoch
from learning.weights import CONFIG, WEIGHTS, ModelUnreadable

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig
    from learning.material import Material


def train_into(
    folder: Path, whole: "Material", held_out: int, config: "DiffusionConfig", cluster: Cluster | None = None
) -> dict[str, float]:
    """Train on all but each user's last behaviours, here or also on a cluster, and write the folder.

    Return what selected the weights.
    """
    material = whole.learning_from(whole.behaviors.without_last(held_out))
    behaviors = material.behaviors
    say(f"learning from {len(behaviors.item)} behaviours with {len(behaviors.items)} items")

    def tell(epoch: Epoch) -> None:
        say(f"epoch {epoch.number + 1}: loss {epoch.loss:.4f}, selection NDCG@10 {epoch.metric:.4f}")

    lead = partial(fit_diffusion, material, config, folder=folder, told=tell)
    model = trained_on(cluster, lead, partial(fit_diffusion, material, config))
    best = selection(model, material)  # not what was told: a resumed run may have been best before
    learned = LearnedFrom(held_out=held_out, before=int(behaviors.time.max()) + 1)
    save_diffusion(folder, model, behaviors.items, best, learned)
    return {"selection NDCG@10": best}


def version_of(folder: Path) -> str:
    """Return a name for a folder's weights and settings: others have another one."""
    digest = hashlib.sha256()
    for name in (WEIGHTS, CONFIG):
        try:
            digest.update((folder / name).read_bytes())
        except OSError as error:
            raise ModelUnreadable(f"{str(folder)!r} holds no readable {name}: {error}") from error
    return f"masked-diffusion {digest.hexdigest()[:12]}"
