"""What a reader of scores concludes for each title and attribute."""

from dataclasses import dataclass

from agents.student.sparse_rows import Floats


@dataclass(frozen=True)
class Posterior:
    """Probabilities."""

    shares: Floats  # (spans, attributes): that it is this span, given that the title states the attribute
    stated: Floats  # (titles, attributes): that the title states the attribute
