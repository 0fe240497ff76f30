"""Imagining behaviours for many users, in pieces that are stored whole: a run may stop anywhere, and goes on there."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from commands.catalog_items import typed_id
from commands.cluster_maps import Cluster, mapped
from commands.diffusion_training import version_of
from commands.model_material import read_material
from commands.output import INTERRUPTED, say
from commands.settings import Settings
from diffusion.folder import learned_from, load_diffusion
from diffusion.imagination import Imagination
from diffusion.imagining import ImaginingConfig, imagine
from learning.devices import use_threads
from learning.material import Material
from memory.behaviors.generated import (
    GeneratedBehaviors,
    generated_of,
    generations,
    inference_is_off,
    store_generated,
)
from memory.behaviors.sequences import Sequences
from memory.database import Database, open_existing_database
from memory.errors import ReaseqError
from memory.record import Record

AT_ONCE = 256  # users imagined and stored together
LINE_EVERY = 5.0  # seconds between two lines of progress
DAY = 86_400_000  # milliseconds


class UnknownUsers(ReaseqError):
    """None of the users that were named has behaviours."""


class KnowsTooMuch(ReaseqError):
    """A model has learned from behaviours that are to be kept from what it imagines."""


@dataclass(frozen=True)
class Wish:
    """What is to be imagined."""

    slots: tuple[str, ...]
    chains: int
    count: int
    days: int | None  # until it expires
    again: bool  # also for users who are done
    held_out: int  # of each user's last behaviours, that are not read
    as_of: int | None
    seed: int
    least_demand: float = 0.0  # cosine


class Generated(Record):
    """What came of a run."""

    model_version: str
    users: int  # of whom something was imagined now
    behaviors: int
    before: int  # users who were done already
    off: int  # users who switched inference off


def generate_for(settings: Settings, folder: Path, users: str, wish: Wish, cluster: Cluster | None = None) -> Generated:
    """Imagine for all or some users, here or on a cluster, and store it piece by piece.

    Raises `UnknownUsers`, `KnowsTooMuch`, `learning.weights.ModelUnreadable`; an interruption ends the process, with
    all whole pieces stored.
    """
    _refuse_who_knows_more(folder, wish)
    material = read_material(settings, None, None, wish.as_of)
    known = material.learning_from(material.behaviors.without_last(wish.held_out))
    model, version = load_diffusion(folder, known), version_of(folder)
    moments = moments_of(material, wish)
    with open_existing_database(settings.kb) as database:
        asked = [row for row in _rows(material, users) if known.behaviors.lengths[row]]
        ids = [material.behaviors.users[row] for row in asked]
        with database.session() as session:
            off, have = inference_is_off(session, ids), generations(session)
        done = {
            row
            for row, user in zip(asked, ids, strict=True)
            if user in have
            and not wish.again
            and (have[user].model_version, have[user].as_of) == (version, moments[row])
        }
        if done:
            _tell_missing(database, wish)
        left = [row for row, user in zip(asked, ids, strict=True) if row not in done and user not in off]
        work = Work(database, model, version, known, moments, wish, cluster)
        made = work.all(np.array(left, dtype=np.int64))
    return Generated(model_version=version, users=made[0], behaviors=made[1], before=len(done), off=len(off))


def _tell_missing(database: Database, wish: Wish) -> None:
    """Say that users are done whose slots were others than those that are asked for now."""
    with database.session() as session:
        missing = sorted(set(wish.slots) - set(generated_of(session).slot))
    if missing:
        say(f"what is stored has no behaviours of the kind {' or '.join(missing)}: --again imagines all anew")


@dataclass(frozen=True)
class Work:
    """All that imagining a piece takes."""

    database: Database
    model: Imagination
    version: str
    material: Material  # what may be known
    moments: NDArray[np.int64]  # of each user row
    wish: Wish
    cluster: Cluster | None = None  # None: this process imagines

    def all(self, rows: NDArray[np.int64]) -> tuple[int, int]:
        """Imagine and store piece by piece; return of how many users, and how many behaviours."""
        users = behaviors = 0
        told = time.monotonic()
        pieces = [rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE)]
        try:
            for number, generated in self._imagined(pieces):
                behaviors += self._store(pieces[number], generated)
                users += len(pieces[number])
                if time.monotonic() - told > LINE_EVERY:
                    told = time.monotonic()
                    say(f"imagined for {users:,} of {len(rows):,} users")
        except KeyboardInterrupt:
            say(f"interrupted: {users:,} of {len(rows):,} users are done; the same command goes on")
            raise SystemExit(INTERRUPTED) from None
        return users, behaviors

    def _imagined(self, pieces: Sequence[NDArray[np.int64]]) -> Iterator[tuple[int, GeneratedBehaviors]]:
        """Yield what is imagined of each piece, with its number."""
        wish = self.wish
        config = ImaginingConfig(
            future="future" in wish.slots,
            gaps="gap" in wish.slots,
            next="next" in wish.slots,
            count=wish.count,
            chains=wish.chains,
            least_demand=wish.least_demand,
        )
        begun = Begun(self.model, self.material.behaviors, config, wish.seed)
        if self.cluster is not None:
            return mapped(self.cluster, pieces, begun)
        return ((number, begun.imagine(rows)) for number, rows in enumerate(pieces))

    def _store(self, rows: NDArray[np.int64], generated: GeneratedBehaviors) -> int:
        users = tuple(self.material.behaviors.users[row] for row in rows)
        as_of = dict(zip(users, self.moments[rows].tolist(), strict=True))
        days = self.wish.days
        expires = None if days is None else time.time_ns() // 1_000_000 + days * DAY
        with self.database.writing() as session:
            return store_generated(
                session, generated, as_of=as_of, model_version=self.version, expires=expires, users=users
            ).rows


@dataclass(frozen=True)
class Begun:
    """What a process needs to imagine; called, it is ready for pieces."""

    model: Imagination
    behaviors: Sequences
    config: ImaginingConfig
    seed: int

    def __call__(self) -> Callable[[NDArray[np.int64]], GeneratedBehaviors]:
        """Return what imagines for some users, in a process of its own."""
        use_threads(1)
        return self.imagine

    def imagine(self, rows: NDArray[np.int64]) -> GeneratedBehaviors:
        """Return what these users may have done."""
        return imagine(self.model, self.behaviors, rows, self.config, seed=self.seed)


def moments_of(material: Material, wish: Wish) -> NDArray[np.int64]:
    """Return the moment of each user before which everything that is read happened.

    The one that was told; or that of the first behaviour which is held out; or just after the last one of all.
    """
    behaviors = material.behaviors
    if wish.as_of is not None:
        return np.full(len(behaviors.users), wish.as_of)
    after = np.full(len(behaviors.users), int(behaviors.time.max()) + 1)
    if not wish.held_out:
        return after
    some = np.flatnonzero(behaviors.lengths >= wish.held_out)
    after[some] = behaviors.time[behaviors.offsets[some + 1] - wish.held_out]
    return after


def _refuse_who_knows_more(folder: Path, wish: Wish) -> None:
    """Refuse a model that has learned from what is to be kept from it: what it imagines would be no guess."""
    learned = learned_from(folder)
    if wish.held_out > learned.held_out:
        seen = f"all but each user's last {learned.held_out} behaviours" if learned.held_out else "all behaviours"
        raise KnowsTooMuch(
            f"{str(folder)!r} has learned from {seen}: reaseq diffusion train --held-out {wish.held_out} --out DIR"
        )
    if wish.as_of is not None and (learned.before is None or learned.before > wish.as_of):
        raise KnowsTooMuch(
            f"{str(folder)!r} has learned from behaviours of that moment or later: reaseq diffusion train --as-of DATE"
            " --out DIR"
        )


def _rows(material: Material, users: str) -> list[int]:
    """Return the rows of the users that are asked for; a user who is unknown is told."""
    known = material.behaviors.user_rows
    if users == "all":
        return list(range(len(material.behaviors.users)))
    words = _lines_of(users) or users.split(",")
    wanted = list(dict.fromkeys(typed_id(word) for word in words if word.strip()))
    unknown = [user for user in wanted if user not in known]
    if unknown:
        say(f"{len(unknown)} users have no behaviours, such as {unknown[0]!r}")
    if len(unknown) == len(wanted):
        raise UnknownUsers("no user that is asked for has behaviours; `reaseq behaviors show` counts what is stored")
    return [known[user] for user in wanted if user in known]


def _lines_of(name: str) -> list[str]:
    """Return the lines of a file; none where that is no file's name. Raises `UnknownUsers` for one without ids."""
    try:
        is_file = Path(name).is_file()
    except OSError:  # many ids are too long for a name
        return []
    try:
        return Path(name).read_text(encoding="utf-8-sig").splitlines() if is_file else []
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownUsers(f"{name} holds no ids, one a line in UTF-8: {error}") from error
