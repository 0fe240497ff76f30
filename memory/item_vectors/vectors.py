"""Built sets of item vectors: read and stored without an encoder."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from memory.bulk_insert import insert_many
from memory.errors import ReaseqError
from memory.item_vectors.parts import Part
from memory.item_vectors.tables import TextVectorRow, VectorSetItemRow, VectorSetRow
from memory.record import Record
from memory.rows import now
from memory.tables import TABLES

T = TypeVar("T")

DEFAULT_NAME = "items"
CHUNK = 500  # rows asked for, or inserted, at a time
HASH_BYTES = 16
STORED = np.dtype("<f4")


class NoVectors(ReaseqError):
    """There is no such set, or the item is not in it."""


class VectorsDamaged(ReaseqError):
    """A stored set lacks vectors, or holds some of another length."""


class VectorSet(Record):
    """What a stored set was made of, its vectors aside."""

    name: str
    encoder: str
    parts: tuple[Part, ...]
    version: int
    as_of: int | None  # milliseconds since 1970 (UTC): what was stored since is not in it
    built_at: datetime
    items: int


@dataclass(frozen=True, eq=False)
class ItemVectors:
    """Vectors of length 1, row i of item `ids[i]`, in order of id; an item whose text is empty has none."""

    ids: tuple[str, ...]
    vectors: NDArray[np.float32]  # shape (items, dimensions)
    encoder: str
    parts: tuple[Part, ...]
    version: int  # of the knowledge base; 0 before the first run
    as_of: int | None = None  # milliseconds since 1970 (UTC): what was stored since is not in it

    @classmethod
    def load(cls, session: Session, name: str = DEFAULT_NAME) -> Self:
        """Return a stored set; raises `NoVectors` and `VectorsDamaged`."""
        row = session.get(VectorSetRow, name)
        if row is None:
            known = ", ".join(one.name for one in vector_sets(session)) or "none"
            raise NoVectors(f"there are no vectors named {name!r} (there are: {known}): reaseq vectors build")
        stored = (
            select(VectorSetItemRow.item_id, TextVectorRow.vector)
            .outerjoin(
                TextVectorRow,
                (col(TextVectorRow.hash) == col(VectorSetItemRow.hash)) & (col(TextVectorRow.encoder) == row.encoder),
            )
            .where(VectorSetItemRow.set_name == name)
            .order_by(col(VectorSetItemRow.position))
        )
        rows = session.exec(stored).all()
        vectors = _array([vector for _, vector in rows], name)
        parts = tuple(Part(part) for part in row.parts)
        return cls(tuple(item_id for item_id, _ in rows), vectors, row.encoder, parts, row.version_id, row.as_of)

    def save(self, session: Session, name: str) -> None:
        """Store the set under a name, in place of the one there is; the caller commits."""
        content = [vector.tobytes() for vector in self.vectors.astype(STORED)]
        hashes = [hash_of(vector) for vector in content]
        add_text_vectors(session, self.encoder, zip(hashes, content, strict=True))
        about = about_set(name, self.encoder, self.parts, self.version, self.as_of)
        save_set(session, about, list(zip(self.ids, hashes, strict=True)))

    def row(self, item_id: str) -> int:
        """Return the row of an item; raises `NoVectors`."""
        try:
            return self.ids.index(item_id)
        except ValueError:
            raise NoVectors(
                f"item {item_id!r} has no vector in this set of {len(self.ids)} items: build it again after new items; "
                "an item of which none of the chosen parts is known has none"
            ) from None

    def of(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of some items in the order given: shape (items, dimensions); zeros where there is none."""
        places = {item_id: row for row, item_id in enumerate(self.ids)}
        chosen = np.array([places.get(item_id, -1) for item_id in ids], dtype=np.int64)
        vectors = np.zeros((len(ids), self.vectors.shape[1]), dtype=np.float32)
        vectors[chosen >= 0] = self.vectors[chosen[chosen >= 0]]
        return vectors


