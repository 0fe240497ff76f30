"""How the ranker's commands come by what they read: a log and the knowledge base, with vectors made where they lack."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import say
from commands.settings import Settings
from commands.vectors import Telling
from memory.extras import extras

if TYPE_CHECKING:
    from learning.material import Imagined, Material
    from memory.behaviors.files import BehaviorFile
    from memory.behaviors.schema import Clock
    from memory.behaviors.sequences import Sequences
    from memory.database import Database

Data = Annotated[
    Path | None, typer.Option("--data", help="A log to learn from, instead of the stored behaviours.", metavar="FILE")
]
ModelFolder = Annotated[Path, typer.Option("--ranker", help="The ranker's folder.", metavar="DIR")]
FOLDER = Path("ranker-model")
TIMELESS = "the behaviours have order numbers and no times: --as-of cannot tell what was before"
NOTHING = "there are no behaviours: reaseq behaviors import FILE, or --data FILE"
KNOWLEDGE = "knowledge"  # the set of vectors that are made of all but the titles


def read_material(
    settings: Settings,
    data: Path | None,
    columns: dict[str, str] | None,
    as_of: int | None = None,
    *,
    repeats: bool = False,
) -> "Material":
    """Return behaviours, knowledge and vectors; of knowledge and behaviours only what is from before `as_of`.

    Without `repeats`, each user's first behaviour with each item alone: what is next is something new.
    """
    with extras():
        from learning.material import TITLE, Material  # noqa: PLC0415
        from memory.item_vectors.knowledge_table import KnowledgeTable  # noqa: PLC0415 - polars and torch are extras
        from memory.item_vectors.vectors import ItemVectors  # noqa: PLC0415
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    with open_existing_database(settings.kb) as database:
        _build_vectors(database, as_of)
        with database.session() as session:
            known = KnowledgeTable.of(session, as_of=as_of)
        own = _stored(database, known.ids, as_of) if data is None else logged(data, columns, known.ids, as_of)
        behaviors, clock = own if repeats else (own[0].without_repeats(), own[1])
        with database.session() as session:
            sets = {name: ItemVectors.load(session, name).of(behaviors.items) for name in (TITLE, KNOWLEDGE)}
        imagined = _imagined(database, behaviors, clock, as_of)
    vectors = {name: own for name, own in sets.items() if own.any()}
    return Material(behaviors, known.rows(behaviors.items), vectors, imagined=imagined)


def _imagined(database: "Database", behaviors: "Sequences", clock: "Clock", as_of: int | None) -> "Imagined | None":
    """Return what is stored of these users; nothing where its moments cannot be compared with those of the log."""
    from learning.material import Imagined  # noqa: PLC0415 - polars is an extra
    from memory.behaviors.generated import generated_of, generations  # noqa: PLC0415
    from memory.behaviors.overview import clock_of  # noqa: PLC0415

    with database.session() as session:
        if clock_of(session) is not clock:
            return None
        moments = {user: own.as_of for user, own in generations(session, at=as_of).items()}
        return Imagined.of(generated_of(session, at=as_of), moments, behaviors)


def _build_vectors(database: "Database", as_of: int | None) -> None:
    """Bring both sets up to date; only texts that are new are encoded."""
    from learning.material import TITLE  # noqa: PLC0415
    from memory.encoder import MiniLmEncoder  # noqa: PLC0415 - onnxruntime takes a moment to import
    from memory.item_vectors.building import build_vectors  # noqa: PLC0415
    from memory.item_vectors.parts import Part  # noqa: PLC0415

    encoder = MiniLmEncoder()
    others = (Part.ATTRIBUTES, Part.DEMANDS, Part.SUMMARY)
    for name, parts in ((TITLE, (Part.TITLE,)), (KNOWLEDGE, others)):
        build_vectors(database, encoder, name=name, parts=parts, as_of=as_of, tell=Telling())


def logged(
    data: Path, columns: dict[str, str] | None, items: tuple[str, ...], as_of: int | None = None
) -> "tuple[Sequences, Clock]":
    """Return the behaviours of a file before `as_of`, and what they are sorted by; `items` fixes the first rows."""
    from memory.behaviors.schema import Clock  # noqa: PLC0415 - polars is an extra
    from memory.behaviors.sequences import Sequences  # noqa: PLC0415

    log = read_log(data, columns, as_of)
    return Sequences.of(log.frame, items), Clock.TIME if log.roles.time else Clock.ORDER


def read_log(data: Path, columns: dict[str, str] | None, as_of: int | None = None) -> "BehaviorFile":
    """Return the behaviours of a file before `as_of`; what is none is told. Raises `NothingToLearn` where none is."""
    with extras():
        from learning.material import NothingToLearn  # noqa: PLC0415
        from memory.behaviors.files import read_behaviors  # noqa: PLC0415 - polars is an extra
        from memory.behaviors.store import OtherClock  # noqa: PLC0415

    log = read_behaviors(data, columns or {}, as_of=as_of)
    if log.rejected:
        first = log.rejected[0]
        say(f"{log.rejected_rows} rows of {data} are no behaviours, such as line {first.line}: {first.reason}")
    if as_of is not None and log.roles.time is None:
        raise OtherClock(TIMELESS)
    if not len(log.frame):
        raise NothingToLearn(NOTHING)
    return log


def _stored(database: "Database", items: tuple[str, ...], as_of: int | None) -> "tuple[Sequences, Clock]":
    from learning.material import NothingToLearn  # noqa: PLC0415
    from memory.behaviors.overview import clock_of  # noqa: PLC0415 - polars is an extra
    from memory.behaviors.schema import Clock  # noqa: PLC0415
    from memory.behaviors.sequences import Sequences  # noqa: PLC0415
    from memory.behaviors.store import OtherClock, behaviors_of  # noqa: PLC0415

    with database.session() as session:
        clock, found = clock_of(session), Sequences.of(behaviors_of(session, as_of=as_of), items)
    if as_of is not None and clock is Clock.ORDER:
        raise OtherClock(TIMELESS)
    if not len(found.item):
        raise NothingToLearn(NOTHING)
    return found, clock or Clock.TIME
