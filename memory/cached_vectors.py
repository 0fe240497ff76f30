"""Vectors of texts kept in files of a folder: one file for one list of texts."""

import hashlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.lib.format import write_array_header_1_0

from memory.atomic_file import FileUnwritable, written_whole
from memory.encoder import TextEncoder, Vectors

Announce = Callable[[int], None]  # told how many texts will be encoded, before it takes its time


def embed_cached(
    texts: Sequence[str], encoder: TextEncoder, cache_dir: Path | None, announce: Announce | None = None
) -> Vectors:
    """Return one vector a text: float32, shape (texts, dimensions); from the cache where it was made before.

    A cache file belongs to one encoder, by its full name, and to these texts in this order; one that cannot be read, or
    holds anything but unit vectors of the right shape, is made anew. Raises `FileUnwritable`.
    """
    if cache_dir is None:
        return encoder.encode(texts)
    path = cache_dir / f"vectors-{_cache_key(texts, encoder)}.npy"
    vectors = _read(path, (len(texts), encoder.dimensions))
    if vectors is None:
        if announce is not None:
            announce(len(texts))
        vectors = encoder.encode(texts)
        _write(path, vectors)
    return vectors


def _cache_key(texts: Sequence[str], encoder: TextEncoder) -> str:
    digest = hashlib.sha256()
    for text in (encoder.name, *texts):
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()[:40]


def _read(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """Return the vectors of a cache file, or None; the header is compared, not parsed, as the file may be anything."""
    header = BytesIO()
    write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    size = header.tell() + 4 * shape[0] * shape[1]
    try:
        content = path.read_bytes() if path.stat().st_size == size else b""
    except OSError:  # not there yet, as a rule
        return None
    if not content.startswith(header.getvalue()):
        return None
    vectors: Vectors = np.frombuffer(content, dtype="<f4", offset=header.tell()).reshape(shape)
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    return vectors if bool(np.all(np.abs(lengths - 1) < 1e-3)) else None


def _write(path: Path, vectors: Vectors) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnwritable(f"{str(path.parent)!r} cannot be made: {error.strerror}") from error
    with written_whole(path) as unfinished, unfinished.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
