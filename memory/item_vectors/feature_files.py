"""Knowledge and vectors as two typed Parquet files for other rankers; needs polars."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl
from sqlmodel import Session

from memory.atomic_file import FileUnwritable, written_whole
from memory.errors import ReaseqError
from memory.item_vectors.knowledge_table import CATEGORY, DEMAND, features_of, number_of, numeric_attributes
from memory.item_vectors.known_items import KnownItem, known_items, moment
from memory.item_vectors.unknown_attributes import asked_attributes, unknown_attributes
from memory.item_vectors.vectors import ItemVectors, VectorSet, vector_sets
from memory.record import Record
from memory.schema import Decision
from memory.versions import lineage
from memory.writable_text import writable

# One row a value: accepted ones, then what was not accepted, then what the category asks for and nobody knows.
FEATURES = pl.Schema(
    {
        "item": pl.String(),
        "attribute": pl.String(),  # "category", "category/1" … and "demand" are attributes of their own
        "value": pl.String(),  # normalised; null where unknown
        "number": pl.Float64(),  # of a numeric attribute, in `unit`; null elsewhere
        "unit": pl.String(),
        "confidence": pl.Float64(),
        "verdict": pl.String(),  # null where unknown
        "known": pl.Boolean(),  # False: not accepted, or not known at all
        "version": pl.Int64(),  # of the knowledge base
    }
)
ROWS_AT_ONCE = 100_000

Asked = dict[tuple[str, str, str], tuple[str, ...]]  # template key -> attributes
FeatureRow = tuple[str, str, str | None, float | None, str | None, float | None, str | None, bool, int]


class VectorsTooNew(ReaseqError):
    """Vectors may hold what was stored after the moment that an export is as of."""


class Exported(Record):
    """What was written."""

    items: int
    rows: int
    features: str  # the file
    vectors: str | None  # the other one; None where no set of that name was built
    vector_items: int = 0


def export_features(
    session: Session, out: Path, *, name: str, version_id: int | None = None, as_of: int | None = None
) -> Exported:
    """Write what a version knows of all items, and the vectors `name`; each file is written whole or not at all.

    `out` is a file, with the vectors beside it, or a folder that gets features.parquet and vectors.parquet. `as_of`, in
    milliseconds since 1970 (UTC): only what was stored strictly before. Equal knowledge gives equal bytes. Raises
    `UnknownVersion`, `VectorsTooNew` and `FileUnwritable`.
    """
    vectors = vectors_as_of(session, name, as_of)
    features_path, vectors_path = _paths(out)
    frame = _frame(_rows(session, version_id, as_of))
    with written_whole(features_path) as unfinished:
        frame.write_parquet(unfinished, compression="zstd")
        if vectors is not None:
            _write_vectors(vectors, vectors_path)
    return Exported(
        items=frame["item"].n_unique(),
        rows=len(frame),
        features=str(features_path),
        vectors=str(vectors_path) if vectors else None,
        vector_items=len(vectors.ids) if vectors else 0,
    )


def vectors_as_of(session: Session, name: str, as_of: int | None) -> ItemVectors | None:
    """Return a set that holds nothing of what was stored at `as_of` or later; None where there is no such set.

    Raises `VectorsTooNew`.
    """
    about = next((one for one in vector_sets(session) if one.name == name), None)
    if about is None:
        return None
    if as_of is not None and not _is_older(about, as_of):
        raise VectorsTooNew(
            f"the vectors named {name!r} may hold what was stored after {moment(as_of):%Y-%m-%d %H:%M:%S} UTC: "
            "build a set with `reaseq vectors build --as-of …`"
        )
    return ItemVectors.load(session, name)


def _is_older(about: VectorSet, as_of: int) -> bool:
    return about.built_at < moment(as_of) or (about.as_of is not None and about.as_of <= as_of)


def _paths(out: Path) -> tuple[Path, Path]:
    if out.suffix == ".parquet":
        return out, out.with_suffix(".vectors.parquet")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnwritable(f"{str(out)!r} cannot be made: {error.strerror}") from error
    return out / "features.parquet", out / "vectors.parquet"


def _rows(session: Session, version_id: int | None, as_of: int | None) -> Iterator[FeatureRow]:
    version = next(iter(lineage(session, version_id)), 0)
    numeric = numeric_attributes(session)
    asked = asked_attributes(session)
    for known in known_items(session, version_id, as_of):
        for attribute, value, number, unit, confidence, verdict in _values(known, numeric):
            is_known = verdict == Decision.ACCEPT.value
            yield known.id, attribute, writable(value), number, unit, confidence, verdict, is_known, version
        for attribute in unknown_attributes(known, asked):
            yield known.id, attribute, None, None, None, None, None, False, version


def _values(
    known: KnownItem, numeric: frozenset[str]
) -> Iterator[tuple[str, str, float | None, str | None, float, str]]:
    """Yield (attribute, value, number, unit, confidence, verdict) of all that was said of an item."""
    for (attribute, value), confidence in features_of(known):
        if attribute == DEMAND or attribute.partition("/")[0] == CATEGORY:
            yield attribute, value, None, None, confidence, Decision.ACCEPT.value
    for claim in sorted(known.claims, key=lambda claim: not claim.accepted):
        number = number_of(claim.normalized) if claim.name in numeric else math.nan
        stated = None if math.isnan(number) else number
        unit = None if claim.unit is None else writable(claim.unit)
        yield writable(claim.name), claim.normalized, stated, unit, claim.confidence, claim.decision


def _frame(rows: Iterator[FeatureRow]) -> pl.DataFrame:
    chunks = [pl.DataFrame(schema=FEATURES)]
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        chunks.append(pl.DataFrame(chunk, schema=FEATURES, orient="row"))
    return pl.concat(chunks)


def _write_vectors(vectors: ItemVectors, path: Path) -> None:
    about = {
        "encoder": vectors.encoder,
        "parts": ",".join(vectors.parts),
        "version": str(vectors.version),
        "as_of": "" if vectors.as_of is None else str(vectors.as_of),
    }
    frame = vectors_frame(vectors.ids, vectors)
    with written_whole(path) as unfinished:
        frame.write_parquet(unfinished, compression="zstd", metadata={f"reaseq.{k}": v for k, v in about.items()})


def vectors_frame(ids: Iterable[str], vectors: ItemVectors) -> pl.DataFrame:
    """Return items with their vectors, as lists of fixed length."""
    of_row = pl.Array(pl.Float32, vectors.vectors.shape[1])
    return pl.DataFrame({"item": list(ids), "vector": pl.Series(vectors.vectors, dtype=of_row)})
