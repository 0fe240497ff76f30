"""How items get their vectors: each distinct text is encoded once, and what is encoded stays."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from memory.database import Database
from memory.encoder import TextEncoder, Vectors
from memory.item_vectors.known_items import KnownItem, known_items
from memory.item_vectors.parts import ALL_PARTS, Part, item_text
from memory.item_vectors.vectors import (
    DEFAULT_NAME,
    STORED,
    ItemVectors,
    about_set,
    add_text_vectors,
    hash_of,
    save_set,
    stored_hashes,
    text_vectors,
)
from memory.versions import lineage

ENCODED_AT_ONCE = 1024  # texts between two commits, some seconds of work: what an interruption loses

Tell = Callable[[int, int], None]  # told how many texts are encoded, of how many
Encoded = Callable[[Sequence[list[str]]], Iterator[tuple[int, Vectors]]]  # pieces -> the vectors of each, by its number


def build_vectors(
    database: Database,
    encoder: TextEncoder,
    *,
    name: str = DEFAULT_NAME,
    parts: Sequence[Part] = ALL_PARTS,
    version_id: int | None = None,
    as_of: int | None = None,
    tell: Tell | None = None,
    encoded: Encoded | None = None,
) -> ItemVectors:
    """Encode the chosen parts of all items, store the set under its name, and return it.

    Texts that were encoded before are not encoded again, whichever set they were for. `version_id` and `as_of` are
    those of `known_items`. The set of that name stays as it was until the new one is whole. `encoded` encodes in the
    place of this process, in any order. Raises `UnknownVersion`, `WeightsMissing` and `WeightsDamaged`.
    """
    parts = tuple(part for part in ALL_PARTS if part in parts)
    with database.session() as session:
        version = next(iter(lineage(session, version_id)), 0)
        items, texts = _texts(known_items(session, version_id, as_of), parts)
    _encode_new(database, encoder, texts, encoded, tell)
    with database.writing() as session:
        save_set(session, about_set(name, encoder.name, parts, version, as_of), items)
    with database.session() as session:
        return ItemVectors.load(session, name)


def vectors_of_items(
    database: Database,
    encoder: TextEncoder,
    known: Iterable[KnownItem],
    parts: Sequence[Part],
    tell: Tell | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Return the vector of each item whose text is not empty, by id; no set is stored, but what is encoded stays."""
    items, texts = _texts(known, parts)
    _encode_new(database, encoder, texts, None, tell)
    with database.session() as session:
        vectors = text_vectors(session, encoder.name, texts)
    return {item_id: vectors[hash_] for item_id, hash_ in items}


def _texts(
    known_of_all: Iterable[KnownItem], parts: Sequence[Part]
) -> tuple[list[tuple[str, bytes]], dict[bytes, str]]:
    """Return (item id, hash of its text) for each item whose text is not empty, and the text of each hash."""
    items: list[tuple[str, bytes]] = []
    texts: dict[bytes, str] = {}
    for known in known_of_all:
        if text := item_text(known, parts):
            hash_ = hash_of(text.encode("utf-8", "surrogatepass"))
            items.append((known.id, hash_))
            texts[hash_] = text
    return items, texts


def _encode_new(
    database: Database, encoder: TextEncoder, texts: Mapping[bytes, str], encoded: Encoded | None, tell: Tell | None
) -> None:
    """Encode and store the texts that have no vector yet."""
    with database.session() as session:
        stored = stored_hashes(session, encoder.name, texts, encoder.dimensions)
    left = [(hash_, text) for hash_, text in texts.items() if hash_ not in stored]
    _encode(database, encoder, left, encoded or _here(encoder), tell)


def _encode(
    database: Database, encoder: TextEncoder, texts: Sequence[tuple[bytes, str]], encoded: Encoded, tell: Tell | None
) -> None:
    """Encode and store texts, those of like length together: the encoder's batches are of equal length."""
    ordered, done = sorted(texts, key=lambda one: (len(one[1]), one[1])), 0
    chunks = [ordered[start : start + ENCODED_AT_ONCE] for start in range(0, len(ordered), ENCODED_AT_ONCE)]
    for number, vectors in encoded([[text for _, text in chunk] for chunk in chunks]):
        with database.writing() as session:
            found = zip(chunks[number], vectors.astype(STORED), strict=True)
            add_text_vectors(session, encoder.name, ((hash_, vector.tobytes()) for (hash_, _), vector in found))
        done += len(chunks[number])
        if tell is not None:
            tell(done, len(ordered))


def _here(encoder: TextEncoder) -> Encoded:
    return lambda pieces: ((number, encoder.encode(texts)) for number, texts in enumerate(pieces))
