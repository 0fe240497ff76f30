"""What is shown of one user's imagined behaviours: the log beside them, and each one's reasons."""

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from memory.errors import ReaseqError
from memory.record import Record

if TYPE_CHECKING:
    from memory.behaviors.generated import GeneratedBehaviors, Generation
    from memory.database import Database


class NothingImagined(ReaseqError):
    """No behaviours are stored that a model imagined of a user."""


class LoggedBehavior(Record):
    """Something that the user did; no title where the catalog does not have the item."""

    item: str
    title: str
    time: int
    kind: str


class ImaginedBehavior(Record):
    """Something that a model takes for plausible, and why."""

    item: str
    title: str
    time: int  # the imagined moment
    slot: str  # "future", "gap" or "next"
    position: int
    log_p: float
    agreement: float  # share of the chains that have it; of a slot "next" its chance
    confidence: float
    near_item: str  # the nearest behaviour of the history, "" for none
    near_title: str
    near_cosine: float | None
    demand: str  # of the user's demands the one that it meets best, "" for none
    demand_cosine: float | None


class ImaginedView(Record):
    """A user's log and what was imagined of it."""

    user: str
    is_time: bool  # whether times are milliseconds since 1970, or order numbers
    as_of: int
    model_version: str
    expires: int | None
    logged: tuple[LoggedBehavior, ...]  # oldest first
    imagined: tuple[ImaginedBehavior, ...]  # by the imagined moment

    @property
    def rows(self) -> list[LoggedBehavior | ImaginedBehavior]:
        """Everything by its moment, what is next after all that was read; of equal ones, what happened first."""
        return sorted([*self.logged, *self.imagined], key=self._moment)

    def _moment(self, row: LoggedBehavior | ImaginedBehavior) -> tuple[int, int]:
        is_next = isinstance(row, ImaginedBehavior) and row.slot != "gap"
        return max(row.time, self.as_of) if is_next else row.time, row.position if isinstance(
            row, ImaginedBehavior
        ) else 0

    def moment(self, time: int) -> str:
        """Return a moment as people read it."""
        return utc(time) if self.is_time else f"no. {time}"


def view_of(database: "Database", user: str, last: int) -> ImaginedView:
    """Return the last behaviours of a user and all that was imagined and has not expired.

    Raises `NothingImagined`, saying whether the user switched inference off.
    """
    from memory.behaviors.generated import generated_of, generations, inference_is_off  # noqa: PLC0415 - polars
    from memory.behaviors.overview import clock_of, last_deeds, titles_of  # noqa: PLC0415
    from memory.behaviors.schema import Clock, Source  # noqa: PLC0415

    with database.session() as session:
        found = generations(session, users=[user]).get(user)
        if found is None or not found.behaviors:
            raise NothingImagined(_why_nothing(user, found, is_off=bool(inference_is_off(session, [user]))))
        generated = generated_of(session, users=[user])
        deeds = last_deeds(session, user, last, (Source.LOG,))[::-1]
        titles = titles_of(session, sorted({*generated.item, *generated.near_item}))
        is_time = clock_of(session) is not Clock.ORDER
    return ImaginedView(
        user=user,
        is_time=is_time,
        as_of=found.as_of,
        model_version=found.model_version,
        expires=found.expires,
        logged=tuple(
            LoggedBehavior(item=deed.item, title=deed.title or "", time=deed.time, kind=deed.kind) for deed in deeds
        ),
        imagined=tuple(sorted(behaviors_in(generated, titles), key=lambda one: (one.time, -one.confidence))),
    )


def _why_nothing(user: str, asked: "Generation | None", *, is_off: bool) -> str:
    if is_off:
        return f"user {user!r} has switched inference off: nothing is inferred"
    if asked is not None:
        return f"{asked.model_version} was asked about user {user!r}, and nothing that it imagined was kept"
    return f"nothing is imagined of user {user!r} that has not expired: reaseq diffusion generate"


def behaviors_in(generated: "GeneratedBehaviors", titles: dict[str, str]) -> list[ImaginedBehavior]:
    """Return the rows as records."""
    return [
        ImaginedBehavior(
            item=item,
            title=titles.get(item, ""),
            time=int(generated.time[row]),
            slot=generated.slot[row],
            position=int(generated.position[row]),
            log_p=float(generated.log_p[row]),
            agreement=float(generated.agreement[row]),
            confidence=float(generated.confidence[row]),
            near_item=generated.near_item[row],
            near_title=titles.get(generated.near_item[row], ""),
            near_cosine=_number(float(generated.near_cosine[row])),
            demand=generated.demand[row],
            demand_cosine=_number(float(generated.demand_cosine[row])),
        )
        for row, item in enumerate(generated.item)
    ]


def utc(milliseconds: int) -> str:
    """Return a time as people read it; one that no calendar has stays a number."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return str(milliseconds)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
