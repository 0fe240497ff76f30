"""Vectors of texts, kept in a folder."""

from pathlib import Path

import numpy as np
import pytest

from memory.atomic_file import FileUnwritable
from memory.cached_vectors import embed_cached
from tests.memory.counting_encoder import CountingEncoder


def test_texts_are_encoded_once_and_then_read_from_the_cache(tmp_path: Path) -> None:
    encoder = CountingEncoder()

    first = embed_cached(["tea", "mug"], encoder, tmp_path / "new" / "folder")
    second = embed_cached(["tea", "mug"], encoder, tmp_path / "new" / "folder")

    assert encoder.encoded == 2
    assert np.array_equal(first, second)


@pytest.mark.parametrize("texts", [["mug", "tea"], ["tea", "mu", "g"], ["teamug"], ["tea"]])
def test_other_texts_or_another_order_have_their_own_cache(tmp_path: Path, texts: list[str]) -> None:
    embed_cached(["tea", "mug"], CountingEncoder(), tmp_path)
    encoder = CountingEncoder()

    vectors = embed_cached(texts, encoder, tmp_path)

    assert np.array_equal(vectors, CountingEncoder().encode(texts))
    assert encoder.encoded == len(texts)


def test_another_encoder_has_its_own_cache(tmp_path: Path) -> None:
    embed_cached(["tea"], CountingEncoder("letters@1"), tmp_path)
    encoder = CountingEncoder("letters@2")

    embed_cached(["tea"], encoder, tmp_path)

    assert encoder.encoded == 1


def test_without_a_cache_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    vectors = embed_cached(["tea"], CountingEncoder(), None)

    assert vectors.shape == (1, 26)
    assert list(tmp_path.iterdir()) == []


def damaged_caches(whole: bytes) -> dict[str, bytes]:
    """Contents that a cache file must not be believed with."""
    zeros = np.zeros(26, dtype="<f4").tobytes()
    return {
        "empty": b"",
        "cut off": whole[:-7],
        "longer": whole + b"\0",
        "no header": b"\0" * len(whole),
        "a pickle": b"\x80\x04cos\nsystem\n(S'false'\ntR.".ljust(len(whole)),
        "a vector of zeros": whole[: -len(zeros)] + zeros,
        "not a number": whole[:-4] + np.float32("nan").tobytes(),
    }


@pytest.mark.parametrize("damage", damaged_caches(b"").keys())
def test_a_damaged_cache_is_made_anew(tmp_path: Path, damage: str) -> None:
    expected = embed_cached(["tea", "mug"], CountingEncoder(), tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damaged_caches(whole)[damage])

    vectors = embed_cached(["tea", "mug"], CountingEncoder(), tmp_path)

    assert np.array_equal(vectors, expected)
    assert file.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [file]


def test_a_cache_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(FileUnwritable, match="cache"):
        embed_cached(["tea"], CountingEncoder(), tmp_path / "cache")