def vector_sets(session: Session) -> list[VectorSet]:
    """Return what each stored set was made of, in order of name."""
    sizes = select(VectorSetItemRow.set_name, func.count()).group_by(col(VectorSetItemRow.set_name))
    items = dict(session.exec(sizes).all())
    return [
        VectorSet(
            name=row.name,
            encoder=row.encoder,
            parts=tuple(Part(part) for part in row.parts),
            version=row.version_id,
            as_of=row.as_of,
            built_at=row.built_at,
            items=items.get(row.name, 0),
        )
        for row in session.exec(select(VectorSetRow).order_by(col(VectorSetRow.name)))
    ]


def about_set(name: str, encoder: str, parts: Iterable[Part], version: int, as_of: int | None) -> VectorSetRow:
    """Return the row of a set that is built now."""
    names = [part.value for part in parts]
    return VectorSetRow(name=name, encoder=encoder, parts=names, version_id=version, as_of=as_of, built_at=now())


def hash_of(content: bytes) -> bytes:
    """Return what a text, or a vector without one, is stored under."""
    return hashlib.sha256(content).digest()[:HASH_BYTES]


def stored_hashes(session: Session, encoder: str, hashes: Iterable[bytes], dimensions: int) -> set[bytes]:
    """Return which of the hashes have a vector of the right length already."""
    whole = func.length(col(TextVectorRow.vector)) == dimensions * STORED.itemsize
    found: set[bytes] = set()
    for chunk in _chunks(hashes):
        query = select(TextVectorRow.hash).where(TextVectorRow.encoder == encoder, whole)
        found.update(session.exec(query.where(col(TextVectorRow.hash).in_(chunk))))
    return found


def text_vectors(session: Session, encoder: str, hashes: Iterable[bytes]) -> dict[bytes, NDArray[np.float32]]:
    """Return the stored vector of each hash that has one."""
    found: dict[bytes, NDArray[np.float32]] = {}
    for chunk in _chunks(hashes):
        query = select(TextVectorRow.hash, TextVectorRow.vector).where(TextVectorRow.encoder == encoder)
        rows = session.exec(query.where(col(TextVectorRow.hash).in_(chunk)))
        found |= {hash_: np.frombuffer(vector, dtype=STORED).astype(np.float32) for hash_, vector in rows}
    return found


def add_text_vectors(session: Session, encoder: str, vectors: Iterable[tuple[bytes, bytes]]) -> None:
    """Store (hash, vector) pairs of an encoder in place of those that are there."""
    for chunk in _chunks(dict(vectors).items()):
        hashes = [hash_ for hash_, _ in chunk]
        here = (col(TextVectorRow.encoder) == encoder, col(TextVectorRow.hash).in_(hashes))
        session.execute(delete(TextVectorRow).where(*here))
        rows = ({"encoder": encoder, "hash": hash_, "vector": vector} for hash_, vector in chunk)
        insert_many(session, TABLES.tables["text_vector"], rows)


def save_set(session: Session, about: VectorSetRow, items: Sequence[tuple[str, bytes]]) -> None:
    """Store a set of (item id, hash) pairs, in place of the one of its name; the caller commits."""
    session.execute(delete(VectorSetRow).where(col(VectorSetRow.name) == about.name))
    session.add(about)
    session.flush()
    rows = (
        {"set_name": about.name, "position": position, "item_id": item_id, "hash": hash_}
        for position, (item_id, hash_) in enumerate(items)
    )
    insert_many(session, TABLES.tables["vector_set_item"], rows)


def _array(stored: Sequence[bytes | None], name: str) -> NDArray[np.float32]:
    """Return stored vectors as one array; they all have the length of the first."""
    whole = [vector for vector in stored if vector]
    if len(whole) != len(stored) or len({len(vector) for vector in whole}) > 1 or len((whole or [b""])[0]) % 4:
        raise VectorsDamaged(f"the vectors named {name!r} are not whole: build them again")
    length = len(whole[0]) // STORED.itemsize if whole else 0
    return np.frombuffer(b"".join(whole), dtype=STORED).reshape(len(whole), length).astype(np.float32)


def _chunks(many: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(many)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk
