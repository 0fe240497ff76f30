"""The vectors of all-MiniLM-L6-v2."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from memory.encoder import MiniLmEncoder, TextEncoder

ROOT = Path(__file__).parents[2]
TITLES = [
    "Bosch cordless drill 18V",
    "Wasserkocher Edelstahl 1,7 l",
    "mug",
    "Samsung T7 Portable SSD 1TB - USB 3.2 Gen 2 (MU-PC1T0T/WW) Titan Gray, up to 1,050 MB/s",
    "cup",
    "Dog collar red leather L",
    "",
]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return MiniLmEncoder()


def test_vectors_have_the_declared_shape_and_length_one(encoder: TextEncoder) -> None:
    vectors = encoder.encode(TITLES)

    assert vectors.shape == (len(TITLES), encoder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_text_has_the_same_vector_bit_for_bit_in_any_company(encoder: TextEncoder) -> None:
    together = encoder.encode(TITLES * 20)

    alone = np.vstack([encoder.encode([title]) for title in TITLES])

    assert np.array_equal(together, np.tile(alone, (20, 1)))


def test_things_alike_are_nearer_than_things_apart(encoder: TextEncoder) -> None:
    drill, screwdriver, tea = encoder.encode(["power drill", "electric screwdriver", "green tea bags"])

    assert drill @ screwdriver > drill @ tea + 0.2


def test_what_follows_the_128th_token_changes_nothing(encoder: TextEncoder) -> None:
    long, longer = encoder.encode(["word " * 126, "word " * 126 + "tea " * 500_000])

    assert np.array_equal(long, longer)


def test_a_lone_surrogate_is_read_as_a_question_mark(encoder: TextEncoder) -> None:
    surrogate, question_mark = encoder.encode(["mug \ud800", "mug ?"])

    assert np.array_equal(surrogate, question_mark)


def test_no_texts_give_no_vectors(encoder: TextEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_the_name_tells_model_and_limit(encoder: TextEncoder) -> None:
    assert encoder.name == "all-MiniLM-L6-v2-int8@8199be6f699a/128"


def test_encoding_writes_nothing_into_the_users_folders(tmp_path: Path) -> None:
    folders = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    encode = "from memory.encoder import MiniLmEncoder; MiniLmEncoder().encode(['a cup'])"

    subprocess.run([sys.executable, "-c", encode], cwd=ROOT, env={"PATH": os.environ["PATH"], **folders}, check=True)

    assert [*tmp_path.iterdir()] == []
