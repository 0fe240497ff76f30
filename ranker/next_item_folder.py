"""The ranker of the next item from what the knowledge base holds, as a folder, and back: counts are taken anew."""

from pathlib import Path

from learning.counting import Log
from learning.material import Material
from learning.weights import load_config, load_weights, put_weights, save_model
from ranker.config import NextItemConfig
from ranker.fusion import Reranker, Retrievers
from ranker.next_item import NextItemRanker
from ranker.similarity import Similarity

NEXT_ITEM = "next-item"  # its folder in a ranker's folder


def fit_next_item(material: Material, config: NextItemConfig) -> NextItemRanker:
    """Return a ranker fitted on all behaviours of the material and on what its arm may use."""
    return NextItemRanker.fit(
        material.behaviors,
        material.titles,
        knowledge=material.knowledge,
        vectors=material.vectors,
        config=config,
    )


def save_next_item(folder: Path, ranker: NextItemRanker, metrics: dict[str, float]) -> None:
    """Write the weights and what they read; raises `memory.atomic_file.FileUnwritable`."""
    save_model(folder / NEXT_ITEM, ranker.model, ranker.config, metrics)


def load_next_item(folder: Path, material: Material) -> NextItemRanker:
    """Return a stored ranker that counts the behaviours of the material; raises `learning.weights.ModelUnreadable`."""
    config = load_config(folder / NEXT_ITEM, NextItemConfig)
    model = Reranker(len(config.features))
    put_weights(model, load_weights(folder / NEXT_ITEM), folder / NEXT_ITEM)
    similarity = Similarity.of(material.titles, material.knowledge, material.vectors)
    log = Log.of(material.behaviors, len(material.titles))
    return NextItemRanker(Retrievers.fit(log, similarity), similarity, model.eval(), config)
