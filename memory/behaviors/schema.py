"""What a behaviour is: who did what with which item, when, and how we know."""

from enum import StrEnum

import polars as pl


class Kind(StrEnum):
    """What a shopper did; the order is that of rising interest, and the codes of the arrays follow it."""

    VIEW = "view"
    CLICK = "click"
    CART = "cart"
    BUY = "buy"


class Source(StrEnum):
    """Where a behaviour comes from: a shop's log, or a model that imagined it."""

    LOG = "log"
    DIFFUSION = "diffusion"


class Clock(StrEnum):
    """What behaviours are sorted by: times, or plain order numbers, which cannot be compared with times."""

    TIME = "time"
    ORDER = "order"


KINDS = pl.Enum([kind.value for kind in Kind])
SOURCES = pl.Enum([source.value for source in Source])

# `time` is in milliseconds since 1970 (UTC), or a plain order number where the log tells an order and no times.
COLUMNS = pl.Schema(
    {
        "user": pl.String(),
        "item": pl.String(),
        "time": pl.Int64(),
        "kind": KINDS,
        "source": SOURCES,
        "session": pl.String(),  # may be null
    }
)
