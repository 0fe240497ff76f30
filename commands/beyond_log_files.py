"""The benchmark's files for others: what a participant is given, and the suggestions that a participant hands in."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from commands.beyond_log_scene import Scene, SceneUnreadable
from commands.catalog_items import typed_id
from evaluators.beyond_log.hiding import UNKNOWN, Hiding, Rows, content_hash
from evaluators.beyond_log.report import Refused, SuggestionFile
from evaluators.beyond_log.suggestions import DEPTH, NONE
from memory.atomic_file import written_whole
from memory.catalog_files.formats import source_table
from memory.catalog_files.source import BadRow, ReadLimits, SourceRow
from memory.record import Record

FORMAT = "reaseq beyond-log 1"
SEED = "{seed}"  # in the name of a file of suggestions
MOST_REASONS = 100  # refused rows whose reason is kept; all of them are counted
KINDS = ("view", "click", "cart", "buy")
FIRST_TIME = 10_000_000_000  # numbers below are no milliseconds since 1970, but order numbers


class ExportedProtocol(Record):
    """What a participant is told of one seed."""

    format: str = FORMAT
    seed: int
    share: float | None  # None: the log hides by itself
    users: int
    scored_users: int
    items: int
    categories: int
    behaviors: int  # visible
    content_hash: str  # of the whole log with its categories: equal hashes, equal tasks
    visible_hash: str  # of visible.csv
    suggestions: tuple[str, ...] = ("user", "item", "score")  # the columns of what is handed in


@dataclass(frozen=True, eq=False)
class HandedIn:
    """What a file suggests: lists [scored users, depth], best first, -1 where there are fewer; and what was refused."""

    lists: Rows
    rows: int
    refused: tuple[Refused, ...]  # all of them
    users_without: int


@dataclass
class _Reading:
    """The good rows of a file so far, by scored user."""

    scores: dict[int, dict[int, float]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    rows: int = 0


def export(scene: Scene, folder: Path, share: float, seed: int) -> ExportedProtocol:
    """Write what a participant is given of one seed: visible.csv, items.csv, users.csv, protocol.json."""
    hiding, log = scene.hiding(share, seed), scene.behaviors
    folder.mkdir(parents=True, exist_ok=True)
    visible = log.without(np.flatnonzero(~hiding.visible))
    clock = "time" if log.time.min(initial=FIRST_TIME) >= FIRST_TIME else "order"
    users = np.repeat(np.arange(len(log.users)), visible.lengths).tolist()
    kinds = [KINDS[code] for code in visible.kind.tolist()]
    named = ((log.users[user], log.items[item]) for user, item in zip(users, visible.item.tolist(), strict=True))
    rows = ((*pair, *rest) for pair, *rest in zip(named, visible.time.tolist(), kinds, strict=True))
    _write(folder / "visible.csv", ("user", "item", clock, "kind"), rows)
    _write(folder / "items.csv", ("item", "category", "title"), _items(scene))
    _write(folder / "users.csv", ("user",), ((log.users[user],) for user in hiding.user.tolist()))
    told = ExportedProtocol(
        seed=seed,
        share=None if scene.truths else share,
        users=len(log.users),
        scored_users=len(hiding),
        items=len(log.items),
        categories=len(scene.categories.names),
        behaviors=len(visible.item),
        content_hash=content_hash(log, log.items, scene.categories),
        visible_hash=blake2b((folder / "visible.csv").read_bytes(), digest_size=16).hexdigest(),
    )
    with written_whole(folder / "protocol.json") as unfinished:
        unfinished.write_text(told.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return told


def named_files(given: Sequence[str], seeds: Sequence[int]) -> dict[str, list[Path]]:
    """Return the files of NAME=FILE, one a seed; raises `SceneUnreadable` where one file is to be of many seeds."""
    found: dict[str, list[Path]] = {}
    for pair in given:
        name, _, file = pair.partition("=")
        if not (name.strip() and file) or name.strip() in found:
            raise SceneUnreadable(f"write NAME=FILE, each name once; got {pair!r}")
        if len(seeds) > 1 and SEED not in file:
            raise SceneUnreadable(f"{len(seeds)} seeds hide {len(seeds)} times: write {SEED} in the name of {file!r}")
        found[name.strip()] = [Path(file.replace(SEED, str(seed))) for seed in seeds]
    return found


def read_suggestions(path: Path, scene: Scene, hiding: Hiding) -> HandedIn:
    """Return what a file with columns user, item and perhaps score suggests; without a score, its order is the rank.

    Refused with line and reason: unknown users and items, an item twice, items of the visible history, scores that are
    no numbers. Rows of users who are not scored are passed over. Raises `CatalogError` and `SceneUnreadable`.
    """
    table = source_table(path, ReadLimits())
    if missing := [name for name in ("user", "item") if name not in table.columns]:
        raise SceneUnreadable(f"{path} has no column {missing[0]!r}; it has {', '.join(table.columns)}")
    reading, checked = _Reading(), _Checks(scene, hiding)
    for row in table.rows:
        reading.rows += 1
        reason = row.reason if isinstance(row, BadRow) else checked.add(row, reading)
        if reason:
            reading.refused.append(Refused(file=path.name, line=row.line, reason=reason))
    lists = np.full((len(hiding), DEPTH), NONE, dtype=np.int32)
    for user, scores in reading.scores.items():
        best = [item for item, _ in sorted(scores.items(), key=lambda pair: -pair[1])[:DEPTH]]
        lists[user, : len(best)] = best
    return HandedIn(lists, reading.rows, tuple(reading.refused), len(hiding) - len(reading.scores))


def told_of(name: str, files: Sequence[Path], read: Sequence[HandedIn]) -> SuggestionFile:
    """Return what is reported of a participant's files."""
    refused = [one for own in read for one in own.refused]
    return SuggestionFile(
        system=name,
        files=tuple(file.name for file in files),
        rows=sum(own.rows for own in read),
        refused_rows=len(refused),
        refused=tuple(refused[:MOST_REASONS]),
        users_without=sum(own.users_without for own in read),
    )


