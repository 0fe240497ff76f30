"""Training a diffusion model into a folder, and loading it; a version names the very weights."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from commands.output import say
from diffusion.fitted import fit_diffusion
from diffusion.folder import load_diffusion, save_diffusion
from learning.training import Epoch
from learning.weights import CONFIG, WEIGHTS, ModelUnreadable

if TYPE_CHECKING:
    from diffusion.config import DiffusionConfig
    from diffusion.imagination import Imagination
    from learning.material import Material


def train_into(folder: Path, material: "Material", config: "DiffusionConfig") -> dict[str, float]:
    """Train, write the folder, and return what selected the weights."""
    say(f"learning from {len(material.behaviors.item)} behaviours with {len(material.behaviors.items)} items")
    epochs: list[Epoch] = []

    def tell(epoch: Epoch) -> None:
        epochs.append(epoch)
        say(f"epoch {epoch.number + 1}: loss {epoch.loss:.4f}, selection NDCG@10 {epoch.metric:.4f}")

    model = fit_diffusion(material, config, folder=folder, told=tell)
    best = max((epoch.metric for epoch in epochs), default=0.0)
    save_diffusion(folder, model, material.behaviors.items, best)
    return {"selection NDCG@10": best}


def load_from(folder: Path, material: "Material") -> "Imagination":
    """Return a stored model for the items of the material; raises `ModelUnreadable`."""
    return load_diffusion(folder, material)


def version_of(folder: Path) -> str:
    """Return a name for a folder's weights and settings: others have another one."""
    digest = hashlib.sha256()
    for name in (WEIGHTS, CONFIG):
        try:
            digest.update((folder / name).read_bytes())
        except OSError as error:
            raise ModelUnreadable(f"{str(folder)!r} holds no readable {name}: {error}") from error
    return f"masked-diffusion {digest.hexdigest()[:12]}"
