"""How often Python looks for reference cycles while a run is on: seldom, for an item leaves few of them."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Containers made and not yet freed before the youngest are looked through. Python's own 700 means a look at each item;
# what waits for the next one stays within a few megabytes.
YOUNG_OBJECTS = 50_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Leave alone what is there already (modules, taxonomy, index), and look for cycles among the new seldom.

    It holds for the whole process; what was before comes back at the end.
    """
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