class _Checks:
    """What a row of suggestions is checked against."""

    def __init__(self, scene: Scene, hiding: Hiding) -> None:
        self._users: Mapping[str, int] = scene.behaviors.user_rows
        self._items = {item: row for row, item in enumerate(scene.behaviors.items)}
        self._scored = {int(user): place for place, user in enumerate(hiding.user)}
        self._seen = [frozenset(history.tolist()) for history in hiding.histories]

    def add(self, row: SourceRow, reading: _Reading) -> str | None:
        """Add a good row; return what is wrong with a bad one."""
        user, item = (typed_id(str(_cell(row, name))) for name in ("user", "item"))
        if user not in self._users:
            return f"the user {user!r} is not in the log" if user else "has no user"
        if item not in self._items:
            return f"the item {item!r} is in neither log nor catalog" if item else "has no item"
        place = self._scored.get(self._users[user])
        return None if place is None else self._entered(place, self._items[item], row, reading)

    def _entered(self, place: int, number: int, row: SourceRow, reading: _Reading) -> str | None:
        own = reading.scores.get(place, {})
        score = _score(row, -len(own))
        if score is None:
            return f"the score {str(row.cells.get('score'))[:40]!r} is no number"
        if number in own or number in self._seen[place]:
            why = "was suggested before" if number in own else "is in the visible history"
            return f"the item {str(row.cells['item'])[:80]!r} {why}"
        reading.scores.setdefault(place, {})[number] = score
        return None


def _cell(row: SourceRow, name: str) -> object:
    value = row.cells.get(name)
    return "" if value is None else value


def _score(row: SourceRow, rank: int) -> float | None:
    if "score" not in row.cells:
        return float(rank)
    try:
        score = float(str(row.cells["score"]))
    except ValueError:
        return None
    return score if math.isfinite(score) else None


def _items(scene: Scene) -> Iterator[tuple[str, str, str]]:
    names, titles = scene.categories.names, scene.material.titles
    for row, item in enumerate(scene.behaviors.items):
        place = scene.categories.of_item[row]
        yield item, names[place] if place != UNKNOWN else "", titles[row]


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
