"""How `reaseq vectors align` brings stored vectors and behaviours together; needs polars and torch."""

from commands.output import say
from learning.training import Epoch
from memory.behaviors.overview import clock_of
from memory.behaviors.schema import Clock
from memory.behaviors.sequences import Sequences
from memory.behaviors.store import OtherClock, behaviors_of
from memory.database import Database
from memory.item_vectors.feature_files import vectors_as_of
from memory.item_vectors.known_items import known_items
from memory.item_vectors.vectors import ItemVectors, NoVectors
from ranker.alignment import AlignmentConfig, AlignmentReport, align
from ranker.co_behavior import CoBehaviors


def aligned_set(
    database: Database, name: str, as_of: int | None, *, epochs: int, seed: int
) -> tuple[ItemVectors, AlignmentReport]:
    """Return a stored set through a projection trained on logged behaviours, strictly before `as_of`."""
    with database.session() as session:
        vectors = vectors_as_of(session, name, as_of)
        if vectors is None:
            raise NoVectors(f"there are no vectors named {name!r}: reaseq vectors build")
        if as_of is not None and clock_of(session) is Clock.ORDER:
            raise OtherClock("the behaviours have order numbers and no times: --as-of cannot tell what was before")
        sequences = Sequences.of(behaviors_of(session, as_of=as_of), vectors.ids)
        leaves = {known.id: known.path[-1:] for known in known_items(session, vectors.version or None, as_of)}
    categories = ["".join(leaves.get(item_id, ())) for item_id in vectors.ids]
    pairs = CoBehaviors.of(sequences, len(vectors.ids))
    config = AlignmentConfig(epochs=epochs, seed=seed, batch_size=512)
    return align(vectors, pairs, config, categories=categories, as_of=as_of, told=_tell)


def _tell(epoch: Epoch) -> None:
    say(f"epoch {epoch.number + 1}: loss {epoch.loss:.3f}, {epoch.metric:.1%} of left-out pairs found")
